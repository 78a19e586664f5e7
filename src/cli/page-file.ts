/** Where a page for people goes: a file that is replaced, or stdout for `-`. */
import { Failure } from '../app/failure.js';
import { replaceOutput } from '../workspace/files.js';
import type { Output } from './output.js';

/** Writes a page of --html. @throws Failure USAGE where stdout is taken by --json */
export async function writePage(path: string, page: string, cli: Output): Promise<void> {
  if (path === '-') {
    if (cli.globals.json)
      throw new Failure('USAGE', 'Both --json and --html - would write to stdout.', { hint: '--html <file>' });
    return cli.stream(page);
  }
  await replaceOutput(path, `${page.trimEnd()}\n`);
  cli.note(`wrote ${path}`);
}
