/** How many files this process may still open. Native code that runs out of them ends the process instead of saying so. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** What a database takes: itself, its log and index, and what libsql keeps open beside them, and one left for the answer. */
export const DATABASE_FILES = 12;

/** Throws the system's EMFILE or ENFILE unless so many can be opened. */
export function requireDescriptors(count: number): void {
  const open: number[] = [];
  try {
    while (open.length < count) open.push(openSync(devNull, 'r'));
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}
