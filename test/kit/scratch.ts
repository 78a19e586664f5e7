import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is removed with its test. Its path is short: that of a socket has at most 108 bytes. */
export function scratch(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'aip-k-')));
  // A process that a killed one had started may write until it notices; what it wrote meanwhile is removed at another try.
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return path;
}
