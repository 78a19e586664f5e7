/** How many connections are held: strangers who only open them must not keep out those who ask. */
import type { Socket } from 'node:net';
import { awaitsWork } from './pipelining.js';

/** Open connections, bounded: a newcomer takes the place of the oldest one on which no answer is being made. */
export class ConnectionRoom {
  readonly #most: number;
  /** Oldest first. With TLS a connection has two sockets, one after the other, and one address and port. */
  readonly #open = new Map<string | Socket, Socket>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A connection was opened, or its TLS is set up. `onLeft`: it was closed, or ended for a newcomer. */
  enter(socket: Socket, onLeft: () => void = () => undefined): void {
    const key = keyOf(socket);
    this.#open.set(key, socket);
    socket.once('close', () => {
      if (this.#open.get(key) === socket) this.#open.delete(key);
      onLeft();
    });
    if (this.#open.size <= this.#most) return;
    for (const [each, oldest] of this.#open) {
      if (awaitsWork(oldest)) continue;
      this.#open.delete(each);
      oldest.destroy();
      return;
    }
  }

  /** The connection takes no place any more. */
  release(socket: Socket): void {
    this.#open.delete(keyOf(socket));
  }
}

/** Of a named pipe or socket nobody has an address. */
function keyOf(socket: Socket): string | Socket {
  const { remoteAddress, remotePort } = socket;
  return remotePort === undefined ? socket : `${remoteAddress} ${remotePort}`;
}
