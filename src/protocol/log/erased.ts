/** What has to go from an entry with a param, so that nothing that stays confirms a guess of it. */
import type { LogRecord } from './entry.js';
import { erase, withheldOf } from './leaf.js';

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

/** The outcome of a decision that was erased from: what it tells of it goes as well. Null where it cannot be erased from. */
export function outcomeWithout(record: LogRecord): LogRecord | null {
  return record.salts === null ? null : erase(record, TELLING_OF_OUTCOME);
}
