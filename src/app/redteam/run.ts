/** Runs attacks through the real verifier, on states that are thrown away, and tells which it let through. */
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { readActionApproval, type ActionApprovalDocument } from '../../protocol/approvals/approval.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import type { Facts, KnownTrust, PassportFinding, PinnedKey, StandingRecord } from '../../verify/context.js';
import { violation, type Decision } from '../../verify/decision.js';
import { approverPins, keepAnswer } from '../approvals/keep.js';
import type { OpenThrowaway, Throwaway } from '../policy/cases.js';
import type { Ledger } from '../ports/state.js';
import { verifyIntents, type VerifierDeps, type VerifyOptions } from '../verification/intents.js';
import { SILENCE, type HeardWords } from './approvals/oracle.js';
import { FAIR, SELF, type Attack, type Presented, type Scene, type Sent } from './scene.js';
import { jcs } from './signing.js';
import { STAND_IN_AGENT, STAND_IN_PRINCIPAL, type Stage } from './stage.js';

/** How an attack ended. */
export interface AttackEnd {
  readonly attack: Attack;
  /** False for one that the oracle finds nothing wrong with. */
  readonly counts: () => boolean;
  /** The code that stopped it, or `ERROR` where the verifier failed; null where it got through. */
  readonly code: string | null;
}

/** The verifier under attack. Ends with `close`. */
export class AttackedVerifier {
  readonly #stage: Stage;
  readonly #open: OpenThrowaway;
  readonly #findings = new Map<Presented, PassportFinding>();
  readonly #pins: readonly PinnedKey[];
  readonly #passport: Passport;
  readonly #namesPersons: boolean;
  #now: number;
  #shared: Throwaway | null = null;

  /** @throws ShapeError where the document is no passport, also with the keys that stand in */
  constructor(stage: Stage, open: OpenThrowaway) {
    this.#stage = stage;
    this.#open = open;
    this.#now = stage.now;
    this.#passport = passportOf(stage.own);
    this.#pins = [{ keyId: this.#passport.document.issuer_key_id, key: verifyKeyOf(STAND_IN_PRINCIPAL.raw)! }];
    this.#namesPersons = this.#passport.constraints.all.some(({ kind }) => kind === 'approval');
  }

  readonly #pinned = (principal: string): readonly PinnedKey[] =>
    principal === this.#passport.document.principal ? this.#pins : [];

  close(): void {
    this.#shared?.close();
    this.#shared = null;
  }

  /** Runs one. What came before is judged on a state of its own, and has to be accepted; a denial ends its request, for others as well. */
  async run(attack: Attack): Promise<AttackEnd> {
    const { history, sent, scene } = attack;
    const now = this.#stage.now + scene.later;
    const before: { text: string; at: number }[] = [];
    const alone = history.length > 0 || isDenied(scene);
    const throwaway = alone ? this.#opened() : (this.#shared ??= this.#opened());
    try {
      let heard = SILENCE;
      for (const each of history) {
        const at = now - (each.ago ?? 0);
        heard = await this.#hear(throwaway, each, at, scene);
        const text = this.#stage.textOf(naming(each, heard), at);
        if ((await this.#codeOf(throwaway, text, at, scene, heard)) === null) before.push({ text, at });
      }
      if (sent.again !== true) heard = await this.#hear(throwaway, sent, now, scene);
      const text = this.#stage.textOf(naming(sent, heard), now);
      const code = await this.#codeOf(throwaway, text, now, scene, heard, !alone);
      const counts = () => attack.open !== null || this.#stage.faultsAt(attack, now, text, before, heard).length > 0;
      return { attack, counts, code };
    } finally {
      if (alone) throwaway.close();
    }
  }

  #opened(): Throwaway {
    return this.#open({ passport: this.#passport, pins: this.#pins, clock: () => this.#now });
  }

  /** Has the verifier raise a request for what is sent, where nothing but a person's word is missing, and persons answer it. */
  async #hear(throwaway: Throwaway, sent: Sent, at: number, scene: Scene): Promise<HeardWords> {
    if (!this.#namesPersons || scene.words.length === 0) return SILENCE;
    const intent = this.#stage.askedFor(sent);
    const text = this.#stage.textOf({ intent }, at);
    const ask = (dryRun: boolean): Promise<Decision | null> =>
      this.#decide(throwaway, text, at, askingScene(scene), SILENCE, dryRun);
    // What needs no person would be accepted, and counted.
    let refused = await ask(true);
    if (refused?.error_code !== APPROVAL_REQUIRED) return SILENCE;
    if (typeof refused.details?.['request_id'] !== 'string') refused = await ask(false);
    const id = refused?.details?.['request_id'];
    if (typeof id !== 'string') return SILENCE;
    const { deps } = throwaway;
    const verifier = deps.requester().publicKey;
    const answered = this.#stage.answersTo({ id, verifier, intent, at }, scene);
    const pins = approverPins((did) => this.#pinned(did));
    for (const { answer, flaw } of answered) {
      if (flaw !== 'denial before') continue;
      keepAnswer(
        { transact: (work) => deps.state.transact(work), standingNow: (now) => now, pins },
        answer as unknown as ActionApprovalDocument,
        at,
      );
    }
    return {
      ...{ request: id, verifier, answers: answered.map(({ answer }) => answer) },
      brought: answered.filter(({ flaw }) => flaw !== 'denial before').map(({ answer }) => answer),
      revoked: this.#revokedIn(scene),
    };
  }

  async #codeOf(
    throwaway: Throwaway,
    text: string,
    at: number,
    scene: Scene,
    heard: HeardWords,
    dryRun = false,
  ): Promise<string | null> {
    const decision = await this.#decide(throwaway, text, at, scene, heard, dryRun);
    // It has accepted nothing.
    if (decision === null) return BROKE;
    return decision.success ? null : decision.error_code;
  }

  /** Null where the verifier failed. */
  async #decide(
    throwaway: Throwaway,
    text: string,
    at: number,
    scene: Scene,
    { brought }: HeardWords,
    dryRun: boolean,
  ): Promise<Decision | null> {
    this.#now = at;
    const geo = scene.geo === 'fair' ? this.#stage.geo : scene.geo;
    const { policy } = throwaway.options;
    const options: VerifyOptions = {
      ...throwaway.options,
      ...{ dryRun, geo, policy: { ...policy, minTrust: scene.score === null ? null : 0.5 } },
    };
    const submission = { bytes: text, source: null, answers: brought.map((each) => readActionApproval(jcs(each))) };
    try {
      const [judgement] = await verifyIntents(this.#depsIn(throwaway, scene), options, [submission]);
      return judgement!.decision;
    } catch {
      return null;
    }
  }

  #depsIn({ deps }: Throwaway, scene: Scene): VerifierDeps {
    const finding = this.#findingOf(scene.presented);
    const own = this.#passport.agent.id;
    return {
      ...deps,
      passport: (agentId) => (agentId === own ? finding : { status: 'unknown' }),
      pins: this.#pinned,
      hooks: () => (scene.hook ? async () => Promise.resolve([REFUSING]) : null),
      freshness: () => ({ mesh: scene.standing === 'stale', ageMs: null, maxAgeMs: 0, onStale: 'deny' }),
      trust: () => (scene.score === null ? null : ({ score: scene.score, meaningful: true } as KnownTrust)),
      state: {
        standingNow: (now) => now,
        transact: (work) => deps.state.transact((ledger) => work(this.#told(ledger, scene))),
        rehearse: (work) => deps.state.rehearse((ledger) => work(this.#told(ledger, scene))),
        look: (work) => deps.state.look((ledger) => work(this.#told(ledger, scene))),
      },
    };
  }

  /** The ledger with what the scene says of standing, and with the passport known as the last one. */
  #told(ledger: Ledger, scene: Scene): Ledger {
    const { standing } = scene;
    const revoked = this.#revokedIn(scene);
    const { document, agent, serial } = this.#passport;
    const stopped = {
      revoked: agent.id,
      suspended: agent.id,
      'principal revoked': document.principal,
      'key revoked': STAND_IN_AGENT.text,
    };
    const floor = {
      agentId: agent.id,
      issuerKey: STAND_IN_PRINCIPAL.text,
      serial,
      hash: this.#passport.hash(),
      raisedAt: 0,
    };
    return {
      ...ledger,
      floors: () => [floor],
      // Each attack is a day of its own: others leave theirs waiting.
      pendingRequests: () => ({ agent: 0, all: 0 }),
      standing: (subject) =>
        (standing !== 'active' && standing !== 'stale' && stopped[standing] === subject) || revoked.includes(subject)
          ? this.#record(subject, standing)
          : null,
    };
  }

  #revokedIn({ words }: Scene): string[] {
    const own = this.#passport.document.principal;
    return words === 'enough'
      ? []
      : words.flatMap(({ approver, flaw }) =>
          flaw === 'approver revoked' ? [approver === SELF.principal ? own : approver] : [],
        );
  }

  #record(subject: string, standing: Scene['standing']): StandingRecord {
    const suspended = standing === 'suspended';
    return {
      ...{ subject, status: suspended ? 'suspended' : 'revoked', reason: 'redteam', changedAt: this.#now - 1000 },
      ...{ changedBy: null, suspendedUntil: suspended ? this.#now + 3_600_000 : null, version: 1 },
    };
  }

  #findingOf(which: Presented): PassportFinding {
    let found = this.#findings.get(which);
    if (found === undefined)
      this.#findings.set(
        which,
        (found = which === 'unknown' ? { status: 'unknown' } : findingIn(this.#stage.presented(which))),
      );
    return found;
  }
}

/** Said of a verifier that threw. */
const BROKE = 'ERROR';
const APPROVAL_REQUIRED = 'AIP-E209';

/** Persons are asked while all else is well: an agent that is stopped gets no request. */
function askingScene({ presented, geo, later }: Scene): Scene {
  return { ...FAIR, presented, geo, later };
}

function isDenied({ words }: Scene): boolean {
  return words !== 'enough' && words.some(({ flaw }) => flaw?.startsWith('denial') === true);
}

/** The document with the request that it was approved by. */
function naming(sent: Sent, { request }: HeardWords): Sent {
  return request === null ? sent : { ...sent, intent: { ...sent.intent, approval_request: request } };
}

function findingIn(json: JsonObject): PassportFinding {
  try {
    return { status: 'found', passport: passportOf(json) };
  } catch (error) {
    if (error instanceof ShapeError) return { status: 'unreadable', reason: error.reason };
    throw error;
  }
}

const REFUSING: Facts['hooks'][number] = {
  hook: 'redteam',
  result: 'reject',
  violation: violation('ACTION_DENIED', 'A stand-in for a hook refuses.', { agent_id: '' }),
};
