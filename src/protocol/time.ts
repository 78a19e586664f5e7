/**
 * Times are RFC 3339 in UTC with `Z`, durations a number and a unit. Nothing here reads a clock: `now` is always an argument.
 */

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z$/;
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds since the epoch of an RFC 3339 `Z` time, or null when it is not a real one (2026-02-30 is not). */
export function parseTime(text: string): number | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const ms = Date.parse(`${text.slice(0, 19)}Z`);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== text.slice(0, 19)) return null;
  return ms + Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000);
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

/** Milliseconds of `300s`, `30m`, `24h`, `90d` or `250ms`; null when it is none of these. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  return match === null ? null : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/**
 * A point in time as people and scripts write it: Unix seconds, RFC 3339 `Z`, or `now`.
 * Null when it is none of these.
 */
export function parseInstant(text: string, now: number): number | null {
  if (text === 'now') return now;
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  return parseTime(text);
}
