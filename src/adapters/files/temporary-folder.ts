import { lstatSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namesInFolder } from './folders.js';

export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with all it holds; harmless when it is gone already. */
  remove(): void;
}

/** So old is what a process left behind that was killed (ms): one in another container, which shares the folder, is not seen here. */
const LEFT_MS = 24 * 60 * 60 * 1000;

/**
 * A new folder that only this user may enter, named by `prefix` and this process. Those of this user's processes that were killed a day ago
 * and longer are removed.
 */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const place = tmpdir();
  const path = realpathSync(mkdtempSync(join(place, `${prefix}${process.pid}-`)));
  for (const left of namesInFolder(place))
    if (left.startsWith(prefix)) removeLeft(join(place, left), left.slice(prefix.length));
  return { path, remove: () => removeAll(path) };
}

/** What is open is not removed on Windows: a database is until its process ends. */
function removeAll(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (!['EBUSY', 'EPERM', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function removeLeft(path: string, name: string): void {
  const [, pid] = /^(\d+)-[A-Za-z0-9]{6}$/.exec(name) ?? [];
  if (pid === undefined || runs(Number(pid))) return;
  try {
    const found = lstatSync(path);
    const isOwn = found.isDirectory() && found.uid === (process.getuid?.() ?? 0);
    if (isOwn && Date.now() - found.mtimeMs > LEFT_MS) rmSync(path, { recursive: true });
  } catch {
    // Another process removes it as well, or it cannot be removed: it is in nobody's way.
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
