/** A verifier over this machine's state: what it is made of, and how it keeps what it judged. */
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import type { Intent } from '../../protocol/intent.js';
import type { Freshness, HookOutcome, KnownTrust, Policy, SchemaCheck } from '../../verify/context.js';
import type { ExactApproval } from '../../verify/approvals/approved.js';
import type { Judgement } from '../../verify/judge.js';
import type { Trusting } from '../../verify/trusting.js';
import type { ApprovalRelay } from '../approvals/relay.js';
import type { FleetMemory } from '../ports/fleet-memory.js';
import type { SignatureWorkers } from '../ports/signatures.js';
import type { Clock, Ledger, State } from '../ports/state.js';
import { settleDocument } from './settle.js';
import { appendOrFold } from './folding.js';
import { recordOf, noteRefusal } from './record.js';
import type { Demands } from './replaced.js';
import type { PreparedDocument, Requester, Sitting } from './sitting.js';

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

/** Asks every hook about an intent; an outcome each, in their order. */
export type HookQuestion = (intent: Intent) => Promise<readonly HookOutcome[]>;

/** A memory that verifiers share, and what this process has asked of it. */
export interface Fleet {
  readonly memory: FleetMemory;
  /** True until what earlier processes left unsaid was asked for. */
  resumes: boolean;
}

/** What a verifier with state needs. */
export interface VerifierDeps extends JudgingDeps {
  readonly state: Pick<State, 'transact' | 'rehearse' | 'look' | 'standingNow'>;
  /** What this verifier shares with others; null or absent where nonces and windows are this machine's alone. */
  readonly fleet?: Fleet | null;
  /** Asked where a batch is judged in parallel. */
  readonly signatureWorkers?: SignatureWorkers;
  /** A clock that never goes back, in microseconds, for `latency_us`. */
  readonly ticks: () => number;
  /** How current the copy of the revocations is; asked inside the transaction. */
  readonly freshness: (now: number) => Freshness;
  /** What must be waited for before a decision, outside of the transaction; null, or absent, where nothing must. */
  readonly vouched?: () => Promise<void> | null;
  /** This machine as the verifier that raises requests for approval, and takes the answers to them. */
  readonly requester: () => Requester;
  /** The way to persons elsewhere; nothing where requests for approval stay on this machine. */
  readonly relay?: Pick<ApprovalRelay, 'answersTo' | 'tell'>;
  /** Asked only where a minimum is set. */
  readonly trust: (ledger: Ledger, agentId: string) => KnownTrust | null;
}

/** How documents are judged, with state or without. `geo` is the country of the request (ISO 3166-1 alpha-2), or null. */
export interface JudgingOptions {
  readonly policy: Policy;
  /** Moves the clock of freshness, expiry and windows (`--at`), in ms since the epoch; null uses the system clock. */
  readonly at: number | null;
  readonly geo: string | null;
}

/** How a verifier with state judges, and what it keeps. `logParams` says what the log holds of params. */
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

/** `ledger` is a transaction's, or a look at what one would find. */
export function sittingOn(
  deps: VerifierDeps,
  { at, geo, dryRun, policy }: VerifyOptions,
  ledger: Ledger,
  // Asked once it is open: waiting for it must not make a revocation or a limit look younger.
  wallNow = deps.clock(),
): Sitting {
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
    standingNow: deps.state.standingNow(wallNow),
    now: at ?? wallNow,
    dryRun,
    warnings: clockWarnings(freshness.clockAheadMs ?? null, policy.maxSkewMs),
  };
}

/** Judges all remaining steps of a document, and keeps the entry of it. */
export function judgeAndLog(
  deps: VerifierDeps,
  { policy, logParams }: VerifyOptions,
  { sitting, ledger }: { readonly sitting: Sitting; readonly ledger: Ledger },
  prepared: PreparedDocument,
): Judgement {
  const { dialect, intent, startedAt, submission } = prepared;
  const { wallNow } = sitting;
  const concluded = settleDocument(sitting, prepared);
  // What a fleet counts together is not given back: only this machine would know of it.
  const settled = (deps.fleet ?? null) === null ? concluded : { ...concluded, releasable: null };
  const refusedBefore =
    submission.observed !== true && noteRefusal(ledger, intent, settled, dialect.presentableForMs(policy), wallNow);
  const tookUs = deps.ticks() - startedAt;
  const { fitsEntry } = dialect;
  const made = recordOf(intent, settled, submission, { logParams, wallNow, tookUs, refusedBefore, fitsEntry });
  appendOrFold(ledger, made, settled.spent, wallNow);
  return settled.judgement;
}

const NO_TOKEN = (): null => null;
/** What is known here is all that a passport is held to. */
export const NO_DEMANDS: Demands = () => null;
/** Where no person has answered anything. */
export const NO_ANSWERS: Sitting['answers'] = [];
const NO_WARNINGS: Sitting['warnings'] = [];

/** Where the two clocks differ by more than intents may, times in intents and of the mesh do not mean the same moment. */
function clockWarnings(aheadMs: number | null, maxSkewMs: number): Sitting['warnings'] {
  if (aheadMs === null || Math.abs(aheadMs) <= maxSkewMs) return NO_WARNINGS;
  const way = aheadMs > 0 ? 'ahead of' : 'behind';
  const message = `This machine's clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${way} the mesh's; suspensions end by the mesh's.`;
  return [{ code: 'clock_differs', message }];
}

/** Asks about each name once. */
export function once<T>(ask: (name: string) => T): (name: string) => T {
  const answers = new Map<string, T>();
  return (name) => {
    let answer = answers.get(name);
    if (answer === undefined) answers.set(name, (answer = ask(name)));
    return answer;
  };
}
