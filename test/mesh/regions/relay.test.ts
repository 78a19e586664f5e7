/** What a following server passes on of home's proofs. */
import { expect, test } from 'vitest';
import { unsignedCheckpoint } from '../../../src/mesh/log/checkpoint.js';
import { RelayProver } from '../../../src/mesh/server/regions/relay.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import { check, LOG_ID, sign } from '../../kit/mesh/server.js';

const place = (term: number) => ({ logId: LOG_ID, term, seq: 0, hash: '0'.repeat(64) });

function signed(term: number): string {
  const body = unsignedCheckpoint(place(term), { time: '2026-02-18T14:23:45.000Z', upMs: 1, boot: 'home' }, null);
  return JSON.stringify({ ...body, signature: sign(canonicalize(body)) });
}

test('a later term that is proven while home is asked ends its proofs at once', async () => {
  const ended = Buffer.from(signed(2)).toString('base64url');
  const prover: RelayProver = new RelayProver(
    {
      ...{ home: 'https://home.test', heardAt: null, provenAgo: () => null, boot: null },
      prove: async () => {
        await prover.heardOfTerm(2, ended);
        return signed(1);
      },
      snapshot: () => Promise.reject(new Error('not asked')),
      forward: () => Promise.reject(new Error('not asked')),
      refresh: () => Promise.resolve(false),
      heard: () => undefined,
      heardOfTerm: () => undefined,
    },
    check,
    LOG_ID,
    1,
    () => place(1),
  );
  expect(await prover.checkpoint()).toBeNull();
  expect(prover.sealed).toBe(2);
});
