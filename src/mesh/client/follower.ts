/** A client of the mesh as a state machine: inputs and moments in, effects out. It owns no socket, no timer and no clock. */
import { JsonError, parseJsonText } from '../../protocol/json.js';
import { objectOf, ShapeError } from '../../protocol/shape.js';
import type { Json, JsonObject } from '../../protocol/values.js';
import { parseCheckpoint, readCheckpoint, type Checkpoint } from '../checkpoint.js';
import { hashOf, parseEvent, readEvent, type MeshEvent } from '../event.js';
import { formatEventId } from '../head.js';
import { FIRST_FRAME_MS, MAX_POLL_WAIT_MS, SILENCE_MS } from '../limits.js';
import { signatureHolds, type SignatureCheck } from '../signing.js';
import { readSnapshot } from '../snapshot.js';
import type { Frame } from '../sse.js';
import type { Standing, Status } from '../standing.js';
import { Copy } from './copy.js';
import { Freshness } from './freshness.js';
import type { AlarmKind, Effect, FollowState, Input, Mode } from './messages.js';
import type { Moment } from './moment.js';
import { reconnectDelay } from './reconnect.js';

export interface FollowerOptions {
  /** How many endpoints there are; they are tried in order. */
  readonly endpoints: number;
  /** Whether a signature is the mesh's, by its pinned key. */
  readonly check: SignatureCheck;
  /** In [0, 1), for the spread of reconnections. */
  readonly random: () => number;
  /** How old the last proof may be, in ms, before the copy is `expired`. */
  readonly maxAgeMs: number;
  /** Whether the server is told what was applied. */
  readonly confirms: boolean;
  /** Asks by polls only, from the start: for one question, not for following. */
  readonly polls?: boolean;
}

/** What is known of an agent. */
export interface Check {
  /** `unknown` while there never was a copy. */
  readonly status: Status | 'unknown';
  /** What denies, when something does. */
  readonly denial: Standing | null;
  readonly state: FollowState;
  readonly ageMs: number | null;
}

/** After this long of polling the stream is tried again, in ms. */
const RETRY_STREAM_MS = 300_000;
/** A poll that is answered this much after its wait is given up. */
const POLL_GRACE_MS = 5_000;
const SNAPSHOT_SILENCE_MS = 10_000;
/** Longest that a connection whose proofs come late is kept before another is tried. */
const MAX_LATE_MS = 60_000;

type Phase = 'idle' | 'waiting' | 'snapshot' | 'opening' | 'open' | 'polling';

export class Follower {
  readonly copy = new Copy();
  readonly freshness = new Freshness();
  readonly #options: FollowerOptions;
  #phase: Phase = 'idle';
  #mode: Mode = 'stream';
  #conn = 0;
  #endpoint = 0;
  /** Failures in a row. */
  #failures = 0;
  #wakeAt = 0;
  #heardAt = 0;
  #openedAt = 0;
  /** Connections in a row whose proofs came late. */
  #late = 0;
  #pollingSince = 0;
  #streamId: string | null = null;
  #confirmed = 0;
  /** A snapshot is needed before the log can be followed. */
  #resync = false;
  /** Something between the last proof and now was missed. */
  #gap = false;
  #state: FollowState = 'syncing';
  #proven: Moment | null = null;
  #effects: Effect[] = [];
  /** The standings of the last `keep` of this step, while it may still grow. */
  #changed: Standing[] = [];

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** When the next tick is due at the latest, by the monotonic clock. */
  get wakeAt(): number {
    return this.#phase === 'waiting' ? this.#wakeAt : this.#heardAt + this.#patience();
  }

  state(now: Moment): FollowState {
    if (this.copy.position === null) return 'syncing';
    const age = this.freshness.age(now);
    if (age === null || age > this.#options.maxAgeMs) return 'expired';
    const fresh = this.#phase === 'polling' ? this.#pollWaitMs() + POLL_GRACE_MS : SILENCE_MS;
    const connected = this.#phase === 'open' || this.#phase === 'polling';
    return connected && !this.#gap && age <= fresh ? 'live' : 'stale';
  }

  /** What is known of an agent, from memory. A known deny denies in every state. */
  check(agentId: string, now: Moment, principal?: string): Check {
    const denial = this.copy.denial(agentId, this.freshness.time(now), principal);
    const state = this.state(now);
    const ageMs = this.freshness.age(now);
    if (denial !== null) return { status: denial.status, denial, state, ageMs };
    return { status: this.copy.position === null ? 'unknown' : 'active', denial: null, state, ageMs };
  }

  step(input: Input, now: Moment): readonly Effect[] {
    this.#effects = [];
    this.#changed = [];
    if (!('conn' in input) || input.conn === this.#conn) this.#take(input, now);
    this.#settle(now);
    return this.#effects;
  }

  #take(input: Input, now: Moment): void {
    if ('conn' in input && input.type !== 'ended') this.#heardAt = now.mono;
    switch (input.type) {
      case 'start':
        if (this.#phase === 'idle') this.#connect(now);
        return;
      case 'opened':
      case 'noise':
        return;
      case 'frames':
        for (const frame of input.frames) {
          if (input.conn !== this.#conn) return;
          this.#guarded(now, () => this.#frame(frame, now));
        }
        return;
      case 'polled':
        this.#guarded(now, () => this.#polled(input.body, now));
        return;
      case 'snapshot':
        this.#guarded(now, () => this.#snapshot(input.body, now));
        return;
      case 'ended':
        if (input.status === 401 || input.status === 403) this.#alarm('unauthorized', 'the mesh refuses the API key');
        this.#fail(input.reason, now);
        return;
      case 'tick':
        this.#tick(now);
    }
  }

  #tick(now: Moment): void {
    if (this.#phase === 'idle') return;
    if (this.#phase === 'waiting') {
      if (now.mono >= this.#wakeAt) this.#connect(now);
      return;
    }
    if (now.mono - this.#heardAt < this.#patience()) {
      this.#tickLate(now);
      return;
    }
    // A stream that opens and says nothing is held back by something in between, which long polls get through.
    if (this.#phase === 'opening') {
      this.#mode = 'poll';
      this.#pollingSince = now.mono;
    }
    this.#fail('nothing was heard in time', now);
  }

  /**
   * Proofs are dated from the request that opened the connection. When that one was held up on its way, all that follow look
   * old, and only another connection can tell whether they are.
   */
  #tickLate(now: Moment): void {
    if (this.#phase !== 'open') return;
    const age = this.freshness.age(now);
    if (age !== null && age <= SILENCE_MS) {
      this.#late = 0;
      return;
    }
    const patience = Math.min(MAX_LATE_MS, SILENCE_MS * 2 ** this.#late);
    if (now.mono - this.#openedAt < patience) return;
    this.#late++;
    this.#reconnect('the proofs come late', now, this.#options.random() * 250);
  }

  /** How long silence is borne in this phase. */
  #patience(): number {
    if (this.#phase === 'opening') return FIRST_FRAME_MS;
    if (this.#phase === 'polling') return this.#pollWaitMs() + POLL_GRACE_MS;
    return this.#phase === 'snapshot' ? SNAPSHOT_SILENCE_MS : SILENCE_MS;
  }

  #pollWaitMs(): number {
    return Math.min(MAX_POLL_WAIT_MS, Math.floor(this.#options.maxAgeMs / 3));
  }

  #connect(now: Moment): void {
    const conn = ++this.#conn;
    const endpoint = this.#endpoint;
    this.#heardAt = now.mono;
    this.#streamId = null;
    this.freshness.connecting(now);
    const { position } = this.copy;
    if (position === null || this.#resync) {
      this.#phase = 'snapshot';
      this.#effects.push({ type: 'fetch-snapshot', conn, endpoint });
      return;
    }
    const after = formatEventId(position.logId, position.term, position.seq);
    if (this.#options.polls === true) this.#mode = 'poll';
    else if (this.#mode === 'poll' && now.mono - this.#pollingSince > RETRY_STREAM_MS) this.#mode = 'stream';
    if (this.#mode === 'stream') {
      this.#phase = 'opening';
      this.#effects.push({ type: 'open-stream', conn, endpoint, after });
    } else {
      // The first poll asks for what is there; waiting begins when that is known.
      const waitMs = this.#phase === 'polling' ? this.#pollWaitMs() : 0;
      this.#phase = 'polling';
      this.#effects.push({ type: 'poll', conn, endpoint, after, waitMs });
    }
  }

  #frame(frame: Frame, now: Moment): void {
    if (this.#phase !== 'open' && (frame.event === 'event' || frame.event === 'heartbeat')) {
      this.#missing('the greeting is missing; events came', now);
      return;
    }
    switch (frame.event) {
      case 'hello': {
        const { stream, checkpoint } = objectOf(parseJsonText(frame.data), 'the greeting', ['stream', 'checkpoint']);
        if (typeof stream !== 'string') throw new ShapeError('the stream has no id');
        this.#phase = 'open';
        this.#openedAt = now.mono;
        this.#failures = 0;
        this.#streamId = stream;
        this.#checkpoint(readCheckpoint(checkpoint), now);
        return;
      }
      case 'heartbeat': {
        const checkpoint = parseCheckpoint(frame.data);
        const conn = this.#conn;
        this.#checkpoint(checkpoint, now);
        // A heartbeat follows the events it speaks of, so one that is ahead means that some were lost on the way.
        if (conn === this.#conn && checkpoint.head > (this.copy.position?.seq ?? 0)) {
          this.#missing(`the log is at ${checkpoint.head}`, now);
        }
        return;
      }
      case 'event':
        this.#event(parseEvent(frame.data), now);
        return;
      case 'reset':
        this.#resync = true;
        this.#reconnect('the stream asks for a new snapshot', now, 0);
        return;
      case 'goodbye': {
        const { spread_ms } = objectOf(parseJsonText(frame.data), 'the goodbye', ['spread_ms']);
        const spread = typeof spread_ms === 'number' ? Math.min(60_000, Math.max(0, spread_ms)) : 0;
        this.#reconnect('the server is ending', now, spread * this.#options.random());
      }
    }
  }

  #polled(body: string, now: Moment): void {
    const members = ['events', 'checkpoint', 'received_up_ms', 'reset'];
    const answer: JsonObject = objectOf(parseJsonText(body), 'the answer', members);
    if (!Array.isArray(answer.events)) throw new ShapeError('"events" is not a list');
    const conn = this.#conn;
    if (answer.reset !== null) {
      this.#resync = true;
      this.#reconnect('the mesh asks for a new snapshot', now, 0);
      return;
    }
    this.#failures = 0;
    for (const value of answer.events as readonly Json[]) {
      this.#event(readEvent(value), now);
      if (conn !== this.#conn) return;
    }
    const received = typeof answer.received_up_ms === 'number' ? answer.received_up_ms : null;
    this.#checkpoint(readCheckpoint(answer.checkpoint), now, received);
    if (conn === this.#conn) this.#connect(now);
  }

  #snapshot(body: string, now: Moment): void {
    const snapshot = readSnapshot(body, this.#options.check);
    const fork = this.copy.replace(snapshot);
    if (fork !== null) this.#alarm('fork', `${fork}; every deny known before is kept`);
    this.#resync = false;
    this.#gap = false;
    this.#failures = 0;
    this.#confirmed = 0;
    this.#effects.push({
      type: 'keep',
      position: snapshot.head,
      whole: true,
      standings: snapshot.standings,
      kept: [...this.copy.kept()],
    });
    this.#connect(now);
  }

  #event(event: MeshEvent, now: Moment): void {
    if (hashOf(event) !== event.hash || !signatureHolds(event as unknown as JsonObject, this.#options.check)) {
      this.#alarm('forged', `event ${event.seq} is not signed by this mesh; it was not applied`);
      this.#fail('an event was not the mesh’s', now);
      return;
    }
    const keptBefore = [...this.copy.kept()].length;
    const applied = this.copy.apply(event);
    if (applied.kind === 'duplicate') return;
    const kept = [...this.copy.kept()];
    if (applied.kind === 'applied') {
      this.freshness.applied(event.seq);
      this.#keep([applied.standing]);
      return;
    }
    if (kept.length > 0 || keptBefore > 0) this.#keep([]);
    if (applied.kind === 'gap') {
      this.#missing(`event ${event.seq} came`, now);
      return;
    }
    this.#alarm('fork', `${applied.reason}; every deny known before is kept`);
    this.#gap = true;
    this.#resync = true;
    this.#reconnect('the mesh tells another history', now, this.#spread());
  }

  #missing(what: string, now: Moment): void {
    this.#gap = true;
    this.#alarm('gap', `${what} after ${this.copy.position?.seq ?? 0} was applied`);
    this.#reconnect('events are missing', now, this.#spread());
  }

  #checkpoint(checkpoint: Checkpoint, now: Moment, receivedUpMs: number | null = null): void {
    if (!signatureHolds(checkpoint as unknown as JsonObject, this.#options.check)) {
      this.#alarm('forged', 'a checkpoint is not signed by this mesh');
      this.#fail('a checkpoint was not the mesh’s', now);
      return;
    }
    const contradiction = this.copy.contradiction(checkpoint);
    if (contradiction !== null) {
      this.#alarm('fork', `${contradiction}; every deny known before is kept`);
      this.#resync = true;
      this.#gap = true;
      this.#reconnect('the mesh tells another history', now, this.#spread());
      return;
    }
    const applied = this.copy.position?.seq ?? 0;
    this.freshness.heard(checkpoint, applied, now, receivedUpMs);
  }

  /** Adds to the changes of this step that are to be kept. */
  #keep(standings: readonly Standing[]): void {
    const position = this.copy.position;
    if (position === null) return;
    const kept = [...this.copy.kept()];
    const changed = this.#changed;
    changed.push(...standings);
    const last = this.#effects[this.#effects.length - 1];
    const effect: Effect = { type: 'keep', position, whole: false, standings: changed, kept };
    if (last?.type === 'keep' && last.standings === changed) this.#effects[this.#effects.length - 1] = effect;
    else {
      this.#changed = [...standings];
      this.#effects.push({ ...effect, standings: this.#changed });
    }
  }

  /** A frame or answer that cannot be read costs the connection, never the process. */
  #guarded(now: Moment, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ShapeError || error instanceof JsonError)) throw error;
      this.#alarm('malformed', `the mesh sent something that cannot be read: ${error.message}`);
      this.#fail('something unreadable arrived', now);
    }
  }

  #spread(): number {
    return reconnectDelay(this.#gap ? this.#failures++ : 0, this.#options.random());
  }

  /** Gives the connection up and tries the next endpoint. */
  #fail(reason: string, now: Moment): void {
    const delay = reconnectDelay(this.#failures, this.#options.random());
    this.#failures++;
    this.#endpoint = (this.#endpoint + 1) % this.#options.endpoints;
    this.#reconnect(reason, now, delay);
  }

  #reconnect(reason: string, now: Moment, delay: number): void {
    this.#effects.push({ type: 'close', conn: this.#conn });
    this.#conn++;
    this.#phase = 'waiting';
    this.#wakeAt = now.mono + delay;
    this.#effects.push({ type: 'waiting', reason, ms: Math.round(delay) });
  }

  #alarm(kind: AlarmKind, message: string): void {
    this.#effects.push({ type: 'alarm', kind, message });
  }

  /** What every step may bring about: a proof, a confirmation, another state. */
  #settle(now: Moment): void {
    const { proof } = this.freshness;
    if (proof !== null && proof !== this.#proven) {
      this.#proven = proof;
      if (this.#phase === 'open' || this.#phase === 'polling') this.#gap = false;
      this.#effects.push({ type: 'proven', wall: proof.wall });
    }
    const seq = this.copy.position?.seq ?? 0;
    if (this.#options.confirms && this.#streamId !== null && this.#phase === 'open' && seq > this.#confirmed) {
      this.#confirmed = seq;
      const stream = this.#streamId;
      this.#effects.push({ type: 'confirm', conn: this.#conn, endpoint: this.#endpoint, stream, seq });
    }
    const state = this.state(now);
    if (state !== this.#state) {
      this.#effects.push({ type: 'state', from: this.#state, to: state });
      this.#state = state;
    }
  }
}

/** True when the standing of `check` says yes under a verifier that refuses what it cannot know. */
export function allowsStrictly(check: Check): boolean {
  return check.status === 'active' && check.state !== 'expired' && check.state !== 'syncing';
}
