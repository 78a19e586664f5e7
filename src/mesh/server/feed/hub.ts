/** All open streams, served from one ring of ready frames. */
import { parseEvent } from '../../log/event.js';
import { HEARTBEAT_MS, HEARTBEAT_SLICES, PAGE_EVENTS, RING_BYTES, RING_EVENTS, SLOW_READER_MS } from '../../limits.js';
import { Ring } from '../../ring.js';
import type { EventRecord } from '../../ruling.js';
import { comment, frame } from '../../../protocol/framing/sse.js';
import type { MeshStore } from '../../log/store.js';
import type { StreamConnection, ServerClock, StreamSink } from '../http/exchange.js';
import { FORMS, frameOf, revokedAmong } from './forms.js';
import { FeedStream, type StreamForm } from './stream.js';

/** What a stream is opened with. */
export interface Opening {
  readonly keyId: string;
  readonly form: StreamForm;
  readonly verifier: string | null;
  /** The stream continues after this seq. */
  readonly after: number;
  /** The last event that the verifier has confirmed with its signature; null where it has no key to sign with. */
  readonly confirmed?: number | null;
  /** Written first, piece by piece as the reader takes it. */
  readonly prelude: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** What the hub needs of the server. */
export interface HubPorts {
  readonly store: MeshStore;
  readonly clock: ServerClock;
  /** The text of a fresh signed checkpoint; null where nothing can be proven now. */
  readonly prove: () => Promise<string | null>;
  /** True while a proof is long in coming: streams are then kept open without one. */
  readonly slow: () => boolean;
  /** Runs work after the input that is ready now was read. */
  readonly soon: (work: () => void) => void;
  /** What to do when the store fails under a stream. */
  readonly onFailure: (error: unknown) => void;
}

/** Longest that events wait for the streams to rest, in ms. */
const MAX_REST_MS = 50;
const QUIET = Buffer.from(comment('heartbeat'));

/** All open streams, and the rings that they read. */
export class Hub {
  readonly #ports: HubPorts;
  readonly #rings: Readonly<Record<StreamForm, Ring>>;
  readonly #streams = new Map<string, FeedStream>();
  /** Notified with every pass, and soon after confirmations and ends. */
  readonly #watchers = new Set<() => void>();
  /** How long the last pass over all streams took, in ms, and when it ended. */
  #passMs = 0;
  #passedAt = 0;
  #passDue = false;
  #notifyDue = false;
  #opened = 0;
  #slice = 0;
  #sliceAt: number;
  slowCut = 0;
  /** Told when a connection of a verifier ends. */
  onGone: (verifier: string) => void = () => undefined;

  /** A hub whose ring continues after seq `head`. */
  constructor(ports: HubPorts, head: number) {
    this.#ports = ports;
    this.#sliceAt = ports.clock.up();
    const ring = () => new Ring(head, RING_EVENTS, RING_BYTES);
    this.#rings = { native: ring(), first: ring(), reference: ring() };
  }

  /** seq of the last event that was handed to the streams. */
  get head(): number {
    return this.#rings.native.head;
  }

  get size(): number {
    return this.#streams.size;
  }

  streams(): Iterable<FeedStream> {
    return this.#streams.values();
  }

  hasVerifier(verifier: string): boolean {
    for (const stream of this.#streams.values()) if (stream.verifier === verifier) return true;
    return false;
  }

  stream(id: string): FeedStream | null {
    return this.#streams.get(id) ?? null;
  }

  /** Calls `watcher` after every pass, and soon after confirmations and ends, until it is told to stop. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  open(opening: Opening, sink: StreamSink, id: string): StreamConnection {
    const { clock } = this.#ports;
    const stream = new FeedStream({
      id,
      keyId: opening.keyId,
      form: opening.form,
      verifier: opening.verifier,
      slice: this.#opened++ % HEARTBEAT_SLICES,
      openedAt: clock.up(),
      sink,
      cursor: opening.after,
    });
    // The place that it asks to go on from is a claim; what it has signed is not.
    stream.acked = Math.min(opening.after, opening.confirmed ?? opening.after);
    this.#streams.set(id, stream);
    void this.#start(stream, opening.prelude);
    return {
      drained: () => {
        stream.blockedAt = null;
        const resume = stream.onDrain;
        stream.onDrain = null;
        if (resume !== null) resume();
        else this.#pass(stream);
      },
      closed: () => this.#forget(stream),
    };
  }

  /** Takes new events in, which must follow the ring's head, and writes them to every stream that keeps up; `revoked` as `revokedAmong` has it. */
  publish(records: readonly EventRecord[], revoked: ReadonlySet<string>): void {
    for (const record of records) {
      const event = parseEvent(record.text);
      for (const form of FORMS)
        this.#rings[form].push(Buffer.from(frameOf(form, event, record.text, revoked.has(event.agent_id))));
    }
    // Long polls are answered at once: they take no part in the passes.
    this.#notify();
    if (this.#passDue) return;
    this.#passDue = true;
    this.#passWhenRested();
  }

  /**
   * A pass over thousands of streams takes a while, most of it in the system. When events come faster than that, the next pass
   * waits as long as the last one took: commands get their half of the time, and what came meanwhile goes out in one write.
   */
  #passWhenRested(): void {
    const { clock, soon } = this.#ports;
    const started = clock.up();
    if (started - this.#passedAt < this.#passMs) return soon(() => this.#passWhenRested());
    this.#passDue = false;
    for (const stream of this.#streams.values()) this.#pass(stream);
    this.#passedAt = clock.up();
    this.#passMs = Math.min(MAX_REST_MS, this.#passedAt - started);
  }

  /**
   * Writes a frame that is no event of the log, to the streams that keep up: what a stream misses of them it can ask for. Streams of the
   * first form would take it for something else.
   */
  announce(event: string, data: string): void {
    const bytes = Buffer.from(frame(event, null, data));
    const now = this.#ports.clock.up();
    for (const stream of this.#streams.values())
      if (stream.form === 'native' && stream.blockedAt === null && !stream.catchingUp) stream.write(bytes, now);
  }

  /** A verifier says that it has applied everything up to `seq`. */
  confirm(stream: FeedStream, seq: number): void {
    if (seq <= stream.acked || seq > this.head) return;
    stream.acked = seq;
    stream.ackedAt = this.#ports.clock.up();
    this.#notifySoon();
  }

  /** Heartbeats that are due, and readers that took nothing for too long. Call it every 100 ms or so. */
  tick(): void {
    const now = this.#ports.clock.up();
    for (const stream of this.#streams.values()) {
      if (stream.blockedAt !== null && now - stream.blockedAt >= SLOW_READER_MS) {
        this.slowCut++;
        this.#forget(stream);
        stream.sink.cut();
      }
    }
    const step = HEARTBEAT_MS / HEARTBEAT_SLICES;
    // After a pause of the whole process one round is enough.
    if (now - this.#sliceAt > HEARTBEAT_MS) this.#sliceAt = now - HEARTBEAT_MS;
    while (now - this.#sliceAt >= step) {
      this.#sliceAt += step;
      this.#beat(this.#slice++ % HEARTBEAT_SLICES, now);
    }
  }

  /** Passes on a proof that another server has signed, for the head as it is now. */
  heartbeat(proof: string): void {
    const [bytes, now] = [Buffer.from(frame('heartbeat', null, proof)), this.#ports.clock.up()];
    for (const stream of this.#streams.values()) if (stream.form !== 'reference') this.#pulse(stream, bytes, now);
  }

  /** Ends the streams of an API key that was revoked. */
  closeKey(keyId: string): void {
    for (const stream of this.#streams.values()) if (stream.keyId === keyId) this.#end(stream, null);
  }

  /** Ends the streams of a verifier that left, or was taken off. */
  closeVerifier(verifier: string): void {
    for (const stream of this.#streams.values()) if (stream.verifier === verifier) this.#end(stream, null);
  }

  /** Ends every stream with a last frame. */
  closeAll(last: Uint8Array): void {
    for (const stream of this.#streams.values()) this.#end(stream, stream.form === 'reference' ? null : last);
  }

  /** Drops every stream as it is. */
  cutAll(): void {
    for (const stream of this.#streams.values()) {
      this.#forget(stream);
      stream.sink.cut();
    }
  }

  #end(stream: FeedStream, last: Uint8Array | null): void {
    const blocked = stream.blockedAt !== null;
    this.#forget(stream);
    if (blocked) stream.sink.cut();
    else stream.sink.end(last);
  }

  #beat(slice: number, now: number): void {
    const slow = this.#ports.slow();
    const due: FeedStream[] = [];
    for (const stream of this.#streams.values()) {
      if (stream.slice !== slice || stream.blockedAt !== null || stream.catchingUp) continue;
      if (stream.form !== 'reference' && !slow) due.push(stream);
      else this.#pulse(stream, QUIET, now);
    }
    if (due.length === 0) return;
    void this.#ports.prove().then((text) => {
      // A key that is asked elsewhere may have signed for a head that the streams are past: their readers would take the log for cut.
      const isPast = text === null || (JSON.parse(text) as { readonly head: number }).head < this.head;
      const bytes = isPast ? QUIET : Buffer.from(frame('heartbeat', null, text));
      const later = this.#ports.clock.up();
      for (const stream of due) this.#pulse(stream, bytes, later);
    });
  }

  /** A heartbeat never overtakes the events that it speaks of. */
  #pulse(stream: FeedStream, bytes: Uint8Array, now: number): void {
    if (stream.closed || stream.blockedAt !== null || stream.catchingUp) return;
    this.#pass(stream);
    if (stream.closed || stream.blockedAt !== null || stream.catchingUp) return;
    stream.write(bytes, now);
  }

  #start(stream: FeedStream, prelude: Opening['prelude']): Promise<void> {
    return this.#behind(stream, async () => {
      for await (const piece of prelude) {
        if (stream.closed) return;
        await this.#written(stream, piece);
        if (stream.closed) return;
      }
    });
  }

  #pass(stream: FeedStream): void {
    const ring = this.#rings[stream.form];
    const now = this.#ports.clock.up();
    while (stream.blockedAt === null && !stream.catchingUp && !stream.closed && stream.cursor < ring.head) {
      if (!ring.holdsAfter(stream.cursor)) {
        void this.#catchUp(stream);
        return;
      }
      const piece = ring.after(stream.cursor)!;
      stream.cursor = piece.head;
      stream.write(piece.bytes, now);
    }
  }

  #catchUp(stream: FeedStream): Promise<void> {
    return this.#behind(stream, async () => {
      while (!stream.closed && !this.#rings[stream.form].holdsAfter(stream.cursor)) {
        const records = await this.#ports.store.read(stream.cursor, PAGE_EVENTS);
        if (records.length === 0) throw new Error(`the store lost the events after ${stream.cursor}`);
        const bytes = await this.#encode(stream.form, records);
        stream.cursor = records[records.length - 1]!.seq;
        await this.#written(stream, bytes);
      }
    });
  }

  /** Has `write` bring a stream what the ring does not hold, and goes on with the ring from there. */
  async #behind(stream: FeedStream, write: () => Promise<void>): Promise<void> {
    stream.catchingUp = true;
    try {
      await write();
      stream.catchingUp = false;
      this.#pass(stream);
    } catch (error) {
      // Its reader resumes by id, here or at another server.
      this.#forget(stream);
      stream.sink.cut();
      this.#ports.onFailure(error);
    }
  }

  async #written(stream: FeedStream, bytes: Uint8Array): Promise<void> {
    if (!stream.write(bytes, this.#ports.clock.up())) await this.#drained(stream);
  }

  async #encode(form: StreamForm, records: readonly EventRecord[]): Promise<Uint8Array> {
    const { store } = this.#ports;
    const revoked = form === 'reference' ? await revokedAmong(store, records) : null;
    let text = '';
    for (const record of records) {
      const event = parseEvent(record.text);
      text += frameOf(form, event, record.text, revoked?.has(event.agent_id) ?? false);
    }
    return Buffer.from(text);
  }

  #drained(stream: FeedStream): Promise<void> {
    return new Promise((resolve) => {
      stream.onDrain = resolve;
    });
  }

  #forget(stream: FeedStream): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#streams.delete(stream.id);
    if (stream.verifier !== null) this.onGone(stream.verifier);
    const resume = stream.onDrain;
    stream.onDrain = null;
    resume?.();
    this.#notifySoon();
  }

  /** Confirmations and ends come in crowds, and a command that waits for them looks at every stream. */
  #notifySoon(): void {
    if (this.#notifyDue) return;
    this.#notifyDue = true;
    this.#ports.soon(() => {
      this.#notifyDue = false;
      this.#notify();
    });
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
