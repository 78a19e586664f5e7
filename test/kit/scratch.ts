import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is removed with its test. Its path is short: that of a socket has at most 108 bytes. */
export function scratch(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'aip-k-')));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
