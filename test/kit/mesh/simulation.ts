/**
 * A mesh under a simulated clock, network and disk: servers that crash, freeze and come back, clients whose connections are cut,
 * delayed, held back and mangled, clocks that jump. Everything follows from the seed. As a `fleet` two servers share one store, keys are
 * stopped, passports are published and withdrawn, every client is on the roster with a key of its own, and the mesh is put back from a backup.
 */
import { MemoryMeshStore } from '../../../src/adapters/mesh/memory/store.js';
import { parseEvent, type MeshEvent } from '../../../src/mesh/log/event.js';
import { Follower } from '../../../src/mesh/client/follower.js';
import type { Effect, FollowInput, KnownStanding } from '../../../src/mesh/client/messages.js';
import type { Moment } from '../../../src/mesh/client/moment.js';
import type { Judge, Proposal } from '../../../src/mesh/ruling.js';
import type { StreamConnection, StreamSink, StreamReply, WholeReply } from '../../../src/mesh/server/http/exchange.js';
import { FrameParser } from '../../../src/protocol/framing/sse.js';
import type { OrderResult } from '../../../src/mesh/log/store.js';
import { beyondOf, holdingsOf } from '../../../src/mesh/log/beyond.js';
import type { Head } from '../../../src/mesh/log/head.js';
import { asHeader, writeApplied, writeCard, type OnStale, type VerifierKey } from '../../../src/mesh/roster/member.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { sha256Hex } from '../../../src/protocol/hash.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { cheapCheck, cheapSign, LOG_ID, settle, TestClock, TestMesh } from './server.js';

const BASE = Date.parse('2026-02-18T14:00:00.000Z');
export const BUDGET_MS = 7_000;
const AGENTS = ['did:web:acme.com:agents:a', 'did:web:acme.com:agents:b', 'did:web:other.org:agents:c'] as const;
const SUBJECTS = [...AGENTS, 'did:web:acme.com', '*'] as const;
/** The key of the first agent, which is also stopped by its id. */
const KEY = formatPublicKey(publicKeyOf(new Uint8Array(32).fill(34)));
const KEYS = [KEY, `${AGENTS[0]}#key-1`] as const;
const ISSUER = new Uint8Array(32).fill(33);
/** Passports of the first agent, by serial. */
const PASSPORTS = Array.from({ length: 12 }, (_, i) => passportOf(i + 1));

function passportOf(serial: number): JsonObject {
  const body: JsonObject = {
    ...{ version: 1, serial, agent_id: AGENTS[0], agent_name: 'a', domain: 'acme.com', principal: 'did:web:acme.com' },
    ...{ key_id: KEYS[1], public_key: KEY, actions: ['send_email'], denied_actions: [], constraints: {}, metadata: {} },
    ...{
      issued_at: '2026-02-18T14:00:00Z',
      expires_at: null,
      previous_keys: [],
      issuer_key_id: 'did:web:acme.com#key-1',
    },
  };
  return { ...body, issuer_signature: toHex(signMessage(ISSUER, Buffer.from(canonicalize(body)))) };
}

/** Signatures of verifiers that cost nothing. */
function cheapWord(publicKey: string, text: string): string {
  return sha256Hex(`${publicKey} ${text}`).repeat(2);
}

/** mulberry32: small, fast, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A disk on which a commit takes time, and a crash in the meantime keeps it or not. */
class SimStore extends MemoryMeshStore {
  sim!: Simulation;
  process = 0;
  /** Which history of the simulation it holds. */
  history!: History;

  override async append(batch: readonly Proposal[], judge: Judge): Promise<readonly OrderResult[]> {
    const { sim, process } = this;
    await sim.sleep(sim.between(0, 8));
    const gone = () => !sim.alive.has(process);
    await sim.answering(process);
    // A restore needs the file for itself: by then what was on its way is done, or never will be.
    if (gone() && (this.history !== sim.history || sim.chance(0.5))) return new Promise(() => {});
    const outcomes = await super.append(batch, judge);
    sim.committed(this);
    await sim.sleep(sim.between(0, 4));
    return gone() ? new Promise(() => {}) : outcomes;
  }

  override async confirm(): Promise<Head> {
    await this.sim.answering(this.process);
    return super.confirm();
  }
}

/** The same, beside another one. */
class SharedSimStore extends SimStore {
  override readonly shared = true;
}

interface Committed {
  readonly at: number;
  readonly event: MeshEvent;
}

/** What the mesh said from some moment on, until it was put back from a backup. */
interface History {
  readonly since: number;
  readonly term: number;
  readonly log: Committed[];
}

export interface Acknowledged {
  readonly cmdId: string;
  readonly seq: number;
}

export class Simulation {
  readonly #random: () => number;
  readonly #agenda: { readonly at: number; readonly n: number; readonly work: () => void }[] = [];
  #n = 0;
  t = 0;
  /** The server processes that run. */
  readonly alive = new Map<number, TestMesh>();
  #processes = 0;
  /** Processes that are stopped (SIGSTOP), and until when. */
  readonly #frozen = new Map<number, number>();
  /** Processes whose store hangs, and until when. */
  readonly #hanging = new Map<number, number>();
  readonly fleet: boolean;
  /** How many servers share the store. */
  readonly servers: number;
  #store: SimStore;
  #backup: SimStore | null = null;
  /** The last one is in force. */
  readonly histories: History[] = [{ since: 0, term: 1, log: [] }];
  acknowledged: Acknowledged[] = [];
  readonly clients: SimClient[];
  readonly #connections = new Set<SimConnection>();
  /** Frames may be lost, doubled and swapped between server and client. */
  readonly mangles: boolean;
  healed = false;
  readonly problems: string[] = [];
  #commands = 0;

  constructor(seed: number, fleet = false) {
    this.fleet = fleet;
    this.#random = randomOf(seed);
    this.servers = fleet ? this.between(1, 2) : 1;
    this.mangles = this.chance(0.3);
    this.#store = this.#adopted(new SimStore(LOG_ID));
    this.clients = Array.from({ length: 3 }, (_, i) => new SimClient(this, i));
  }

  get history(): History {
    return this.histories.at(-1)!;
  }
  get log(): Committed[] {
    return this.history.log;
  }

  chance(p: number): boolean {
    return this.#random() < p;
  }
  between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1));
  }
  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!;
  }
  random(): number {
    return this.#random();
  }

  after(ms: number, work: () => void): void {
    this.#agenda.push({ at: this.t + ms, n: this.#n++, work });
    let i = this.#agenda.length - 1;
    // A binary heap, by time and then by order of planning.
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!sooner(this.#agenda[i]!, this.#agenda[parent]!)) break;
      [this.#agenda[i], this.#agenda[parent]] = [this.#agenda[parent]!, this.#agenda[i]!];
      i = parent;
    }
  }
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  async run(chaosMs: number, healMs: number): Promise<void> {
    if (this.fleet) await this.#store.principals.add(REGISTERED);
    for (let n = this.servers; n > 0; n--) await this.#start(this.history);
    for (const client of this.clients) this.after(this.between(0, 500), () => client.step({ type: 'start' }));
    this.#plan(chaosMs);
    this.after(chaosMs, () => this.#heal());
    await this.#until(chaosMs + healMs);
    this.#final();
  }

  committed(store: SimStore): void {
    const { log, term } = store.history;
    void store.read(log.length, 1_000).then((records) => {
      for (const { text } of records) {
        const event = parseEvent(text);
        const last = log[log.length - 1]?.event;
        // Another opening has looked in between.
        if (event.seq <= (last?.seq ?? 0)) continue;
        if (event.seq !== (last?.seq ?? 0) + 1) this.problems.push(`seq ${event.seq} after ${last?.seq}`);
        if (last !== undefined && event.prev_hash !== last.hash) this.problems.push(`event ${event.seq} is not linked`);
        if (event.term !== term) this.problems.push(`event ${event.seq} is of term ${event.term}, not ${term}`);
        log.push({ at: this.t, event });
      }
    });
  }

  /** Every connection of the running server ends, sooner or later, or is never heard of again. */
  connection(connection: SimConnection): () => void {
    this.#connections.add(connection);
    return () => this.#connections.delete(connection);
  }

  /** A server that runs, whichever answers first; null while none does. */
  server(): readonly [number, TestMesh] | null {
    const all = [...this.alive];
    return all.length === 0 ? null : all.length === 1 ? all[0]! : this.pick(all);
  }

  /** Resolves when a process runs again. */
  async thawed(process: number): Promise<void> {
    for (let until = this.#frozen.get(process) ?? 0; until > this.t; until = this.#frozen.get(process) ?? 0)
      await this.sleep(until - this.t);
  }

  /** Resolves when a process runs again, and its store answers. */
  async answering(process: number): Promise<void> {
    await this.thawed(process);
    for (let until = this.#hanging.get(process) ?? 0; until > this.t; until = this.#hanging.get(process) ?? 0)
      await this.sleep(until - this.t);
  }

  isFrozen(process: number): boolean {
    return (this.#frozen.get(process) ?? 0) > this.t;
  }

  #freeze(): void {
    const [process] = this.server() ?? [0];
    const which = this.chance(0.5) ? this.#frozen : this.#hanging;
    if (process !== 0) which.set(process, this.t + this.between(1_000, 12_000));
  }

  /** States of the log between `BUDGET_MS` ago and now, as `take` folds them: first where each begins, then after each event. */
  *#states(take: (event: MeshEvent) => void, begin: () => void): Iterable<void> {
    const since = this.t - BUDGET_MS;
    for (const [i, history] of this.histories.entries()) {
      if ((this.histories[i + 1]?.since ?? Infinity) <= since) continue;
      begin();
      let n = 0;
      const from = Math.max(since, history.since);
      while (n < history.log.length && history.log[n]!.at <= from) take(history.log[n++]!.event);
      yield;
      for (; n < history.log.length; n++) {
        take(history.log[n]!.event);
        yield;
      }
    }
  }

  /** The least serial that some state of the log between `BUDGET_MS` ago and now demands of the first agent. */
  leastSerial(): number {
    let [least, now] = [Infinity, 0];
    const take = (event: MeshEvent) => {
      if (event.type === 'passport') now = event.serial ?? 0;
    };
    for (const _ of this.#states(take, () => (now = 0))) least = Math.min(least, now);
    return least;
  }

  /** Whether some state of the log between `BUDGET_MS` ago and now lets the agent act. */
  mayAllow(agent: string, wall: number): boolean {
    const subjects = [agent, agent.split(':agents:')[0]!, '*'];
    const denies = new Map<string, { until: number | null }>();
    const denied = () => subjects.some((s) => denies.has(s) && (denies.get(s)!.until ?? Infinity) > wall);
    const take = (event: MeshEvent) => {
      if (event.type === 'passport') return;
      const before = denies.get(event.agent_id);
      if (event.type === 'reinstatement') denies.delete(event.agent_id);
      else if (event.type === 'revocation') denies.set(event.agent_id, { until: null });
      else if (before === undefined || before.until !== null) {
        denies.set(event.agent_id, { until: Math.max(before?.until ?? 0, Date.parse(event.suspended_until!)) });
      }
    };
    for (const _ of this.#states(take, () => denies.clear())) if (!denied()) return true;
    return false;
  }

  /** The history that a place is in, the latest one first; null where no mesh ever was there. */
  historyOf(position: Head | null): History | null {
    if (position === null || position.seq === 0) return this.history;
    const holds = ({ log }: History) => log[position.seq - 1]?.event.hash === position.hash;
    return this.histories.findLast(holds) ?? null;
  }

  /** True where a reinstatement of the subject was told: in the history that is in force up to `seq`, or in one before it. */
  lifted(subject: string, seq: number): boolean {
    return this.histories.some((history) =>
      history.log.some(
        ({ event }) =>
          event.type === 'reinstatement' &&
          event.agent_id === subject &&
          (history !== this.history || event.seq <= seq),
      ),
    );
  }

  /** The mesh as it is goes into a file. */
  #backUp(): void {
    this.#backup = this.#adopted(this.#store.copied(SimStore));
  }

  /** The file is put back, by a person who ends every server first, and gives again what the mesh knew beyond it. */
  async #restore(): Promise<void> {
    const [backup, before] = [this.#backup, this.#store];
    if (backup === null) return;
    for (const process of [...this.alive.keys()]) this.#end(process);
    // With the disk gone nobody knows what was given after the backup.
    const held = this.chance(0.3) ? null : await holdingsOf(before);
    const now = await holdingsOf(backup);
    const beyond = beyondOf(held, now);
    const { seq } = await backup.head();
    const told = this.log;
    const [kept, lost] = [told.slice(0, seq), new Set(told.slice(seq).map(({ event }) => event.seq))];
    if (held !== null)
      for (const one of this.acknowledged.filter((order) => lost.has(order.seq))) {
        const { agent_id } = told[one.seq - 1]!.event;
        const named =
          beyond.standings.some(({ subject }) => subject === agent_id) ||
          beyond.passports.some(({ agent }) => agent === agent_id);
        if (!named) this.problems.push(`event ${one.seq} was acknowledged, is lost, and the restore does not say so`);
      }
    this.acknowledged = this.acknowledged.filter((order) => !lost.has(order.seq));
    const term = Math.max(held?.term ?? 0, now.term) + 1;
    this.histories.push({ since: this.t, term, log: kept });
    this.#store = this.#adopted(backup.copied(SimStore));
    await this.#store.raiseTerm(term);
    const { history } = this;
    for (let n = this.servers; n > 0; n--) this.after(this.between(10, 4_000), () => void this.#start(history));
    for (const { subject, status } of beyond.standings)
      if (status !== 'active') this.after(this.between(100, 5_000), () => void this.#command('revoke', subject));
  }

  async #start(history: History): Promise<void> {
    // Another mesh is in its place.
    if (history !== this.history) return;
    const process = ++this.#processes;
    const opened = this.#open(process);
    const startedAt = this.t;
    const clock = new TestClock();
    clock.wall = () => BASE + this.t;
    clock.up = () => this.t - startedAt;
    const mesh = await TestMesh.start(
      {
        store: opened,
        ...(this.fleet ? { verify: (key, text, signature) => cheapWord(key, text) === signature } : {}),
        sign: cheapSign,
        randomHex: (n) => Array.from({ length: n }, () => this.between(0, 255).toString(16).padStart(2, '0')).join(''),
        soon: (work) => this.after(0, work),
        onFatal: (error) => this.problems.push(`fatal: ${String(error)}`),
      },
      clock,
    );
    this.alive.set(process, mesh);
    const { server } = mesh;
    const tick = () => {
      if (!this.alive.has(process)) return;
      if (!this.isFrozen(process)) server.tick();
      this.after(100, tick);
    };
    this.after(100, tick);
  }

  #open(process: number): SimStore {
    const store = this.#adopted(this.#store.reopened(this.servers > 1 ? SharedSimStore : SimStore));
    store.process = process;
    this.#store = store;
    return store;
  }

  #adopted(opened: MemoryMeshStore): SimStore {
    const store = opened as SimStore;
    store.sim = this;
    store.history = this.history;
    return store;
  }

  #crash(which: number | null = null): void {
    const process = which ?? this.server()?.[0] ?? 0;
    const { history } = this;
    if (this.#end(process)) this.after(this.between(10, 4_000), () => void this.#start(history));
  }

  #end(process: number): boolean {
    if (!this.alive.delete(process)) return false;
    for (const connection of [...this.#connections]) {
      if (connection.process !== null && connection.process !== process) continue;
      this.#connections.delete(connection);
      if (!this.chance(0.2)) this.after(this.between(0, 50), () => connection.end('reset'));
    }
    return true;
  }

  #plan(chaosMs: number): void {
    const some = (most: number, work: () => void) => {
      const n = this.between(0, most);
      for (let i = 0; i < n; i++) this.after(this.between(0, chaosMs), work);
    };
    for (let i = this.between(4, 25); i > 0; i--) this.after(this.between(0, chaosMs), () => void this.#command());
    some(3, () => this.#crash());
    if (this.fleet) {
      some(10, () => void this.#publish());
      some(2, () => this.#freeze());
      if (this.chance(0.5)) {
        some(2, () => this.#backUp());
        some(2, () => void this.#restore());
      }
    }
    some(6, () => this.pick(this.clients).cut());
    some(2, () => this.pick(this.clients).hold(this.between(1_000, 12_000)));
    some(2, () => this.pick(this.clients).partition(this.between(1_000, 12_000)));
    if (this.chance(0.3)) {
      const client = this.pick(this.clients);
      // As a proxy that holds everything back: the connection stands, and what it brings is old.
      this.after(this.between(0, chaosMs / 2), () => client.lag(this.between(3_000, 14_000)));
    }
    some(2, () => this.pick(this.clients).jump(this.pick([-3_600_000, 3_600_000, -5_000, 5_000])));
    if (this.chance(0.2)) this.pick(this.clients).buffered = true;
    if (this.chance(0.3)) this.after(this.between(0, chaosMs), () => this.server()?.[1].server.stop(1_000));
  }

  /** An operator who asks again, under the same cmd_id, until there is an answer. */
  async #command(
    action = this.pick(['revoke', 'revoke', 'suspend', 'reinstate']),
    subject: string = this.pick(this.fleet ? [...SUBJECTS, ...KEYS] : SUBJECTS),
  ): Promise<void> {
    const cmdId = `command-${this.#commands++}`;
    const path = action === 'reinstate' ? '/mesh/reinstate' : `/v1/mesh/commands${this.fleet ? '?wait=300ms' : ''}`;
    const extra = action === 'suspend' ? { duration_seconds: this.between(1, 20) } : {};
    const body =
      action === 'reinstate'
        ? { agent_id: subject }
        : { cmd_id: cmdId, action, agent_id: subject, reason: 'r', ...extra };
    for (let attempt = 0; attempt < 12; attempt++) {
      const server = this.server();
      if (server !== null) {
        const [process, mesh] = server;
        await this.thawed(process);
        const asked = mesh.ask('POST', path, 'admin', body).catch(() => null);
        const answer = await Promise.race([asked, this.sleep(600).then(() => null)]);
        if (answer !== null && answer.status === 200 && this.alive.has(process) && !this.chance(0.1)) {
          const said = answer.json();
          const seq = action === 'reinstate' ? Number(String(said.id).split('.')[2]) : Number(said.seq);
          this.acknowledged.push({ cmdId: action === 'reinstate' ? '' : cmdId, seq });
          if (said.complete === true) for (const client of this.clients) client.settledAt(seq, mesh);
          return;
        }
        // Whether a reinstatement without a cmd_id was carried out cannot be asked again.
        if (action === 'reinstate') return;
      }
      await this.sleep(this.between(200, 800));
    }
  }

  /** A principal that hands in a passport, newer or older than the one before; or an admin who takes it back. */
  async #publish(): Promise<void> {
    const cmd_id = `command-${this.#commands++}`;
    const withdraws = this.chance(0.15);
    const passport = this.pick(PASSPORTS);
    const path = withdraws ? '/v1/mesh/passports/withdraw' : '/v1/mesh/passports';
    const body = withdraws ? { cmd_id, agent_id: AGENTS[0] } : { cmd_id, passport };
    for (let attempt = 0; attempt < 12; attempt++) {
      const server = this.server();
      if (server !== null) {
        const [process, mesh] = server;
        await this.thawed(process);
        const asked = mesh.ask('POST', path, 'admin', body).catch(() => null);
        const answer = await Promise.race([asked, this.sleep(600).then(() => null)]);
        if (answer !== null && answer.status < 500 && this.alive.has(process) && !this.chance(0.1)) {
          const said = answer.json();
          if (answer.status === 200 && said.changed === true)
            this.acknowledged.push({ cmdId: cmd_id, seq: Number(said.seq) });
          return;
        }
      }
      await this.sleep(this.between(200, 800));
    }
  }

  #heal(): void {
    this.healed = true;
    this.#frozen.clear();
    this.#hanging.clear();
    for (const client of this.clients) client.heal();
    for (const [process, mesh] of [...this.alive]) if (mesh.server.stopping) this.#crash(process);
  }

  async #until(end: number): Promise<void> {
    while (this.#agenda.length > 0 && this.#agenda[0]!.at <= end && this.problems.length === 0) {
      const next = this.#next();
      this.t = next.at;
      next.work();
      await settle();
    }
    this.t = end;
  }

  #next() {
    const agenda = this.#agenda;
    const first = agenda[0]!;
    const last = agenda.pop()!;
    if (agenda.length === 0) return first;
    agenda[0] = last;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < agenda.length && sooner(agenda[left]!, agenda[least]!)) least = left;
      if (right < agenda.length && sooner(agenda[right]!, agenda[least]!)) least = right;
      if (least === i) break;
      [agenda[i], agenda[least]] = [agenda[least]!, agenda[i]!];
      i = least;
    }
    return first;
  }

  #final(): void {
    if (this.problems.length > 0) return;
    for (const { cmdId, seq } of this.acknowledged) {
      const event = this.log[seq - 1]?.event;
      if (event === undefined) this.problems.push(`acknowledged event ${seq} is lost`);
      else if (cmdId !== '' && event.cmd_id !== cmdId) this.problems.push(`event ${seq} is not of ${cmdId}`);
    }
    const ids = this.log.map(({ event }) => event.cmd_id);
    if (new Set(ids).size !== ids.length) this.problems.push('one cmd_id has two events');
    for (const client of this.clients) client.final();
  }
}

function sooner(a: { at: number; n: number }, b: { at: number; n: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.n < b.n);
}

/** A client's connection: the server process that it has reached, and how it ends. */
interface SimConnection {
  process: number | null;
  end(reason: string): void;
}

const REGISTERED = {
  did: 'did:web:acme.com',
  publicKey: formatPublicKey(publicKeyOf(ISSUER)),
  addedAt: BASE,
  addedBy: 'simulation',
} as const;

class SimClient {
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

/** The way of a stream's bytes: in order, delayed, cut into pieces; or mangled frame by frame. */
class Pipe implements StreamSink {
  readonly #sim: Simulation;
  readonly #client: SimClient;
  readonly #conn: number;
  readonly #open: () => boolean;
  readonly #delay: () => number;
  readonly #end: () => void;
  readonly #parser = new FrameParser(1 << 16);
  readonly #held: Uint8Array[] = [];
  #lastAt = 0;
  #waiting = 0;
  #dead = false;
  connection: StreamConnection | null = null;

  constructor(
    sim: Simulation,
    client: SimClient,
    conn: number,
    open: () => boolean,
    delay: () => number,
    end: () => void,
  ) {
    this.#sim = sim;
    this.#client = client;
    this.#conn = conn;
    this.#open = open;
    this.#delay = delay;
    this.#end = end;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#client.buffered || this.#held.length > 0) {
      this.#held.push(bytes);
      return true;
    }
    for (const piece of this.#pieces(bytes)) this.#send(piece);
    if (this.#waiting < 8) return true;
    this.#sim.after(this.#sim.between(50, 3_000), () => this.connection?.drained());
    return false;
  }

  end(last: Uint8Array | null): void {
    for (const bytes of this.#held) this.#send(bytes);
    if (last !== null) this.#send(last);
    this.#sim.after(Math.max(0, this.#lastAt - this.#sim.t) + 1, this.#end);
  }

  cut(): void {
    this.#sim.after(this.#sim.between(0, 20), this.#end);
  }

  #send(bytes: Uint8Array): void {
    this.#lastAt = Math.max(this.#lastAt, this.#sim.t + this.#delay());
    this.#waiting++;
    this.#sim.after(this.#lastAt - this.#sim.t, () => {
      this.#waiting--;
      // TCP loses a connection, never bytes in the middle of one.
      this.#dead ||= this.#client.dark;
      if (this.#open() && !this.#dead) this.#client.receive(this.#conn, bytes, this.#parser);
    });
  }

  #pieces(bytes: Uint8Array): Uint8Array[] {
    const sim = this.#sim;
    if (sim.mangles && !sim.healed && sim.chance(0.2)) {
      const frames = Buffer.from(bytes)
        .toString()
        .split(/(?<=\n\n)/);
      if (sim.chance(0.4)) frames.splice(sim.between(0, frames.length - 1), 1);
      if (frames.length > 0 && sim.chance(0.4)) frames.push(sim.pick(frames));
      if (frames.length > 1 && sim.chance(0.4)) frames.reverse();
      return frames.map((frame) => Buffer.from(frame));
    }
    if (bytes.length < 2 || !sim.chance(0.2)) return [bytes];
    const at = sim.between(1, bytes.length - 1);
    return [bytes.subarray(0, at), bytes.subarray(at)];
  }
}

/** True when the standing of `check` says yes under a verifier that refuses what it cannot know. */
function allowsStrictly(check: KnownStanding): boolean {
  return check.status === 'active' && check.state !== 'expired' && check.state !== 'syncing';
}
