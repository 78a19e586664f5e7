/** The system's own clock, randomness and timers. */
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers';

/** Milliseconds since the epoch. */
export const clock = (): number => Date.now();

/** A clock that never goes back, in microseconds. */
export const ticks = (): number => Number(process.hrtime.bigint()) / 1000;

/** `n` bytes from the system's CSPRNG. */
export const random = (n: number): Uint8Array => randomBytes(n);

/** Runs `work` in the next turn of the event loop, after the input and output that is ready by then. */
export const nextTurn = (work: () => void): void => void setImmediate(work);

/** Runs `work` after `ms` unless the returned function is called first. */
export function after(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

/** Runs `work` when the process ends by itself or by `process.exit`, unless the returned function is called first. */
export function atExit(work: () => void): () => void {
  process.once('exit', work);
  return () => process.removeListener('exit', work);
}
