/** What a store keeps of verifiers, and how far that may be behind the truth. */
import type { MeshStore } from '../log/store.js';
import type { Standing } from '../standing.js';
import type { Member } from './member.js';

/** What is kept of those who listen is refreshed this often, so that other servers on the store see them, ms. */
export const REFRESH_MS = 10_000;

/** What a roster begins with. */
export interface KnownRoster {
  readonly members: readonly Member[];
  /** Of every key that was ever stopped. */
  readonly keys: readonly Standing[];
}

/** What a store knows of verifiers and keys. */
export async function knownRoster(store: Pick<MeshStore, 'members' | 'standings'>): Promise<KnownRoster> {
  return { members: await store.members.list(-1), keys: await keyStandings(store) };
}

async function keyStandings(store: Pick<MeshStore, 'standings'>): Promise<readonly Standing[]> {
  const found: Standing[] = [];
  for (let after: string | null = KEY_TEXTS; after !== null;) {
    const page: readonly Standing[] = await store.standings(after, PAGE);
    const keys = page.filter(({ subject }) => subject.startsWith(KEY_TEXTS));
    found.push(...keys);
    after = keys.length < PAGE ? null : keys.at(-1)!.subject;
  }
  return found;
}

/** How far behind the truth a store may be about when a verifier was seen, ms: it is refreshed so often, and written with a tick. */
const BEHIND_MS = REFRESH_MS + 1_500;

/**
 * A member as another process has kept it. It may have had a proof later than it was last written to have been seen, and refuses so much
 * later: what is said of it must not be earlier than what it does.
 */
export function asKept(member: Member, now: number): Member {
  if (member.leftAt !== null || member.seenAt >= now) return member;
  return { ...member, seenAt: Math.min(now, member.seenAt + BEHIND_MS) };
}

/** Sorts before every text of a key. */
const KEY_TEXTS = 'ed25519:';
const PAGE = 256;
