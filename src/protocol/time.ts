/**
 * Times are RFC 3339 in UTC with `Z`, durations a number and a unit. Nothing here reads a clock: `now` is always an argument.
 */

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;
/** Added to any time of our days it gives a date with four digits for the year. */
const LONGEST_MS = 36_525 * 86_400_000;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds since the epoch of an RFC 3339 `Z` time, or null when it is not a real one (2026-02-30 is not). */
export function parseTime(text: string): number | null {
  if (!RFC3339.test(text)) return null;
  const year = 100 * digits(text, 0) + digits(text, 2);
  const month = digits(text, 5);
  const day = digits(text, 8);
  const hour = digits(text, 11);
  const minute = digits(text, 14);
  const second = digits(text, 17);
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > DAYS_IN_MONTH[month - 1]! + (leap && month === 2 ? 1 : 0)) return null;
  const fraction = text.length === 20 ? 0 : Math.floor(Number(text.slice(19, -1)) * 1000);
  return (((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000 + fraction;
}

/** The same for RFC 3339 with any offset, as documents of others have it: `2026-02-18T15:23:45+01:00`. */
export function parseOffsetTime(text: string): number | null {
  const match = /^(.{19,29}?)(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/.exec(text);
  if (match === null) return null;
  const local = parseTime(`${match[1]!.replace(/[t ]/, 'T')}Z`);
  if (local === null || match[2] === undefined) return local;
  const offset = (Number(match[3]) * 60 + Number(match[4])) * 60_000;
  return match[2] === '+' ? local - offset : local + offset;
}

function digits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
}

/** Counted in years that begin in March, so that the leap day is the last one. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const from = month > 2 ? year : year - 1;
  const inYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return 365 * from + Math.floor(from / 4) - Math.floor(from / 100) + Math.floor(from / 400) + inYear - 719_468;
}

/** RFC 3339 with milliseconds: `2026-02-18T14:23:45.120Z`. */
export function formatTime(ms: number): string {
  // All of a batch happens in one millisecond, and a text costs as much as a hash.
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
let lastMs = Number.NaN;
let lastText = '';

/** RFC 3339 with whole seconds: `2026-02-18T14:23:45Z`, as passports write it. */
export function formatSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Milliseconds of `300s`, `30m`, `24h`, `90d` or `250ms`; null when it is none of these, or longer than a century. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return ms <= LONGEST_MS ? ms : null;
}

/** Why `text` is no duration, as the rest of a sentence about it; null where it is one. */
export function durationProblem(text: string): string | null {
  if (parseDuration(text) !== null) return null;
  const said = /^\s*([+-]?)(\d[\d.,_]*)\s*([A-Za-z]*)\s*$/.exec(text);
  if (said === null) return text.trim() === '' ? 'it is empty' : 'it is no number with a unit';
  const [, sign, number, unit] = said as unknown as [string, string, string, string];
  if (sign !== '') return 'it has a sign';
  if (!/^\d+$/.test(number)) return `${number.slice(0, 20)} is no whole number`;
  if (unit === '') return `it has no unit; write ${number.slice(0, 20)}s, or m, h, d`;
  if (text !== text.trim() || /\s/.test(text))
    return `it holds white space; write ${number.slice(0, 20)}${unit.slice(0, 4)}`;
  if (!['ms', 's', 'm', 'h', 'd'].includes(unit))
    return `"${unit.slice(0, 16)}" is not one of the units ms, s, m, h, d`;
  return 'it is too long';
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** A span of time as people say it, in its two largest units: `2 h 59 min`, `48 s`, `250 ms`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  const at = UNITS.findIndex(([size]) => seconds >= size);
  const [size, unit] = UNITS[at]!;
  const next = UNITS[at + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0]);
  return `${Math.floor(seconds / size)} ${unit}${rest > 0 ? ` ${rest} ${next![1]}` : ''}`;
}

/** How old what a machine knows of the mesh is, as every command and refusal says it. `ageMs`: null where it is not known. */
export function provenText(ageMs: number | null): string {
  return ageMs === null ? 'not proven current' : `proven current ${spanText(ageMs)} ago`;
}

/**
 * A point in time as people and scripts write it: Unix seconds, RFC 3339 `Z`, a date (its first instant in UTC), or `now`.
 * Null when it is none of these.
 */
export function parseInstant(text: string, now: number): number | null {
  if (text === 'now') return now;
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  return parseTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
}
