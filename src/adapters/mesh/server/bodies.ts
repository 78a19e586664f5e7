/** Bodies of requests, read only for callers that the mesh has let in, and bounded for all of them together. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Most bytes of bodies that are held before their requests are whole. */
const MAX_UNREAD = 16 * 1024 * 1024;
/** Most connections of one address that have shown no key yet: a proxy brings all clients from one address, so this is wide. */
const MAX_STRANGERS = 4_096;

export type ReadBody = Uint8Array | 'too large' | 'broken off' | 'busy';

/** What arrives and was not answered yet. One for each server. */
export class Intake {
  #unread = 0;
  readonly #strangers = new Map<string, number>();
  readonly #known = new WeakSet<Socket>();
  readonly #maxStrangers: number;

  /** `maxStrangers`: most connections of one address that have shown no key. */
  constructor(maxStrangers: number = MAX_STRANGERS) {
    this.#maxStrangers = maxStrangers;
  }

  /** Bytes of bodies held now. */
  get unread(): number {
    return this.#unread;
  }

  /** A connection was opened; it is ended at once where its address has too many that showed no key. */
  opened(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const count = (this.#strangers.get(address) ?? 0) + 1;
    if (count > this.#maxStrangers) {
      socket.destroy();
      return;
    }
    this.#strangers.set(address, count);
    socket.once('close', () => this.#less(socket, address));
  }

  /** The connection has shown a key that is in force. */
  known(socket: Socket): void {
    if (this.#known.has(socket)) return;
    this.#known.add(socket);
    this.#drop(socket.remoteAddress ?? '');
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

  #less(socket: Socket, address: string): void {
    if (!this.#known.has(socket)) this.#drop(address);
  }

  #drop(address: string): void {
    const left = (this.#strangers.get(address) ?? 1) - 1;
    if (left <= 0) this.#strangers.delete(address);
    else this.#strangers.set(address, left);
  }
}
