/** The roster of this server: every verifier that ever listened, and how far each one is. */
import { Refused } from '../refusal.js';
import { parseEvent } from '../log/event.js';
import type { MeshStore } from '../log/store.js';
import type { EventRecord } from '../ruling.js';
import type { ApiKeyRecord } from '../access/api-key.js';
import { labelUnder, type Applied, type Member, type VerifierCard } from '../roster/member.js';
import { asKept, REFRESH_MS, type KnownRoster } from '../roster/known.js';
import type { Poller } from '../roster/poller.js';
import { isOver, requireRoom } from '../roster/room.js';
import { absentOf, reachOf, type Absent, type EventReach } from '../roster/reach.js';
import { deniesAt, type Standing } from '../standing.js';
import type { Hub } from './feed/hub.js';
import type { ServerClock } from './http/exchange.js';

/** One that another server saw within this listens there. */
const ELSEWHERE_MS = 2 * REFRESH_MS;
/** Most that the clocks of servers on one store are taken to differ, ms. */
const SKEW_MS = 5_000;
/** Commands that come together ask once who listens elsewhere, ms. */
const READ_OTHERS_MS = 50;
/** Names that programs of the first version made up anew with each start. */
const THROWAWAY = /(?:^library\.[0-9a-f]{12}|\.[0-9a-f]{6})$/;

interface Live {
  /** The lowest seq that its open connections have confirmed: each keeps a copy of its own. */
  seq: number;
  at: number | null;
}

/** The verifiers that should be listening, and what they have confirmed. */
export class Roster {
  readonly #store: MeshStore;
  readonly #clock: ServerClock;
  readonly #hub: Hub;
  readonly #pollers: ReadonlyMap<string, Poller>;
  readonly #members = new Map<string, Member>();
  /** When each was last written to have been seen, ms since the epoch. */
  readonly #dated = new Map<string, number>();
  /** To be kept with the next tick. */
  readonly #dirty = new Set<string>();
  /** When another server's word on how far each is came here, by the `up` clock: the clocks of two servers are not compared. */
  readonly #toldAt = new Map<string, number>();
  /** Keys that are revoked or suspended, by their text: what a verifier confirms with one is not believed. */
  readonly #keys = new Map<string, Standing>();
  #refreshedAt = 0;
  #othersReadAt = 0;
  #othersReadUp = -Infinity;
  #reading: Promise<void> | null = null;
  /** One that other servers do not count yet has come. */
  #hasNew = false;

  constructor(
    store: MeshStore,
    clock: ServerClock,
    hub: Hub,
    pollers: ReadonlyMap<string, Poller>,
    { members, keys }: KnownRoster,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#hub = hub;
    this.#pollers = pollers;
    for (const member of members) this.#keep(asKept(member, clock.wall()), member.seenAt);
    for (const standing of keys) this.#heardOfKey(standing);
  }

  /** Takes in what events say of keys: those of verifiers may be among them. */
  async heed(records: readonly EventRecord[]): Promise<void> {
    const ofKeys = records.filter(({ text }) => text.includes('"scope":"key"'));
    for (const subject of new Set(ofKeys.map(({ text }) => parseEvent(text).agent_id))) {
      const standing = await this.#store.standing(subject);
      if (standing !== null) this.#heardOfKey(standing);
    }
  }

  #heardOfKey(standing: Standing): void {
    if (standing.status === 'active') this.#keys.delete(standing.subject);
    else this.#keys.set(standing.subject, standing);
  }

  /** True where a verifier's own key is revoked or suspended: it may listen, and what it confirms is not believed. */
  isDenied(verifier: string): boolean {
    const standing = this.#keys.get(verifier);
    return standing !== undefined && deniesAt(standing, this.#clock.wall());
  }

  /** True while something is to be kept. */
  get dirty(): boolean {
    return this.#dirty.size > 0;
  }

  get size(): number {
    return this.#members.size;
  }

  member(verifier: string): Member | null {
    return this.#members.get(verifier) ?? null;
  }

  /** Those who should listen, by label. */
  all(): readonly Member[] {
    return [...this.#members.values()]
      .filter(({ leftAt }) => leftAt === null)
      .sort((a, b) => (a.label === b.label ? (a.verifier < b.verifier ? -1 : 1) : a.label < b.label ? -1 : 1));
  }

  /** Takes in a verifier that begins to listen. Throws Refused where its API key is another's, or has as many as it may. */
  enter(card: VerifierCard, key: ApiKeyRecord): Member {
    if (card.key_id !== key.keyId)
      throw new Refused('FORBIDDEN', 'The verifier signed its card for another API key than the one that it shows.');
    return this.#enter(key, {
      verifier: card.public_key,
      label: card.label ?? labelUnder(key, card.host),
      program: card.program,
      onStale: card.on_stale,
      maxAgeMs: card.max_age_ms,
      ephemeral: key.ephemeral ?? false,
    });
  }

  /** Takes in a verifier of the first version, which has a name and no key. */
  enterNamed(name: string, key: ApiKeyRecord): Member {
    const verifier = `${key.keyId}:${name}`;
    const ephemeral = (key.ephemeral ?? false) || THROWAWAY.test(name);
    return this.#enter(key, { verifier, label: name, program: null, onStale: null, maxAgeMs: null, ephemeral });
  }

  /** A verifier has confirmed the log up to `seq`. */
  confirmed(verifier: string, seq: number, applied: Applied | null): void {
    const member = this.#members.get(verifier);
    if (member === undefined) return;
    const text = applied === null ? member.applied : JSON.stringify(applied);
    this.#put({ ...member, seq, applied: text, seenAt: this.#clock.wall(), leftAt: null });
  }

  /** A connection of a verifier has ended: from now on it is not seen. */
  gone(verifier: string): void {
    const member = this.#members.get(verifier);
    if (member !== undefined && member.leftAt === null) this.#put({ ...member, seenAt: this.#clock.wall() });
  }

  /** False when it is not on the roster under that key. */
  leave(verifier: string, keyId: string): boolean {
    const member = this.#members.get(verifier);
    if (member === undefined || member.keyId !== keyId) return false;
    // Other servers learn of those that were seen since.
    this.#put({ ...member, seenAt: this.#clock.wall(), leftAt: this.#clock.wall() });
    return true;
  }

  /** Takes a verifier off; its public key, or its label where only one has it. */
  async forget(name: string): Promise<Member | null> {
    const found = this.#members.get(name) ?? this.#onlyOne(name);
    if (found === null) return null;
    // Other servers on the store read what is kept, and cannot miss what is gone. An ephemeral one each of them drops by itself.
    if (this.#store.shared && !found.ephemeral) {
      const now = this.#clock.wall();
      const left = { ...found, seenAt: now, leftAt: now };
      await this.#store.members.put([left]);
      this.#keep(left, now);
      return found;
    }
    const dated = this.#dated.get(found.verifier) ?? found.seenAt;
    this.#members.delete(found.verifier);
    this.#dated.delete(found.verifier);
    this.#dirty.delete(found.verifier);
    this.#toldAt.delete(found.verifier);
    try {
      await this.#store.members.forget(found.verifier);
    } catch (error) {
      // The store holds it still, unless it has begun to listen again.
      if (!this.#members.has(found.verifier)) this.#keep(found, dated);
      throw error;
    }
    return found;
  }

  /** Everyone's place with event `seq`. */
  count(seq: number): EventReach {
    const now = this.#clock.wall();
    const live = this.#live();
    let [members, applied, reporting, elsewhere] = [0, 0, 0, 0];
    const late: Member[] = [];
    let lastAt: number | null = null;
    let unsettled = 0;
    const absent: Absent[] = [];
    for (const member of this.#members.values()) {
      if (member.leftAt !== null) continue;
      members++;
      const here = live.get(member.verifier);
      const listens = here !== undefined || this.#elsewhere(member, now);
      const reach = reachOf(member, listens, here?.seq ?? member.seq, seq, now);
      if (listens) reporting++;
      if (listens && here === undefined) elsewhere++;
      if (reach === 'applied') {
        applied++;
        const at = here === undefined ? this.#toldAt.get(member.verifier) : here.at;
        if (at != null) lastAt = Math.max(lastAt ?? 0, at);
        continue;
      }
      if (reach !== 'refusing') unsettled++;
      if (reach === 'pending') late.push(member);
      else absent.push(absentOf(member));
    }
    return { members, applied, reporting, late, absent, unsettled, complete: unsettled === 0, lastAt, elsewhere };
  }

  /** Those who listen at another server on the same store, and how long ago the last word on each came here, ms. */
  elsewhere(): readonly { readonly member: Member; readonly heardMs: number }[] {
    const [now, up, live] = [this.#clock.wall(), this.#clock.up(), this.#live()];
    return this.all()
      .filter((member) => !live.has(member.verifier) && this.#elsewhere(member, now))
      .map((member) => ({ member, heardMs: up - (this.#toldAt.get(member.verifier) ?? up) }));
  }

  /** Those on the roster who do not listen now. */
  absent(): readonly Member[] {
    const [now, live] = [this.#clock.wall(), this.#live()];
    return this.all().filter((member) => !live.has(member.verifier) && !this.#elsewhere(member, now));
  }

  /** What must be kept, and the ephemeral ones that were not seen and end now. */
  #due(): { readonly due: readonly Member[]; readonly over: readonly string[] } {
    const [now, up] = [this.#clock.wall(), this.#clock.up()];
    const over: string[] = [];
    if (up - this.#refreshedAt >= REFRESH_MS) {
      this.#refreshedAt = up;
      const live = this.#live();
      for (const member of [...this.#members.values()]) {
        if (live.has(member.verifier)) this.#put({ ...member, seenAt: now });
        else if (isOver(member, now)) over.push(member.verifier);
      }
    }
    const due = [...this.#dirty].flatMap((verifier) => this.#members.get(verifier) ?? []);
    this.#dirty.clear();
    return { due, over };
  }

  /** Keeps what is due, and ends the ephemeral ones; what the store does not take now is due again. */
  async keep(): Promise<void> {
    const { due, over } = this.#due();
    try {
      if (due.length > 0) await this.#store.members.put(due);
    } catch (error) {
      for (const { verifier } of due) this.#dirty.add(verifier);
      throw error;
    }
    for (const verifier of over) await this.forget(verifier);
  }

  /** Has the store keep one that has just come, before it hears anything: what another server revokes from then on counts it. */
  async keepNew(): Promise<void> {
    if (!this.#hasNew) return;
    this.#hasNew = false;
    await this.keep();
  }

  /** Takes in what other servers on the same store have kept since the last time. */
  readOthers(): Promise<void> {
    if (!this.#store.shared || this.#clock.up() - this.#othersReadUp < READ_OTHERS_MS) return Promise.resolve();
    return this.#readOnce();
  }

  /** The same as of this call: a read that began before may have missed who came since. */
  async readOthersNow(): Promise<void> {
    if (!this.#store.shared) return;
    await this.#reading?.catch(() => undefined);
    await this.#readOnce();
  }

  #readOnce(): Promise<void> {
    this.#reading ??= this.#readOthers().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #readOthers(): Promise<void> {
    // The clocks of the servers differ, and a word may be written a moment after it was dated.
    const [up, readAt] = [this.#clock.up(), this.#clock.wall() - SKEW_MS];
    this.#learn(await this.#store.members.list(this.#othersReadAt));
    // Not before: what a read that failed would have told is asked for again.
    [this.#othersReadUp, this.#othersReadAt] = [up, readAt];
  }

  #learn(members: readonly Member[]): void {
    const now = this.#clock.wall();
    for (const member of members) {
      const { verifier } = member;
      const known = this.#members.get(verifier);
      if (known !== undefined && (this.#dated.get(verifier) ?? 0) >= member.seenAt && known.seq >= member.seq) continue;
      if (known === undefined || known.seq < member.seq) this.#toldAt.set(verifier, this.#clock.up());
      this.#keep(asKept(member, now), member.seenAt);
    }
  }

  /** `dated`: when the store says that it was seen, which may be earlier than what is assumed. */
  #keep(member: Member, dated: number): void {
    this.#members.set(member.verifier, member);
    this.#dated.set(member.verifier, dated);
  }

  #enter(
    key: ApiKeyRecord,
    says: Pick<Member, 'verifier' | 'label' | 'program' | 'onStale' | 'maxAgeMs' | 'ephemeral'>,
  ): Member {
    const now = this.#clock.wall();
    const known = this.#members.get(says.verifier);
    if (known === undefined || known.leftAt !== null || known.keyId !== key.keyId)
      requireRoom(this.#members.values(), key, says.verifier, now);
    if (this.#store.shared && (known === undefined || known.leftAt !== null)) this.#hasNew = true;
    const base = known ?? { firstSeenAt: now, seq: 0, applied: null };
    const member: Member = { ...base, ...says, keyId: key.keyId, seenAt: now, leftAt: null };
    this.#put(member);
    return member;
  }

  #onlyOne(label: string): Member | null {
    const found = this.all().filter((one) => one.label === label);
    if (found.length > 1)
      throw new Refused('BAD_REQUEST', `${found.length} verifiers are called ${label}: name one by its public key.`);
    return found[0] ?? null;
  }

  #live(): Map<string, Live> {
    const live = new Map<string, Live>();
    const add = (verifier: string, seq: number, at: number | null): void => {
      const before = live.get(verifier);
      if (before === undefined) live.set(verifier, { seq, at });
      else {
        before.seq = Math.min(before.seq, seq);
        before.at = at === null ? before.at : Math.max(before.at ?? 0, at);
      }
    };
    for (const stream of this.#hub.streams())
      if (stream.verifier !== null) add(stream.verifier, stream.acked, stream.ackedAt);
    for (const [verifier, { seq, seqAt }] of this.#pollers) add(verifier, seq, seqAt);
    return live;
  }

  #elsewhere(member: Member, now: number): boolean {
    return this.#store.shared && now - member.seenAt < ELSEWHERE_MS;
  }

  #put(member: Member): void {
    this.#keep(member, member.seenAt);
    this.#dirty.add(member.verifier);
  }
}
