/** Paths as the system sees them. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** `path` with links followed as far as it exists; what does not exist yet is kept as it is written. */
export function followed(path: string): string {
  const missing: string[] = [];
  for (let at = path; ;) {
    try {
      return join(realpathSync(at), ...missing);
    } catch {
      const parent = dirname(at);
      if (parent === at) return path;
      missing.unshift(basename(at));
      at = parent;
    }
  }
}
