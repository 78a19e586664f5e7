import { describe, expect, test } from 'vitest';
import { publicKeyOf } from '../../src/protocol/ed25519/sign.js';
import { verifyKeyOf, type VerifyKey } from '../../src/protocol/ed25519/verify.js';
import { deniedKeys, deniedNow } from '../../src/verify/believed-keys.js';
import type { StandingRecord } from '../../src/verify/context.js';

const NOW = 1_800_000_000_000;
const [ONE, OTHER] = [1, 2].map((byte) => verifyKeyOf(publicKeyOf(new Uint8Array(32).fill(byte)))!) as [
  VerifyKey,
  VerifyKey,
];
const ID = 'did:web:acme.com#key-1';
const OTHER_ID = 'did:web:acme.com#key-2';

const denied = (subject: string, more: Partial<StandingRecord> = {}): StandingRecord => ({
  ...{
    subject,
    status: 'revoked',
    reason: 'stolen',
    changedAt: NOW,
    changedBy: null,
    suspendedUntil: null,
    version: 1,
  },
  ...more,
});
const factsOf = (...records: StandingRecord[]) => ({
  standing: (subject: string) => records.find((each) => each.subject === subject) ?? null,
  standingNow: NOW,
});

describe('a signature with several keys that may have made it', () => {
  test.each<[string, readonly [string, VerifyKey][], VerifyKey, string, string | null]>([
    [
      'the denied key made',
      [
        [ID, ONE],
        [OTHER_ID, OTHER],
      ],
      ONE,
      ONE.text,
      ID,
    ],
    [
      'another key made than the denied one',
      [
        [ID, ONE],
        [OTHER_ID, OTHER],
      ],
      OTHER,
      ONE.text,
      null,
    ],
    [
      'a key made that only one of its ids denies',
      [
        [ID, ONE],
        [OTHER_ID, ONE],
      ],
      ONE,
      ID,
      null,
    ],
    [
      'a key made that the second of its ids denies',
      [
        [ID, ONE],
        [OTHER_ID, ONE],
      ],
      ONE,
      OTHER_ID,
      null,
    ],
    [
      'a key made that is denied under both of its ids',
      [
        [ID, ONE],
        [OTHER_ID, ONE],
      ],
      ONE,
      ONE.text,
      ID,
    ],
    [
      'no key made',
      [
        [ID, ONE],
        [OTHER_ID, ONE],
      ],
      OTHER,
      ONE.text,
      null,
    ],
  ])('%s', (_, keys, signer, subject, refused) => {
    const candidates = keys.map(([keyId, key]) => ({ keyId, key }));
    const believed = { role: 'agent' as const, candidates, holds: (key: VerifyKey) => key === signer };
    const found = deniedKeys(factsOf(denied(subject)), [believed], 'did:web:acme.com:agents:a');
    expect(found.map(({ details }) => details['key_id'])).toEqual(refused === null ? [] : [refused]);
  });
});

test.each([
  ['before it ends', { suspendedUntil: NOW + 1 }, true],
  ['at its end', { suspendedUntil: NOW }, false],
  ['that has no end', { suspendedUntil: null }, true],
])('a suspension %s', (_, more, denies) => {
  expect(deniedNow(factsOf(denied('a', { status: 'suspended', ...more })), 'a') !== null).toBe(denies);
});
