/** When an agent may act: one span of time, or hours of a week in a time zone. `now` is always an argument. */
import { parseTime } from '../time.js';
import type { JsonObject } from '../json/values.js';

/** When an agent may act: from one moment to another, or on days of the week. */
export type TimeWindow =
  | {
      readonly kind: 'span';
      /** ms since the epoch, inclusive. */ readonly start: number;
      /** Exclusive. */ readonly end: number;
    }
  | {
      readonly kind: 'hours';
      /** 0 is Sunday. A window over midnight belongs to the day on which it opens. */
      readonly days: ReadonlySet<number>;
      /** Minutes after local midnight; `to` is exclusive, and smaller than `from` when the window runs over midnight. */
      readonly from: number;
      readonly to: number;
      readonly local: Intl.DateTimeFormat;
    };

/** Called with the member and what is wrong with it. */
type Refuse = (member: string, reason: string) => null;

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_NAME = /^(?:(?:sun|mon|fri)(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|sat(?:urday)?)$/i;
const CLOCK = /^(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))$/;
const ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

/** `{start, end}` in RFC 3339, or `{days, from, to, tz}`; null after `refuse` was told why not. */
export function parseTimeWindow(value: JsonObject, refuse: Refuse): TimeWindow | null {
  const isSpan = 'start' in value || 'end' in value;
  const members = isSpan ? ['start', 'end'] : ['days', 'from', 'to', 'tz'];
  const stranger = Object.keys(value).find((name) => !members.includes(name));
  if (stranger !== undefined) return refuse(stranger, 'is neither part of {start, end} nor of {days, from, to, tz}');
  const missing = members.find((name) => value[name] === undefined);
  if (missing !== undefined) return refuse(missing, 'is missing');
  return isSpan ? parseSpan(value, refuse) : parseHours(value, refuse);
}

function parseSpan(value: JsonObject, refuse: Refuse): TimeWindow | null {
  const start = typeof value.start === 'string' ? parseTime(value.start) : null;
  const end = typeof value.end === 'string' ? parseTime(value.end) : null;
  if (start === null) return refuse('start', 'is not an RFC 3339 time ending in Z');
  if (end === null) return refuse('end', 'is not an RFC 3339 time ending in Z');
  return start < end ? { kind: 'span', start, end } : refuse('end', 'is not after start');
}

function parseHours(value: JsonObject, refuse: Refuse): TimeWindow | null {
  const days = daysOf(value.days);
  if (days === null) return refuse('days', 'is not a list of different days out of mon, tue, wed, thu, fri, sat, sun');
  const from = minutesOf(value.from);
  if (from === null || from === 24 * 60) return refuse('from', 'is not a time of day like "09:00"');
  const to = minutesOf(value.to);
  if (to === null || to === 0) return refuse('to', 'is not a time of day like "17:00"; midnight at the end is "24:00"');
  if (from === to) return refuse('to', 'is the same as from, so the window never opens');
  const local = typeof value.tz === 'string' ? localTime(value.tz) : null;
  return local === null
    ? refuse('tz', 'is not an IANA time zone like "Europe/Paris"')
    : { kind: 'hours', days, from, to, local };
}

function daysOf(value: unknown): ReadonlySet<number> | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const days = new Set(value.map((day) => (typeof day === 'string' ? DAYS.indexOf(shortDay(day)) : -1)));
  return days.has(-1) || days.size !== value.length ? null : days;
}

/** `Wednesday`, `WED` and `wed` are one day, and cannot be another. */
function shortDay(name: string): string {
  return DAY_NAME.test(name) ? name.slice(0, 3).toLowerCase() : '';
}

function minutesOf(value: unknown): number | null {
  const match = typeof value === 'string' ? CLOCK.exec(value) : null;
  return match === null ? null : Number(match[1] ?? match[3]) * 60 + Number(match[2] ?? match[4]);
}

function localTime(zone: string): Intl.DateTimeFormat | null {
  // Offsets ("+02:00") are refused: they do not follow the clock of any place.
  if (!ZONE.test(zone)) return null;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    return null;
  }
}

/** True when `now` (ms since the epoch) lies inside the window. */
export function isOpen(window: TimeWindow, now: number): boolean {
  if (window.kind === 'span') return now >= window.start && now < window.end;
  const parts = window.local.formatToParts(now);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  const day = DAYS.indexOf(part('weekday').toLowerCase());
  const minutes = Number(part('hour')) * 60 + Number(part('minute'));
  if (window.from < window.to) return window.days.has(day) && minutes >= window.from && minutes < window.to;
  return minutes >= window.from ? window.days.has(day) : minutes < window.to && window.days.has((day + 6) % 7);
}
