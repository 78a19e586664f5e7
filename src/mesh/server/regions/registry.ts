/** The regions that follow this server: how far each has stored the log, and what a synchronous command waits for. */
import { parseJsonText } from '../../../protocol/json/parse.js';
import { formatTime, parseTime } from '../../../protocol/time.js';
import type { ApiKeyRecord } from '../../access/api-key.js';
import type { MeshStore } from '../../log/store.js';
import type { Waits } from '../feed/waits.js';
import { MAX_CONFIRM_WAIT_MS } from '../../limits.js';
import type { ServerClock } from '../http/exchange.js';

/** How commands are replicated to the regions, as the configuration says. */
export interface Replication {
  readonly mode: 'async' | 'sync';
  /** How long a synchronous command waits for the regions, ms. */
  readonly withinMs: number;
  /** The regions that are configured, without this server's own. */
  readonly names: readonly string[];
}

/** What the giver of a command wants of it. */
export interface RequestedReplication {
  readonly mode: 'async' | 'sync';
  readonly withinMs: number;
  readonly names: readonly string[];
}

/** A region's place with one event, as answers show it. */
export interface RegionRow {
  readonly region: string;
  /** `late`: a synchronous command waited for it in vain. `pending`: the command did not wait, or not long enough to say. */
  readonly state: 'acknowledged' | 'pending' | 'late';
  /** From the commit to the word that it is stored there, by this server's clock; null while there is none. */
  readonly ms: number | null;
  /** The last event that it has said it stored; null of one that was never heard. */
  readonly last_seq: number | null;
  /** RFC 3339, by this server's clock; null of one that was never heard. */
  readonly last_seen: string | null;
}

interface Known {
  seq: number;
  /** ms since the epoch, by this server's clock. */
  seenAt: number;
  /** What of it the store holds: the event, and when that was written (the server's `up` clock). */
  keptSeq: number;
  keptAt: number;
  /** The region has spoken here since that was written, and not to another node. */
  isNews: boolean;
}

/** The regions, by name: the label of a region's API key. */
export class Regions {
  readonly #store: MeshStore;
  readonly #clock: ServerClock;
  readonly #waits: Waits;
  readonly replication: Replication;
  /** The name of this server's own region: a key that it followed with before it was promoted makes it none of the others. */
  readonly #own: string | null;
  /** Names of the region keys that are in force. */
  #keyed: readonly string[] = [];
  readonly #known = new Map<string, Known>();

  constructor(
    store: MeshStore,
    clock: ServerClock,
    waits: Waits,
    { replication, region }: { readonly replication?: Replication; readonly region?: string },
  ) {
    this.#own = region ?? null;
    this.#store = store;
    this.#clock = clock;
    this.#waits = waits;
    this.replication = replication ?? { mode: 'async', withinMs: 500, names: [] };
  }

  /** Every region that should follow: those that are configured, and those that have a key. */
  get names(): readonly string[] {
    return [...new Set([...this.replication.names, ...this.#keyed])].filter((name) => name !== this.#own).sort();
  }

  /** Takes in the keys that are in force, and what is kept of their regions. */
  async learn(keys: readonly ApiKeyRecord[]): Promise<void> {
    this.#keyed = keys.filter(({ role, revokedAt }) => role === 'region' && revokedAt === null).map(regionName);
    for (const name of this.names) {
      const known = this.#known.get(name);
      // Another node may have heard it since.
      if (known !== undefined && !this.#store.shared) continue;
      const kept = keptIn(await this.#store.notes.get(`region:${name}`));
      if (kept !== null && (known === undefined || kept.seq > known.seq || kept.seenAt > known.seenAt))
        this.#take(name, Math.max(kept.seq, known?.seq ?? 0), kept.seenAt);
    }
    this.#waits.check();
  }

  /** A region has a key: from now on it is waited for. */
  joined(name: string): void {
    if (!this.#keyed.includes(name)) this.#keyed = [...this.#keyed, name];
  }

  /** A region asks for what follows `seq`: what is before is stored there. */
  heard(name: string, seq: number): void {
    this.joined(name);
    const before = this.#known.get(name);
    const { keptSeq, keptAt } = before ?? { keptSeq: -1, keptAt: -Infinity };
    this.#known.set(name, { seq, seenAt: this.#clock.wall(), keptSeq, keptAt, isNews: true });
    // What another node's command waits for is told at once.
    if (this.#store.shared) this.keep();
    this.#waits.check();
  }

  /** Keeps what was heard, so that it outlives this process and other nodes learn of it. */
  keep(): void {
    const everyMs = this.#store.shared ? KEEP_FOR_OTHERS_MS : KEEP_MS;
    for (const [name, known] of this.#known) {
      const [seq, now] = [known.keptSeq, this.#clock.up()];
      // What was read is not written again: another node may have heard more of it since.
      if (!known.isNews) continue;
      // Each write costs a flush of the disk.
      if (known.seq === seq && now - known.keptAt < everyMs) continue;
      known.keptSeq = known.seq;
      known.keptAt = now;
      known.isNews = false;
      const text = JSON.stringify({ seq: known.seq, seen_at: formatTime(known.seenAt) });
      // Only a number on a screen is lost with it; what fails for good shows elsewhere.
      this.#store.notes.put(`region:${name}`, text).catch(() => {
        known.keptSeq = seq;
        known.isNews = true;
      });
    }
  }

  /**
   * How event `seq`, committed at `committedAt` (the server's `up` clock), fares with the regions. A synchronous command waits for them,
   * as long as its configuration says; what they have not stored by then is not undone.
   */
  async settle(
    seq: number,
    committedAt: number,
    requested: RequestedReplication | null,
    ended: () => boolean,
  ): Promise<readonly RegionRow[]> {
    const own = this.replication;
    const names = [...new Set([...this.names, ...(requested?.names ?? [])])].sort();
    const mode = own.mode === 'sync' || requested?.mode === 'sync' ? 'sync' : 'async';
    // The giver of the command waits no longer than it asked for; where it asked for nothing, as long as this server is configured to.
    const withinMs = Math.min(requested?.withinMs ?? own.withinMs, MAX_CONFIRM_WAIT_MS);
    const at = new Map<string, number>();
    const all = (): boolean => {
      for (const name of names)
        if (!at.has(name) && (this.#known.get(name)?.seq ?? -1) >= seq) at.set(name, this.#clock.up() - committedAt);
      return at.size === names.length || ended();
    };
    if (mode === 'sync') {
      const due = committedAt + withinMs;
      await Promise.all([this.#waits.for(all, due - this.#clock.up()), this.#askOthers(names, all, due)]);
    }
    all();
    return names.map((name) => {
      const [known, ms] = [this.#known.get(name), at.get(name)];
      const missing = mode === 'sync' ? 'late' : 'pending';
      return {
        ...rowOf(name, known),
        state: ms === undefined ? missing : 'acknowledged',
        ms: ms === undefined ? null : round(ms),
      };
    });
  }

  /** The regions as they stand, with how far they are behind `head`. */
  rows(
    head: number,
  ): readonly (Omit<RegionRow, 'state' | 'ms'> & { readonly state: string; readonly behind: number | null })[] {
    const now = this.#clock.wall();
    return this.names.map((name) => {
      const known = this.#known.get(name);
      const state = known === undefined ? 'never-seen' : now - known.seenAt > GONE_MS ? 'absent' : 'following';
      return { ...rowOf(name, known), state, behind: known === undefined ? null : Math.max(0, head - known.seq) };
    });
  }

  #take(name: string, seq: number, seenAt: number): void {
    this.#known.set(name, { seq, seenAt, keptSeq: seq, keptAt: this.#clock.up(), isNews: false });
  }

  /** On a store that is shared, the word of a region may have come to another node. */
  async #askOthers(names: readonly string[], done: () => boolean, due: number): Promise<void> {
    while (this.#store.shared && !done() && this.#clock.up() < due) {
      for (const name of names) {
        const kept = keptIn(await this.#store.notes.get(`region:${name}`).catch(() => null));
        const known = this.#known.get(name);
        if (kept !== null && kept.seq > (known?.seq ?? -1)) this.#take(name, kept.seq, kept.seenAt);
      }
      this.#waits.check();
      if (!done()) await this.#waits.for(done, OTHERS_MS);
    }
  }
}

/** A region asks at least every two seconds. */
const GONE_MS = 6_000;
/** When a region was last seen is kept this often, ms; how far it is, whenever that changes. */
const KEEP_MS = 10_000;
/** The same where other servers read it: to them a region is absent that was not seen for `GONE_MS`. */
const KEEP_FOR_OTHERS_MS = 2_000;
/** How often a node asks the store whether a region has spoken to another node, ms. */
const OTHERS_MS = 20;

/** The name of the region that a key was made for. */
export function regionName({ label, keyId }: Pick<ApiKeyRecord, 'label' | 'keyId'>): string {
  return label ?? keyId;
}

function rowOf(region: string, known: Known | undefined) {
  return { region, last_seq: known?.seq ?? null, last_seen: known === undefined ? null : formatTime(known.seenAt) };
}

function round(ms: number): number {
  return Math.max(0, Math.round(ms * 10) / 10);
}

function keptIn(text: string | null): { readonly seq: number; readonly seenAt: number } | null {
  if (text === null) return null;
  const { seq, seen_at } = parseJsonText(text) as { readonly seq?: unknown; readonly seen_at?: unknown };
  const seenAt = typeof seen_at === 'string' ? parseTime(seen_at) : null;
  return typeof seq !== 'number' || seenAt === null ? null : { seq, seenAt };
}
