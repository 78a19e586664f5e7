/** What this process may do with files. Native code that runs out of them ends the process, or says that the disk failed. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';

/** What a database takes: itself, its log and index, and what libsql keeps open beside them, and one left for the answer. */
const DATABASE_FILES = 12;

/** @throws the system's EMFILE or ENFILE unless a database can still open all its files */
export function requireDescriptors(): void {
  const open: number[] = [];
  try {
    while (open.length < DATABASE_FILES) open.push(openSync(devNull, 'r'));
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

/** True where files may not grow beyond a size (`ulimit -f`); false as well where the system does not tell. */
export function hasFileSizeLimit(): boolean {
  try {
    return /^Max file size +\d/m.test(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    return false;
  }
}
