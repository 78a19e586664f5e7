/** When a record of another program was written. Log libraries agree on neither the member, nor the unit, nor the spelling. */
import { parseTime } from '../../protocol/time.js';
import type { JsonRecord } from './foreign-records.js';

/** Members that hold a record's time; the first that can be read decides. */
const MEMBERS = [
  'timestamp',
  'time',
  '@timestamp',
  'ts',
  'verified_at',
  'asctime',
  'datetime',
  'date',
  't',
  'Timestamp',
  'Time',
  'TimeStamp',
  'eventTime',
  'event_time',
  'logged_at',
  'created_at',
  'created',
  '@t',
  'timeMillis',
  'epoch',
  '__REALTIME_TIMESTAMP',
] as const;

/** Smaller numbers are an uptime or a counter: as seconds since the epoch they are before 1973. */
const SMALLEST_EPOCH = 1e8;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** 2026-02-18 14:23:45,120 +01:00, with `/` and `T`, a comma or a point, and a zone or none. */
const DATED =
  /^(\d{4})[-/](\d\d)[-/](\d\d)(?:[T _]+(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?:\[[\w/+-]+\])?$/i;
/** 20260218T142345Z, the basic format of ISO 8601. */
const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:[.,](\d{1,12}))?(Z|[+-]\d\d(?::?\d\d)?)?$/i;
/** Wed, 18 Feb 2026 14:23:45 +0100 of RFC 5322, and 18/Feb/2026:14:23:45 +0100 of web servers. */
const NAMED =
  /^(?:[a-z]{3}, )?(\d\d?)[ /-]([a-z]{3})[ /-](\d{4})[ :](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?$/i;
/** Wed Feb 18 14:23:45 2026 of C's asctime. */
const ASCTIME = /^[a-z]{3} ([a-z]{3}) {1,2}(\d\d?) (\d\d):(\d\d):(\d\d)(?: (Z|UTC|GMT))? (\d{4})$/i;

/** Milliseconds since the epoch; null where no member holds a time that can be read. A time without a zone is UTC. */
export function recordTime(record: JsonRecord): number | null {
  for (const member of MEMBERS) {
    const told = record[member];
    if (told === undefined || told === null) continue;
    const ms = instant(told);
    if (ms !== null) return ms;
  }
  return null;
}

/** The value of the member that says when, as it was written; undefined where there is none. */
export function timeAsWritten(record: JsonRecord): unknown {
  const named = MEMBERS.filter((member) => record[member] !== undefined && record[member] !== null);
  const readable = named.find((member) => instant(record[member]) !== null);
  return record[readable ?? named[0] ?? 'timestamp'];
}

function instant(told: unknown): number | null {
  if (typeof told === 'number') return fromEpoch(told);
  if (typeof told === 'string') return fromText(told);
  if (typeof told !== 'object' || told === null) return null;
  // {seconds, nanos} of protocol buffers, {$date} of MongoDB's exports.
  const { seconds, nanos = 0, $date } = told as Record<string, unknown>;
  if ($date !== undefined && typeof $date !== 'object') return instant($date);
  const whole = typeof seconds === 'string' && /^\d{1,12}$/.test(seconds) ? Number(seconds) : seconds;
  if (typeof whole !== 'number' || typeof nanos !== 'number') return null;
  return fromEpoch(whole + nanos / 1e9);
}

/** Seconds, milliseconds, microseconds or nanoseconds, by magnitude: each is thousands of years away from the next. */
function fromEpoch(told: number): number | null {
  if (!Number.isFinite(told) || told < SMALLEST_EPOCH) return null;
  if (told < 1e11) return told * 1000;
  if (told < 1e14) return told;
  if (told < 1e17) return told / 1000;
  return told < 1e20 ? told / 1e6 : null;
}

function fromText(told: string): number | null {
  const exact = parseTime(told);
  if (exact !== null) return exact;
  if (told.length > 64) return null;
  const text = told.trim();
  if (/^\d{1,20}(?:\.\d{1,12})?$/.test(text)) return fromEpoch(Number(text));
  const dated = DATED.exec(text) ?? BASIC.exec(text);
  if (dated !== null) {
    const [, year, month, day, hour, minute, second, fraction, zone] = dated;
    return moment([year, month, day, hour, minute, second], fraction, zone);
  }
  const named = NAMED.exec(text);
  if (named !== null) {
    const [, day, month, year, hour, minute, second, fraction, zone] = named;
    return moment([year, monthNumber(month!), day, hour, minute, second], fraction, zone);
  }
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return null;
  const [, month, day, hour, minute, second, zone, year] = asctime;
  return moment([year, monthNumber(month!), day, hour, minute, second], undefined, zone);
}

function monthNumber(name: string): string {
  return String(MONTHS.indexOf(name.toLowerCase()) + 1);
}

/** Null for a date that does not exist. */
function moment(parts: readonly (string | undefined)[], fraction = '0', zone = 'Z'): number | null {
  const [year, month, day, hour, minute, second] = parts.map((part) => (part ?? '0').padStart(2, '0'));
  const exact = parseTime(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 9)}Z`);
  if (exact === null) return null;
  const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (offset === null) return exact;
  const ms = (Number(offset[2]) * 60 + Number(offset[3] ?? 0)) * 60_000;
  return offset[1] === '+' ? exact - ms : exact + ms;
}
