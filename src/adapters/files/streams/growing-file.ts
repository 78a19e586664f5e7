/** A new file of any length: it gets its name when it is whole. */
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { fileFailure } from '../../../app/system-failures.js';
import { makeFolder } from '../folders.js';
import { isStream, openStream } from './stream-file.js';

export { fileExists } from '../plain-file.js';

export interface GrowingFile {
  write(content: string | Uint8Array): Promise<void>;
  /** Gives it its name, once its bytes are on the disk. */
  finish(): Promise<void>;
  /** Removes what was written. A `write` or `finish` under way does not settle any more: who gave up is not to be told that it failed. */
  discard(): Promise<void>;
}

/** Written beside `path`, mode 0600: logs hold what agents did. A device or a pipe is written to as it comes. */
export async function growingFile(path: string): Promise<GrowingFile> {
  if (await isStream(path)) {
    const { write, close } = await openStream(path);
    return { write, finish: close, discard: () => close().catch(() => undefined) };
  }
  const part = `${path}.part`;
  let discarded = false;
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (discarded) return new Promise<never>(() => undefined);
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        throw new Failure('EXISTS', `${part} exists: another export runs, or one was interrupted.`, {
          hint: `rm ${shellWord(part)}`,
        });
      }
      throw fileFailure(path, 'written', error);
    }
  };
  const handle = await guard(async () => {
    makeFolder(dirname(path));
    return open(part, 'wx', 0o600);
  });
  return {
    write: (content) => guard(() => handle.appendFile(content)),
    finish: () =>
      guard(async () => {
        await handle.sync();
        await handle.close();
        await rename(part, path);
      }),
    discard: async () => {
      discarded = true;
      await handle.close().catch(() => undefined);
      await unlink(part).catch(() => undefined);
    },
  };
}
