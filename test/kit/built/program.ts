/** The program as people run it: what the build made, as a process of its own. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export const BINARY = join(ROOT, 'bin/aip.cjs');

/** One folder of compiled forms for all homes that tests make: without it nearly every start would compile anew. */
export const FORMS = { XDG_CACHE_HOME: join(ROOT, 'node_modules/.cache') };

/** Fails where there is nothing to run. */
export function requireBuilt(): void {
  if (!existsSync(join(ROOT, 'dist/start.cjs'))) throw new Error('there is no binary to test: npm run build:cli');
}
