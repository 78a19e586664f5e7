/** Opens the state: in a file that is this user's alone, and no older than one that was seen here before. */
import { Failure } from '../../app/failure.js';
import { disowned } from '../files/secret/ownership.js';
import { ensureStateFile, openToRead } from './file/create.js';
import { Database } from './engine/database.js';
import { stateFailure } from './engine/failures.js';
import { GenerationKeeper, readGeneration, wentBack } from './file/generation.js';
import type { StateOptions } from './options.js';
import { stateOn, type SqliteState } from './state.js';

export type { SqliteState } from './state.js';

/** How long one statement waits for other processes unless told otherwise, in ms. */
const BUSY_MS = 5000;

/**
 * Opens the state file at `path`, making it (mode 0600) and its folder (0700) where there is none.
 * Fails with STATE when it is damaged, locked, full, read-only, or written by a newer version.
 */
export function openState(path: string, options: StateOptions): SqliteState {
  if (options.onlyReads !== true) requireOwned(path, options.owner ?? null);
  const { generationFile } = options;
  // Before the state is: another process that writes now must not make it look old.
  const seen = generationFile === undefined ? null : readGeneration(generationFile);
  const waitsMs = options.waitsMs ?? BUSY_MS;
  const database =
    options.onlyReads === true ? openToRead(path, options.random, waitsMs) : openToWrite(path, options, waitsMs);
  try {
    if (generationFile === undefined || options.onlyReads === true) return stateOn(database, path, options);
    return watched(database, path, options, generationFile, seen);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The state whose generation is kept in a file; an older one than was seen last accepts nothing that may have been accepted before. */
function watched(
  database: Database,
  path: string,
  options: StateOptions,
  generationFile: string,
  seen: ReturnType<typeof readGeneration>,
): SqliteState {
  const clock = options.clock ?? Date.now;
  let keeper: GenerationKeeper | null = null;
  const state = stateOn(database, path, {
    ...options,
    onCommit: (head) => keeper?.committed(head, clock()),
    onClose: (head) => keeper?.write(head, clock()),
  });
  keeper = new GenerationKeeper(generationFile, state.logId, Buffer.from(options.random(6)).toString('hex'), seen);
  const why = wentBack(state, seen);
  if (why === null) return state;
  state.forgetUntil(clock());
  keeper.restart(state.bounds().head, clock());
  options.onWentBack?.(
    `The state ${path} went back: ${why}. What is dated before now may have been accepted already, and is refused until its time is over.`,
  );
  return state;
}

function requireOwned(path: string, owner: number | null): void {
  const problem = ownershipProblem(path, owner);
  if (problem !== null)
    throw new Failure('STATE', `The state is not used: ${problem.message}.`, { hint: problem.hint });
}

function ownershipProblem(path: string, owner: number | null): ReturnType<typeof disowned> {
  try {
    return disowned(path, owner);
  } catch (error) {
    throw stateFailure(error, path);
  }
}

function openToWrite(path: string, { random }: StateOptions, waitsMs: number): Database {
  ensureStateFile(path, random);
  return new Database(path, waitsMs);
}
