import type { ActionApproval } from '../../protocol/approvals/approval.js';
import { requestsNamed, type ApprovalRelay } from '../approvals/relay.js';
import { verifySignature } from '../../protocol/ed25519/verify.js';
import type { Intent } from '../../protocol/intent.js';
import type { Freshness, HookOutcome, KnownTrust, Policy, SchemaCheck } from '../../verify/context.js';
import type { ExactApproval } from '../../verify/approvals/approved.js';
import type { Judgement } from '../../verify/judge.js';
import type { Trusting } from '../../verify/trusting.js';
import type { SignatureWorkers } from '../ports/signatures.js';
import type { Clock, Ledger, State } from '../ports/state.js';
import { conclude, refusesBeforeHooks } from './conclude.js';
import { examine, type Claim, type Submission } from './examine.js';
import { record } from './folding.js';
import { notAsked } from './hooks/hooks.js';
import { recordOf, wasRefused } from './record.js';
import type { Demands } from './replaced.js';
import type { PreparedDocument, Requester, Sitting } from './sitting.js';
import { SignaturePrefetch } from './signature-prefetch.js';

export type { Submission } from './examine.js';

/** What every verifier needs, with state or without. */
export interface JudgingDeps extends Trusting {
  readonly clock: Clock;
  /** Loaded only when an action has a schema. */
  readonly loadSchemaCheck: () => SchemaCheck | Promise<SchemaCheck>;
  /** How hooks are asked; null where there are none. Asked only about intents that no step before theirs refuses. */
  readonly hooks: () => HookQuestion | null;
  /** True when a valid approval of exactly this intent was given. */
  readonly approved: ExactApproval;
  /** Answers to requests for approval that the caller brings along. */
  readonly answers?: readonly ActionApproval[];
  /** What the caller demands of passports beside what is known here; nothing where it is absent. */
  readonly demands?: Demands;
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
  /** This machine as the verifier that raises requests for approval, and takes the answers to them. */
  readonly requester: () => Requester;
  /** The way to persons elsewhere; nothing where requests for approval stay on this machine. */
  readonly relay?: Pick<ApprovalRelay, 'answersTo' | 'tell'>;
  /** Asked only where a minimum is set. */
  readonly trust: (ledger: Ledger, agentId: string) => KnownTrust | null;
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

/** So far ahead is the same time: two clocks never agree to the millisecond. */
const MAX_AHEAD_MS = 30_000;

/**
 * True when what is judged as of `at` would be counted at a time that is still to come: it would stay in every window until that time has
 * come and gone, so that a slip of a digit uses up tomorrow's limits. Moments in ms since the epoch.
 */
export function countsAhead(at: number | null, dryRun: boolean, now: number): boolean {
  return at !== null && !dryRun && at - now > MAX_AHEAD_MS;
}

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
  const read = submissions.map((submission) => {
    const { policy } = options;
    const each = examine(submission, { trusting, policy, signatureHolds, now, startedAt: deps.ticks() });
    if (!('decision' in each)) prefetch?.start(each.document.question(each.asking));
    return each;
  });
  await prefetch?.settled();
  const examined = deps.relay === undefined || options.dryRun ? read : await withAnswers(deps.relay, read);
  const refusedEarly = (document: PreparedDocument): boolean =>
    deps.state.look((ledger) => refusesBeforeHooks(sittingOn(deps, options, ledger), document));
  const prepared = examined.map((each) => prepare(deps, each, refusedEarly));
  // oxlint-disable-next-line typescript/await-thenable -- some are promises, where a hook is asked
  return prepared.some((each) => each instanceof Promise) ? Promise.all(prepared) : (prepared as PreparedBatch);
}

/** The documents with what persons elsewhere have answered to the requests that they name. */
async function withAnswers(
  relay: Pick<ApprovalRelay, 'answersTo'>,
  read: readonly (Claim | Judgement)[],
): Promise<readonly (Claim | Judgement)[]> {
  const named = requestsNamed(read.map((each) => ('decision' in each ? null : requestOf(each))));
  if (named.length === 0) return read;
  const answers = await relay.answersTo(named);
  if (answers.length === 0) return read;
  return read.map((each) => {
    if ('decision' in each) return each;
    const own = answers.filter(({ document }) => document.request_id === requestOf(each));
    if (own.length === 0) return each;
    const { submission } = each;
    return { ...each, submission: { ...submission, answers: [...(submission.answers ?? NO_ANSWERS), ...own] } };
  });
}

function requestOf({ document, submission }: Pick<Claim, 'document' | 'submission'>): string | null {
  return document.intent.document.approval_request ?? submission.approvalRequest ?? null;
}

/**
 * Judges who sent a document, and asks the hooks and loads the schema check where they will be needed. A promise only where something
 * has to be waited for. `refusedEarly` is true for a document that a step before the hooks refuses as things stand.
 */
export function prepare(
  deps: JudgingDeps,
  claim: Claim | Judgement,
  refusedEarly: (document: PreparedDocument) => boolean,
): PreparedDocument | Judgement | Promise<PreparedDocument> {
  if ('decision' in claim) return claim;
  const { dialect, submission, startedAt, document, asking } = claim;
  const { intent } = document;
  const proven = document.prove(asking);
  // Written out: copying by spread takes a fifth of the time that all steps together take.
  const made = (hooks: readonly HookOutcome[], schemaProblems: SchemaCheck): PreparedDocument => ({
    dialect,
    submission,
    startedAt,
    intent,
    proven,
    pins: asking.trusting.pins,
    hooks,
    schemaProblems,
  });
  const { speaker } = proven;
  if (speaker === null) return made(NO_HOOKS, notLoaded);
  const schema = speaker.passport?.actions.get(intent.document.action) ?? null;
  const check = schema === null ? notLoaded : deps.loadSchemaCheck();
  const ask = deps.hooks();
  if (ask === null && !(check instanceof Promise)) return made(NO_HOOKS, check);
  return Promise.resolve(check).then(async (loaded) => {
    if (ask === null) return made(NO_HOOKS, loaded);
    // The steps run in order: what a replay or a broken limit refuses must not page a person first.
    const early = refusedEarly(made(NO_HOOKS, loaded));
    return made(early ? [notAsked(intent)] : await ask(intent), loaded);
  });
}

/** `ledger` is a transaction's, or a look at what one would find. */
function sittingOn(deps: VerifierDeps, { at, geo, dryRun, policy }: VerifyOptions, ledger: Ledger): Sitting {
  // Asked once it is open: waiting for it must not make a revocation or a limit look younger.
  const wallNow = deps.clock();
  const freshness = deps.freshness(wallNow);
  return {
    memory: ledger,
    // It cannot change while the transaction lasts, so each subject is asked about once.
    standing: once((subject) => ledger.standing(subject)),
    freshness,
    spokenNames: (key) => ledger.spokenNames(key),
    addSpokenName: (key, agentId) => ledger.addSpokenName(key, agentId),
    floors: (agentId) => ledger.floors(agentId),
    raiseFloor: (floor) => ledger.raiseFloor(floor),
    demands: deps.demands ?? NO_DEMANDS,
    trust: (agentId) => deps.trust(ledger, agentId),
    approved: deps.approved,
    answers: deps.answers ?? NO_ANSWERS,
    requester: deps.requester,
    geo,
    token: dryRun ? NO_TOKEN : () => ledger.token(),
    wallNow,
    now: at ?? wallNow,
    dryRun,
    warnings: clockWarnings(freshness.clockAheadMs ?? null, policy.maxSkewMs),
  };
}

/**
 * All other steps for every document of a batch, in order, in one transaction. A dry run judges each one as things stand:
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
      const { dialect, intent } = each;
      const settled = conclude(sitting, each);
      const again = wasRefused(ledger, intent, settled, dialect.presentableForMs(options.policy), wallNow);
      const took = deps.ticks() - each.startedAt;
      const entry = recordOf(
        intent,
        settled,
        options.logParams,
        wallNow,
        took,
        again,
        each.submission.approvalRequest ?? null,
      );
      record(ledger, entry, settled.spent, wallNow);
      return settled.judgement;
    });
    // As of an earlier time, what its windows still count is not old yet.
    ledger.prune(Math.min(wallNow, sitting.now));
    return judgements;
  };
  if (options.dryRun) return deps.state.rehearse(work);
  const judgements = deps.state.transact(work);
  if (deps.relay !== undefined && judgements.some((each, i) => concernsRequest(each, batch[i]!))) deps.relay.tell();
  return judgements;
}

/** True where a request for approval was raised, or spent. */
function concernsRequest({ decision }: Judgement, document: PreparedDocument | Judgement): boolean {
  if ('decision' in document) return false;
  if (decision.success)
    return (document.intent.document.approval_request ?? document.submission.approvalRequest) != null;
  return decision.violations.some(({ details }) => details.request_id !== undefined);
}

const NO_TOKEN = (): null => null;
const NO_HOOKS: readonly HookOutcome[] = [];
/** What is known here is all that a passport is held to. */
export const NO_DEMANDS: Demands = () => null;
export const NO_ANSWERS: Sitting['answers'] = [];
const NO_WARNINGS: Sitting['warnings'] = [];

/** Where the two clocks differ by more than intents may, times in intents and of the mesh do not mean the same moment. */
function clockWarnings(aheadMs: number | null, maxSkewMs: number): Sitting['warnings'] {
  if (aheadMs === null || Math.abs(aheadMs) <= maxSkewMs) return NO_WARNINGS;
  const way = aheadMs > 0 ? 'ahead of' : 'behind';
  const message = `This machine's clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${way} the mesh's; suspensions end by the mesh's.`;
  return [{ code: 'clock_differs', message }];
}

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
