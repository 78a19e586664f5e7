/** Bodies of requests, read only for callers that the mesh has let in, and bounded for all of them together. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionRoom } from '../../http/connection-room.js';

/** Most bytes of bodies that are held before their requests are whole. */
const MAX_UNREAD = 16 * 1024 * 1024;
/** Most connections of one address that have shown no key yet: a proxy brings all clients from one address, so this is wide. */
const MAX_STRANGERS = 4_096;

export type ReadBody = Uint8Array | 'too large' | 'broken off' | 'busy';

/** What arrives and was not answered yet. One for each server. */
export class Intake {
  #unread = 0;
  readonly #strangers = new Map<string, ConnectionRoom>();
  readonly #maxStrangers: number;

  /** `maxStrangers`: most connections of one address that have shown no key. */
  constructor(maxStrangers: number = MAX_STRANGERS) {
    this.#maxStrangers = maxStrangers;
  }

  /** Bytes of bodies held now. */
  get unread(): number {
    return this.#unread;
  }

  /** A connection was opened, or its TLS is set up; where its address has too many that showed no key, the oldest is ended. */
  opened(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const room = this.#strangers.get(address) ?? new ConnectionRoom(this.#maxStrangers);
    this.#strangers.set(address, room);
    room.enter(socket, () => this.#forget(address, room));
  }

  /** The connection has shown a key that is in force. */
  known(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const room = this.#strangers.get(address);
    if (room === undefined) return;
    room.release(socket);
    this.#forget(address, room);
  }

  /** The body, at most `limit` bytes. */
  async read(incoming: IncomingMessage, limit: number): Promise<ReadBody> {
    const declared = Number(incoming.headers['content-length'] ?? 0);
    if (declared > limit) return 'too large';
    if (declared === 0 && incoming.headers['transfer-encoding'] === undefined) return new Uint8Array();
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of incoming) {
        const { length } = part as Buffer;
        size += length;
        this.#unread += length;
        if (size > limit) return 'too large';
        if (this.#unread > MAX_UNREAD) return 'busy';
        parts.push(part as Buffer);
      }
    } catch (error) {
      if (incoming.complete) throw error;
      return 'broken off';
    } finally {
      this.#unread -= size;
    }
    return Buffer.concat(parts);
  }

  #forget(address: string, room: ConnectionRoom): void {
    if (room.size === 0 && this.#strangers.get(address) === room) this.#strangers.delete(address);
  }
}
