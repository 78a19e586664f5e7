/** What callers hand in, looked at before it is used: types are gone at run time, and callers may write JavaScript. */
import { Failure } from '../../app/failure.js';
import { parseDuration } from '../../protocol/time.js';

/** A number and a unit: `'300s'`, `'30m'`, `'24h'`, `'90d'`, `'250ms'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** The failure of an argument that cannot be used. */
export function usage(message: string, hint?: string): Failure {
  return new Failure('USAGE', message, hint === undefined ? {} : { hint });
}

/** Fails on an unknown option: a misspelt limit must not read as no limit. */
export function onlyKnown(options: object, known: ReadonlySet<string>, what: string): void {
  if (typeof options !== 'object' || options === null) throw usage(`${what} takes its options as an object.`);
  for (const name in options) {
    if (!known.has(name)) throw usage(`${what} has no option "${name.slice(0, 64)}".`, [...known].join(', '));
  }
}

/** Well-formed text. Anything else would be read as a name (an agent called "undefined"), or end the process inside the database's driver. */
export function textOption(value: unknown, name: string): string {
  if (typeof value !== 'string') throw usage(`"${name}" is not a string.`);
  if (/\p{Surrogate}/u.test(value)) throw usage(`"${name}" holds half a character (a lone surrogate).`);
  return value;
}

/** The duration in `text`, in ms. @throws Failure USAGE */
export function durationOption(text: string, name: string): number {
  const ms = typeof text === 'string' ? parseDuration(text) : null;
  if (ms === null) throw usage(`"${name}" is not a duration.`, "write it like '300s', '30m', '24h' or '90d'");
  return ms;
}
