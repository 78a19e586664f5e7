import { JsonError } from '../../protocol/json/parse.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { parseCheckpoint, type Checkpoint } from '../log/checkpoint.js';
import { parseEvent, type MeshEvent } from '../log/event.js';
import { formatEventId, type Head } from '../log/head.js';
import { signatureHolds } from '../log/signing.js';
import { readSnapshot } from '../log/snapshot.js';
import type { Frame } from '../../protocol/framing/sse.js';
import type { PassportMark } from '../passports.js';
import type { Standing } from '../standing.js';
import { Copy, type KeptDeny } from './copy.js';
import { FreshnessClock } from './freshness.js';
import { Dialer } from './dialer.js';
import type { AlarmKind, Effect, FollowInput, FollowerOptions, FollowState, Kept, KnownStanding } from './messages.js';
import type { Moment } from './moment.js';
import { challengeIn, isGenuine, readGreeting, readPollAnswer, readSpread } from './reading.js';

/** Clients come back over this long, ms, for a greeting with a proof. */
const COME_BACK_MS = 1_000;
/** A client of the mesh as a state machine: inputs and moments in, effects out. It owns no socket, no timer and no clock. */
export class Follower {
  readonly copy = new Copy();
  readonly freshness = new FreshnessClock();
  readonly #options: FollowerOptions;
  readonly #dialer: Dialer;
  #streamId: string | null = null;
  #unproven = false;
  #confirmed = 0;
  /** What the last drill asked to hear. */
  #asked: string | null = null;
  /** Of the highest term that was heard of: it shows a server that was left behind that it was. */
  #highest: Checkpoint | null = null;
  /** A snapshot is needed before the log can be followed. */
  #resync = false;
  /** Something between the last proof and now was missed. */
  #gap = false;
  #state: FollowState = 'syncing';
  #proven: Moment | null = null;
  #effects: Effect[] = [];
  /** The standings of the last `keep` of this step, while it may still grow. */
  #changed: Standing[] = [];
  /** The events that brought them about. */
  #applied: MeshEvent[] = [];
  /** The passports that they put in force. */
  #passports: PassportMark[] = [];
  /** What is kept, as far as this follower knows. */
  #saved: { readonly from: Head | null; readonly keptBefore: readonly KeptDeny[] } = { from: null, keptBefore: [] };

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#dialer = new Dialer({ ...options, polls: options.polls ?? false });
  }

  /** Takes up a copy that was kept. */
  restore({ position, standings, kept, knowsPassports }: Kept): void {
    if (!knowsPassports) this.#resync = true;
    this.copy.restore(position, standings, kept);
    this.#saved = { from: position, keptBefore: kept };
  }

  state(now: Moment): FollowState {
    if (this.copy.position === null) return 'syncing';
    const age = this.freshness.age(now);
    if (age === null || age > this.#options.maxAgeMs) return 'expired';
    return this.#dialer.connected && !this.#gap && age <= this.#dialer.freshMs ? 'live' : 'stale';
  }

  /** What is known of an agent, from memory. A known deny denies in every state. */
  check(agentId: string, now: Moment, principal?: string): KnownStanding {
    const denial = this.copy.denial(agentId, this.freshness.time(now), principal);
    const state = this.state(now);
    const ageMs = this.freshness.age(now);
    if (denial !== null) return { status: denial.status, denial, state, ageMs };
    return { status: this.copy.position === null ? 'unknown' : 'active', denial: null, state, ageMs };
  }

  step(input: FollowInput, now: Moment): readonly Effect[] {
    this.#effects = [];
    this.#changed = [];
    this.#applied = [];
    this.#passports = [];
    if (!('conn' in input) || input.conn === this.#dialer.conn) this.#take(input, now);
    this.#settle(now);
    return this.#effects;
  }

  #take(input: FollowInput, now: Moment): void {
    if ('conn' in input && input.type !== 'ended') this.#dialer.heard(now);
    switch (input.type) {
      case 'start':
        if (this.#dialer.phase === 'idle') this.#connect(now);
        return;
      case 'opened':
      case 'noise':
        return;
      case 'frames':
        for (const frame of input.frames) {
          if (input.conn !== this.#dialer.conn) return;
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
        if (input.status === 401) this.#alarm('unauthorized', 'the mesh refuses the API key');
        if (input.status === 403) this.#alarm('refused', `the mesh refuses this verifier: ${input.reason}`);
        this.#failed(input.reason, now);
        return;
      case 'moved':
        this.#gap = true;
        this.#resync = input.copy === null;
        if (input.copy === null) this.#saved = { from: null, keptBefore: [] };
        else this.restore(input.copy);
        this.#again('another process has written the copy', now, 0);
        return;
      case 'tick':
        if (this.#dialer.due(now)) this.#connect(now);
        else if (this.#dialer.silent(now)) this.#failed('nothing was heard in time', now);
        else if (this.#dialer.late(this.freshness.age(now), now)) this.#again('the proofs come late', now, 0);
    }
  }

  #connect(now: Moment): void {
    const line = this.#dialer;
    const { endpoint } = line;
    this.#streamId = null;
    // A new connection knows nothing of what was confirmed over another.
    this.#confirmed = 0;
    const { position } = this.copy;
    if (position === null || this.#resync) {
      this.#effects.push({ type: 'fetch-snapshot', conn: line.dial('snapshot', now), endpoint });
      return;
    }
    const challenge = this.#options.challenge();
    this.freshness.asking(challenge, now);
    const [after, proof] = [formatEventId(position.logId, position.term, position.seq), this.#highest];
    if (line.mode(now) === 'stream') {
      const conn = line.dial('opening', now);
      this.#effects.push({ type: 'open-stream', conn, endpoint, after, challenge, proof });
      return;
    }
    // The first poll asks for what is there; waiting begins when that is known.
    const waitMs = line.phase === 'polling' ? line.pollWaitMs : 0;
    const conn = line.dial('polling', now);
    this.#effects.push({ type: 'poll', conn, endpoint, after, waitMs, challenge, proof, position });
  }

  #frame(frame: Frame, now: Moment): void {
    if (this.#dialer.phase !== 'open' && (frame.event === 'event' || frame.event === 'heartbeat')) {
      this.#missing('the greeting is missing; events came', now);
      return;
    }
    switch (frame.event) {
      case 'hello': {
        const { stream, checkpoint } = readGreeting(frame.data);
        this.#dialer.opened(now);
        this.#streamId = stream;
        this.#unproven = checkpoint === null;
        if (checkpoint !== null) this.#checkpoint(checkpoint, now);
        return;
      }
      case 'heartbeat': {
        // The first proof of a connection repeats its challenge: this one is of a greeting that could not be given.
        if (this.#unproven) return this.#again('it proves its head again', now, COME_BACK_MS * this.#options.random());
        const checkpoint = parseCheckpoint(frame.data);
        const { conn } = this.#dialer;
        this.#checkpoint(checkpoint, now);
        // A heartbeat follows the events it speaks of, so one that is ahead means that some were lost on the way.
        if (conn === this.#dialer.conn && checkpoint.head > (this.copy.position?.seq ?? 0)) {
          this.#missing(`the log is at ${checkpoint.head}`, now);
        }
        return;
      }
      case 'event':
        this.#event(parseEvent(frame.data), now);
        return;
      case 'reset':
        this.#resync = true;
        this.#again('the stream asks for a new snapshot', now, 0);
        return;
      case 'goodbye':
        this.#again('the server is ending', now, readSpread(frame.data) * this.#options.random());
    }
  }

  #polled(body: string, now: Moment): void {
    const { reset, events, checkpoint, receivedUpMs } = readPollAnswer(body);
    const { conn } = this.#dialer;
    if (reset) {
      this.#resync = true;
      this.#again('the mesh asks for a new snapshot', now, 0);
      return;
    }
    this.#dialer.worked();
    for (const event of events) {
      this.#event(event, now);
      if (conn !== this.#dialer.conn) return;
    }
    if (checkpoint !== null) this.#checkpoint(checkpoint, now, receivedUpMs);
    if (conn === this.#dialer.conn) this.#connect(now);
  }

  #snapshot(body: string, now: Moment): void {
    const snapshot = readSnapshot(body, this.#options.check);
    const fork = this.copy.replace(snapshot);
    if (fork !== null) this.#alarm('fork', `${fork}; every deny known before is kept`);
    this.#resync = false;
    this.#gap = false;
    this.#confirmed = 0;
    this.#dialer.worked();
    this.#passports = [...(snapshot.passports ?? [])];
    this.#save(snapshot.head, true, snapshot.standings, [], snapshot.passports !== null);
    this.#connect(now);
  }

  #event(event: MeshEvent, now: Moment): void {
    if (!isGenuine(event, this.#options.check)) {
      this.#alarm('forged', `event ${event.seq} is not signed by this mesh; it was not applied`);
      this.#failed('an event was forged', now);
      return;
    }
    const applied = this.copy.apply(event);
    if (applied.kind === 'duplicate') return;
    if (applied.kind === 'applied') {
      this.freshness.applied(event.seq);
      this.#asked = challengeIn(event) ?? this.#asked;
      this.#keep(applied.standing === null ? [] : [applied.standing], [event], applied.passport);
      return;
    }
    // Denies out of turn are in force already; they must outlive this process too.
    this.#keep([], []);
    if (applied.kind === 'gap') this.#missing(`event ${event.seq} came`, now);
    else this.#forked(applied.reason, now);
  }

  #checkpoint(checkpoint: Checkpoint, now: Moment, receivedUpMs: number | null = null): void {
    const genuine = signatureHolds(checkpoint as unknown as JsonObject, this.#options.check);
    if (!genuine || !this.freshness.belongs(checkpoint)) {
      const why = genuine ? 'answers another request' : 'is not signed by this mesh';
      this.#alarm('forged', `a checkpoint ${why}; it proves nothing`);
      this.#failed('a checkpoint was forged', now);
      return;
    }
    if (this.#highest === null || checkpoint.term >= this.#highest.term) this.#highest = checkpoint;
    const contradiction = this.copy.contradiction(checkpoint);
    if (contradiction !== null) this.#forked(contradiction, now);
    else this.freshness.heard(checkpoint, this.copy.position?.seq ?? 0, now, receivedUpMs);
  }

  #missing(what: string, now: Moment): void {
    this.#gap = true;
    this.#alarm('gap', `${what} after ${this.copy.position?.seq ?? 0} was applied`);
    this.#closed('events are missing', this.#dialer.retry(now));
  }

  #forked(why: string, now: Moment): void {
    this.#gap = true;
    this.#resync = true;
    this.#alarm('fork', `${why}; every deny known before is kept`);
    this.#closed('the mesh tells another history', this.#dialer.retry(now));
  }

  /** Tries the next endpoint. */
  #failed(reason: string, now: Moment): void {
    this.#closed(reason, this.#dialer.failed(now));
  }

  #again(reason: string, now: Moment, delay: number): void {
    this.#closed(reason, this.#dialer.again(delay, now));
  }

  #closed(reason: string, delay: number): void {
    this.#effects.push({ type: 'close' }, { type: 'waiting', reason, ms: Math.round(delay) });
  }

  /** Adds to the changes of this step that are to be kept. */
  #keep(standings: readonly Standing[], events: readonly MeshEvent[], passport: PassportMark | null = null): void {
    const { position } = this.copy;
    if (position === null) return;
    const last = this.#effects[this.#effects.length - 1];
    if (last?.type === 'keep' && last.standings === this.#changed) {
      this.#changed.push(...standings);
      this.#applied.push(...events);
      if (passport !== null) this.#passports.push(passport);
      this.#effects.pop();
      this.#saved = last;
      this.#save(position, false, this.#changed, this.#applied);
      return;
    }
    this.#changed = [...standings];
    this.#applied = [...events];
    this.#passports = passport === null ? [] : [passport];
    this.#save(position, false, this.#changed, this.#applied);
  }

  #save(
    position: Head,
    whole: boolean,
    standings: readonly Standing[],
    events: readonly MeshEvent[],
    tells = true,
  ): void {
    const kept = [...this.copy.kept()];
    const change = { position, whole, standings, events, kept, passports: this.#passports, tellsPassports: tells };
    this.#effects.push({ type: 'keep', ...this.#saved, ...change });
    this.#saved = { from: position, keptBefore: kept };
  }

  /** A frame or answer that cannot be read costs the connection, never the process. */
  #guarded(now: Moment, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ShapeError || error instanceof JsonError)) throw error;
      this.#alarm('malformed', `the mesh sent something that cannot be read: ${error.message}`);
      this.#failed('something unreadable arrived', now);
    }
  }

  #alarm(kind: AlarmKind, message: string): void {
    this.#effects.push({ type: 'alarm', kind, message });
  }

  /** What every step may bring about: a proof, a confirmation, another state. */
  #settle(now: Moment): void {
    const { proof } = this.freshness;
    const { position } = this.copy;
    if (position !== null && proof !== null && proof !== this.#proven) {
      this.#proven = proof;
      if (this.#dialer.connected) this.#gap = false;
      this.#effects.push({ type: 'proven', wall: proof.wall, position, aheadMs: this.freshness.ahead(now) });
    }
    const seq = position?.seq ?? 0;
    const { conn, endpoint, phase } = this.#dialer;
    if (this.#options.confirms && this.#streamId !== null && phase === 'open' && seq > this.#confirmed) {
      this.#confirmed = seq;
      const [stream, challenge] = [this.#streamId, this.#asked];
      this.#effects.push({ type: 'confirm', conn, endpoint, stream, position: position!, challenge });
    }
    const state = this.state(now);
    if (state === this.#state) return;
    this.#effects.push({ type: 'state', from: this.#state, to: state, endpoint });
    this.#state = state;
  }
}
