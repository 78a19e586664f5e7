import { usage } from '../app/failure.js';
import { LocalTrust } from '../app/verification/trust/local-trust.js';
import type { Trusting } from '../verify/trusting.js';
import type { JudgingDeps, Submission } from '../app/verification/intents.js';
import { countsAhead } from '../app/verification/verifier.js';
import { verifyStateless } from '../app/verification/stateless.js';
import type { IntentDocument } from '../protocol/intent.js';
import { MAX_DOCUMENT_BYTES } from '../protocol/limits.js';
import { approvedBy, type ExactApproval } from '../verify/approvals/approved.js';
import type { Judgement } from '../verify/judge.js';
import type { Hooks } from './hooks.js';
import type { Mesh } from './mesh/mesh.js';
import type { Trust } from './trust.js';
import {
  approvalsOf,
  judgingOf,
  KNOWS_NOTHING,
  requestIdOf,
  trustingOf,
  type VerifyIntentOptions,
} from './options/verification.js';
import { GroupCommit } from '../workspace/group-commit.js';
import { fleetAt, fleetUrl } from '../workspace/fleet/memory.js';
import { localState } from '../workspace/state.js';
import { judgingDeps, verifierDeps, type Word } from '../workspace/verification.js';
import type { LocalWorkspace } from '../workspace/workspace.js';

/** An intent as it is held: the object, its JSON text, or the bytes of that text. */
export type VerifiableIntent = IntentDocument | string | Uint8Array | Readonly<Record<string, unknown>>;

/** Judges intents for one workspace. */
export class Verifier {
  readonly #workspace: LocalWorkspace;
  readonly #word: Word;
  readonly #judging: JudgingDeps;
  readonly #hooks: Hooks;
  readonly #mesh: Mesh;
  readonly #trustOf: Trust;
  #durable: Promise<GroupCommit> | null = null;
  #group: GroupCommit | null = null;
  #trust: Trusting = KNOWS_NOTHING;

  constructor(workspace: LocalWorkspace, hooks: Hooks, mesh: Mesh, trust: Trust) {
    this.#workspace = workspace;
    this.#hooks = hooks;
    this.#mesh = mesh;
    this.#trustOf = trust;
    this.#word = {
      ...KNOWS_NOTHING,
      hooks: () => (hooks.size === 0 ? null : (intent) => hooks.ask(intent)),
      approved: () => false,
    };
    this.#judging = judgingDeps(workspace.world, this.#word);
  }

  /** A promise wherever something is waited for; without state and hooks nothing is. */
  verify(
    intent: VerifiableIntent,
    options: VerifyIntentOptions | undefined,
    more: Pick<Submission, 'within' | 'meant' | 'counted' | 'answers' | 'asked'> = {},
  ): Judgement | Promise<Judgement> {
    const judging = judgingOf(options);
    const remembers = options?.state !== false && options?.allowFuture !== true;
    if (remembers && countsAhead(judging.at, judging.dryRun, this.#workspace.world.clock()))
      throw usage(
        '"at" is ahead of now, and what is verified would be counted then.',
        'dryRun: true, or allowFuture: true',
      );
    const trusting = options === undefined ? undefined : trustingOf(options);
    const submission: Submission = {
      bytes: documentOf(intent),
      source: options?.source ?? null,
      ...(trusting === undefined ? {} : { trusting }),
      ...more,
      ...(options?.approval === undefined ? {} : this.#approved(options, trusting)),
      ...(options?.approvalRequest === undefined ? {} : { approvalRequest: requestIdOf(options.approvalRequest) }),
    };
    if (options?.state === false) return verifyStateless(this.#judging, judging, submission);
    const group = this.#group;
    const waiting = this.#mesh.ready();
    if (waiting !== null)
      return waiting.then(() => this.#opened()).then((opened) => opened.verify(submission, judging));
    return group !== null
      ? group.verify(submission, judging)
      : this.#opened().then((opened) => opened.verify(submission, judging));
  }

  /** Judged by the pins that the passport is judged by. */
  #approved(
    options: VerifyIntentOptions,
    trusting: ((own: Trusting) => Trusting) | undefined,
  ): Pick<Submission, 'approved' | 'answers'> {
    const { exact, answers } = approvalsOf(options.approval!);
    const approved: ExactApproval = (intent, counts) => {
      const own = options.state === false ? KNOWS_NOTHING : this.#trust;
      return approvedBy(exact, (trusting?.(own) ?? own).pins)(intent, counts);
    };
    return { approved, answers };
  }

  async close(): Promise<void> {
    const opened = this.#durable;
    this.#durable = null;
    this.#group = null;
    await (await opened)?.idle();
    await this.#mesh.relay()?.settled();
  }

  #opened(): Promise<GroupCommit> {
    this.#durable ??= this.#openGroup().then(
      (group) => (this.#group = group),
      (error: unknown) => {
        this.#durable = null;
        throw error;
      },
    );
    return this.#durable;
  }

  async #openGroup(): Promise<GroupCommit> {
    const { world } = this.#workspace;
    const [state, fleet] = await Promise.all([
      localState(this.#workspace),
      fleetAt(this.#workspace, fleetUrl(this.#workspace)),
    ]);
    const { passport, pins } = new LocalTrust(state);
    this.#trust = { passport, pins };
    const deps = verifierDeps(world, state, {
      ...this.#word,
      fleet,
      passport,
      pins,
      freshness: () => this.#mesh.freshness(),
      vouched: () => this.#mesh.vouched(),
      relay: {
        answersTo: async (ids) => (await this.#mesh.relay()?.answersTo(ids)) ?? [],
        tell: () => this.#mesh.relay()?.tell(),
      },
      trust: (_, agentId) => this.#trustOf.reading(state.conduct, agentId),
    });
    return new GroupCommit(deps, world.nextTurn, { asksHooks: () => this.#hooks.size > 0 });
  }
}

/** An intent held as an object is written out and read again, so that it passes the same strict door as any other. */
function documentOf(intent: unknown): string | Uint8Array {
  if (typeof intent === 'string') return intent;
  // A copy, because it is read after the caller goes on, who may use the buffer again. What is too long is not read at all.
  if (intent instanceof Uint8Array) return intent.length > MAX_DOCUMENT_BYTES ? intent : Uint8Array.from(intent);
  if (typeof intent !== 'object' || intent === null)
    throw usage('An intent is an object, its JSON text, or the bytes of that text.');
  let text: string | undefined;
  try {
    text = JSON.stringify(intent);
  } catch {
    text = undefined;
  }
  if (text === undefined) throw usage('This object cannot be written as JSON, so it is no intent.');
  return text;
}
