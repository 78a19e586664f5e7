/**
 * A mesh under a simulated clock, network and disk: servers that crash, freeze and come back, clients whose connections are cut,
 * delayed, held back and mangled, clocks that jump. Everything follows from the seed. As a `fleet` two servers share one store, keys are
 * stopped, passports are published and withdrawn, every client is on the roster with a key of its own, and the mesh is put back from a backup.
 */
import { MemoryMeshStore } from '../memory/store.js';
import { beyondOf, holdingsOf } from '../../../../src/mesh/log/beyond.js';
import { parseEvent, type MeshEvent } from '../../../../src/mesh/log/event.js';
import type { Head } from '../../../../src/mesh/log/head.js';
import { cheapSign, LOG_ID, settle, TestClock, TestMesh } from '../server.js';
import { SimClient } from './client.js';
import type { SimConnection } from './pipe.js';
import { SharedSimStore, SimStore } from './store.js';
import {
  BASE,
  BUDGET_MS,
  REGISTERED,
  AGENTS,
  SUBJECTS,
  KEYS,
  PASSPORTS,
  cheapWord,
  randomOf,
  type Committed,
  type History,
  type Acknowledged,
} from './world.js';

/** One run of the mesh from a seed. */
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
