/** More verifiers are absent than the mesh names: counts are of all of them. */
import { expect, test } from 'vitest';
import { giveOrder } from '../../../src/app/mesh/orders.js';
import { meshOverview } from '../../../src/app/mesh/overview.js';
import type { MeshEndpoint } from '../../../src/app/ports/mesh.js';
import { renderCopy, renderOverview } from '../../../src/cli/render/mesh.js';
import { renderReach } from '../../../src/cli/render/standing.js';
import { check, settle, TestMesh } from '../../kit/mesh/server.js';
import { marked } from './decision-sample.js';

const MANY = 150;

/** A mesh with one verifier that listens, one stream that names nobody, and many that are gone. */
async function fleet(): Promise<MeshEndpoint> {
  const mesh = await TestMesh.start();
  for (let n = 0; n < MANY; n++) {
    const gone = await mesh.stream(`/v1/mesh/stream?verifier=gone-${n}`);
    await settle();
    gone.connection!.closed();
  }
  await mesh.stream('/v1/mesh/stream?verifier=here');
  await mesh.stream('/v1/mesh/stream');
  return {
    url: 'http://mesh.test',
    ask: async ({ method, target, body, headers }) => {
      const text = body === undefined ? undefined : Buffer.from(body).toString();
      const answer = await mesh.ask(method, target, 'admin', text, headers);
      return { kind: 'answered', status: answer.status, body: answer.body };
    },
  };
}

test('an order and the overview count those that are absent and not named', async () => {
  const line = await fleet();
  const seen = await meshOverview(line, check);
  expect(seen.absent.length).toBeLessThan(MANY);
  const overview = renderOverview(seen, { seq: null, ageMs: null, provenAt: null }, marked, 100);
  expect(overview).toContain(`2; 1 of ${MANY + 1} on the roster`);
  expect(overview).toContain(`and ${MANY - seen.absent.length} more absent`);

  const given = await giveOrder(
    { lines: [line], clock: Date.now, random: (n) => new Uint8Array(n), signer: null, waitMs: 0 },
    { action: 'revoke', subject: 'did:web:acme.com:agents:bot', reason: 'r', by: null, durationMs: null },
  );
  const reach = renderReach(given, marked);
  expect(reach).toContain('; 1 more listens and does not report');
  expect(reach).toContain(`; and ${MANY - 5} more`);
});

test('a copy that was proven at a time which the clock has not reached is not called one that never was', () => {
  const provenAt = Date.parse('2026-02-18T14:23:45Z');
  expect(renderCopy({ seq: 7, ageMs: null, provenAt })).toBe(
    "at event 7, proven current at 2026-02-18T14:23:45.000Z, which this machine's clock has not reached",
  );
  expect(renderCopy({ seq: 7, ageMs: null, provenAt: null })).toBe('at event 7, not proven current');
});
