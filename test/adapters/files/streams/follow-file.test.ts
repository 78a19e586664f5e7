import { appendFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileBytes } from '../../../../src/adapters/files/streams/follow-file.js';
import { scratch } from '../../../kit/scratch.js';

interface Following {
  readonly path: string;
  readonly restarts: string[];
  readonly next: () => Promise<string>;
  readonly end: () => Promise<void>;
}

function following(text: string): Following {
  const folder = scratch();
  const path = join(folder, 'log.jsonl');
  writeFileSync(path, text);
  const stop = new AbortController();
  const restarts: string[] = [];
  const onRestart = (why: string): void => void restarts.push(why);
  const bytes = fileBytes(path, { follow: true, signal: stop.signal, onRestart });
  const end = async (): Promise<void> => {
    stop.abort();
    expect((await bytes.next()).done).toBe(true);
  };
  return {
    path,
    restarts,
    next: async () => Buffer.from((await bytes.next()).value as Uint8Array).toString(),
    end,
  };
}

test('a line that was cut off does not run into the next file, nor into what follows a cut', async () => {
  const { path, restarts, next, end } = following('first\nhal');
  expect([await next(), await next()]).toEqual(['first\nhal', '']);
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'second\nhal');
  expect([await next(), await next()]).toEqual(['\n', 'second\nhal']);
  truncateSync(path, 0);
  expect(await next()).toBe('\n');
  appendFileSync(path, 'third\n');
  expect(await next()).toBe('third\n');
  truncateSync(path, 0);
  const last = next();
  await new Promise((resolve) => setTimeout(resolve, 120));
  appendFileSync(path, '4\n');
  expect([await last, restarts]).toEqual(['4\n', ['replaced', 'truncated', 'truncated']]);
  await end();
});

test('a file that is moved away twice in a row ends no tail', async () => {
  const { path, restarts, next, end } = following('first\n');
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
  await end();
});
