/** A mesh from one store into another: the same log, byte for byte, under a greater term, and both ends compared. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../app/failure.js';
import { PAGE_EVENTS } from '../../mesh/limits.js';
import { parseEvent } from '../../mesh/log/event.js';
import type { MeshStore } from '../../mesh/log/store.js';
import { adoption, type Copied } from '../../mesh/regions/adoption.js';
import { HOME_HEARD } from './region/copying.js';
import { HOME_ROSTER } from './region/home-line.js';
import { RETURNING } from './region/region-folder.js';
import { FOLLOWS } from './server/data-folder.js';
import { SqliteMeshStore } from './sqlite/store.js';
import { sha256Hex } from '../../protocol/hash.js';

/** The store of a folder; made there under `newLogId`, or not made where that is null. @throws Failure NOT_FOUND, STATE */
export function folderStoreOf(folder: string, newLogId: string | null): MeshStore {
  const path = join(folder, 'mesh.db');
  if (newLogId === null && !existsSync(path))
    throw new Failure('NOT_FOUND', `There is no mesh in ${folder}.`, { hint: '--from <dir>: the folder of --data' });
  return new SqliteMeshStore(path, () => newLogId ?? '');
}

/** What a store holds, by what two ends are compared. */
export interface StoreDigest {
  readonly log_id: string;
  readonly events: number;
  /** Hash of the last event, which covers everything before. */
  readonly head: string;
  /** SHA-256 over the texts of all events. */
  readonly log: string;
  readonly standings: string;
  readonly keys: string;
  readonly principals: string;
  readonly passports: string;
}

/** Reads a store from one end to the other. */
async function storeDigest(store: MeshStore): Promise<StoreDigest> {
  const { logId, seq, hash } = await store.head();
  const log = createHash('sha256');
  for (let after = 0; after < seq;) {
    const page = await store.read(after, PAGE_EVENTS);
    if (page.length === 0) throw new Failure('STATE', `The log lacks event ${after + 1}.`);
    for (const { text } of page) log.update(`${text}\n`);
    after = page[page.length - 1]!.seq;
  }
  const standings = createHash('sha256');
  for (let after: string | null = null; ;) {
    const page = await store.standings(after, PAGE_EVENTS);
    if (page.length === 0) break;
    for (const { subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq: last } of page)
      standings.update(
        `${JSON.stringify([subject, status, reason, changedAt, changedBy, suspendedUntil, version, last])}\n`,
      );
    after = page[page.length - 1]!.subject;
  }
  const keys = (await store.keys.list()).map(({ keyId, role, hash: of, label, publicKey, createdAt, revokedAt }) =>
    JSON.stringify([keyId, role, of, label, publicKey, createdAt, revokedAt]),
  );
  const principals = (await store.principals.list(null)).map(({ did, publicKey }) => JSON.stringify([did, publicKey]));
  const passports = (await store.passports.marks()).map(({ agent, serial, hash: of }) =>
    JSON.stringify([agent, serial, of]),
  );
  const over = (lines: readonly string[]): string => sha256Hex([...lines].sort().join('\n'));
  return {
    log_id: logId,
    events: seq,
    head: hash,
    log: log.digest('hex'),
    standings: standings.digest('hex'),
    keys: over(keys),
    principals: over(principals),
    passports: over(passports),
  };
}

/** What a folder says of itself alone. */
const OWN_NOTES: readonly string[] = [FOLLOWS, HOME_HEARD, HOME_ROSTER, RETURNING];

export interface MeshMigration {
  readonly digest: StoreDigest;
  readonly term: number;
}

/**
 * Copies everything but shipped logs into a store that holds nothing yet, seals what was copied, and compares both. A copy that was broken
 * off goes on where it ended. @throws Failure STATE
 */
export async function migrateStore(from: MeshStore, to: MeshStore): Promise<MeshMigration> {
  const home = await from.notes.get(FOLLOWS);
  if (home !== null && home !== '')
    throw new Failure('STATE', `What is to be copied is itself a copy of the mesh that ${home} serves.`, {
      hint: 'migrate home, or promote this copy first: aip mesh promote',
    });
  const [source, target] = [await from.head(), await to.head()];
  const [held] = target.seq === 0 ? [] : await from.read(target.seq - 1, 1);
  if (to.logId !== from.logId || (target.seq > 0 && held?.hash !== target.hash))
    throw new Failure('STATE', 'The target holds another mesh. Nothing was changed.', {
      hint: 'name an empty database, or an empty folder',
    });
  const sealedBy = await from.sealedBy();
  const term = Math.max(from.term, source.term, sealedBy ?? 0, to.term) + 1;
  // From now on no server writes there what would be missing here.
  await from.seal(term);
  const publicKey = await from.meshKey();
  if (publicKey !== null) await to.setMeshKey(publicKey);
  const last = (await from.head()).seq;
  for (let after = target.seq; after < last;) {
    const records = await from.read(after, PAGE_EVENTS);
    const events = records.map(({ text }) => parseEvent(text));
    const answers = new Map((await from.answers(events.map(({ cmd_id }) => cmd_id))).map((each) => [each.cmdId, each]));
    const copied: Copied[] = [];
    for (const [i, event] of events.entries()) {
      const document = event.passport_hash == null ? null : await from.passports.document(event.passport_hash);
      copied.push({ event, text: records[i]!.text, answer: answers.get(event.cmd_id) ?? null, document });
    }
    const { batch, judge } = adoption(copied);
    const outcomes = await to.append(batch, judge);
    if (outcomes.some((outcome) => outcome.kind !== 'done' || outcome.repeated))
      throw new Failure('STATE', 'The target knows a command already, and its event is not there.');
    after = records[records.length - 1]!.seq;
  }
  for (const key of await from.keys.list()) await to.keys.put(key);
  for (const principal of await from.principals.list(null)) await to.principals.add(principal);
  await to.members.put(await from.members.list(-1));
  const rest = await from.rest();
  await to.putRest({ ...rest, notes: rest.notes.filter(([name]) => !OWN_NOTES.includes(name)) });
  await to.raiseTerm(term);
  const [ours, theirs] = [await storeDigest(from), await storeDigest(to)];
  for (const name of Object.keys(ours) as (keyof StoreDigest)[])
    if (ours[name] !== theirs[name])
      throw new Failure('STATE', `The two ends differ in ${name}: ${ours[name]} and ${theirs[name]}.`, {
        hint: 'the source is as it was, and sealed; empty the target and give the command again',
      });
  return { digest: theirs, term };
}
