import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The text of a file of this package, looked for upwards: the program lies deeper in the sources than in the build. */
export async function packageFile(...path: readonly string[]): Promise<string> {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    try {
      return await readFile(join(folder, ...path), 'utf8');
    } catch (error) {
      if (folder === dirname(folder)) throw error;
    }
  }
}
