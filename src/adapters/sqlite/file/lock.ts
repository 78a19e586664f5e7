import { Failure } from '../../../app/failure.js';
import { Database } from '../engine/database.js';

/** Takes the lock at `path`, an exclusive transaction on a file of its own, which ends with the process. @throws Failure STATE, retryable where it is taken */
export function lockFile(path: string): () => void {
  const database = new Database(path, 0);
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
    return () => database.close();
  } catch (error) {
    database.close();
    throw error;
  }
}

/** True for the failure that says that another holds the lock, or the file. */
export function isTakenLock(error: unknown): error is Failure {
  return error instanceof Failure && error.retryable;
}
