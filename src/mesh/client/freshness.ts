/** How current a copy of the log is, proven by the mesh's signed checkpoints. */
import { parseTime } from '../../protocol/time.js';
import type { Checkpoint } from '../log/checkpoint.js';
import type { Moment } from './moment.js';

interface Pending {
  readonly head: number;
  readonly at: Moment;
}

/** How long ago the copy was last proven current, by the larger of two clocks. */
export class FreshnessClock {
  /** When the last proof was made, at the earliest, by this machine's clocks; null before the first. */
  #proof: Moment | null = null;
  /** The request that opened this connection, and the server's `up` clock in its first answer. */
  #requestedAt: Moment | null = null;
  #firstUp: number | null = null;
  #challenge: string | null = null;
  /** The server process that this connection speaks with; null before its first checkpoint. */
  #boot: string | null = null;
  /** A checkpoint whose events are not all here yet. */
  #pending: Pending | null = null;
  /** The server's time, and when it was heard. */
  #server: { readonly time: number; readonly mono: number } | null = null;

  /** A connection is asked for at `now`, with a challenge that the first answer must repeat. */
  asking(challenge: string, now: Moment): void {
    this.#challenge = challenge;
    this.#requestedAt = now;
    this.#firstUp = null;
    this.#boot = null;
    this.#pending = null;
  }

  /**
   * True when a checkpoint whose signature holds belongs to this connection: the first one repeats the challenge, the others
   * come from the same server process. Otherwise a recorded conversation could be played back as a fresh one.
   */
  belongs(checkpoint: Checkpoint): boolean {
    if (this.#boot !== null) return checkpoint.boot === this.#boot;
    return this.#challenge !== null && checkpoint.challenge === this.#challenge;
  }

  /**
   * A checkpoint arrived that is signed and belongs here. It was made `up_ms - firstUp` after the first one of this connection, and that
   * one not before the request: so whatever delays the answers, it cannot make this proof look younger than it is.
   * `receivedUpMs`, where known, is when the server received the request.
   */
  heard(checkpoint: Checkpoint, applied: number, now: Moment, receivedUpMs: number | null = null): void {
    if (this.#requestedAt === null) return;
    this.#boot = checkpoint.boot;
    this.#firstUp ??= receivedUpMs ?? checkpoint.up_ms;
    // One ms less, because both numbers are whole ms.
    const later = checkpoint.up_ms - this.#firstUp - 1;
    if (later < -1) return;
    const mono = Math.min(now.mono, this.#requestedAt.mono + later);
    const at = { mono, wall: now.wall - (now.mono - mono) };
    const time = parseTime(checkpoint.time);
    if (time !== null) this.#server = { time, mono: now.mono };
    this.#pending = { head: checkpoint.head, at };
    this.applied(applied);
  }

  /** Everything up to `seq` is applied. */
  applied(seq: number): void {
    if (this.#pending === null || seq < this.#pending.head) return;
    if (this.#proof === null || this.#pending.at.mono > this.#proof.mono) this.#proof = this.#pending.at;
    this.#pending = null;
  }

  /** The proof's moment, for keeping it beyond this process. */
  get proof(): Moment | null {
    return this.#proof;
  }

  /**
   * Age of the last proof in ms: by the monotonic clock, which a set clock cannot fool, or by the wall clock, which goes on
   * while a machine sleeps; whichever is larger. Null before the first proof.
   */
  age(now: Moment): number | null {
    if (this.#proof === null) return null;
    return Math.max(0, now.mono - this.#proof.mono, now.wall - this.#proof.wall);
  }

  /** How far this machine's wall clock is ahead of the server's, in ms, by its last word; null before one. The way that it took counts as ahead. */
  ahead(now: Moment): number | null {
    return this.#server === null ? null : now.wall - (this.#server.time + (now.mono - this.#server.mono));
  }

  /** The time by which suspensions end: never ahead of the server's, or a clock set forward would end them early. */
  time(now: Moment): number {
    if (this.#server === null) return now.wall;
    return Math.min(now.wall, this.#server.time + (now.mono - this.#server.mono));
  }
}
