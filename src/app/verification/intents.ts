/**
 * The way of a document, from bytes to a decision and its entry. Outside of the transaction: `examine` reads it (a Claim), `prepare` judges who
 * sent it and asks the hooks (a PreparedDocument). Inside, `judgeAndLog` appends the entry of what `settleDocument` says: that has the dialect
 * judge all other steps, makes the decision of what they found (`judgementOf`), spends the nonce and counts.
 */
import { approverPins, keepAnswer } from '../approvals/keep.js';
import { requestsNamed, type ApprovalRelay } from '../approvals/relay.js';
import { verifySignature } from '../../protocol/ed25519/verify.js';
import { fitsPlainly } from '../../verify/checks/plain-params.js';
import type { HookOutcome, SchemaCheck } from '../../verify/context.js';
import type { Judgement } from '../../verify/judge.js';
import type { Trusting } from '../../verify/trusting.js';
import type { Ledger } from '../ports/state.js';
import { refusesBeforeHooks } from './settle.js';
import { examine, type Claim, type Submission } from './examine.js';
import { commitShared, refusedInFleet } from './fleet/commit.js';
import { notAsked } from './hooks/hooks.js';
import type { PreparedDocument } from './sitting.js';
import { SignaturePrefetch } from './signature-prefetch.js';
import {
  judgeAndLog,
  NO_ANSWERS,
  once,
  sittingOn,
  type JudgingDeps,
  type PreparedBatch,
  type VerifierDeps,
  type VerifyOptions,
} from './verifier.js';

export type {
  HookQuestion,
  JudgingDeps,
  JudgingOptions,
  PreparedBatch,
  VerifierDeps,
  VerifyOptions,
} from './verifier.js';
export type { Submission } from './examine.js';

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
  if (!options.dryRun) keepDenials(deps, submissions);
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
  const { fleet = null } = deps;
  const refusedEarly = (document: PreparedDocument): boolean | Promise<boolean> =>
    onceVouched(deps, () =>
      fleet === null
        ? deps.state.look((ledger) => refusesBeforeHooks(sittingOn(deps, options, ledger), document))
        : refusedInFleet(deps, fleet, options, document),
    );
  const prepared = examined.map((each) => prepare(deps, each, refusedEarly));
  // oxlint-disable-next-line typescript/await-thenable -- some are promises, where a hook is asked
  return prepared.some((each) => each instanceof Promise) ? Promise.all(prepared) : (prepared as PreparedBatch);
}

/** A denial ends its request also where it comes along with a document: who presents that could leave it out the next time. */
function keepDenials(deps: VerifierDeps, submissions: readonly Submission[]): void {
  const given = [...(deps.answers ?? NO_ANSWERS), ...submissions.flatMap(({ answers }) => answers ?? NO_ANSWERS)];
  const denials = given.filter(({ document }) => document.decision === 'deny');
  const { state, clock } = deps;
  const keeper = {
    transact: <T>(work: (ledger: Ledger) => T) => state.transact(work),
    standingNow: (now: number) => state.standingNow(now),
    pins: approverPins(deps.pins),
  };
  for (const { document } of denials) keepAnswer(keeper, document, clock());
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
  refusedEarly: (document: PreparedDocument) => boolean | Promise<boolean>,
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
  const { params } = intent.document;
  const check = schema === null ? notLoaded : fitsPlainly(schema, params) ? fits : deps.loadSchemaCheck();
  const ask = deps.hooks();
  if (ask === null && !(check instanceof Promise)) return made(NO_HOOKS, check);
  return Promise.resolve(check).then(async (loaded) => {
    if (ask === null) return made(NO_HOOKS, loaded);
    // The steps run in order: what a replay or a broken limit refuses must not page a person first.
    const early = await refusedEarly(made(NO_HOOKS, loaded));
    return made(early ? [notAsked(intent)] : await ask(intent), loaded);
  });
}

/**
 * All other steps for every document of a batch, in order, in one transaction. A dry run judges each one as things stand:
 * what the one before it would have spent or counted must not depend on where a stream happens to be cut into batches.
 * A promise where a fleet or the mesh is asked.
 */
export function commitBatch(
  deps: VerifierDeps,
  options: VerifyOptions,
  batch: PreparedBatch,
): Judgement[] | Promise<Judgement[]> {
  // A document that could not be read leaves no trace, so a batch of nothing else needs no transaction.
  if (batch.every((each) => 'decision' in each)) return batch.slice();
  const { fleet = null, relay } = deps;
  const committed = onceVouched(deps, () =>
    fleet === null ? commitHere(deps, options, batch) : commitShared(deps, fleet, options, batch),
  );
  if (relay === undefined || options.dryRun) return committed;
  const told = (judgements: Judgement[]): Judgement[] => {
    if (judgements.some((each, i) => concernsRequest(each, batch[i]!))) relay.tell();
    return judgements;
  };
  return committed instanceof Promise ? committed.then(told) : told(committed);
}

/** Right before the work, so that what was waited for is as young as the decision needs it. */
function onceVouched<T>({ vouched }: Pick<VerifierDeps, 'vouched'>, work: () => T | Promise<T>): T | Promise<T> {
  const waiting = vouched?.() ?? null;
  return waiting === null ? work() : waiting.then(work);
}

function commitHere(deps: VerifierDeps, options: VerifyOptions, batch: PreparedBatch): Judgement[] {
  if (options.dryRun && batch.length > 1) return batch.flatMap((each) => commitHere(deps, options, [each]));
  const work = (ledger: Ledger): Judgement[] => {
    const sitting = sittingOn(deps, options, ledger);
    const judgements = batch.map((each) =>
      'decision' in each ? each : judgeAndLog(deps, options, { sitting, ledger }, each),
    );
    // As of an earlier time, what its windows still count is not old yet.
    ledger.prune(Math.min(sitting.wallNow, sitting.now));
    return judgements;
  };
  return options.dryRun ? deps.state.rehearse(work) : deps.state.transact(work);
}

/** True where a request for approval was raised, or spent. */
function concernsRequest({ decision }: Judgement, document: PreparedDocument | Judgement): boolean {
  if ('decision' in document) return false;
  if (decision.success)
    return (document.intent.document.approval_request ?? document.submission.approvalRequest) != null;
  return decision.violations.some(({ details }) => details.request_id !== undefined);
}

const NO_HOOKS: readonly HookOutcome[] = [];

function notLoaded(): never {
  throw new Error('params judged by a schema that was not loaded');
}

function fits(): ReturnType<SchemaCheck> {
  return [];
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
