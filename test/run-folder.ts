/** A folder for what the workers of one run share, such as compiled programs. It goes away with the run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The variable that names it; workers inherit it. */
export const RUN_FOLDER = 'AIP_TEST_RUN_FOLDER';

/** Called once for every project of the run. */
export default function setup(): (() => void) | undefined {
  if (process.env[RUN_FOLDER] !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'aip-run-'));
  process.env[RUN_FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
