/** A client of a simulated mesh, and what it must never say. */
import { Follower } from '../../../../src/mesh/client/follower.js';
import type { Effect, FollowInput, KnownStanding } from '../../../../src/mesh/client/messages.js';
import type { Moment } from '../../../../src/mesh/client/moment.js';
import type { Head } from '../../../../src/mesh/log/head.js';
import {
  asHeader,
  writeApplied,
  writeCard,
  type OnStale,
  type VerifierKey,
} from '../../../../src/mesh/roster/member.js';
import type { StreamReply, WholeReply } from '../../../../src/mesh/server/http/exchange.js';
import { publicKeyOf } from '../../../../src/protocol/ed25519/sign.js';
import { FrameParser } from '../../../../src/protocol/framing/sse.js';
import { formatPublicKey } from '../../../../src/protocol/identity/keys.js';
import { cheapCheck, TestMesh } from '../server.js';
import { Pipe, type SimConnection } from './pipe.js';
import type { Simulation } from './simulation.js';
import { AGENTS, BASE, BUDGET_MS, cheapWord, KEY } from './world.js';

/** Follows the mesh as a verifier does, and checks each standing that it believes against what the mesh said. */
export class SimClient {
  readonly #sim: Simulation;
  /** The verifier's own key; of a fleet. */
  readonly #key: VerifierKey;
  readonly #onStale: OnStale;
  /** The serials that the mesh demands, as this client has kept them. */
  readonly #floors = new Map<string, number | null>();
  readonly name: string;
  readonly follower: Follower;
  readonly alarms: string[] = [];
  #wallSkew: number;
  readonly #monoSkew: number;
  #heldUntil = 0;
  #dark = 0;
  #lag = 0;
  /** A proxy passes nothing of a stream on before it ends. */
  buffered = false;
  #current: (SimConnection & { readonly conn: number }) | null = null;
  #lastSeq = 0;
  #forks = 0;
  /** The subject by which each agent was revoked. */
  readonly #denied = new Map<string, string>();

  constructor(sim: Simulation, i: number) {
    this.#sim = sim;
    this.name = `client-${i}`;
    const publicKey = formatPublicKey(publicKeyOf(new Uint8Array(32).fill(100 + i)));
    this.#key = { publicKey, sign: (text) => cheapWord(publicKey, text) };
    this.#onStale = sim.fleet && sim.chance(0.5) ? 'last-known' : 'deny';
    this.#wallSkew = sim.between(-2_000, 2_000);
    this.#monoSkew = sim.between(0, 1_000_000);
    this.follower = new Follower({
      endpoints: 1,
      check: cheapCheck,
      random: () => sim.random(),
      challenge: () => Array.from({ length: 32 }, () => sim.between(0, 15).toString(16)).join(''),
      maxAgeMs: BUDGET_MS,
      confirms: sim.fleet || sim.chance(0.5),
    });
    const tick = () => {
      this.step({ type: 'tick' });
      this.#check();
      sim.after(200, tick);
    };
    sim.after(200, tick);
  }

  get now(): Moment {
    return { mono: this.#sim.t + this.#monoSkew, wall: BASE + this.#sim.t + this.#wallSkew };
  }

  step(input: FollowInput): void {
    const effects = this.follower.step(input, this.now);
    for (const effect of effects) this.#carryOut(effect);
  }

  cut(): void {
    this.#current?.end('cut');
  }
  /** Everything is delayed, nothing is lost. */
  hold(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#sim.t + ms);
  }
  /** Nothing arrives, and nobody is told. */
  partition(ms: number): void {
    this.#dark = Math.max(this.#dark, this.#sim.t + ms);
  }
  /** Everything takes longer and longer, so slowly that no silence gives it away, up to `ms`. */
  lag(ms: number): void {
    if (this.#sim.healed) return;
    this.#lag = Math.min(ms, this.#lag + 500);
    if (this.#lag < ms) this.#sim.after(500, () => this.lag(ms));
  }
  jump(ms: number): void {
    this.#wallSkew += ms;
  }
  heal(): void {
    this.buffered = false;
    this.#dark = 0;
    this.#lag = 0;
    this.#heldUntil = 0;
  }

  /** The mesh has said that everyone on its roster has applied the event, or refuses. */
  settledAt(seq: number, mesh: TestMesh): void {
    if (mesh.server.roster.member(this.#key.publicKey) === null) return;
    const { position } = this.follower.copy;
    const event = this.#sim.historyOf(position)?.log[seq - 1]?.event;
    const told = this.#sim.log[seq - 1]?.event;
    // Of another history it has applied another event.
    const applied = event === undefined || event.hash === told?.hash ? (position?.seq ?? 0) : 0;
    const refuses = this.#onStale === 'deny' && ['expired', 'syncing'].includes(this.follower.state(this.now));
    if (applied < seq && !refuses)
      this.#problem(`has applied ${applied}, and was said to have applied ${seq} or to refuse (${this.#onStale})`);
  }

  final(): void {
    const { follower } = this;
    const state = follower.state(this.now);
    const head = this.#sim.log.length;
    if (state !== 'live') this.#problem(`is ${state} at the end`);
    if (follower.copy.position?.seq !== head) this.#problem(`applied ${follower.copy.position?.seq} of ${head}`);
    const allowed = [...(this.#sim.mangles ? ['gap'] : []), ...(this.#sim.histories.length > 1 ? ['fork'] : [])];
    const bad = this.alarms.filter((kind) => !allowed.includes(kind));
    if (bad.length > 0) this.#problem(`raised ${bad.join(', ')}`);
    this.#fold();
    for (const { standing } of follower.copy.kept()) {
      const now = follower.copy.standing(standing.subject);
      // What another history denied is lifted by a reinstatement of this one, however the client heard of it.
      if (now?.status === 'active' && now.version > standing.version)
        this.#problem(`holds the deny of ${standing.subject}, v${standing.version}, that v${now.version} has lifted`);
    }
  }

  #check(): void {
    const { follower } = this;
    const sim = this.#sim;
    const seq = follower.copy.position?.seq ?? 0;
    const forks = this.alarms.filter((kind) => kind === 'fork').length;
    if (seq < this.#lastSeq && forks === this.#forks) this.#problem(`went back from ${this.#lastSeq} to ${seq}`);
    this.#lastSeq = seq;
    this.#forks = forks;
    if (sim.fleet && seq > 0 && !['expired', 'syncing'].includes(follower.state(this.now))) {
      const floor = this.#floors.get(AGENTS[0]) ?? 0;
      if (floor < sim.leastSerial())
        this.#problem(
          `takes passports from serial ${floor}, and ${sim.leastSerial()} was in force for the whole bound`,
        );
    }
    for (const agent of sim.fleet ? [...AGENTS, KEY] : AGENTS) {
      const check = follower.check(agent, this.now);
      if (allowsStrictly(check) && !sim.mayAllow(agent, BASE + sim.t)) {
        this.#problem(
          `allows ${agent} (state ${check.state}, age ${check.ageMs}, applied ${seq} of ${sim.log.length})`,
        );
      }
      const { denial } = check;
      const before = this.#denied.get(agent);
      if (before !== undefined && denial === null && !sim.lifted(before, seq))
        this.#problem(`forgot the deny of ${before}`);
      if (denial?.status === 'revoked') this.#denied.set(agent, denial.subject);
      else this.#denied.delete(agent);
    }
    if (sim.chance(0.05)) this.#fold();
  }

  /** The copy is the fold of the log up to its place. */
  #fold(): void {
    const { copy } = this.follower;
    const seq = copy.position?.seq ?? 0;
    const history = this.#sim.historyOf(copy.position);
    if (history === null) return this.#problem(`is at event ${seq} of no history`);
    const versions = new Map<string, { status: string; version: number; seq: number }>();
    for (const { event } of history.log.slice(0, seq)) {
      if (event.type === 'passport') continue;
      const before = versions.get(event.agent_id);
      const status =
        event.type === 'reinstatement'
          ? 'active'
          : event.type === 'revocation' || before?.status === 'revoked'
            ? 'revoked'
            : 'suspended';
      versions.set(event.agent_id, { status, version: event.version, seq: event.seq });
    }
    const held = [...copy.standings()];
    if (copy.position !== null && held.length !== versions.size)
      this.#problem(`holds ${held.length} of ${versions.size}`);
    for (const standing of held) {
      const expected = versions.get(standing.subject);
      const same =
        expected?.status === standing.status && expected.version === standing.version && expected.seq === standing.seq;
      if (!same) this.#problem(`holds ${standing.subject} as ${standing.status} v${standing.version} at ${seq}`);
    }
  }

  #problem(what: string): void {
    this.#sim.problems.push(`t=${this.#sim.t} ${this.name} ${what}`);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'alarm':
        this.alarms.push(effect.kind);
        return;
      case 'close':
        this.#current = null;
        return;
      case 'open-stream':
        this.#open(effect);
        return;
      case 'poll':
        this.#ask(
          effect.conn,
          `/v1/mesh/events?after=${effect.after}&wait=${effect.waitMs}&challenge=${effect.challenge}${this.#version('&')}`,
          'polled',
          effect.position,
        );
        return;
      case 'fetch-snapshot':
        this.#ask(effect.conn, `/v1/mesh/snapshot${this.#version('?')}`, 'snapshot');
        return;
      case 'keep':
        if (effect.whole && effect.tellsPassports) this.#floors.clear();
        for (const { agent, serial } of effect.passports) this.#floors.set(agent, serial);
        return;
      case 'confirm': {
        const { stream } = effect;
        const { seq } = effect.position;
        const body = { stream, seq, ...(this.#sim.fleet ? { applied: this.#word(effect.position) } : {}) };
        const process = this.#current?.process ?? this.#sim.server()?.[0] ?? 0;
        this.#sim.after(
          this.#delay(),
          () => void this.#sim.alive.get(process)?.ask('POST', '/v1/mesh/acks', 'verifier', body),
        );
      }
    }
  }

  #version(before: '?' | '&'): string {
    return this.#sim.fleet ? `${before}v=2` : '';
  }

  #word({ logId, seq, hash }: Head): object {
    return writeApplied(this.#key, { logId, seq, hash, challenge: null });
  }

  /** Who this is, and what it has applied. */
  #headers(mesh: TestMesh, position: Head | null): Record<string, string> {
    if (!this.#sim.fleet) return {};
    const of = { keyId: mesh.keys.verifier.keyId, label: this.name, host: 'h', program: '9.9.9', maxAgeMs: BUDGET_MS };
    const card = asHeader(writeCard(this.#key, { ...of, onStale: this.#onStale }));
    return { 'aip-verifier': card, ...(position === null ? {} : { 'aip-applied': asHeader(this.#word(position)) }) };
  }

  /** ms that the next bytes take, whichever way; Infinity while nothing gets through. */
  #delay(): number {
    const { t } = this.#sim;
    return this.#sim.between(1, 40) + this.#lag + Math.max(0, this.#heldUntil - t);
  }

  #deliver(at: number, work: () => void): void {
    const sim = this.#sim;
    sim.after(Math.max(0, at - sim.t), () => {
      if (sim.t < this.#dark) return;
      work();
    });
  }

  #ask(conn: number, target: string, type: 'polled' | 'snapshot', position: Head | null = null): void {
    const sim = this.#sim;
    const current = this.#connect(conn);
    this.#deliver(sim.t + this.#delay(), () => {
      const server = sim.server();
      if (server === null) return current.end('refused');
      const [process, mesh] = server;
      current.process = process;
      const headers = type === 'polled' ? this.#headers(mesh, position) : {};
      void sim
        .thawed(process)
        .then(() => mesh.ask('GET', target, 'verifier', undefined, headers))
        .then(
          (answer) => {
            if (!sim.alive.has(process)) return;
            this.#deliver(sim.t + this.#delay(), () => {
              if (!current.open) return;
              if (answer.status !== 200) return current.end('refused', answer.status);
              current.done();
              this.step({ type, conn, body: answer.body });
            });
          },
          () => current.end('failed'),
        );
    });
  }

  #open({ conn, after, challenge }: Extract<Effect, { type: 'open-stream' }>): void {
    const sim = this.#sim;
    const current = this.#connect(conn);
    this.#deliver(sim.t + this.#delay(), () => {
      const server = sim.server();
      if (server === null) return current.end('refused');
      const [process, mesh] = server;
      current.process = process;
      const named = sim.fleet ? 'v=2' : `verifier=${this.name}`;
      void sim
        .thawed(process)
        .then(() =>
          mesh.request('GET', `/v1/mesh/stream?${named}&challenge=${challenge}`, 'verifier', undefined, {
            'last-event-id': after,
            ...this.#headers(mesh, null),
          }),
        )
        .then((reply) => {
          if (!sim.alive.has(process)) return;
          const { open, status } = reply as StreamReply & WholeReply;
          if (open === undefined) return this.#deliver(sim.t + this.#delay(), () => current.end('refused', status));
          if (!current.open) return;
          const pipe = new Pipe(
            sim,
            this,
            conn,
            () => current.open,
            () => this.#delay(),
            () => current.end('ended'),
          );
          pipe.connection = open(pipe);
          current.onEnd = () => pipe.connection?.closed();
        });
    });
  }

  /** Nothing gets through now. */
  get dark(): boolean {
    return this.#sim.t < this.#dark;
  }

  receive(conn: number, bytes: Uint8Array, parser: FrameParser): void {
    const frames = parser.push(bytes);
    this.step(frames.length === 0 ? { type: 'noise', conn } : { type: 'frames', conn, frames });
  }

  #connect(conn: number) {
    const sim = this.#sim;
    const state = {
      conn,
      process: null as number | null,
      open: true,
      onEnd: null as (() => void) | null,
      done: () => {
        state.open = false;
        forget();
      },
      end: (reason: string, status: number | null = null) => {
        if (!state.open) return;
        state.done();
        state.onEnd?.();
        this.step({ type: 'ended', conn, reason, status });
      },
    };
    const forget = sim.connection(state);
    this.#current?.end('replaced');
    this.#current = state;
    return state;
  }
}

/** True when the standing of `check` says yes under a verifier that refuses what it cannot know. */
function allowsStrictly(check: KnownStanding): boolean {
  return check.status === 'active' && check.state !== 'expired' && check.state !== 'syncing';
}
