import { expect, test } from 'vitest';
import { runSubprocess } from '../../../src/adapters/process/subprocess.js';

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
