import { createContext, Script } from 'node:vm';

/** The work took longer than it may. */
export class TookTooLong extends Error {
  constructor(ms: number) {
    super(`stopped after ${ms} ms`);
    this.name = 'TookTooLong';
  }
}

let place: { readonly shared: { work: (() => unknown) | null }; readonly call: Script } | null = null;

/**
 * The result of `work`, which must not wait for anything. Synchronous code cannot be stopped from outside, except where V8
 * looks for a script's time limit: at each turn of a loop, at each call, and while a regular expression backtracks.
 * @throws TookTooLong
 */
export function withinTime<T>(ms: number, work: () => T): T {
  place ??= { shared: createContext({ work: null }) as { work: null }, call: new Script('work()') };
  const { shared, call } = place;
  shared.work = work;
  try {
    return call.runInContext(shared, { timeout: Math.max(1, Math.ceil(ms)) }) as T;
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new TookTooLong(ms);
    throw error;
  } finally {
    shared.work = null;
  }
}
