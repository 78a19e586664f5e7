/** The last events as ready bytes, shared by every stream: what all are missing is put together once. */

/** Events as bytes, and the seq of the last of them. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly head: number;
}

const PIECE_BYTES = 256 * 1024;
const SHARED_PIECES = 32;

/** The newest events as encoded frames, shared by all streams. */
export class Ring {
  readonly #frames: Uint8Array[] = [];
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  /** seq of the first frame held. */
  #first: number;
  #bytes = 0;
  /** What follows a seq, put together; valid until the next push. */
  readonly #joined = new Map<number, Piece>();

  /** An empty ring that continues after seq `head`. */
  constructor(head: number, maxEvents: number, maxBytes: number) {
    this.#first = head + 1;
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** seq of the last event. */
  get head(): number {
    return this.#first + this.#frames.length - 1;
  }

  /** True when a stream that has seen everything up to `seq` can be served from here. */
  holdsAfter(seq: number): boolean {
    return seq >= this.#first - 1 && seq <= this.head;
  }

  /** Adds the frame of the event `head + 1`. */
  push(bytes: Uint8Array): void {
    this.#joined.clear();
    this.#frames.push(bytes);
    this.#bytes += bytes.length;
    // Half is dropped at once, so that forgetting costs nothing per event.
    if (this.#frames.length > this.#maxEvents || this.#bytes > this.#maxBytes) this.#shrink();
  }

  /** What follows `seq`, as one buffer that all callers share, cut at `PIECE_BYTES`; null when there is nothing. */
  after(seq: number): Piece | null {
    if (seq >= this.head) return null;
    const known = this.#joined.get(seq);
    if (known !== undefined) return known;
    const from = seq + 1 - this.#first;
    let to = from;
    let size = 0;
    do size += this.#frames[to++]!.length;
    while (to < this.#frames.length && size + this.#frames[to]!.length <= PIECE_BYTES);
    const bytes = to === from + 1 ? this.#frames[from]! : Buffer.concat(this.#frames.slice(from, to), size);
    const piece = { bytes, head: this.#first + to - 1 };
    // Streams are at few places; a crowd of stragglers must not turn into a crowd of buffers.
    if (this.#joined.size < SHARED_PIECES) this.#joined.set(seq, piece);
    return piece;
  }

  #shrink(): void {
    const keep = Math.max(1, this.#frames.length >> 1);
    const gone = this.#frames.splice(0, this.#frames.length - keep);
    for (const frame of gone) this.#bytes -= frame.length;
    this.#first += gone.length;
  }
}
