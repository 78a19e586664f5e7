/** What became of an accepted intent, as an entry of the log. It never changes trust, and no exit code gives back what was counted. */
import type { LogRecord, OutcomeDraft, OutcomeEntry } from '../../protocol/log/entry.js';
import { maskString } from '../../protocol/log/secrets.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import { Failure } from '../failure.js';
import type { FleetMemory, Release } from '../ports/fleet-memory.js';
import type { DecidedEntry, Ledger, State } from '../ports/state.js';

/** Text that a report may hold, in characters. */
const MAX_DETAIL = 1024;
/** Entries without a final word that are kept of one decision: an intent hash is all it takes to make a claim. */
const MAX_OPEN = 4;
const DAY_MS = 24 * 3_600_000;
const TOKEN = /^[0-9a-f]{32}$/;
const HASH = /^sha256:[0-9a-f]{64}$/;

/** How an action ended. */
export const OUTCOME_STATUSES = ['ok', 'error', 'unknown'] as const;
/** What became of an accepted intent. */
export type OutcomeStatus = (typeof OUTCOME_STATUSES)[number];

/** What became of an accepted intent, as the caller reports it. */
export interface OutcomeReport {
  /** `sha256:` and hex, as the decision named it. */
  readonly intentHash: string;
  /** `unknown` where the caller cannot tell: it is recorded, and leaves room for the final word. */
  readonly status: OutcomeStatus;
  /** The decision's `outcome_token`; null for a report by others, which is kept as a claim. */
  readonly token: string | null;
  readonly exitCode?: number | null;
  /** From the decision to the end of the action. */
  readonly durationMs?: number | null;
  /** `sha256:` and hex of the result. */
  readonly resultHash?: string | null;
  /** At most 1,024 characters. */
  readonly detail?: string | null;
  /**
   * True where the action did not happen, so that its place in the daily limit is given back: only under the token, only of an error, and
   * only where the passport says so.
   */
  readonly release?: boolean;
}

/** What the log made of a report. */
export interface OutcomeAnswer {
  /** The decision's entry. */
  readonly of: number;
  /** The outcome's entry. */
  readonly seq: number;
  readonly status: OutcomeStatus;
  readonly claimed: boolean;
  /** True where what was counted was given back. */
  readonly released: boolean;
  /** Why it was not, in one sentence; null where it was, or was not asked for. */
  readonly not_released: string | null;
}

/**
 * Records what became of an accepted intent. `ok` and `error` under the token are final, `unknown` never is. Fails with USAGE for a report that is not of the form, NOT_FOUND for an
 * intent that was not accepted here, FORBIDDEN for a token of another decision, EXISTS where another final outcome is recorded, or enough others are;
 * the final one told again is answered as it was, and nothing is written.
 * @param now ms since the epoch.
 * @param shared what `releaseShared` gave.
 */
export function reportOutcome(
  state: Pick<State, 'transact'>,
  report: OutcomeReport,
  now: number,
  shared: Release | null = null,
): OutcomeAnswer {
  return state.transact((ledger) => recordOutcome(ledger, report, now, shared));
}

/**
 * Gives back in a shared memory what a decision was counted with there, before the outcome is recorded here; null where the report asks for
 * nothing that a fleet counts. Told again after a crash in between, it says the same. `agentId` names the one whose decision it has to be.
 * Rejects with a Failure STATE_UNAVAILABLE; USAGE for a report that is not of the form.
 */
export async function releaseShared(
  state: Pick<State, 'look'>,
  memory: Pick<FleetMemory, 'release'> | null,
  report: OutcomeReport,
  agentId: string | null = null,
): Promise<Release | null> {
  checkReport(report);
  const { release = false, intentHash, token } = report;
  if (!release || token === null || memory === null) return null;
  const isCountedThere = state.look((ledger) => {
    const decided = ledger.acceptedAs(intentHash);
    if (decided === null || decided.outcomes.final !== null || !decided.isToken(token)) return false;
    if (agentId !== null && decided.entry.agent_id !== agentId) return false;
    return ledger.releasable(decided.entry.seq) === null;
  });
  return isCountedThere ? memory.release(token) : null;
}

/**
 * The same of several, inside one transaction: each is recorded, or is the Failure that says why not. What is wrong with one says nothing
 * of the others. @throws Failure STATE
 */
export function recordOutcomes(
  ledger: Ledger,
  reports: readonly OutcomeReport[],
  now: number,
): readonly (OutcomeAnswer | Failure)[] {
  return reports.map((report) => {
    try {
      return recordOutcome(ledger, report, now);
    } catch (error) {
      // It fails before anything of it is written.
      if (error instanceof Failure && error.code !== 'STATE') return error;
      throw error;
    }
  });
}

/** One, inside a transaction. @throws Failure as `reportOutcome` */
export function recordOutcome(
  ledger: Ledger,
  report: OutcomeReport,
  now: number,
  shared: Release | null = null,
): OutcomeAnswer {
  checkReport(report);
  const decided = ledger.acceptedAs(report.intentHash);
  if (decided === null) {
    throw new Failure('NOT_FOUND', 'No intent with this hash was accepted here.', {
      hint: 'aip logs tail --status success --json',
    });
  }
  const claimed = !proved(decided, report.token);
  const { final } = decided.outcomes;
  if (final !== null) return toldAgain(final, report, claimed);
  if ((claimed || report.status === 'unknown') && decided.outcomes.open >= MAX_OPEN) {
    const message = `Entry ${decided.entry.seq} has ${MAX_OPEN} outcomes that are not final already; no more are kept.`;
    throw new Failure('EXISTS', message, {
      hint: 'ok or error under the outcome_token of the decision is final: --token-file <file>',
    });
  }
  const kept = report.release === true ? whyKept(ledger, decided.entry.seq, { claimed, shared }, now) : null;
  const released = report.release === true && kept === null;
  if (released && shared === null) ledger.giveBack(decided.entry.seq, now);
  const { seq } = append(ledger, decided, report, { claimed, released }, now);
  return { of: decided.entry.seq, seq, status: report.status, claimed, released, not_released: kept };
}

/** A script whose answer was lost reports again: the same word is answered as it was, another one is refused. */
function toldAgain(final: OutcomeEntry, report: OutcomeReport, claimed: boolean): OutcomeAnswer {
  const { of, seq, status, released = false, erased } = final;
  const told = { ...membersOf(report), claimed };
  const other = Object.entries(told).find(
    ([name, value]) => value !== final[name as keyof OutcomeEntry] && !Object.hasOwn(erased ?? {}, name),
  );
  if (other !== undefined)
    throw new Failure(
      'EXISTS',
      `What became of entry ${of} is recorded already as ${status}, and that is final; this report differs in "${other[0]}".`,
      { hint: 'aip logs tail --type outcome' },
    );
  const kept = report.release === true && !released ? 'what became of it is recorded already, without that' : null;
  return { of, seq, status, claimed, released, not_released: kept };
}

/** What an entry holds of a report. */
function membersOf(
  report: OutcomeReport,
): Pick<OutcomeDraft, 'status' | 'exit_code' | 'duration_ms' | 'result_hash' | 'detail'> {
  const { status, exitCode = null, durationMs = null, resultHash = null, detail = null } = report;
  return {
    status,
    exit_code: exitCode,
    duration_ms: durationMs,
    result_hash: resultHash,
    // An error's text often holds the address that was called, with what opens it. It confirms nothing that is signed.
    detail: detail === null ? null : maskString(detail),
  };
}

/** Given back are sums of money, never places in a rate: how often an agent acts is what was accepted. */
function whyKept(
  ledger: Ledger,
  seq: number,
  { claimed, shared }: { readonly claimed: boolean; readonly shared: Release | null },
  now: number,
): string | null {
  if (claimed) return 'only the caller of the decision gives back, under its outcome_token';
  if (shared !== null) return KEPT_BY_FLEET[shared];
  const counted = ledger.releasable(seq);
  if (counted === null)
    return 'the passport says of no daily limit that it is given back (release: true), nothing was counted, or it was counted in a database that is not named here (state.url)';
  const { agentId, at, currency, amountMinor, mostMinor } = counted;
  if (!(now - at < DAY_MS)) return TOO_LATE;
  if (ledger.releasedSince(agentId, currency, now - DAY_MS) + amountMinor > mostMinor) return TOO_MUCH;
  return null;
}

const TOO_LATE = 'it was counted more than 24 hours ago';
const TOO_MUCH = 'more than one daily limit would be given back within 24 hours';
/** Null where it was given back. */
const KEPT_BY_FLEET: Readonly<Record<Release, string | null>> = {
  released: null,
  unknown:
    'the passport says of no daily limit that it is given back (release: true), nothing was counted, or the database is older (aip state migrate)',
  late: TOO_LATE,
  most: TOO_MUCH,
};

function proved(decided: DecidedEntry, token: string | null): boolean {
  if (token === null) return false;
  if (decided.isToken(token)) return true;
  // A wrong token is a mistake or an attempt, and never a weaker report.
  throw new Failure('FORBIDDEN', 'The token is not the one that the decision on this intent gave.', {
    hint: 'leave it out to record a claim',
  });
}

function append(
  ledger: Ledger,
  { entry }: DecidedEntry,
  report: OutcomeReport,
  { claimed, released }: { readonly claimed: boolean; readonly released: boolean },
  now: number,
): LogRecord {
  const draft: OutcomeDraft = {
    timestamp: formatTime(now),
    agent_id: entry.agent_id,
    of: entry.seq,
    ...membersOf(report),
    claimed,
    ...(released ? { released } : {}),
  };
  return ledger.appendOutcome(draft, parseTime(entry.timestamp)!);
}

function checkReport(report: OutcomeReport): void {
  const { intentHash, status, token, exitCode, durationMs, resultHash, detail, release } = report;
  const wrong = (what: string): never => {
    throw new Failure('USAGE', what, { hint: 'aip outcome --help' });
  };
  if (!HASH.test(intentHash)) wrong('An intent hash is "sha256:" and 64 lower-case hex digits.');
  // From programs that are not compiled with the types.
  if (!OUTCOME_STATUSES.includes(status)) wrong('An outcome is ok, error or unknown.');
  if (release !== undefined && typeof release !== 'boolean') wrong('Whether to release is true or false.');
  if (release === true && status !== 'error')
    wrong('Only of an error is a place in a limit given back: what ended well, or nobody can tell of, counts.');
  if (token !== null && !TOKEN.test(token)) wrong('An outcome token is 32 lower-case hex digits.');
  if (exitCode != null && (!Number.isInteger(exitCode) || exitCode < 0 || exitCode > 255))
    wrong('An exit code is a whole number from 0 to 255.');
  if (durationMs != null && (!Number.isSafeInteger(durationMs) || durationMs < 0))
    wrong('A duration is a whole number of milliseconds.');
  if (resultHash != null && !HASH.test(resultHash)) wrong('A result hash is "sha256:" and 64 lower-case hex digits.');
  if (detail != null && (typeof detail !== 'string' || detail.length > MAX_DETAIL || /\p{Surrogate}/u.test(detail)))
    wrong(`A detail is text of at most ${MAX_DETAIL} characters.`);
}
