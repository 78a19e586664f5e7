import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runSubprocess } from '../../../src/adapters/process/subprocess.js';
import { scratch } from '../../kit/scratch.js';

test('an input that is held back comes late, and a child that does not wait for it is not waited for', async () => {
  const run = (line: string, inputAfterMs: number) =>
    runSubprocess('/bin/sh', ['-c', line], {
      env: { PATH: process.env.PATH },
      timeoutMs: 10_000,
      maxOutputBytes: 1024,
      input: 'given',
      inputAfterMs,
    });
  expect(await run('cat; exit 3', 300)).toMatchObject({ kind: 'exited', code: 3, stdout: 'given' });
  expect(await run('exit 2', 60_000)).toMatchObject({ kind: 'exited', code: 2, stdout: '' });
});

test('a line for the shell of Windows reaches it as it was written, in the quotes that it takes off', async () => {
  const folder = scratch();
  writeFileSync(join(folder, 'cmd.exe'), '#!/bin/sh\nfor word; do echo "$word"; done', { mode: 0o755 });
  const { platform } = process;
  const { comspec } = process.env;
  onTestFinished(() => {
    Object.defineProperty(process, 'platform', { value: platform });
    if (comspec === undefined) delete process.env.comspec;
    else process.env.comspec = comspec;
  });
  Object.defineProperty(process, 'platform', { value: 'win32' });
  process.env.comspec = 'cmd.exe';
  const options = { env: { PATH: folder }, timeoutMs: 10_000, maxOutputBytes: 1024 };
  const line = 'op read "op://my vault/key"';
  expect(await runSubprocess(line, [], { ...options, shell: true })).toMatchObject({
    stdout: `/d\n/s\n/c\n"${line}"\n`,
  });
});
