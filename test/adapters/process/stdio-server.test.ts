import { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startStdioServer, type StdioServer } from '../../../src/adapters/process/stdio-server.js';

/** Lines of 32 KiB; the last ends the program. */
const LINES = 1_000;
const PROGRAM = `
  const line = 'x'.repeat(32 * 1024 - 1) + '\\n';
  let written = 0;
  const go = () => {
    while (written < ${LINES}) {
      written += 1;
      if (!process.stdout.write(line)) return void process.stdout.once('drain', go);
    }
  };
  go();
`;

test('a program whose lines nobody takes is held back, and none of them is lost', async () => {
  let taken = 0;
  let free = false;
  const held: (() => void)[] = [];
  const client = new Writable({
    write(_, __, done) {
      taken += 1;
      if (free) done();
      else held.push(done);
    },
  });
  let came = 0;
  const server: StdioServer = startStdioServer(process.execPath, ['-e', PROGRAM], {
    env: process.env,
    cwd: process.cwd(),
    maxLine: 1 << 20,
    onLine: (line) => {
      came += 1;
      server.passOn(client, Buffer.from(line).toString());
    },
  });
  onTestFinished(() => server.stop(0));
  while (came === 0) await wait(10);
  await wait(500);
  // What the pipe and the streams hold.
  expect(came).toBeLessThan(100);
  free = true;
  for (const each of held) each();
  expect(await server.ended).toBe(0);
  while (taken < came) await wait(10);
  expect(taken).toBe(LINES);
});
