/** What has to go from an entry with a param, so that nothing that stays confirms a guess of it, and what scores need and so stays. */
import { parseTime } from '../time.js';
import { ERASED_COUNTS, ERASED_REVOKED_AT, isAttributable } from './attribution.js';
import type { Entry, LogRecord } from './entry.js';
import { erase, withheldOf } from './leaf.js';
import { refusalFact } from './told.js';

/** What tells a param, beside itself: the hash and signature of the whole, and what was said of it. */
const TELLING = ['details', 'error_message', 'intent_hash', 'nonce', 'signature', 'target'];
const TELLING_OF_OUTCOME = ['detail', 'result_hash'];

/** The slots that go with a param of a decision, or with all (null); empty where no value of it is left, and in records of other kinds. */
export function slotsTo(record: LogRecord, param: string | null): string[] {
  if (record.type !== 'verification') return [];
  const gone = record.erased ?? {};
  const isMeant = (name: string): boolean => param === null || name === param;
  const values = [
    ...Object.keys(record.params ?? {})
      .filter(isMeant)
      .map((name) => `params.${name}`),
    ...withheldOf(record)
      .filter(isMeant)
      .map((name) => `sent.${name}`),
  ].filter((slot) => !Object.hasOwn(gone, slot));
  return values.length === 0 ? [] : [...values, ...TELLING];
}

/**
 * What is left of a decision when a param (or all, null) is taken from it; null where nothing can be. Beside the commitments it keeps
 * what its details said of the agent's standing, so that every count and score over the log stays as it was.
 */
export function decisionWithout(record: LogRecord, param: string | null): Entry | null {
  // What the first version of the log wrote is hashed as it is.
  const slots = record.salts == null ? [] : slotsTo(record, param);
  if (slots.length === 0) return null;
  const left = erase(record as Entry, slots);
  return { ...left, erased: { ...left.erased, ...keptOf(record as Entry) } };
}

function keptOf(entry: Entry): Record<string, string> {
  const { details, dialect, error_code } = entry;
  if (details == null || error_code === null) return {};
  const at = refusalFact(dialect, error_code) === 'agent_revoked' ? details['revoked_at'] : null;
  return {
    [ERASED_COUNTS]: String(isAttributable(entry)),
    ...(typeof at === 'string' && parseTime(at) !== null ? { [ERASED_REVOKED_AT]: at } : {}),
  };
}

/** The outcome of a decision that was erased from: what it tells of it goes as well. Null where it cannot be erased from. */
export function outcomeWithout(record: LogRecord): LogRecord | null {
  return record.salts === null ? null : erase(record, TELLING_OF_OUTCOME);
}
