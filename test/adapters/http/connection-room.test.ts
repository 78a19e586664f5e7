/** Whose connection makes room for a newcomer. */
import { EventEmitter } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ConnectionRoom } from '../../../src/adapters/http/connection-room.js';
import { takesItsTurn } from '../../../src/adapters/http/pipelining.js';

/** A server with room for two connections, whose answers are larger than what the system takes for those who do not read. */
async function served(answered: boolean) {
  const room = new ConnectionRoom(2);
  const ended: string[] = [];
  const answers: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (!takesItsTurn(request, response)) return;
    request.socket.once('close', () => ended.push(request.url!));
    answers.push(response);
    if (answered) response.end(Buffer.alloc(32 * 1024 * 1024));
  });
  server.on('connection', (socket: Socket) => room.enter(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string) => {
    const count = answers.length;
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
    socket.on('error', () => undefined).pause();
    onTestFinished(() => void socket.destroy());
    if (path !== '/third' || answered) await expect.poll(() => answers.length).toBe(count + 1);
    return socket;
  };
  return { ask, ended };
}

test('one whose answer is only not read makes room, and one whose answer is being made does not', async () => {
  const unread = await served(true);
  for (const path of ['/first', '/second', '/third']) await unread.ask(path);
  await expect.poll(() => unread.ended).toEqual(['/first']);

  const working = await served(false);
  for (const path of ['/first', '/second']) await working.ask(path);
  const third = await working.ask('/third');
  await new Promise((resolve) => third.once('close', resolve).resume());
  expect(working.ended).toEqual([]);
});

function from(remoteAddress: string, remotePort: number): Socket {
  const socket = Object.assign(new EventEmitter(), { remoteAddress, remotePort });
  return Object.assign(socket, { destroy: () => socket.emit('close') }) as unknown as Socket;
}

test('connections from one port of several addresses each take a place', () => {
  const room = new ConnectionRoom(2);
  for (let host = 1; host <= 5; host++) room.enter(from(`127.0.0.${host}`, 50_000));
  expect(room.size).toBe(2);
});

test('the two sockets of one connection with TLS take one place', () => {
  const room = new ConnectionRoom(2);
  const [plain, secure] = [from('10.0.0.1', 50_000), from('10.0.0.1', 50_000)];
  room.enter(plain);
  room.enter(secure);
  plain.emit('close');
  expect(room.size).toBe(1);
  secure.emit('close');
  expect(room.size).toBe(0);
});
