/** The connection to the mesh: which endpoint, stream or poll, how long to wait, and when to give up. */
import { FIRST_FRAME_MS, MAX_POLL_WAIT_MS, SILENCE_MS } from '../limits.js';
import type { Mode } from './messages.js';
import type { Moment } from './moment.js';
import { reconnectDelay } from './reconnect.js';

/** Where a connection is. */
export type Phase = 'idle' | 'waiting' | 'snapshot' | 'opening' | 'open' | 'polling';

/** What a connection is made with. */
export interface DialerOptions {
  readonly endpoints: number;
  readonly random: () => number;
  readonly maxAgeMs: number;
  readonly polls: boolean;
}

/** After this long of polling the stream is tried again, in ms. */
const RETRY_STREAM_MS = 300_000;
/** A poll that is answered this much after its wait is given up. */
const POLL_GRACE_MS = 5_000;
const SNAPSHOT_SILENCE_MS = 10_000;
/** Longest that a connection whose proofs come late is kept before another is tried. */
const MAX_LATE_MS = 60_000;

/** One connection at a time: which endpoint, since when, and when the next try is due. */
export class Dialer {
  readonly #options: DialerOptions;
  phase: Phase = 'idle';
  /** Counts connections; what belongs to an earlier one is ignored. */
  conn = 0;
  endpoint = 0;
  #mode: Mode = 'stream';
  /** Failures in a row. */
  #failures = 0;
  #wakeAt = 0;
  #heardAt = 0;
  #openedAt = 0;
  /** Connections in a row whose proofs came late. */
  #late = 0;
  #pollingSince = 0;

  constructor(options: DialerOptions) {
    this.#options = options;
    if (options.polls) this.#mode = 'poll';
  }

  /** True while answers come that prove something: a poll after a failure is none yet. */
  get connected(): boolean {
    return this.phase === 'open' || (this.phase === 'polling' && this.#failures === 0);
  }

  /** How old a proof may be, in ms, on a connection that works. */
  get freshMs(): number {
    return this.phase === 'polling' ? this.pollWaitMs + POLL_GRACE_MS : SILENCE_MS;
  }

  get pollWaitMs(): number {
    return Math.min(MAX_POLL_WAIT_MS, Math.floor(this.#options.maxAgeMs / 3));
  }

  /** How the log is followed now. */
  mode(now: Moment): Mode {
    const retry = !this.#options.polls && now.mono - this.#pollingSince > RETRY_STREAM_MS;
    if (this.#mode === 'poll' && retry) this.#mode = 'stream';
    return this.#mode;
  }

  heard(now: Moment): void {
    this.#heardAt = now.mono;
  }

  /** A new connection is asked for. */
  dial(phase: Phase, now: Moment): number {
    this.phase = phase;
    this.#heardAt = now.mono;
    return ++this.conn;
  }

  opened(now: Moment): void {
    this.phase = 'open';
    this.#openedAt = now.mono;
    this.#failures = 0;
  }

  worked(): void {
    this.#failures = 0;
  }

  /** True when it is time for the next attempt. */
  due(now: Moment): boolean {
    return this.phase === 'waiting' && now.mono >= this.#wakeAt;
  }

  /** True when nothing was heard for longer than this phase bears. */
  silent(now: Moment): boolean {
    if (this.phase === 'idle' || this.phase === 'waiting' || now.mono - this.#heardAt < this.#patience()) return false;
    // A stream that opens and says nothing is held back by something in between, which long polls get through.
    if (this.phase === 'opening') {
      this.#mode = 'poll';
      this.#pollingSince = now.mono;
    }
    return true;
  }

  /**
   * True when another connection should be tried because the proofs of this one, which are dated from its first request, come
   * late: when that request was held up, all that follow look old.
   */
  late(age: number | null, now: Moment): boolean {
    if (this.phase !== 'open') return false;
    if (age !== null && age <= SILENCE_MS) {
      this.#late = 0;
      return false;
    }
    if (now.mono - this.#openedAt < Math.min(MAX_LATE_MS, SILENCE_MS * 2 ** this.#late)) return false;
    this.#late++;
    return true;
  }

  /** The connection failed: the next endpoint's turn. Returns the wait in ms. */
  failed(now: Moment): number {
    this.endpoint = (this.endpoint + 1) % this.#options.endpoints;
    return this.again(reconnectDelay(this.#failures++, this.#options.random()), now);
  }

  /** The connection works and must be made anew; more patiently each time, in case that does not help. */
  retry(now: Moment): number {
    return this.again(reconnectDelay(this.#failures++, this.#options.random()), now);
  }

  /** Gives the connection up for `delay` ms. */
  again(delay: number, now: Moment): number {
    this.conn++;
    this.phase = 'waiting';
    this.#wakeAt = now.mono + delay;
    return delay;
  }

  #patience(): number {
    if (this.phase === 'opening') return FIRST_FRAME_MS;
    if (this.phase === 'polling') return this.pollWaitMs + POLL_GRACE_MS;
    return this.phase === 'snapshot' ? SNAPSHOT_SILENCE_MS : SILENCE_MS;
  }
}
