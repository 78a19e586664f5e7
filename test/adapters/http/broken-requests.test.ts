/** Senders of what is no request. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { refuseBroken } from '../../../src/adapters/http/broken-requests.js';

test('one that hears the refusal and leaves its own side open holds no connection', async () => {
  const server = createServer().on('clientError', refuseBroken).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  try {
    const ended = once(socket, 'end');
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString())).write('GARBAGE\r\n\r\n');
    await ended;
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    const held = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    await expect.poll(held, { timeout: 5_000 }).toBe(0);
  } finally {
    socket.destroy();
    server.close();
  }
});
