/** What `aip logs tail` shows: which records, when it has seen enough, and how records of other programs are read. */
import { parseTime } from '../../protocol/time.js';
import { objectIn } from './foreign-lines.js';

/** An entry of our log, or a line of another program's: JSON objects either way. */
export type LogRecord = Readonly<Record<string, unknown>>;

export interface LogFilter {
  readonly agentId?: string;
  readonly action?: string;
  readonly status?: 'success' | 'failed';
  readonly code?: string;
  /** Inclusive, ms since the epoch. */
  readonly since?: number;
  /** Exclusive, ms since the epoch. */
  readonly until?: number;
  /** Tried on the record's JSON text. */
  readonly grep?: RegExp;
}

/** True for records that the filter lets through. One without the member that is asked about is not. */
export function matcher(filter: LogFilter): (record: LogRecord) => boolean {
  const { agentId, action, status, code, since, until, grep } = filter;
  return (record) => {
    if (code !== undefined && record['error_code'] !== code) return false;
    if (status !== undefined && record['status'] !== status) return false;
    if (agentId !== undefined && record['agent_id'] !== agentId) return false;
    if (action !== undefined && record['action'] !== action) return false;
    if (since !== undefined || until !== undefined) {
      const at = timeOf(record);
      if (at === null || at < (since ?? -Infinity) || at >= (until ?? Infinity)) return false;
    }
    return grep === undefined || grep.test(JSON.stringify(record));
  };
}

/** Words that other programs use for the outcome. What is none of these is neither a yes nor a no. */
const OUTCOMES: ReadonlyMap<unknown, 'success' | 'failed'> = new Map<unknown, 'success' | 'failed'>([
  ...['success', 'succeeded', 'ok', 'allow', 'allowed', 'accepted', 'verified', 'pass', 'passed', true].map(
    (word) => [word, 'success'] as const,
  ),
  ...['failed', 'failure', 'fail', 'error', 'deny', 'denied', 'rejected', 'refused', 'blocked', false].map(
    (word) => [word, 'failed'] as const,
  ),
]);

/**
 * The record in a line that another program wrote, or null when it is not a JSON object. `verification_result` or `result` (the guide's audit
 * record) becomes `status`; every member of its own is kept.
 */
export function foreignRecord(line: string): LogRecord | null {
  const record = objectIn(line);
  if (record === null) return null;
  const { status } = record;
  if (status === 'success' || status === 'failed') return record;
  const told = record['verification_result'] ?? record['result'];
  const outcome = OUTCOMES.get(typeof told === 'string' ? told.toLowerCase() : told);
  if (outcome !== undefined) record['status'] = outcome;
  return record;
}

/** ms since the epoch: RFC 3339 with any offset, or Unix seconds or milliseconds; null when it is none of these. */
function timeOf(record: LogRecord): number | null {
  const told = record['timestamp'] ?? record['time'];
  if (typeof told === 'number' && Number.isFinite(told)) return told < 1e11 ? told * 1000 : told;
  if (typeof told !== 'string') return null;
  const exact = parseTime(told);
  if (exact !== null) return exact;
  const ms = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(told) ? Date.parse(told) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** When a tail has seen enough: `failed`, `revoked` or a code, each so many times. */
export interface ExitCondition {
  readonly on: string;
  readonly times: number;
}

/** `failed`, `revoked`, `AIP-E202`, each with `:N`; null when it is none of these. */
export function parseExitCondition(text: string): ExitCondition | null {
  const match = /^(failed|revoked|[A-Za-z][A-Za-z0-9_.-]{0,63})(?::([1-9]\d{0,8}))?$/.exec(text);
  if (match === null) return null;
  const on = match[1]!;
  return { on: on === 'failed' || on === 'revoked' ? on : codeNamed(on), times: Number(match[2] ?? 1) };
}

/** `E202` is AIP-E202; a hook's own code stays as it is. */
export function codeNamed(text: string): string {
  const match = /^(?:aip-)?(e\d{3})$/i.exec(text);
  return match === null ? text : `AIP-${match[1]!.toUpperCase()}`;
}

/** Counts down; true once the condition is met. */
export function exitWatch({ on, times }: ExitCondition): (record: LogRecord) => boolean {
  let left = times;
  return (record) => {
    const counts =
      on === 'failed'
        ? record['status'] === 'failed'
        : on === 'revoked'
          ? tellsRevocation(record)
          : record['error_code'] === on;
    if (counts) left -= 1;
    return left <= 0;
  };
}

/** A refusal because the agent or its principal is revoked. */
export function tellsRevocation({ dialect, error_code }: LogRecord): boolean {
  return dialect === 'aip-1'
    ? error_code === 'AIP-E400' || error_code === 'AIP-E402'
    : error_code === 'AIP-E401' || error_code === 'AIP-E403';
}
