/** What `aip logs tail` shows: which records, when it has seen enough, and by what it judges them. */
import type { RecordType } from '../../protocol/log/entry.js';
import { tellsRevocation } from '../../protocol/log/told.js';
import type { JsonRecord } from './foreign-records.js';
import { recordTime } from './foreign-times.js';

/** Which records are shown; what is absent shuts out nothing. */
export interface LogFilter {
  readonly agentId?: string;
  readonly action?: string;
  readonly status?: 'success' | 'failed';
  readonly code?: string;
  readonly type?: RecordType;
  /** Inclusive, ms since the epoch. */
  readonly since?: number;
  /** Exclusive, ms since the epoch. */
  readonly until?: number;
  /** Tried on the record's JSON text. */
  readonly grep?: RegExp;
}

/** What a matcher answers with its place: `timeless` is a record that only its unreadable time keeps from being judged. */
export type Match = 'yes' | 'no' | 'timeless';

/**
 * Judges records by the filter. One without the member that is asked about does not match.
 * @returns a function of the record and, where it came as a line, of that line's own text, which `grep` is tried on as well.
 */
export function matcher(filter: LogFilter): (record: JsonRecord, line?: string) => Match {
  const { agentId, action, status, code, type, since, until, grep } = filter;
  return (record, line) => {
    if (code !== undefined && record['error_code'] !== code) return 'no';
    if (status !== undefined && record['status'] !== status) return 'no';
    // An entry of the first version names no type.
    if (type !== undefined && (record['type'] ?? 'verification') !== type) return 'no';
    if (agentId !== undefined && record['agent_id'] !== agentId) return 'no';
    if (action !== undefined && record['action'] !== action) return 'no';
    if (grep !== undefined && !(line !== undefined && grep.test(line)) && !grep.test(JSON.stringify(record)))
      return 'no';
    if (since === undefined && until === undefined) return 'yes';
    const at = recordTime(record);
    if (at === null) return 'timeless';
    return at < (since ?? -Infinity) || at >= (until ?? Infinity) ? 'no' : 'yes';
  };
}

/** When a tail has seen enough: `failed`, `revoked` or a code, each so many times. */
export interface ExitCondition {
  readonly on: string;
  readonly times: number;
}

/** `failed`, `revoked`, `AIP-E202`, each with `:N`; null for another text. */
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
export function exitWatch({ on, times }: ExitCondition): (record: JsonRecord) => boolean {
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
