/** Reads several files: one that cannot be read is told, and the others are judged all the same. */
import { Failure } from '../../app/failure.js';
import type { Notices } from '../output.js';
import type { Unread } from '../render/formats/unread.js';

/** What was read, in order, and what was not; `at` counts what was read before it. */
export interface Gathered<T> {
  readonly found: readonly T[];
  readonly unread: readonly (Unread & { readonly at: number; readonly exitCode: number })[];
}

/** Reads each path. With `isWhole` all of them or none. @throws Failure of the only path, or of what is no fault of one file */
export async function gather<T>(
  paths: readonly string[],
  read: (path: string) => Promise<T>,
  isWhole: boolean,
  cli: Notices,
): Promise<Gathered<T>> {
  const found: T[] = [];
  const unread: Gathered<T>['unread'][number][] = [];
  for (const source of paths) {
    try {
      found.push(await read(source));
    } catch (error) {
      if (
        isWhole ||
        paths.length === 1 ||
        !(error instanceof Failure) ||
        (error.code !== 'NOT_FOUND' && error.code !== 'UNREADABLE')
      )
        throw error;
      const { code, message, exitCode } = error;
      unread.push({ source, code, message, at: found.length, exitCode });
      cli.warn(message, code);
    }
  }
  return { found, unread };
}
