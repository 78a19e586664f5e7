/** The line of a following server to its home: proofs, snapshots, and requests that are home's to answer. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JsonError } from '../../../protocol/json/parse.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { Head } from '../../../mesh/log/head.js';
import { HEARTBEAT_MS, MAX_HOME_ANSWER_BYTES, MAX_POLL_WAIT_MS } from '../../../mesh/limits.js';
import { waitOf } from '../../../mesh/server/http/body.js';
import type { SignatureCheck } from '../../../mesh/log/signing.js';
import { snapshotHead } from '../../../mesh/log/snapshot.js';
import type { MeshStore } from '../../../mesh/log/store.js';
import { Refused } from '../../../mesh/refusal.js';
import type { Request, WholeReply } from '../../../mesh/server/http/exchange.js';
import type { FollowedHome } from '../../../mesh/server/regions/relay.js';
import { replacePrivate } from '../../files/secret/private-file.js';
import { MeshHttp, Unreachable, type MeshHttpOptions, type MeshHttpReply } from '../../http/mesh-client.js';
import { homeDocument } from './answers.js';

/** A proof is of use while somebody waits for it. */
const PROOF_MS = 1_000;
const TABLES_MS = 3_000;
/** An unknown key costs one question to home in this time, ms. */
const REFRESH_MS = 500;
/** How long home may take beyond what the request itself asks it to wait, ms: less than clients give, so that they hear why. */
const FORWARD_MS = 4_000;
/** Home that was silent for this long is asked whether it is there before a command is sent into the dark, ms. */
const SILENT_MS = 3 * HEARTBEAT_MS;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_SNAPSHOT_BYTES = 1024 * 1024 * 1024;
/** The snapshot that is kept may be this many events behind before another is fetched. */
const SNAPSHOT_EVENTS = 10_000;
/** The note that holds home's roster, as home told it: among the members of this store they would count as missed here. */
export const HOME_ROSTER = 'home_roster';
/** What tells home who asks, and what it carries the signature of. */
const PASSED_ON = [
  ...['authorization', 'content-type', 'content-digest', 'signature', 'signature-input'],
  ...['aip-verifier', 'aip-applied', 'aip-proof'],
];

/** How a region reaches home. */
export interface HomeLineOptions extends MeshHttpOptions {
  readonly url: string;
  /** API key of role region. */
  readonly key: string;
  /** Whether a signature is the mesh's. */
  readonly check: SignatureCheck;
  /** Folder in which the last snapshot is kept. */
  readonly folder: string;
  readonly randomHex: (bytes: number) => string;
  /** ms since the epoch. */
  readonly now: () => number;
}

export class HomeLine implements FollowedHome {
  readonly home: string;
  readonly http: MeshHttp;
  readonly #options: HomeLineOptions;
  /** Set once the store is open. */
  store: MeshStore | null = null;
  heardAt: number | null = null;
  boot: string | null = null;
  /** Proof of a term that home may not know, for the next question. */
  proof: string | null = null;
  onWord: FollowedHome['heard'] = () => undefined;
  #proven: { readonly wall: number; readonly mono: number } | null = null;
  #refreshing: Promise<boolean> | null = null;
  #refreshedAt = -Infinity;
  #fetching: Promise<unknown> = Promise.resolve();
  #snapshot: { readonly seq: number; readonly pieces: readonly Uint8Array[] } | null = null;

  constructor(options: HomeLineOptions) {
    this.#options = options;
    this.home = options.url;
    this.http = new MeshHttp(options.url, options.key, options);
  }

  /** Home has signed its head now. */
  hasProven(): void {
    this.#proven = { wall: this.#options.now(), mono: performance.now() };
  }

  /** By the clock that says more: one can be set back, and the other stands still while the machine sleeps. */
  provenAgo(): number | null {
    if (this.#proven === null) return null;
    const { wall, mono } = this.#proven;
    return Math.round(Math.max(this.#options.now() - wall, performance.now() - mono));
  }

  async prove(challenge: string | null): Promise<string | null> {
    const query = challenge === null ? '' : `?challenge=${challenge}`;
    const answer = await this.#ask(`/v1/mesh/region/proof${query}`, PROOF_MS);
    const proof = answer?.status === 200 ? homeDocument('RegionProof', answer.body) : null;
    return proof === null || proof.checkpoint === null ? null : JSON.stringify(proof.checkpoint);
  }

  async snapshot(version: 1 | 2, head: Head): Promise<readonly Uint8Array[]> {
    if (version === 2) this.#snapshot ??= this.#kept();
    if (version === 2 && this.#snapshot !== null && head.seq - this.#snapshot.seq < SNAPSHOT_EVENTS)
      return this.#snapshot.pieces;
    const answer = await this.#ask(`/v1/mesh/snapshot?v=${version}`, 600_000, MAX_SNAPSHOT_BYTES);
    const seq = answer?.status === 200 ? this.#genuine(answer.body) : null;
    if (answer === null || seq === null) {
      // An older one is whole as well: what came since follows as events.
      if (version === 2 && this.#snapshot !== null) return this.#snapshot.pieces;
      throw new Refused('HOME_UNREACHABLE', `No snapshot is held here, and ${this.home} gives none now.`);
    }
    const pieces = [Buffer.from(answer.body)];
    if (version === 2) {
      this.#snapshot = { seq, pieces };
      replacePrivate(this.#path, answer.body, this.#options.randomHex(6));
    }
    return pieces;
  }

  async forward(request: Request): Promise<WholeReply> {
    const { method, path, query, body } = request;
    const headers: Record<string, string> = {};
    for (const name of PASSED_ON) if (request.headers[name] !== undefined) headers[name] = request.headers[name];
    const asked = query.size === 0 ? path : `${path}?${query.toString()}`;
    const change = method !== 'GET';
    const silent = this.heardAt === null || this.#options.now() - this.heardAt > SILENT_MS;
    if (silent && (await this.prove(null)) === null) throw this.#unreachable();
    try {
      const { status, body: text } = await this.http.ask({
        method: method as 'GET' | 'POST' | 'DELETE',
        target: asked,
        headers,
        ...(body.length === 0 ? {} : { body }),
        ...{ timeoutMs: waitOf(request, 0, MAX_POLL_WAIT_MS) + FORWARD_MS, maxBytes: MAX_BYTES },
      });
      return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: text };
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      if (change && error.sent)
        throw new Refused('IN_DOUBT', `Whether ${this.home} took it is unknown: give it again under the same cmd_id.`);
      throw this.#unreachable();
    }
  }

  #unreachable(): Refused {
    return new Refused('HOME_UNREACHABLE', `This server follows ${this.home}, which cannot be reached.`);
  }

  refresh(): Promise<boolean> {
    if (this.#refreshing !== null) return this.#refreshing;
    if (performance.now() - this.#refreshedAt < REFRESH_MS) return Promise.resolve(false);
    this.#refreshedAt = performance.now();
    this.#refreshing = this.fetchTables().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Takes home's keys and principals over; false where home does not give them. One answer after the other: an older one must not be the last. */
  fetchTables(): Promise<boolean> {
    const fetched = this.#fetching.then(() => this.#fetchTables());
    this.#fetching = fetched.catch(() => undefined);
    return fetched;
  }

  async #fetchTables(): Promise<boolean> {
    const answer = await this.#ask('/v1/mesh/region/tables', TABLES_MS, MAX_BYTES);
    const { store } = this;
    const tables = answer?.status === 200 ? homeDocument('RegionTables', answer.body) : null;
    if (tables === null || store === null) return false;
    const { keys, principals } = tables;
    const known = new Map((await store.keys.list()).map((key) => [key.keyId, JSON.stringify(key)]));
    for (const key of keys) if (known.get(key.keyId) !== JSON.stringify(key)) await store.keys.put(key);
    const names = new Set(principals.map(({ did, publicKey }) => `${did} ${publicKey}`));
    for (const { did, publicKey } of await store.principals.list(null))
      if (!names.has(`${did} ${publicKey}`)) await store.principals.remove(did, publicKey);
    for (const principal of principals) await store.principals.add(principal);
    return true;
  }

  /** Keeps what home tells of its roster; false where home does not give it. */
  async fetchRoster(): Promise<boolean> {
    const answer = await this.#ask('/v1/mesh/region/roster', TABLES_MS, MAX_HOME_ANSWER_BYTES);
    const told = answer?.status === 200 ? homeDocument('RegionRoster', answer.body) : null;
    if (told === null || this.store === null) return false;
    await this.store.notes.put(HOME_ROSTER, JSON.stringify(told.members));
    return true;
  }

  heard(...word: Parameters<FollowedHome['heard']>): void {
    this.onWord(...word);
  }

  heardOfTerm(proof: string): void {
    this.proof = proof;
  }

  close(): void {
    this.http.close();
  }

  async #ask(target: string, timeoutMs: number, maxBytes = MAX_BYTES): Promise<MeshHttpReply | null> {
    try {
      return await this.http.ask({ method: 'GET', target, timeoutMs, maxBytes });
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return null;
    }
  }

  get #path(): string {
    return join(this.#options.folder, 'snapshot.ndjson');
  }

  #kept(): { readonly seq: number; readonly pieces: readonly Uint8Array[] } | null {
    if (!existsSync(this.#path)) return null;
    const bytes = readFileSync(this.#path);
    const seq = this.#genuine(bytes.toString('utf8'));
    return seq === null ? null : { seq, pieces: [bytes] };
  }

  #genuine(text: string): number | null {
    try {
      const { logId, seq } = snapshotHead(text, this.#options.check);
      return logId === this.store?.logId ? seq : null;
    } catch (error) {
      if (error instanceof ShapeError || error instanceof JsonError) return null;
      throw error;
    }
  }
}
