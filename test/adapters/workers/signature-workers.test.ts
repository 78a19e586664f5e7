import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startSignatureWorkers } from '../../../src/adapters/workers/signatures.js';
import type { SignatureQuestion } from '../../../src/app/ports/signatures.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { verifyKeyOf, verifySignature, type VerifyKey } from '../../../src/protocol/ed25519/verify.js';

const seeds = [1, 2, 3].map((n) => new Uint8Array(32).fill(n));
const keys: VerifyKey[] = seeds.map((seed) => verifyKeyOf(publicKeyOf(seed))!);
/** The group order, little-endian: S + L is a second spelling of S that OpenSSL refuses as well. */
const ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');

function questions(count: number): SignatureQuestion[] {
  return Array.from({ length: count }, (_, i) => {
    const message = randomBytes(i % 7 === 0 ? 0 : (i * 13) % 500);
    const signature = Uint8Array.from(signMessage(seeds[i % 3]!, message));
    const key = keys[i % 5 === 1 ? (i + 1) % 3 : i % 3]!;
    if (i % 5 === 2) signature[i % 64]! ^= 1;
    if (i % 5 === 3)
      for (let at = 32, carry = 0; at < 64; at++) {
        const sum = signature[at]! + ORDER[at - 32]! + carry;
        signature[at] = sum & 0xff;
        carry = sum >> 8;
      }
    if (i % 5 === 4) signature.fill(0, 0, 32);
    return { key, message, signature };
  });
}

async function started(count: number) {
  const workers = startSignatureWorkers(count);
  onTestFinished(() => workers.stop());
  await vi.waitFor(() => expect(workers.ready).toBe(true), { timeout: 20_000 });
  return workers;
}

describe('signature workers', () => {
  test.each([1, 2, 3])('%i of them say what verifySignature says, in order', async (count) => {
    const workers = await started(count);
    const asked = questions(101);
    const expected = asked.map(({ key, message, signature }) => verifySignature(key, message, signature));
    expect(expected.filter(Boolean)).toHaveLength(21);
    expect(await workers.check(asked)).toEqual(expected);
  });

  test('answer many batches at once, each its own', async () => {
    const workers = await started(2);
    const batches = [7, 0, 64, 1, 33].map(questions);
    const answers = await Promise.all(batches.map((batch) => workers.check(batch)));
    expect(answers).toEqual(
      batches.map((batch) => batch.map(({ key, message, signature }) => verifySignature(key, message, signature))),
    );
  });

  test('leave what they are asked as it was', async () => {
    const workers = await started(1);
    const asked = questions(5);
    const before = asked.map(({ message, signature }) => [Buffer.from(message), Buffer.from(signature)]);
    await workers.check(asked);
    expect(asked.map(({ message, signature }) => [Buffer.from(message), Buffer.from(signature)])).toEqual(before);
  });

  test('that were stopped answer nothing, and say yes to nothing', async () => {
    const workers = await started(2);
    const asked = questions(10);
    const answers = workers.check(asked);
    await workers.stop();
    expect((await answers).every((answer) => answer !== true)).toBe(true);
    expect(workers.ready).toBe(false);
    expect(await workers.check(asked)).toEqual(asked.map(() => null));
  });

  test('that are told rubbish end, and leave the question open', async () => {
    const workers = await started(1);
    const [asked] = questions(1);
    const broken = { ...asked!, key: { publicKey: new Uint8Array(5) } as VerifyKey };
    expect(await workers.check([broken])).toEqual([null]);
    expect(workers.ready).toBe(false);
  });
});
