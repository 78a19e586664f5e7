import type { StreamSink } from '../http/exchange.js';

/** Whose client reads the stream: this program's, or the reference package's, which knows fewer events and no positions. */
export type StreamForm = 'native' | 'first' | 'reference';

/** One open stream: a cursor into the log, and what its reader is known to have. */
export class FeedStream {
  readonly id: string;
  readonly keyId: string;
  readonly form: StreamForm;
  /** The member of the roster that reports over this stream what it has applied; null where none does. */
  readonly verifier: string | null;
  /** The heartbeat slice it belongs to. */
  readonly slice: number;
  /** ms, the server's `up` clock. */
  readonly openedAt: number;
  readonly sink: StreamSink;
  /** seq of the last event written. */
  cursor: number;
  /** Since when the reader takes nothing; null while it does. */
  blockedAt: number | null = null;
  /** seq that the reader says it has applied. */
  acked = 0;
  ackedAt: number | null = null;
  /** True while older events come from the store; live ones wait. */
  catchingUp = false;
  closed = false;
  /** Resumes the catch-up that waits for the reader. */
  onDrain: (() => void) | null = null;

  constructor(
    fields: Pick<FeedStream, 'id' | 'keyId' | 'form' | 'verifier' | 'slice' | 'openedAt' | 'sink' | 'cursor'>,
  ) {
    this.id = fields.id;
    this.keyId = fields.keyId;
    this.form = fields.form;
    this.verifier = fields.verifier;
    this.slice = fields.slice;
    this.openedAt = fields.openedAt;
    this.sink = fields.sink;
    this.cursor = fields.cursor;
  }

  write(bytes: Uint8Array, now: number): boolean {
    if (this.sink.write(bytes)) return true;
    this.blockedAt ??= now;
    return false;
  }
}
