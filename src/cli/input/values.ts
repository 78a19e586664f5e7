/** Readers of flag values: text in, value out, or an `Error` that says what was expected. */
import { Failure } from '../../app/failure.js';
import { JsonError } from '../../protocol/json/error.js';
import { durationProblem, parseDuration, parseInstant } from '../../protocol/time.js';
import { emptyObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** `300s`, `30m`, `24h`, `90d`, `250ms`, in milliseconds. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new Error(`Expected a duration such as 300s, 30m, 24h or 90d: ${durationProblem(text)}.`);
  return ms;
}

/** A whole number within bounds, both included. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new Error(`Expected a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** ISO 3166-1 alpha-2, in capitals. */
export function country(text: string): string {
  if (/^[A-Za-z]{2}$/.test(text)) return text.toUpperCase();
  throw new Error('Expected a two-letter country code such as DE.');
}

/** The moment that `--at` names: Unix seconds, RFC 3339 with `Z`, a date, or `now`, in ms since the epoch. Fails with USAGE. */
export function momentOf(text: string, now: number): number {
  const ms = parseInstant(text, now);
  if (ms !== null) return ms;
  throw new Failure('USAGE', 'Expected Unix seconds, a time such as 2026-02-18T14:23:45Z, or now.', {
    hint: '--at 2026-02-18T14:23:45Z',
  });
}

/** The start of a time looked back at, ms since the epoch: a duration before now, a point in time, or null for `all`. */
export function sinceWhen(text: string, now: number): number | null {
  if (text === 'all') return null;
  const ago = parseDuration(text);
  const at = ago === null ? parseInstant(text, now) : Math.max(0, now - ago);
  if (at !== null) return at;
  throw new Failure('USAGE', `"${text.slice(0, 40)}" is not a time.`, {
    hint: '24h, 2026-02-18, 2026-02-18T14:23:45Z, Unix seconds, or all',
  });
}

/**
 * `--param name=text` and `--param name:=json` in one object without a prototype. A name is given once; the first `=` or `:=` divides.
 * `readJson` is the strict parser: it throws on what is not exactly one JSON document. `readText` says what a text stands for.
 */
export function pairs(
  texts: readonly string[],
  readJson: (text: string) => Json,
  readText: (text: string, name: string) => Json = (text) => text,
): JsonObject {
  const members = emptyObject();
  for (const text of texts) {
    const match = /^([^=]*?)(:?=)([\s\S]*)$/.exec(text);
    const name = match?.[1] ?? '';
    if (match === null || name === '') throw new Error(`Expected name=text or name:=json, not "${text.slice(0, 64)}".`);
    if (name in members) throw new Error(`"${name}" is given twice.`);
    members[name] = match[2] === '=' ? readText(match[3]!, name) : jsonValue(name, match[3]!, readJson);
  }
  return members;
}

function jsonValue(name: string, text: string, readJson: (text: string) => Json): Json {
  try {
    return readJson(text);
  } catch (error) {
    // An id of 20 digits would silently lose some of them as a number.
    const why = error instanceof JsonError ? `: ${error.reason}` : '';
    throw new Error(`"${name}" is not JSON after :=${why} (for text write ${name}=...).`, { cause: error });
  }
}
