import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hooksInThread } from '../../../src/adapters/workers/hook-threads.js';
import { scratch } from '../../kit/scratch.js';

const HOOK = `import { threadId } from 'node:worker_threads';
export default { verify({ ms }) { const end = Date.now() + ms; while (Date.now() < end); return threadId; } };`;

async function hooks(lateMs: number) {
  const folder = scratch();
  const file = join(folder, 'hook.mjs');
  writeFileSync(file, HOOK);
  const module = await hooksInThread(file, lateMs);
  onTestFinished(() => module.stop());
  return (ms: number) => module.ask(0, { ms });
}

test('a question behind one that is slow has another thread, and the slow one is answered', async () => {
  const ask = await hooks(20_000);
  const slow = ask(2_000);
  const [first, second] = await Promise.all([slow, ask(0)]);
  expect(first).not.toBe(second);
  // The thread that was left is not asked again.
  expect(await ask(0)).toBe(second);
});

test('one that is late is refused, and the next has another thread', async () => {
  const ask = await hooks(200);
  await expect(ask(3_600_000)).rejects.toThrow('in time');
  expect(typeof (await ask(0))).toBe('number');
});
