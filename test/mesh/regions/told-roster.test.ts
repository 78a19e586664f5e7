/** Home's roster in the hands of a region: what it may conclude from it, and what of a home that tells none. */
import { expect, test } from 'vitest';
import { readLogPage } from '../../../src/mesh/regions/documents.js';
import { promotedMembers, rosterDigest, toldMembers } from '../../../src/mesh/regions/told-roster.js';
import type { Member } from '../../../src/mesh/roster/member.js';

const MEMBER: Member = {
  ...{ verifier: `ed25519:${'1'.repeat(64)}`, label: 'us-1', keyId: 'k1', program: '1.0.0' },
  ...{ onStale: 'deny', maxAgeMs: 30_000, seq: 9, applied: '{}', ephemeral: false },
  ...{ firstSeenAt: 1_000, seenAt: 5_000, leftAt: null },
};

test('what home tells has no signed words, and its digest changes with who is there and what each does', () => {
  expect(toldMembers([MEMBER])[0]).not.toHaveProperty('applied');
  const digest = rosterDigest([MEMBER]);
  expect(rosterDigest([{ ...MEMBER, seq: 10, seenAt: 6_000, applied: null }])).toBe(digest);
  for (const changed of [{ onStale: 'last-known' }, { maxAgeMs: 1 }, { label: 'x' }, { keyId: 'k2' }] as const)
    expect(rosterDigest([{ ...MEMBER, ...changed }])).not.toBe(digest);
  expect(rosterDigest([])).not.toBe(digest);
});

test('an event beyond the fork counts as applied by nobody, and nobody refuses earlier than an age limit after the promotion', () => {
  const at = { head: 7, now: 90_000 };
  const told = toldMembers([MEMBER]);
  expect(promotedMembers(told, [], at)).toEqual([{ ...MEMBER, seq: 7, seenAt: 90_000, applied: null }]);
  // What was seen here later says more of it; that it left since is not known to home.
  const here: Member = { ...MEMBER, onStale: 'last-known', seq: 6, seenAt: 6_000, leftAt: 6_000 };
  expect(promotedMembers(told, [here], at)).toEqual([{ ...here, seenAt: 90_000, leftAt: null }]);
  expect(promotedMembers(told, [{ ...here, seenAt: 4_000 }], at)).toMatchObject([{ onStale: 'deny', seq: 7 }]);
  expect(promotedMembers([], [here], at)).toEqual([]);
});

test('a page of a home that tells of no roster says that nothing is known of it', () => {
  const page = { events: [], answers: [], documents: {}, checkpoint: null, reset: null, tables: '0'.repeat(64) };
  expect(readLogPage(JSON.stringify(page)).roster).toBeNull();
  expect(readLogPage(JSON.stringify({ ...page, roster: '1'.repeat(64) })).roster).toBe('1'.repeat(64));
});
