/** A TCP proxy that does to a connection what networks do: delays, black holes, resets at any byte, half-closes, holding back. */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export interface Faults {
  /** ms added in each direction. */
  delayMs: number;
  /** Nothing passes, nobody is told. */
  blackHole: boolean;
  /** The connection is reset after this many bytes of answers. */
  resetAfter: number | null;
  /** The server's end is closed after this many bytes of answers, and the client's stays open. */
  halfCloseAfter: number | null;
  /** Streams pass only when the server has ended them, as behind a proxy that buffers; whole answers pass. */
  bufferStreams: boolean;
  /** What becomes of the frames that arrive together; null: nothing. */
  mangle: ((frames: readonly string[]) => readonly string[]) | null;
}

export class FaultProxy {
  readonly faults: Faults = {
    delayMs: 0,
    blackHole: false,
    resetAfter: null,
    halfCloseAfter: null,
    bufferStreams: false,
    mangle: null,
  };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(server);
    server.on('connection', (client) => proxy.#join(client, targetPort));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection as a reset would. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket, targetPort: number): void {
    this.connections++;
    const { faults } = this;
    const server = connect(targetPort, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    }
    let passed = 0;
    const held: Buffer[] = [];
    let rewriter: StreamRewriter | null = null;
    let holds = false;
    const later = (work: () => void) => {
      if (faults.delayMs === 0) work();
      else setTimeout(work, faults.delayMs);
    };
    client.on('data', (bytes: Buffer) => {
      if (!faults.blackHole) later(() => server.write(bytes));
    });
    server.on('data', (bytes: Buffer) => {
      if (faults.blackHole) return;
      holds ||= faults.bufferStreams && bytes.includes('text/event-stream');
      if (holds) {
        held.push(bytes);
        return;
      }
      if (faults.mangle !== null && rewriter === null && bytes.includes('text/event-stream')) {
        rewriter = new StreamRewriter((frames) => faults.mangle?.(frames) ?? frames);
      }
      if (rewriter !== null) {
        const rewritten = rewriter.push(bytes);
        later(() => client.write(rewritten));
        return;
      }
      const reset = faults.resetAfter;
      const half = faults.halfCloseAfter;
      const limit = reset ?? half;
      const piece = limit === null ? bytes : bytes.subarray(0, Math.max(0, limit - passed));
      passed += piece.length;
      const over = limit !== null && passed >= limit;
      later(() => {
        client.write(piece, () => {
          if (!over) return;
          if (reset !== null) client.resetAndDestroy();
          server.destroy();
        });
      });
    });
    client.on('close', () => server.destroy());
    server.on('close', () => {
      if (faults.blackHole || faults.halfCloseAfter !== null) return;
      for (const bytes of held) client.write(bytes);
      later(() => client.end());
    });
  }
}

/** Takes a chunked answer apart into the frames of its stream and puts it together again. */
class StreamRewriter {
  readonly #mangle: (frames: readonly string[]) => readonly string[];
  #rest = Buffer.alloc(0);
  #inBody = false;

  constructor(mangle: (frames: readonly string[]) => readonly string[]) {
    this.#mangle = mangle;
  }

  push(bytes: Buffer): Buffer {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const out: Buffer[] = [];
    if (!this.#inBody) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end === -1) return Buffer.alloc(0);
      out.push(this.#take(end + 4));
      this.#inBody = true;
    }
    let text = '';
    for (;;) {
      const end = this.#rest.indexOf('\r\n');
      const size = end === -1 ? -1 : parseInt(this.#rest.toString('latin1', 0, end), 16);
      if (size < 0 || this.#rest.length < end + 2 + size + 2) break;
      this.#take(end + 2);
      text += this.#take(size).toString();
      this.#take(2);
    }
    // The server writes whole frames, so what arrived together is a list of them.
    const frames = this.#mangle(text.split(/(?<=\n\n)/).filter((frame) => frame !== ''));
    const body = Buffer.from(frames.join(''));
    if (body.length > 0) out.push(Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n'));
    return Buffer.concat(out);
  }

  #take(size: number): Buffer {
    const taken = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return taken;
  }
}
