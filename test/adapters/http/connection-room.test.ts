import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ConnectionRoom } from '../../../src/adapters/http/connection-room.js';

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
