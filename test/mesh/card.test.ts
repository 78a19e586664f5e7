/** What a verifier says of itself, as the mesh reads it. */
import { expect, test } from 'vitest';
import { publicKeyOf, signMessage } from '../../src/protocol/ed25519/sign.js';
import { toHex } from '../../src/protocol/hex.js';
import { formatPublicKey } from '../../src/protocol/identity/keys.js';
import type { Json } from '../../src/protocol/json/values.js';
import { labelUnder, readCard, writeCard } from '../../src/mesh/roster/member.js';
import { verifyOperator } from '../kit/mesh/server.js';

const SEED = new Uint8Array(32).fill(5);
const KEY = {
  publicKey: formatPublicKey(publicKeyOf(SEED)),
  sign: (text: string) => toHex(signMessage(SEED, Buffer.from(text))),
};
const YEAR_MS = 366 * 24 * 3_600_000;
const SOUND = { keyId: 'k1', label: 'eu-1', host: 'eu', program: '1.0.0', onStale: 'deny', maxAgeMs: 30_000 } as const;

/** Each is signed as it stands, so that it is its content that is judged. */
const read = (more: object): unknown =>
  readCard(writeCard(KEY, { ...SOUND, ...more }) as unknown as Json, verifyOperator);

test.each([
  {},
  { label: null },
  { maxAgeMs: 0 },
  { maxAgeMs: YEAR_MS },
  { onStale: 'last-known' },
  { host: 'a'.repeat(64) },
  { keyId: 'k'.repeat(64) },
])('a card with %o is taken', (more) => {
  expect(read(more)).toMatchObject({ public_key: KEY.publicKey });
});

test.each([
  { maxAgeMs: YEAR_MS + 1 },
  { maxAgeMs: -1 },
  { maxAgeMs: 0.5 },
  { onStale: 'allow' },
  { program: '' },
  { program: 'a b' },
  { label: 'a\u202eb' },
  { host: '' },
  { host: 'a'.repeat(65) },
  { keyId: 'k'.repeat(65) },
])('a card with %o is not', (more) => {
  expect(() => read(more)).toThrow(/^"/);
});

test.each([
  ['verifier', 'eu', 1, 'eu'],
  ['verifier', 'eu', null, 'eu/host'],
  ['verifier', 'eu', 2, 'eu/host'],
  ['verifier', null, 1, 'host'],
  ['operator', 'eu', 1, 'host'],
] as const)(
  'under a key of a %s labelled %s for %s verifiers, one without a label is %s',
  (role, label, maxVerifiers, called) => {
    expect(labelUnder({ role, label, maxVerifiers } as Parameters<typeof labelUnder>[0], 'host')).toBe(called);
  },
);
