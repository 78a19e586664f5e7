import { HASH_HEX } from './signing.js';

/** A place in a mesh's log. */
export interface Head {
  /** Identifies the log, 32 hex digits made at random once. */
  readonly logId: string;
  /** Counts the histories of this log: a promotion or a restore begins another. */
  readonly term: number;
  /** The last event; 0 while there is none. */
  readonly seq: number;
  /** Hash of that event. */
  readonly hash: string;
}

/** The link of the first event, which has none before it. */
export const NO_HASH = '0'.repeat(64);

const ID = /^([0-9a-f]{32})\.(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,14})$/;
const LOG_ID = /^[0-9a-f]{32}$/;

/** True for the form of a log id. */
export function isLogId(text: string): boolean {
  return LOG_ID.test(text);
}

/** True for the form of a hash. */
export function isHash(text: string): boolean {
  return HASH_HEX.test(text);
}

/** The id of an event on the stream: `<log_id>.<term>.<seq>`. */
export function formatEventId(logId: string, term: number, seq: number): string {
  return `${logId}.${term}.${seq}`;
}

/** The parts of an event id, or null when `text` is not one. */
export function parseEventId(text: string): { logId: string; term: number; seq: number } | null {
  const match = ID.exec(text);
  return match === null ? null : { logId: match[1]!, term: Number(match[2]), seq: Number(match[3]) };
}
