/** The data folder of a server that follows another one; and what it had written itself, where it was home before. */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../app/failure.js';
import type { SignatureCheck } from '../../../mesh/log/signing.js';
import { PAGE_EVENTS } from '../../../mesh/limits.js';
import { parseEvent } from '../../../mesh/log/event.js';
import { RelayProver } from '../../../mesh/server/regions/relay.js';
import { tailRow, type TailRow } from '../../../mesh/server/regions/feeding.js';
import { parseJsonText } from '../../../protocol/json/parse.js';
import { ensurePrivateFolder } from '../../files/secret/private-file.js';
import { Unreachable } from '../../http/mesh-client.js';
import { looksLikeKeyAddress } from '../../../protocol/identity/key-address.js';
import { FOLLOWS } from '../server/data-folder.js';
import { readMeshKey } from '../server/mesh-key-file.js';
import { SqliteMeshStore } from '../sqlite/store.js';
import { Copier, OtherHistory } from './copying.js';
import type { HomeLine } from './home-line.js';
import { homeDocument } from './answers.js';

/** The note that names a store whose events beyond the fork are still to be told to home. */
export const RETURNING = 'returning';
/** Events in one request to home. */
const TAIL_EVENTS = 50;
const TAIL_BYTES = 1024 * 1024;

/** What this server had written, and home does not tell. */
export interface Returned {
  /** The first event that differs. */
  readonly fork: number;
  /** Where the store that was there lies now. */
  readonly moved: string;
  /** Each event beyond the fork: `seq` is its place where it was given again, null where it is only listed. */
  readonly events: readonly TailRow[];
}

export interface RegionFolder {
  readonly store: SqliteMeshStore;
  readonly copier: Copier;
  /** True when everything that home has was copied just now. */
  readonly current: boolean;
  readonly returned: Returned | null;
  /** True where the private key of the mesh lies in the folder, which a follower has no use for. */
  readonly holdsKey: boolean;
  /** True where it lies there without a store: a home whose log is elsewhere, and what that holds beyond a fork is not told. */
  readonly lacksStore: boolean;
}

export interface RegionFolderOptions {
  readonly folder: string;
  readonly line: HomeLine;
  /** The mesh's public key, pinned. */
  readonly publicKey: string;
  readonly check: SignatureCheck;
  readonly randomHex: (bytes: number) => string;
  readonly now: () => number;
}

/**
 * Opens the folder and copies what home has. What was there stays the beginning of the copy, or is moved aside where home tells another
 * history under a greater term. @throws Failure NETWORK (a new folder, and home is away), STATE (another mesh, or a fork of the same term)
 */
export async function openRegionFolder(options: RegionFolderOptions): Promise<RegionFolder> {
  ensurePrivateFolder(options.folder);
  const path = join(options.folder, 'mesh.db');
  const keyFile = join(options.folder, 'mesh.key');
  const holdsKey = existsSync(keyFile) && !looksLikeKeyAddress(readMeshKey(keyFile));
  const lacksStore = existsSync(keyFile) && !existsSync(path);
  let store = await opened(path, options);
  try {
    let copier = new Copier(options.line, store, options.check, options.now);
    const other = await otherHistory(copier);
    if (other instanceof OtherHistory) {
      await requireLater(other, store, options);
      await store.close();
      const moved = aside(path, options.randomHex(4));
      store = await opened(path, options);
      await store.notes.put(RETURNING, JSON.stringify({ moved }));
      copier = new Copier(options.line, store, options.check, options.now);
    }
    const current = other === 'current' || (other !== 'away' && (await copier.catchUp()));
    const returned = current ? await told(store, options) : null;
    return { store, copier, current, returned, holdsKey, lacksStore };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function otherHistory(copier: Copier): Promise<OtherHistory | 'current' | 'away'> {
  try {
    return (await copier.catchUp()) ? 'current' : 'away';
  } catch (error) {
    if (error instanceof OtherHistory) return error;
    throw error;
  }
}

async function opened(
  path: string,
  { line, publicKey, check, randomHex }: RegionFolderOptions,
): Promise<SqliteMeshStore> {
  const exists = existsSync(path);
  const logId = exists ? '' : await logOf(line, check, randomHex);
  const store = new SqliteMeshStore(path, () => logId);
  try {
    const known = await store.meshKey();
    if (known === null) await store.setMeshKey(publicKey);
    else if (known !== publicKey)
      throw new Failure('STATE', `${path} is of another mesh: its log is signed with ${known}.`, {
        hint: 'follow into another folder: aip mesh serve --follow <url> --data <dir>',
      });
    await store.notes.put(FOLLOWS, line.home);
    line.store = store;
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The log that home signs. @throws Failure NETWORK */
async function logOf(line: HomeLine, check: SignatureCheck, randomHex: (bytes: number) => string): Promise<string> {
  const challenge = randomHex(16);
  const text = await line.prove(challenge);
  const logId = text === null ? null : (parseJsonText(text) as { readonly log_id?: unknown }).log_id;
  const prover = new RelayProver(line, check, typeof logId === 'string' ? logId : '', 0, () => ({
    ...{ logId: '', term: 0, seq: 0, hash: '' },
  }));
  const checkpoint = text === null ? null : prover.read(text);
  if (checkpoint !== null && checkpoint.challenge === challenge) return checkpoint.log_id;
  throw new Failure(
    'NETWORK',
    text === null
      ? `${line.home} gives no proof of its log: it is away, sealed, or does not take this key.`
      : `${line.home} signs with another key than the one that is pinned.`,
    { hint: `curl ${line.home}/healthz; the key has role region: aip mesh key create --role region --label <region>` },
  );
}

/** Another history is believed only under a greater term; one of the same term is a loss that somebody must look at. */
async function requireLater(error: OtherHistory, store: SqliteMeshStore, options: RegionFolderOptions): Promise<void> {
  const { home } = options.line;
  // Of its events: a term that was raised since, as a migration does, and under which nothing was written, makes no history of its own.
  const { term } = await store.head();
  if (error.reason !== 'other-log' && error.term !== null && error.term > term) return;
  if (error.reason !== 'other-log' && term > 1 && (error.term ?? 0) < term)
    throw new Failure('STATE', `${home} is behind: what is held here is of term ${term}. Nothing was changed here.`, {
      hint: 'the mesh has gone on elsewhere; follow that server: aip mesh serve --follow <url>',
    });
  throw new Failure('STATE', `FORK: ${error.message}, and not under a greater term. Nothing was changed.`, {
    hint: `compare aip mesh status at ${home}; where both were home, it first takes a greater term (aip help incident); to copy that log instead: aip mesh serve --follow <url> --data <another dir>`,
  });
}

function aside(path: string, unique: string): string {
  const moved = `${path}.before-${unique}`;
  for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) renameSync(path + end, moved + end);
  return moved;
}

/** Tells home what lies beyond the fork; null where there is nothing to tell. */
async function told(store: SqliteMeshStore, { line }: RegionFolderOptions): Promise<Returned | null> {
  const note = await store.notes.get(RETURNING);
  if (note === null || note === '') return null;
  const { moved } = parseJsonText(note) as { readonly moved: string };
  const before = new SqliteMeshStore(moved, () => '', { shared: true });
  try {
    const fork = await forkOf(before, store);
    const events: TailRow[] = [];
    for (let after = fork - 1; ;) {
      const page = await before.read(after, TAIL_EVENTS);
      if (page.length === 0) break;
      after = page[page.length - 1]!.seq;
      events.push(...(await tell(line, before, page)));
    }
    await store.notes.put(RETURNING, '');
    return { fork, moved, events };
  } finally {
    await before.close();
  }
}

async function tell(
  line: HomeLine,
  before: SqliteMeshStore,
  page: readonly { readonly text: string }[],
): Promise<readonly TailRow[]> {
  const parsed = page.map(({ text }) => parseEvent(text));
  const answers = new Map((await before.answers(parsed.map(({ cmd_id }) => cmd_id))).map((each) => [each.cmdId, each]));
  const rows = page.map(({ text }, i) => tailRow(text, answers.get(parsed[i]!.cmd_id)?.digest ?? null));
  const body = Buffer.from(`{"events":[${rows.join(',')}]}`);
  const call = {
    method: 'POST',
    target: '/v1/mesh/region/tail',
    body,
    timeoutMs: 30_000,
    maxBytes: TAIL_BYTES,
  } as const;
  try {
    const { status, body: text } = await line.http.ask(call);
    const taken = status === 200 ? homeDocument('RegionTailed', text) : null;
    if (taken !== null) return taken.events;
    throw new Failure('NETWORK', `${line.home} does not take the events beyond the fork (${status}).`, {
      hint: `curl ${line.home}/healthz, then start again: nothing is lost, ${parsed.length} events wait`,
    });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    throw new Failure('NETWORK', `${line.home} cannot be reached: ${error.message}.`, {
      hint: 'start again when it is back; the events beyond the fork are kept',
      retryable: true,
    });
  }
}

/** The first event at which the two logs differ. */
async function forkOf(before: SqliteMeshStore, now: SqliteMeshStore): Promise<number> {
  for (let after = 0; ;) {
    const [own, homes] = [await before.read(after, PAGE_EVENTS), await now.read(after, PAGE_EVENTS)];
    for (const [i, { seq, hash }] of own.entries()) if (homes[i]?.hash !== hash) return seq;
    if (own.length === 0) return after + 1;
    after = own[own.length - 1]!.seq;
  }
}
