/** Streams of the fleet's log. They share what they read, and none of them holds anything up. */
import { formatRow } from '../../fleet.js';
import { HEARTBEAT_MS, SLOW_READER_MS } from '../../limits.js';
import { comment, frame } from '../../../protocol/framing/sse.js';
import type { MeshStore } from '../../log/store.js';
import type { StreamConnection, ServerClock, StreamSink } from '../http/exchange.js';

const MAX_FEEDS = 256;
/** Rows in one write. */
const PIECE = 100;
/** A stream this many rows behind skips to the last `PIECE`, and says so. */
const MAX_LAG = 2_000;
/** Entries that another process wrote into a shared store are found this soon, ms. */
const LOOK_MS = 500;

interface Feed {
  readonly keyId: string;
  readonly sink: StreamSink;
  row: number;
  blockedAt: number | null;
  running: boolean;
  closed: boolean;
}

/** Shipped entries for those who watch. */
export class LogFeed {
  readonly #store: MeshStore;
  readonly #clock: ServerClock;
  readonly #onFailure: (error: unknown) => void;
  readonly #onGrowth: () => void;
  readonly #feeds = new Set<Feed>();
  /** Pieces by the row before them, for the head as it is. */
  readonly #pieces = new Map<number, Promise<{ readonly bytes: Uint8Array; readonly last: number }>>();
  #head = 0;
  #pumping: Promise<void> | null = null;
  #again = false;
  #lookedAt = 0;
  #beatAt = 0;

  constructor(
    store: MeshStore,
    clock: ServerClock,
    hooks: { readonly onFailure: (error: unknown) => void; readonly onGrowth: () => void },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#onFailure = hooks.onFailure;
    this.#onGrowth = hooks.onGrowth;
  }

  /** The last row known here. */
  get head(): number {
    return this.#head;
  }

  get hasRoom(): boolean {
    return this.#feeds.size < MAX_FEEDS;
  }

  get size(): number {
    return this.#feeds.size;
  }

  /** Looks for new rows and brings them to the streams. */
  pump(): Promise<void> {
    if (this.#pumping !== null) this.#again = true;
    return (this.#pumping ??= this.#look());
  }

  open(sink: StreamSink, keyId: string, after: number): StreamConnection {
    const feed: Feed = { keyId, sink, row: after, blockedAt: null, running: false, closed: false };
    this.#feeds.add(feed);
    this.#write(feed, Buffer.from(comment('connected')));
    void this.#run(feed);
    return {
      drained: () => {
        feed.blockedAt = null;
        void this.#run(feed);
      },
      closed: () => this.#forget(feed),
    };
  }

  /** Heartbeats, and readers that took nothing for too long. `waiting`: someone wants to know of new rows. */
  tick(waiting: boolean): void {
    const now = this.#clock.up();
    if (now - this.#lookedAt >= LOOK_MS && (waiting || this.#feeds.size > 0)) {
      this.#lookedAt = now;
      void this.pump();
    }
    for (const feed of this.#feeds) {
      if (feed.blockedAt !== null && now - feed.blockedAt >= SLOW_READER_MS) this.#end(feed);
    }
    if (now - this.#beatAt < HEARTBEAT_MS) return;
    this.#beatAt = now;
    const beat = Buffer.from(comment('heartbeat'));
    for (const feed of this.#feeds) if (feed.blockedAt === null) this.#write(feed, beat);
  }

  closeKey(keyId: string): void {
    for (const feed of this.#feeds) if (feed.keyId === keyId) this.#end(feed);
  }

  closeAll(): void {
    for (const feed of this.#feeds) this.#end(feed);
  }

  async #look(): Promise<void> {
    try {
      do {
        this.#again = false;
        const head = await this.#store.logs.head();
        if (head === this.#head) continue;
        this.#head = head;
        this.#pieces.clear();
        this.#onGrowth();
        for (const feed of this.#feeds) void this.#run(feed);
      } while (this.#again);
    } catch (error) {
      this.#onFailure(error);
    } finally {
      this.#pumping = null;
    }
  }

  async #run(feed: Feed): Promise<void> {
    if (feed.running) return;
    feed.running = true;
    try {
      while (!feed.closed && feed.blockedAt === null && feed.row < this.#head) {
        if (this.#head - feed.row > MAX_LAG) {
          const to = this.#head - PIECE;
          this.#write(feed, Buffer.from(frame('gap', null, JSON.stringify({ from: feed.row + 1, to }))));
          feed.row = to;
        }
        const { bytes, last } = await this.#piece(feed.row);
        // Nothing there: the store is behind its own head, and the next look finds it.
        if (last === feed.row || feed.closed) break;
        feed.row = last;
        this.#write(feed, bytes);
      }
    } catch (error) {
      this.#onFailure(error);
    } finally {
      feed.running = false;
    }
  }

  #piece(after: number): Promise<{ bytes: Uint8Array; last: number }> {
    const known = this.#pieces.get(after);
    if (known !== undefined) return known;
    const { logs, logId } = this.#store;
    const piece = logs.read({ after, limit: PIECE }).then((rows) => ({
      bytes: Buffer.from(rows.map(({ row, text }) => frame('entry', formatRow(logId, row), text)).join('')),
      last: rows.at(-1)?.row ?? after,
    }));
    if (this.#pieces.size < MAX_FEEDS) this.#pieces.set(after, piece);
    return piece;
  }

  #write(feed: Feed, bytes: Uint8Array): void {
    if (!feed.sink.write(bytes)) feed.blockedAt ??= this.#clock.up();
  }

  #end(feed: Feed): void {
    const blocked = feed.blockedAt !== null;
    this.#forget(feed);
    if (blocked) feed.sink.cut();
    else feed.sink.end(null);
  }

  #forget(feed: Feed): void {
    feed.closed = true;
    this.#feeds.delete(feed);
  }
}
