/** Plain streams of a mesh with several servers: each goes on at the next one where its own is gone, and counts what it sees. */
import { connect, type Socket } from 'node:net';

const EVENT = /^id: ([0-9a-f]{32}\.\d+\.(\d+))\nevent: event$/gm;
const GREETING = 'event: hello';

export interface StreamsOptions {
  readonly ports: readonly number[];
  /** An API key that may read the stream. */
  readonly key: string;
  readonly count: number;
  /** Told of each event that a stream sees, by its place. */
  readonly onEvent?: (seq: number) => void;
}

/** What the streams have seen. */
export interface StreamsSeen {
  /** How many are greeted and open. */
  readonly open: number;
  /** The least last event of all. */
  readonly least: number;
  /** Events that did not follow the one before, and streams that were sent to the snapshot: none where nothing is lost. */
  readonly gaps: number;
}

export class PlainStreams {
  readonly #options: StreamsOptions;
  readonly #last: { id: string | null; seq: number }[];
  readonly #sockets = new Set<Socket>();
  #open = 0;
  #gaps = 0;
  #ended = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#last = Array.from({ length: options.count }, () => ({ id: null, seq: 0 }));
    // In waves, so that no backlog overflows.
    for (let i = 0; i < options.count; i++) setTimeout(() => this.#dial(i, i), Math.floor(i / 100) * 10);
  }

  get seen(): StreamsSeen {
    return { open: this.#open, least: Math.min(...this.#last.map(({ seq }) => seq)), gaps: this.#gaps };
  }

  end(): void {
    this.#ended = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #dial(stream: number, attempt: number): void {
    if (this.#ended) return;
    const { ports, key } = this.#options;
    const state = this.#last[stream]!;
    const socket = connect(ports[attempt % ports.length]!, '127.0.0.1', () => {
      const resume = state.id === null ? '' : `Last-Event-ID: ${state.id}\r\n`;
      socket.write(
        `GET /v1/mesh/stream?v=2${state.id === null ? '&after=0' : ''} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n${resume}\r\n`,
      );
    });
    this.#sockets.add(socket);
    let greeted = false;
    let rest = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      const all = rest + text;
      const end = all.lastIndexOf('\n\n');
      rest = all.slice(end + 1);
      if (end === -1) return;
      const frames = all.slice(0, end);
      if (!greeted && frames.includes(GREETING)) {
        greeted = true;
        this.#open++;
      }
      if (frames.includes('event: reset')) this.#gaps++;
      for (const [, id, seq] of frames.matchAll(EVENT)) {
        if (state.id !== null && Number(seq) !== state.seq + 1) this.#gaps++;
        [state.id, state.seq] = [id!, Number(seq)];
        this.#options.onEvent?.(state.seq);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (greeted) this.#open--;
      setTimeout(() => this.#dial(stream, attempt + 1), 100 + Math.random() * 400);
    });
  }
}
