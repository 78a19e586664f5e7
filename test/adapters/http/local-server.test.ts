/** The service's own port: who opens connections there and asks nothing must not keep others out. */
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listenHere } from '../../../src/adapters/http/local-server.js';

test('connections on which nothing is asked keep no caller out', { timeout: 60_000 }, async () => {
  const answer = { status: 200, headers: {}, body: 'here' };
  const places = { socket: null, tcp: { host: '127.0.0.1', port: 0 }, maxBody: 100, onBug: () => undefined };
  const served = await listenHere(() => Promise.resolve(answer), places);
  onTestFinished(() => served.close());
  const port = Number(new URL(served.url!).port);
  let ended = 0;
  const held = await Promise.all(
    Array.from(
      { length: 1_100 },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = connect(port, '127.0.0.1', () =>
            socket.write('GET / HTTP/1.1\r\nHost: x', () => resolve(socket)),
          );
          socket.on('error', () => undefined).on('close', () => ended++);
        }),
    ),
  );
  onTestFinished(() => held.forEach((socket) => void socket.destroy()));
  await expect.poll(() => ended, { timeout: 10_000 }).toBe(76);
  expect(await (await fetch(served.url!)).text()).toBe('here');
});
