import type { Intent } from '../protocol/intent.js';
import { verifySignature } from '../protocol/ed25519/verify.js';
import { isNonce } from '../verify/checks/nonce.js';
import type { Freshness, HookOutcome, Identified, Policy, SchemaCheck } from '../verify/context.js';
import { decide, identify, judge, STANDING_UNKNOWN, type Judgement } from '../verify/judge.js';
import { examine, type Examined, type Submission, type Trusting } from './examine.js';
import type { Clock, Ledger, State } from './ports.js';
import { entryOf, settle } from './record.js';
import { SignaturePrefetch } from './signature-prefetch.js';

export type { Submission, Trusting } from './examine.js';

/** What every verifier needs, with state or without. */
export interface JudgingDeps extends Trusting {
  readonly clock: Clock;
  /** Loaded only when an action has a schema. */
  readonly loadSchemaCheck: () => Promise<SchemaCheck>;
  /** Asked only about intents whose signature holds. */
  readonly hooks: (intent: Intent) => readonly HookOutcome[] | Promise<readonly HookOutcome[]>;
  /** True when a valid approval of exactly this intent was given. */
  readonly approved: (intent: Intent) => boolean;
}

export interface VerifierDeps extends JudgingDeps {
  readonly state: Pick<State, 'transact' | 'rehearse'>;
  /** A clock that never goes back, in microseconds, for `latency_us`. */
  readonly ticks: () => number;
  /** How current the copy of the revocations is; asked inside the transaction. */
  readonly freshness: (now: number) => Freshness;
  readonly trust: (ledger: Ledger, agentId: string) => Identified['facts']['trust'];
}

export interface JudgingOptions {
  readonly policy: Policy;
  /** Moves the clock of freshness, expiry and windows (`--at`), in ms since the epoch; null uses the system clock. */
  readonly at: number | null;
  readonly geo: string | null;
}

export interface VerifyOptions extends JudgingOptions {
  /** Judges and commits nothing. */
  readonly dryRun: boolean;
  readonly logParams: 'full' | 'masked' | 'none';
  /** Spreads the signature arithmetic of a batch over the cores. */
  readonly parallel: boolean;
}

/** An intent whose steps 1 and 2 are judged, with what the others need from outside the transaction. */
export interface Prepared extends Examined {
  readonly found: ReturnType<typeof identify>;
  readonly hooks: readonly HookOutcome[];
  readonly schemaProblems: SchemaCheck;
}

/** A batch that is read, its signatures judged, and nothing committed yet. Batches may be joined and cut. */
export type PreparedBatch = readonly (Prepared | Judgement)[];

/**
 * Judges a batch of documents. The decisions come back in order, after one durable commit that holds the spent nonces,
 * the counters and the log entries of all of them; when it fails nothing is decided.
 */
export async function verifyIntents(
  deps: VerifierDeps,
  options: VerifyOptions,
  submissions: readonly Submission[],
): Promise<Judgement[]> {
  return commitBatch(deps, options, await prepareBatch(deps, options, submissions));
}

/** Steps 1 and 2 for every document of a batch. A stream prepares its next batch while it commits this one. */
export async function prepareBatch(
  deps: VerifierDeps,
  options: VerifyOptions,
  submissions: readonly Submission[],
): Promise<PreparedBatch> {
  const now = options.at ?? deps.clock();
  const trusting = askedOnce(deps);
  const prefetch = options.parallel && submissions.length > 1 ? new SignaturePrefetch() : null;
  const signatureHolds = prefetch === null ? verifySignature : prefetch.holds;
  const examined = submissions.map((submission) => {
    const each = examine(submission, trusting, signatureHolds, now, deps.ticks());
    if ('claim' in each) prefetch?.start(each.claim);
    return each;
  });
  await prefetch?.settled();
  return prepareExamined(deps, examined);
}

/** Ends step 2, and asks the hooks and loads the schema check where they will be needed. */
export async function prepareExamined(
  deps: JudgingDeps,
  examined: readonly (Examined | Judgement)[],
): Promise<PreparedBatch> {
  const found = examined.map((each) => ('claim' in each ? identify(each.claim) : null));
  let schemaProblems: SchemaCheck = notLoaded;
  const hooks: (readonly HookOutcome[] | Promise<readonly HookOutcome[]>)[] = [];
  for (const [i, each] of examined.entries()) {
    const who = found[i]!;
    if (!('claim' in each) || 'refused' in who) {
      hooks.push(NO_HOOKS);
      continue;
    }
    const { intent } = each.claim;
    const schema = who.identity.passport.actions.get(intent.document.action);
    if (schema !== undefined && schema !== null && schemaProblems === notLoaded) {
      schemaProblems = await deps.loadSchemaCheck();
    }
    hooks.push(deps.hooks(intent));
  }
  const said = hooks.some((each) => each instanceof Promise) ? await Promise.all(hooks) : hooks;
  return examined.map((each, i) =>
    'claim' in each ? { ...each, found: found[i]!, hooks: said[i] as readonly HookOutcome[], schemaProblems } : each,
  );
}

/** Steps 3 to 9 for every document of a batch, in order, in one transaction. */
export function commitBatch(deps: VerifierDeps, options: VerifyOptions, batch: PreparedBatch): Judgement[] {
  // A document that could not be read leaves no trace, so a batch of nothing else needs no transaction.
  if (!batch.some((each) => 'claim' in each)) return batch as Judgement[];
  const work = (ledger: Ledger): Judgement[] => {
    // Asked once the transaction is open: waiting for it must not make a revocation or a limit look younger.
    const wallNow = deps.clock();
    const now = options.at ?? wallNow;
    const freshness = deps.freshness(wallNow);
    const judgements = batch.map((each): Judgement => {
      if (!('claim' in each)) return each;
      const { submission, startedAt, found } = each;
      const { intent } = each.claim;
      const { source, within } = submission;
      let judgement: Judgement;
      if ('refused' in found) {
        const outcome = found.refused;
        judgement = decide({ intent, outcome, revocation: STANDING_UNKNOWN, warnings: [], now, source });
      } else {
        const { passport } = found.identity;
        const { agent_id, nonce } = intent.document;
        const limits = within === undefined ? [passport.constraints] : [passport.constraints, within];
        const facts: Identified['facts'] = {
          spent: isNonce(nonce) ? ledger.spentNonce(agent_id, nonce) : null,
          read: (meter) => ledger.read(agent_id, meter, now),
          schemaProblems: each.schemaProblems,
          geo: options.geo,
          approved: deps.approved(intent),
          hooks: each.hooks,
          standing: (subject) => ledger.standing(subject),
          freshness,
          trust: options.policy.minTrust === null ? null : deps.trust(ledger, agent_id),
          wallNow,
        };
        const context: Identified = { intent, passport, limits, policy: options.policy, facts, now };
        const { outcome, revocation } = judge(found.identity, context);
        judgement = decide({ intent, outcome, revocation, warnings: warningsOf(revocation), now, source });
        settle(ledger, intent, limits, judgement, options.policy.maxAgeMs, { wallNow, now });
      }
      ledger.append(entryOf(intent, judgement, options.logParams, wallNow, deps.ticks() - startedAt));
      return judgement;
    });
    ledger.prune(wallNow);
    return judgements;
  };
  return options.dryRun ? deps.state.rehearse(work) : deps.state.transact(work);
}

export const NO_HOOKS: readonly HookOutcome[] = [];

function notLoaded(): never {
  throw new Error('params judged by a schema that was not loaded');
}

/** A batch holds many intents of few agents: each agent and each principal is looked up once. */
function askedOnce({ passport, pins }: Trusting): Trusting {
  return { passport: once(passport), pins: once(pins) };
}

function once<T>(ask: (name: string) => T): (name: string) => T {
  const answers = new Map<string, T>();
  return (name) => {
    let answer = answers.get(name);
    if (answer === undefined) answers.set(name, (answer = ask(name)));
    return answer;
  };
}

function warningsOf(revocation: { degraded: boolean }) {
  if (!revocation.degraded) return [];
  return [
    { code: 'revocation_degraded', message: 'The copy of the revocations is old; the last known standing was used.' },
  ];
}
