/** How many verifiers an API key has room for, and when one that is ephemeral ends. */
import type { ApiKeyRecord } from '../access/api-key.js';
import { Refused } from '../refusal.js';
import type { Member } from './member.js';

/** One whose key is ephemeral ends when it was not seen for this long, ms. */
const EPHEMERAL_MS = 600_000;

/** True for one that ends because it was not seen. `now`: ms since the epoch. */
export function isOver({ ephemeral, seenAt }: Member, now: number): boolean {
  return ephemeral && now - seenAt > EPHEMERAL_MS;
}

/** @throws Refused TOO_MANY_VERIFIERS where as many others listen under `key` as it is for */
export function requireRoom(members: Iterable<Member>, key: ApiKeyRecord, verifier: string, now: number): void {
  const max = key.maxVerifiers ?? null;
  if (max === null) return;
  const others = [...members].filter(
    (one) => one.keyId === key.keyId && one.verifier !== verifier && one.leftAt === null && !isOver(one, now),
  );
  if (others.length < max) return;
  const names = others.slice(0, 3).map(({ label }) => label);
  throw new Refused(
    'TOO_MANY_VERIFIERS',
    `This API key is for ${max === 1 ? 'one verifier' : `${max} verifiers`}, and ${names.join(', ')} ${others.length === 1 ? 'listens' : 'listen'} under it. Make a key for this one (aip mesh key create --role verifier), or take the other off: aip mesh forget <verifier>.`,
    { key_id: key.keyId, max_verifiers: max },
  );
}
