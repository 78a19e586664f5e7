import type { TrustHistory } from '../../protocol/aip1/trust-score.js';
import type { Intent } from '../../protocol/intent.js';
import type { Passport } from '../../protocol/passport.js';
import { verifySignature } from '../../protocol/ed25519/verify.js';
import { isNonce } from '../../verify/checks/nonce.js';
import { degradedWarnings } from '../../verify/checks/revocation.js';
import type { Freshness, HookOutcome, Identified, Policy, SchemaCheck } from '../../verify/context.js';
import {
  decide,
  identify,
  judge,
  refusesBeforeHooks,
  STANDING_UNKNOWN,
  type Identity,
  type Judgement,
} from '../../verify/judge.js';
import { examine, type Examined, type ExaminedIntent, type Submission, type Trusting } from './examine.js';
import { factsOf, type Prepared, type Sitting } from './facts.js';
import { notAsked } from './hooks.js';
import type { Clock, Ledger, State } from '../ports/state.js';
import { entryOf, settle, wasRefused } from './record.js';
import type { SignatureWorkers } from '../ports/signatures.js';
import { SignaturePrefetch } from './signature-prefetch.js';
import { concludeEnvelope, envelopeRefusedEarly, proveEnvelope, signedIn, type ProvenEnvelope } from './envelope.js';

export type { Submission, Trusting } from './examine.js';

/** What every verifier needs, with state or without. */
export interface JudgingDeps extends Trusting {
  readonly clock: Clock;
  /** Loaded only when an action has a schema. */
  readonly loadSchemaCheck: () => SchemaCheck | Promise<SchemaCheck>;
  /** How hooks are asked; null where there are none. Asked only about intents that no step before theirs refuses. */
  readonly hooks: () => HookQuestion | null;
  /** True when a valid approval of exactly this intent was given. */
  readonly approved: (intent: Intent) => boolean;
}

export type HookQuestion = (intent: Intent) => Promise<readonly HookOutcome[]>;

export interface VerifierDeps extends JudgingDeps {
  readonly state: Pick<State, 'transact' | 'rehearse' | 'look'>;
  /** Asked where a batch is judged in parallel. */
  readonly signatureWorkers?: SignatureWorkers;
  /** A clock that never goes back, in microseconds, for `latency_us`. */
  readonly ticks: () => number;
  /** How current the copy of the revocations is; asked inside the transaction. */
  readonly freshness: (now: number) => Freshness;
  /** Asked only where a minimum is set. */
  readonly trust: (ledger: Ledger, agentId: string) => KnownTrust | null;
}

/** An agent's score under this verifier's rules, and the past that RFC-001 weighs. */
export interface KnownTrust {
  readonly score: number;
  readonly meaningful: boolean;
  readonly history: Omit<TrustHistory, 'delegationDepth'>;
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

/** An intent whose steps 1 and 2 are judged. */
export interface ProvenIntent extends ExaminedIntent {
  readonly found: ReturnType<typeof identify>;
}

/** A document with all that its other steps need from outside the transaction. */
export type PreparedDocument = (ProvenIntent | ProvenEnvelope) & Prepared;

/** A batch that is read, its signatures judged, and nothing committed yet. Batches may be joined and cut. */
export type PreparedBatch = readonly (PreparedDocument | Judgement)[];

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
  const prefetch =
    options.parallel && submissions.length > 1 ? new SignaturePrefetch(deps.signatureWorkers ?? null) : null;
  const signatureHolds = prefetch === null ? verifySignature : prefetch.holds;
  const examined = submissions.map((submission) => {
    const { policy } = options;
    const each = examine(submission, { trusting, policy, signatureHolds, now, startedAt: deps.ticks() });
    if (!('decision' in each)) prefetch?.start(each);
    return each;
  });
  await prefetch?.settled();
  const refusedEarly = (document: PreparedDocument): boolean =>
    deps.state.look((ledger) => refusesEarly(sittingOn(deps, options, ledger), document));
  const prepared = examined.map((each) => prepare(deps, each, refusedEarly));
  // oxlint-disable-next-line typescript/await-thenable -- some are promises, where a hook is asked
  return prepared.some((each) => each instanceof Promise) ? Promise.all(prepared) : (prepared as PreparedBatch);
}

/**
 * Ends step 2, and asks the hooks and loads the schema check where they will be needed. A promise only where something
 * has to be waited for. `refusedEarly` is true for a document that a step before the hooks refuses as things stand.
 */
export function prepare(
  deps: JudgingDeps,
  examined: Examined | Judgement,
  refusedEarly: (document: PreparedDocument) => boolean,
): PreparedDocument | Judgement | Promise<PreparedDocument> {
  if ('decision' in examined) return examined;
  if (examined.dialect === 'native') {
    // Written out: copying by spread takes a fifth of the time that all steps together take.
    const { dialect, submission, startedAt, claim } = examined;
    const found = identify(claim);
    return withOutside(deps, refusedEarly, spokenIn(claim.intent, found), (hooks, schemaProblems) => ({
      dialect,
      submission,
      startedAt,
      claim,
      found,
      hooks,
      schemaProblems,
    }));
  }
  const proven = proveEnvelope(examined);
  return withOutside(deps, refusedEarly, signedIn(proven), (hooks, schemaProblems) => ({
    ...proven,
    hooks,
    schemaProblems,
  }));
}

/** A document proved to come from its agent, with the passport that counts where there is one. */
interface Spoken {
  readonly intent: Intent;
  readonly passport: Passport | null;
}

function spokenIn(intent: Intent, found: ProvenIntent['found']): Spoken | null {
  return 'refused' in found ? null : { intent, passport: found.identity.passport };
}

function withOutside(
  deps: JudgingDeps,
  refusedEarly: (document: PreparedDocument) => boolean,
  spoken: Spoken | null,
  made: (hooks: readonly HookOutcome[], check: SchemaCheck) => PreparedDocument,
): PreparedDocument | Promise<PreparedDocument> {
  if (spoken === null) return made(NO_HOOKS, notLoaded);
  const schema = spoken.passport?.actions.get(spoken.intent.document.action) ?? null;
  const check = schema === null ? notLoaded : deps.loadSchemaCheck();
  const ask = deps.hooks();
  if (ask === null && !(check instanceof Promise)) return made(NO_HOOKS, check);
  return Promise.resolve(check).then(async (loaded) => {
    if (ask === null) return made(NO_HOOKS, loaded);
    // The steps run in order: what a replay or a broken limit refuses must not page a person first.
    const early = refusedEarly(made(NO_HOOKS, loaded));
    return made(early ? [notAsked(spoken.intent)] : await ask(spoken.intent), loaded);
  });
}

function refusesEarly(sitting: Sitting, prepared: PreparedDocument): boolean {
  if (prepared.dialect === 'aip-1') return envelopeRefusedEarly(sitting, prepared);
  return (
    'refused' in prepared.found ||
    refusesBeforeHooks(prepared.found.identity, identifiedIn(sitting, prepared, prepared.found.identity, null))
  );
}

/** `ledger` is a transaction's, or a look at what one would find. */
function sittingOn(deps: VerifierDeps, options: VerifyOptions, ledger: Ledger): Sitting {
  // Asked once it is open: waiting for it must not make a revocation or a limit look younger.
  const wallNow = deps.clock();
  const freshness = deps.freshness(wallNow);
  const standing = once((subject) => ledger.standing(subject));
  return { deps, options, ledger, wallNow, now: options.at ?? wallNow, freshness, standing };
}

/**
 * Steps 3 to 9 for every document of a batch, in order, in one transaction. A dry run judges each one as things stand:
 * what the one before it would have spent or counted must not depend on where a stream happens to be cut into batches.
 */
export function commitBatch(deps: VerifierDeps, options: VerifyOptions, batch: PreparedBatch): Judgement[] {
  if (options.dryRun && batch.length > 1) return batch.flatMap((each) => commitBatch(deps, options, [each]));
  // A document that could not be read leaves no trace, so a batch of nothing else needs no transaction.
  if (batch.every((each) => 'decision' in each)) return batch.slice();
  const work = (ledger: Ledger): Judgement[] => {
    const sitting = sittingOn(deps, options, ledger);
    const { wallNow } = sitting;
    const judgements = batch.map((each): Judgement => {
      if ('decision' in each) return each;
      const intent = each.dialect === 'native' ? each.claim.intent : each.intent;
      const judgement = each.dialect === 'native' ? concludeIntent(sitting, each) : concludeEnvelope(sitting, each);
      const again = wasRefused(ledger, intent, judgement, options.policy.maxAgeMs, wallNow);
      ledger.append(entryOf(intent, judgement, options.logParams, wallNow, deps.ticks() - each.startedAt, again));
      return judgement;
    });
    // As of an earlier time, what its windows still count is not old yet.
    ledger.prune(Math.min(wallNow, sitting.now));
    return judgements;
  };
  return options.dryRun ? deps.state.rehearse(work) : deps.state.transact(work);
}

function concludeIntent(sitting: Sitting, prepared: ProvenIntent & Prepared): Judgement {
  const { deps, options, ledger, now } = sitting;
  const { found, claim, submission } = prepared;
  const { intent } = claim;
  const { source } = submission;
  if ('refused' in found) {
    const outcome = found.refused;
    return decide({ intent, outcome, revocation: STANDING_UNKNOWN, warnings: [], now, source });
  }
  const { policy } = options;
  const trust = policy.minTrust === null ? null : deps.trust(ledger, intent.document.agent_id);
  const identified = identifiedIn(sitting, prepared, found.identity, trust);
  const { outcome, revocation } = judge(found.identity, identified);
  const judgement = decide({
    intent,
    outcome,
    revocation,
    warnings: degradedWarnings(revocation),
    now,
    source,
  });
  settle(ledger, intent, identified.limits, judgement, policy.maxAgeMs, sitting);
  return judgement;
}

function identifiedIn(
  sitting: Sitting,
  prepared: ProvenIntent & Prepared,
  { passport }: Identity,
  trust: KnownTrust | null,
): Omit<Identified, 'believed'> {
  const { intent } = prepared.claim;
  const { within } = prepared.submission;
  const limits = within === undefined ? [passport.constraints] : [passport.constraints, within];
  const facts = { ...factsOf(sitting, prepared, intent, isNonce(intent.document.nonce)), trust };
  return { intent, passport, limits, policy: sitting.options.policy, facts, now: sitting.now };
}

const NO_HOOKS: readonly HookOutcome[] = [];

function notLoaded(): never {
  throw new Error('params judged by a schema that was not loaded');
}

/** A batch holds many intents of few agents: each agent and each principal is looked up once. */
function askedOnce(trusting: Trusting): Trusting {
  const { envelopes } = trusting;
  return {
    passport: once(trusting.passport),
    pins: once(trusting.pins),
    ...(envelopes === undefined ? {} : { envelopes }),
  };
}

function once<T>(ask: (name: string) => T): (name: string) => T {
  const answers = new Map<string, T>();
  return (name) => {
    let answer = answers.get(name);
    if (answer === undefined) answers.set(name, (answer = ask(name)));
    return answer;
  };
}
