import { appendFileSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileBytes } from '../../src/adapters/follow-file.js';

test('a file that is moved away twice in a row ends no tail', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aip-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'log.jsonl');
  writeFileSync(path, 'first\n');
  const stop = new AbortController();
  const restarts: string[] = [];
  const onRestart = (why: string): void => void restarts.push(why);
  const bytes = fileBytes(path, { follow: true, signal: stop.signal, onRestart });
  const next = async (): Promise<string> => Buffer.from((await bytes.next()).value as Uint8Array).toString();
  expect([await next(), await next()]).toEqual(['first\n', '']);
  const late = next();
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, 'late\n');
  writeFileSync(path, 'never read\n');
  expect(await late).toBe('late\n');
  // That there is a new file has been seen, and it is gone before it is opened.
  unlinkSync(path);
  const again = next();
  await new Promise((resolve) => setTimeout(resolve, 120));
  writeFileSync(path, 'again\n');
  expect([await again, restarts]).toEqual(['again\n', ['replaced']]);
  stop.abort();
  expect((await bytes.next()).done).toBe(true);
});
