/** Lines that other programs wrote, read as records of a log: tolerant of how they are written, never of what they say. */
import { looseObject } from './foreign-lines.js';

/** An entry of our log, or a line of another program's: JSON objects either way. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** A record, and the JSON text that shows it: null where the record is an entry, whose members are known. */
export interface ShownRecord {
  readonly record: JsonRecord;
  readonly text: string | null;
}

/** Words that other programs use for the outcome. Any other word is neither a yes nor a no. */
const OUTCOMES: ReadonlyMap<unknown, 'success' | 'failed'> = new Map<unknown, 'success' | 'failed'>([
  ...['success', 'succeeded', 'ok', 'allow', 'allowed', 'accept', 'accepted', 'approved', 'granted', 'verified'].map(
    (word) => [word, 'success'] as const,
  ),
  ...['pass', 'passed', 'permit', 'permitted', 'valid'].map((word) => [word, 'success'] as const),
  ...['failed', 'failure', 'fail', 'error', 'deny', 'denied', 'reject', 'rejected', 'refused', 'blocked'].map(
    (word) => [word, 'failed'] as const,
  ),
  ...['block', 'forbidden', 'unauthorized', 'invalid', 'disallowed'].map((word) => [word, 'failed'] as const),
]);

/** The member that says how a verification ended, whatever else the record tells of. */
const OWN_MEMBER = 'verification_result';
/** Members that say the outcome in a word or as true and false. */
const TOLD_BY = ['result', 'outcome', 'decision', 'verdict', 'effect', 'status'] as const;
/** Members that say it as true and false only: `valid: "2026"` says when. */
const FLAGS = ['success', 'allowed', 'verified', 'valid', 'passed', 'ok'] as const;

/** A string of JSON, and what stands between two. */
const STRINGS = /"(?:[^"\\]|\\[^])*"/g;
const CONTROLS = /[\0-\x1f]/g;
/** A byte order mark, the hole of a file that was cut under its writer, the record separator of RFC 7464, and blanks. */
const LEADING = /^[\ufeff\0\x1e\s]+/;
const TRAILING = /[\0\x1e\s]+$/;

/**
 * The record in a line, with the outcome that it tells as `status`; null where the line holds no JSON object. Every other member is kept.
 * Reading is tolerant: marks before and after the object, and raw control characters in its strings, are no reason to lose a refusal.
 */
export function foreignRecord(line: string): JsonRecord | null {
  return looseObject(line) ?? looseObject(repaired(line));
}

/** The outcome under `status`: the record itself, changed in place where it says so in other words. */
export function withStatus(record: JsonRecord): JsonRecord {
  const outcome = outcomeOf(record);
  if (outcome !== null) (record as Record<string, unknown>)['status'] = outcome;
  return record;
}

/** True where the record says how it ended in a word that is known. */
export function tellsOutcome({ status }: JsonRecord): boolean {
  return status === 'success' || status === 'failed';
}

/** A no wins where members differ: a request that was answered with status ok may have been denied. */
function outcomeOf(record: JsonRecord): 'success' | 'failed' | null {
  const own = toldBy(record[OWN_MEMBER]);
  if (own !== null) return own;
  const flags = FLAGS.map((member) => record[member]).filter((told) => typeof told === 'boolean');
  const told = [...TOLD_BY.map((member) => record[member]), ...flags].map(toldBy);
  return told.includes('failed') ? 'failed' : told.includes('success') ? 'success' : null;
}

function toldBy(told: unknown): 'success' | 'failed' | null {
  if (typeof told === 'boolean') return told ? 'success' : 'failed';
  return (typeof told === 'string' ? OUTCOMES.get(told.trim().toLowerCase()) : undefined) ?? null;
}

/** The line without marks around its object, and with the control characters of its strings written as JSON writes them. */
function repaired(line: string): string {
  return line
    .replace(LEADING, '')
    .replace(TRAILING, '')
    .replace(STRINGS, (string) =>
      string.replace(CONTROLS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`),
    );
}

/**
 * The line's own text, so that no number changes on its way through, with the outcome under `status`.
 * @param record what `withStatus` made of this line.
 */
export function recordText(line: string, record: JsonRecord): string {
  const text = looseObject(line) === null ? repaired(line) : line.trim();
  const status = record['status'];
  if (status !== 'success' && status !== 'failed') return text;
  const written = memberOf(text, 'status');
  const value = JSON.stringify(status);
  if (written === null) return `${text.slice(0, -1).trimEnd()}${text.length > 2 ? ',' : ''}"status":${value}}`;
  const [from, to] = written;
  return `${text.slice(0, from)}${value}${text.slice(to)}`;
}

/** Where the value of the object's own member stands in its text; of several, the last, which JSON.parse takes. Null where there is none. */
function memberOf(text: string, name: string): [from: number, to: number] | null {
  let found: [number, number] | null = null;
  let depth = 0;
  let key: string | null = null;
  let from = -1;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"') {
      const start = i;
      for (i += 1; text[i] !== '"'; i++) if (text[i] === '\\') i += 1;
      if (depth === 1 && from < 0) key = JSON.parse(text.slice(start, i + 1)) as string;
    } else if (character === '{' || character === '[') depth += 1;
    else if (character === ':' && depth === 1 && from < 0) from = i + 1;
    else if ((character === ',' && depth === 1) || ((character === '}' || character === ']') && --depth === 0)) {
      if (key === name && from >= 0) found = [from, i];
      key = null;
      from = -1;
    }
  }
  return found;
}
