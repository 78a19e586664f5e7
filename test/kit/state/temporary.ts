import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openState, type SqliteState } from '../../../src/adapters/sqlite/open.js';
import { scratch } from '../scratch.js';

/** The path of a state file that does not exist yet, in a folder that goes away after the test. */
export function statePath(): string {
  const folder = scratch();
  return join(folder, 'home', 'state.db');
}

/** Opens it with real randomness; closed after the test. */
export function openAt(path: string, clock?: () => number): SqliteState {
  const state = openState(path, { random: randomBytes, ...(clock === undefined ? {} : { clock }) });
  onTestFinished(() => state.close());
  return state;
}
