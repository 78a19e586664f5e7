/** A mesh server as a function of requests and ticks. */
import { formatTime } from '../../protocol/time.js';
import type { Poller } from '../roster/poller.js';
import { knownRoster, type KnownRoster } from '../roster/known.js';
import { noticeOf, type KeptRequest } from '../approvals/kept.js';
import type { FleetConduct } from '../fleet.js';
import { KeptErasures } from '../log/erasures.js';
import { parseEventId, type Head } from '../log/head.js';
import { HEARTBEAT_MS, PAGE_EVENTS, RETAINED_EVENTS } from '../limits.js';
import type { MeshSigner } from '../log/signing.js';
import { frame } from '../../protocol/framing/sse.js';
import { inTrouble, StoreTrouble, type MeshStore } from '../log/store.js';
import { ApprovalNotices } from './approvals/notices.js';
import { ApprovalDesk } from './approvals/desk.js';
import { Committer } from './committer.js';
import { positionAfter, type Position } from './feed/position.js';
import type { ServerClock } from './http/exchange.js';
import { Gate } from './http/gate.js';
import { revokedAmong } from './feed/forms.js';
import { Hub } from './feed/hub.js';
import { SnapshotKeeper } from './feed/snapshot-keeper.js';
import { EventHashes } from './feed/event-hashes.js';
import { SnapshotShelf } from './feed/snapshot-shelf.js';
import { LogFeed } from './feed/log-feed.js';
import { Waits } from './feed/waits.js';
import { Prover, sealedAnswer, type Proving } from './prover.js';
import { Regions, type Replication } from './regions/registry.js';
import { RelayProver, type FollowedHome } from './regions/relay.js';
import { Decisions, Expiry, ShippingRate } from './shipping.js';
import { Roster } from './roster.js';
import { KnownTrees } from './witness/known-trees.js';

/** What a server is made with. */
export interface ServerOptions {
  readonly store: MeshStore;
  readonly clock: ServerClock;
  /** `n` random bytes as hex. */
  readonly randomHex: (n: number) => string;
  /** Signs with the mesh key. */
  readonly sign: MeshSigner;
  /** The mesh key is asked elsewhere: heartbeats go without a signature of their own where one of half a second ago serves. */
  readonly keyIsAsked?: boolean;
  /** `ed25519:<64 hex>` of the mesh key. */
  readonly publicKey: string;
  readonly verify: (publicKey: string, text: string, signature: string) => boolean;
  /** Runs work after the input that is ready now was read. */
  readonly soon: (work: () => void) => void;
  /** Called once, when the store failed: see `failed`. */
  readonly onFatal?: (error: unknown) => void;
  /** The mesh has gone on elsewhere, in this term: this server takes no command and proves nothing any more. */
  readonly onSealed?: (term: number) => void;
  readonly requireSignedCommands?: boolean;
  /** What the dashboard tells of agents beside their standing. */
  readonly conduct?: FleetConduct;
  /** Told of every new request for approval: for bells. */
  readonly onRequest?: (request: KeptRequest) => void;
  /** How commands reach the regions that follow this server; asynchronously unless given. */
  readonly replication?: Replication;
  /** The name of this server's own region. */
  readonly region?: string;
  /** Only of a server that follows another one: it signs nothing itself. */
  readonly upstream?: FollowedHome;
  readonly maxStreams?: number;
  readonly retainedEvents?: number;
  /** How long shipped entries are kept after they arrived, in ms; for as long as there is room unless given. */
  readonly logRetentionMs?: number;
}

/** A key that another server revoked loses its streams within this, in ms. */
const KEYS_MS = 500;
/** How often servers on one store tell each other who has applied what while there is news of it, in ms. */
const PRESENCE_MS = 80;

/** One server of a mesh, without sockets. */
export class MeshServer {
  /** Without the key: `sign` has it, with its trouble told apart. */
  readonly options: Omit<ServerOptions, 'sign'>;
  readonly store: MeshStore;
  readonly clock: ServerClock;
  /** Signs with the mesh key; rejects with StoreTrouble. */
  readonly sign: MeshSigner;
  readonly gate: Gate;
  readonly hub: Hub;
  readonly feed: LogFeed;
  readonly waits: Waits;
  readonly committer: Committer;
  readonly prover: Proving;
  readonly regions: Regions;
  readonly erasures: KeptErasures;
  readonly trees: KnownTrees;
  readonly shipping = new ShippingRate();
  readonly decisions = new Decisions();
  readonly expiry = new Expiry();
  readonly hashes: EventHashes;
  readonly roster: Roster;
  readonly notices = new ApprovalNotices();
  readonly approvals: ApprovalDesk;
  /** Of this process: 16 hex digits. */
  readonly boot: string;
  readonly pollers = new Map<string, Poller>();
  /** Requests answered, by endpoint and status. */
  readonly requests = new Map<string, number>();
  /** Keys revoked while this process runs: what still waits with one of them is sent away. */
  readonly revokedKeys = new Set<string>();
  stopping = false;
  /** When this server began, by its `up` clock. */
  readonly beganAt: number;
  /**
   * Resolves with the store's first error, and never without one. From then on nothing is acknowledged, every stream is cut and
   * every request refused: after a failed flush no later commit proves anything. The process must end with a code other than 0.
   */
  readonly failed: Promise<unknown>;
  /** How often the store did not answer. */
  storeTroubles = 0;
  /** What the last pump could not read is looked for again with the next tick. */
  #pumpDue = false;
  #head: Head;
  #pumping: Promise<void> | null = null;
  #pumpAgain = false;
  readonly #shelf: SnapshotShelf;
  #broken = false;
  #reportFailure!: (error: unknown) => void;
  #stopWake: () => void;
  #keptAt = 0;
  #keysAt = 0;

  private constructor(options: ServerOptions, head: Head, sealedBy: number | null, known: KnownRoster) {
    const { store, clock, soon } = options;
    const sign = (this.sign = inTrouble(options.sign));
    this.options = options;
    this.store = store;
    this.clock = clock;
    this.beganAt = clock.up();
    this.#head = head;
    this.failed = new Promise((resolve) => (this.#reportFailure = resolve));
    this.gate = new Gate(store, clock, {
      requireSignedCommands: options.requireSignedCommands ?? false,
      verify: options.verify,
      refresh: options.upstream === undefined ? undefined : () => options.upstream!.refresh(),
    });
    this.waits = new Waits(clock);
    this.hashes = new EventHashes(store);
    this.erasures = new KeptErasures(store.papers);
    this.trees = new KnownTrees(store.papers);
    this.boot = options.randomHex(8);
    this.prover = this.#prover(sealedBy);
    this.regions = new Regions(store, clock, this.waits, options);
    this.#shelf = new SnapshotShelf(new SnapshotKeeper(store, sign, () => new Promise((resolve) => soon(resolve))), {
      now: () => formatTime(clock.wall()),
      retained: this.#retained,
      onFailure: this.fail,
    });
    const closed = () => sealedAnswer(this.prover.sealed);
    this.committer = new Committer({ store, clock, sign, soon, onFailure: this.fail, closed });
    this.hub = new Hub(
      { store, clock, prove: () => this.prover.heartbeat(), slow: () => this.prover.slow, soon, onFailure: this.fail },
      head.seq,
    );
    this.roster = new Roster(store, clock, this.hub, this.pollers, known);
    this.approvals = new ApprovalDesk({
      store,
      clock,
      verify: options.verify,
      isRevoked: (keyId) => this.revokedKeys.has(keyId),
      onChange: (request, isNew) => {
        this.hub.announce('approval', this.notices.add(JSON.stringify(noticeOf(request, clock.wall()))));
        this.waits.check();
        if (isNew) options.onRequest?.(request);
      },
    });
    this.hub.onGone = (verifier) => {
      this.roster.gone(verifier);
      if (options.upstream !== undefined && !this.hub.hasVerifier(verifier)) options.upstream.heard(verifier, null);
    };
    this.hub.watch(() => this.waits.check());
    this.feed = new LogFeed(store, clock, {
      onFailure: () => this.shipping.full++,
      onGrowth: () => this.waits.check(),
    });
    this.#stopWake = store.onWake(() => void this.pump());
  }

  static async start(options: ServerOptions): Promise<MeshServer> {
    const { store } = options;
    const [head, sealedBy] = [await store.head(), await store.sealedBy()];
    const server = new MeshServer(options, head, sealedBy, await knownRoster(store));
    await server.regions.learn(await store.keys.list());
    return server;
  }

  #prover(sealedBy: number | null): Proving {
    const { store, clock, waits, options } = this;
    const { upstream, keyIsAsked = false, onSealed = () => undefined } = options;
    const isOwn = (text: string, signature: string): boolean => options.verify(options.publicKey, text, signature);
    const head = (): Head => this.#head;
    if (upstream !== undefined) return new RelayProver(upstream, isOwn, store.logId, store.term, head);
    const [pump, onFailure, boot, sign] = [() => this.pump(), this.fail, this.boot, this.sign];
    const ports = { store, clock, waits, boot, sign, keyIsAsked, isOwn, head, pump, onFailure, onSealed };
    return new Prover(ports, sealedBy);
  }

  /** True once the store failed. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The head as handed to the streams. */
  get head(): Head {
    return this.#head;
  }

  /** Brings what the store has committed to the streams. Resolves when everything known now is there. */
  pump(): Promise<void> {
    if (this.#pumping !== null) {
      this.#pumpAgain = true;
      return this.#pumping;
    }
    this.#pumping = this.#pump();
    return this.#pumping;
  }

  /** A client further behind than this many events is sent to the snapshot. */
  get #retained(): number {
    return this.options.retainedEvents ?? RETAINED_EVENTS;
  }

  /** Counts an answered request. */
  count(endpoint: string, status: number): void {
    const key = `{endpoint="${endpoint}",status="${status}"}`;
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
  }

  /** Where a stream that names `id` (an event id, or a bare seq) continues; null when it is neither. `whole`: however long ago. */
  async position(id: string, reach: 'recent' | 'whole' = 'recent'): Promise<Position | null> {
    const named = parseEventId(id)?.seq ?? Number(id);
    // A snapshot may be a commit ahead of what the streams were given.
    if (named > this.#head.seq) await this.pump();
    return positionAfter(id, this.#head, reach === 'recent' ? this.#retained : Infinity, this.store);
  }

  /** The snapshot in pieces, as `version` reads it. */
  snapshot(version: 1 | 2): Promise<readonly Uint8Array[]> {
    const { upstream } = this.options;
    return upstream === undefined
      ? this.#shelf.snapshot(version, this.#head.seq)
      : upstream.snapshot(version, this.#head);
  }

  /** Ends every stream and wait of a key that was just revoked. */
  dropKey(keyId: string): void {
    this.revokedKeys.add(keyId);
    for (const [name, poller] of this.pollers) if (poller.keyId === keyId) this.pollers.delete(name);
    this.hub.closeKey(keyId);
    this.feed.closeKey(keyId);
    this.waits.check();
  }

  /** Time passes: heartbeats, deadlines, what is kept of confirmations. Call it every 100 ms or so. */
  tick(): void {
    if (this.#broken) return;
    if (this.#pumpDue) void this.pump();
    this.hub.tick();
    this.feed.tick(this.waits.size > 0);
    this.waits.check();
    const now = this.clock.up();
    if (now - this.#keysAt >= KEYS_MS) {
      this.#keysAt = now;
      this.#dropRevokedKeys().catch(this.fail);
    }
    const news = this.store.shared && (this.roster.dirty || this.waits.size > 0);
    if (now - this.#keptAt < (news ? PRESENCE_MS : 1_000)) return;
    this.#keptAt = now;
    for (const [name, { at, via, passing = false }] of this.pollers) {
      if (now - at <= (passing || via !== undefined ? 3 * HEARTBEAT_MS : 60_000)) continue;
      this.pollers.delete(name);
      this.roster.gone(name);
      this.options.upstream?.heard(name, null);
    }
    this.regions.keep();
    this.#keepRoster().catch(this.fail);
    this.approvals.tick().catch(this.fail);
    this.expiry.tick(this.store.logs, this.options.logRetentionMs ?? null, this.clock);
  }

  /** Ends every stream and wait, asking clients to come back spread over `spreadMs`. Answers already owed are still given. */
  stop(spreadMs: number): void {
    this.stopping = true;
    this.#stopWake();
    this.waits.release();
    this.feed.closeAll();
    this.hub.closeAll(Buffer.from(frame('goodbye', null, JSON.stringify({ spread_ms: spreadMs }))));
  }

  readonly fail = (error: unknown): void => {
    if (this.#broken) return;
    // It will answer again: streams and reads stay, and nothing is proven meanwhile.
    if (error instanceof StoreTrouble) {
      this.storeTroubles++;
      return;
    }
    this.#broken = true;
    this.#stopWake();
    this.hub.cutAll();
    this.feed.closeAll();
    this.waits.release();
    this.options.onFatal?.(error);
    this.#reportFailure(error);
  };

  async #keepRoster(): Promise<void> {
    await this.roster.keep();
    await this.roster.readOthers();
    await this.store.nonces.prune(this.clock.wall());
  }

  /** Several servers may share a store: what another one revoked ends here, too, and what sealed it seals this one. */
  async #dropRevokedKeys(): Promise<void> {
    await this.prover.learnSeal();
    const keys = await this.store.keys.list();
    for (const { keyId, revokedAt } of keys)
      if (revokedAt !== null && !this.revokedKeys.has(keyId)) this.dropKey(keyId);
    await this.regions.learn(keys);
  }

  async #pump(): Promise<void> {
    this.#pumpDue = false;
    try {
      do {
        this.#pumpAgain = false;
        for (;;) {
          const records = await this.store.read(this.hub.head, PAGE_EVENTS);
          if (records.length === 0) break;
          const revoked = await revokedAmong(this.store, records);
          await this.roster.heed(records);
          this.hashes.push(records);
          const last = records[records.length - 1]!;
          this.#head = { logId: this.store.logId, term: last.term, seq: last.seq, hash: last.hash };
          this.hub.publish(records, revoked);
        }
      } while (this.#pumpAgain);
    } catch (error) {
      this.#pumpDue = true;
      this.fail(error);
    } finally {
      // In the same turn as the last look at `#pumpAgain`, or a wake in between would be lost.
      this.#pumping = null;
    }
  }
}
