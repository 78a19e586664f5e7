/** Time windows as the red team reads them. */
import type { Json, JsonObject } from '../../protocol/json/values.js';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** A formatter takes longer to make than all of an attack. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockIn(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    const parts = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    clocks.set(timeZone, (clock = new Intl.DateTimeFormat('en-GB', { timeZone, ...parts })));
  }
  return clock;
}

/** True where a moment, in ms since the epoch, lies outside of a time window. */
export function outsideOf(window: JsonObject, now: number): boolean {
  const { start, end, days, from, to, tz } = window;
  if (typeof start === 'string' && now < Date.parse(start)) return true;
  if (typeof end === 'string' && now > Date.parse(end)) return true;
  if (days === undefined && from === undefined) return false;
  const parts = clockIn(typeof tz === 'string' ? tz : 'UTC').formatToParts(now);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  const day = part('weekday').toLowerCase();
  const clock = `${part('hour')}:${part('minute')}`;
  // Windows over midnight are left to the verifier's own tests.
  const [begins, ends] = [typeof from === 'string' ? from : '00:00', typeof to === 'string' ? to : '24:00'];
  if (begins > ends) return false;
  const listed = Array.isArray(days)
    ? (days as readonly Json[]).map((each) => String(each).slice(0, 3).toLowerCase())
    : DAYS;
  return !listed.includes(day) || clock < begins || clock > ends;
}
