/** What a mesh knew beyond a backup of it, to be given again or thought about after a restore. */
import type { ApiKeyRecord } from '../access/api-key.js';
import type { PassportMark, RegisteredKey } from '../passports.js';
import { statusAt, type Standing } from '../standing.js';
import type { MeshStore } from './store.js';

/** What happened to a mesh after it was backed up. */
export interface Beyond {
  /** The later standings of each subject. */
  readonly standings: readonly Standing[];
  /** The later passport of each agent; those without a serial were withdrawn. */
  readonly passports: readonly PassportMark[];
  /** API keys that were revoked, and are in force again. */
  readonly revokedKeys: readonly ApiKeyRecord[];
  /** API keys that were made, and are unknown after the restore. */
  readonly madeKeys: readonly ApiKeyRecord[];
  /** Principals' keys that were registered. */
  readonly added: readonly RegisteredKey[];
  /** Principals' keys that were taken off, and are registered again. */
  readonly removed: readonly RegisteredKey[];
}

/** What a store holds that is compared. */
export interface MeshHoldings {
  readonly term: number;
  /** The greater term under which the mesh has gone on elsewhere; null where it has not. */
  readonly sealedBy: number | null;
  readonly standings: readonly Standing[];
  readonly passports: readonly PassportMark[];
  readonly keys: readonly ApiKeyRecord[];
  readonly principals: readonly RegisteredKey[];
}

/** What a store holds now. */
export async function holdingsOf(store: MeshStore): Promise<MeshHoldings> {
  const { standings } = await store.snapshot();
  const [passports, keys, principals] = [store.passports.marks(), store.keys.list(), store.principals.list(null)];
  return {
    term: store.term,
    sealedBy: await store.sealedBy(),
    standings,
    passports: await passports,
    keys: await keys,
    principals: await principals,
  };
}

/** What the store `before` a restore held that the one `now` does not; nothing is known of it where there was none. */
export function beyondOf(before: MeshHoldings | null, now: MeshHoldings): Beyond {
  if (before === null) return { standings: [], passports: [], revokedKeys: [], madeKeys: [], added: [], removed: [] };
  const seqs = new Map<string, number>(now.standings.map(({ subject, seq }) => [subject, seq]));
  const marks = new Map<string, number>(now.passports.map(({ agent, seq }) => [agent, seq]));
  const keys = new Map(now.keys.map((key) => [key.keyId, key]));
  const [then, since] = [before, now].map(({ principals }) => new Set(principals.map(nameOf)));
  return {
    standings: before.standings.filter(({ subject, seq }) => seq > (seqs.get(subject) ?? 0)),
    passports: before.passports.filter(({ agent, seq }) => seq > (marks.get(agent) ?? 0)),
    revokedKeys: before.keys.filter(
      ({ keyId, revokedAt }) => revokedAt !== null && keys.get(keyId)?.revokedAt === null,
    ),
    madeKeys: before.keys.filter(({ keyId, revokedAt }) => revokedAt === null && !keys.has(keyId)),
    added: before.principals.filter((one) => !since!.has(nameOf(one))),
    removed: now.principals.filter((one) => !then!.has(nameOf(one))),
  };
}

/** Denies first: what must be given again comes before what only may be. */
export function byUrgency(standings: readonly Standing[], now: number): readonly Standing[] {
  const rank = (standing: Standing): number => (statusAt(standing, now) === 'active' ? 1 : 0);
  return [...standings].sort((a, b) => rank(a) - rank(b) || a.seq - b.seq);
}

function nameOf({ did, publicKey }: RegisteredKey): string {
  return `${did} ${publicKey}`;
}
