/** What callers hand in, looked at before it is used: types are gone at run time, and callers may write JavaScript. */
import { usage } from '../../app/failure.js';
import { parseDuration } from '../../protocol/time.js';

/** A number and a unit: `'300s'`, `'30m'`, `'24h'`, `'90d'`, `'250ms'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

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

/** The id of an agent. A name would find nothing, and nothing reads as a newcomer. @throws Failure USAGE */
export function agentIdOption(value: unknown, what: string): string {
  if (typeof value === 'string' && /^did:[a-z0-9]+:./.test(value)) return textOption(value, 'agentId');
  throw usage(`${what} needs the id of an agent.`, 'did:web:<domain>:agents:<name>');
}

/** True, false, or left out. @throws Failure USAGE */
export function flagOption(value: boolean | undefined, name: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw usage(`"${name}" is neither true nor false.`);
  return value;
}

/** One of `choices`, or left out. @throws Failure USAGE */
export function choiceOption<T extends string>(
  value: T | undefined,
  name: string,
  choices: readonly T[],
): T | undefined {
  if (value === undefined || choices.includes(value)) return value;
  throw usage(`"${name}" is neither ${choices.slice(0, -1).join(', ')} nor ${choices.at(-1)}.`);
}

/** A list, whatever it holds. @throws Failure USAGE */
export function listOption<T>(value: readonly T[], name: string): readonly T[] {
  if (!Array.isArray(value)) throw usage(`"${name}" is not a list.`);
  return value;
}

/** A whole number from `least` to `most`. @throws Failure USAGE */
export function wholeOption(value: number, least: number, most: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw usage(`"${name}" is not a whole number from ${least} to ${most}.`);
}

/** A number from 0 to 1. @throws Failure USAGE */
export function fractionOption(value: number, name: string): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw usage(`"${name}" is not a number from 0 to 1.`);
}

/** A moment, in ms since the epoch. @throws Failure USAGE */
export function dateOption(value: Date, name: string): number {
  const ms = value instanceof Date ? value.getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw usage(`"${name}" is not a Date.`);
  return ms;
}

/** The duration in `text`, in ms. @throws Failure USAGE */
export function durationOption(text: string, name: string): number {
  const ms = typeof text === 'string' ? parseDuration(text) : null;
  if (ms === null) throw usage(`"${name}" is not a duration.`, "write it like '300s', '30m', '24h' or '90d'");
  return ms;
}
