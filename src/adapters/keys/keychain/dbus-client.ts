import { connect, type Socket } from 'node:net';
import { decodeMessage, encodeCall, MAX_MESSAGE_BYTES, type Message, type MethodCall } from './dbus-wire.js';

/** The bus does not talk in time, or not in D-Bus. */
export class BusSilent extends Error {}
/** Nothing can be reached at the bus address. */
export class BusUnreachable extends Error {}
/** An error reply. */
export class BusRefusal extends Error {}

/**
 * The sockets of a session bus address, in the order in which they are tried (D-Bus Specification, "Server Addresses"): an absolute
 * path each, or a name after a NUL for an abstract socket.
 */
export function socketPaths(address: string): string[] {
  return address.split(';').flatMap((entry) => {
    const match = /^unix:(?:[^,]*,)*(path|abstract)=([^,]+)/.exec(entry);
    if (match === null) return [];
    const path = match[2]!.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    return [match[1] === 'abstract' ? `\0${path}` : path];
  });
}

/** A session on a message bus. Every promise settles before the deadline that `open` was given. */
export class BusClient {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #received: Buffer = Buffer.alloc(0);
  #failed: Error | null = null;
  #serial = 0;
  #wake: () => void = () => {};

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#fail(new BusSilent()), timeoutMs);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      if (this.#received.length > MAX_MESSAGE_BYTES) this.#fail(new BusSilent());
      this.#wake();
    });
    socket.on('error', (cause) => this.#fail(new BusUnreachable(undefined, { cause })));
    socket.on('close', () => this.#fail(new BusUnreachable()));
  }

  /** Connects and authenticates as this user (D-Bus Specification, "Authentication Protocol", EXTERNAL). */
  static async open(path: string, uid: number, timeoutMs: number): Promise<BusClient> {
    const client = new BusClient(connect(path), timeoutMs);
    try {
      client.#socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(uid), 'latin1').toString('hex')}\r\n`);
      const line = await client.#next((bytes) => {
        const end = bytes.indexOf('\r\n');
        return end < 0 ? null : { value: bytes.toString('latin1', 0, end), size: end + 2 };
      });
      if (!line.startsWith('OK ')) throw new BusUnreachable();
      client.#socket.write('BEGIN\r\n');
      await client.call({
        destination: 'org.freedesktop.DBus',
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.DBus',
        member: 'Hello',
        signature: '',
        body: Buffer.alloc(0),
      });
      return client;
    } catch (cause) {
      client.close();
      throw cause;
    }
  }

  /** The reply to `call`; throws BusRefusal, named like the error, when it is refused. */
  async call(call: MethodCall): Promise<Message> {
    const serial = ++this.#serial;
    this.#socket.write(encodeCall(serial, call));
    for (;;) {
      const message = await this.#next((bytes) => {
        const decoded = decodeMessage(bytes);
        return decoded === null ? null : { value: decoded, size: decoded.size };
      });
      if (message.replyTo !== serial) continue;
      if (message.type === 3) throw new BusRefusal(message.errorName ?? 'unnamed');
      return message;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  async #next<T>(take: (bytes: Buffer) => { value: T; size: number } | null): Promise<T> {
    for (;;) {
      let taken;
      try {
        taken = take(this.#received);
      } catch {
        throw new BusSilent();
      }
      if (taken !== null) {
        this.#received = this.#received.subarray(taken.size);
        return taken.value;
      }
      if (this.#failed !== null) throw this.#failed;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    this.#socket.destroy();
    this.#wake();
  }
}
