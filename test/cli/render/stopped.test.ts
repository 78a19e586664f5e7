import { expect, test } from 'vitest';
import type { HeldStanding } from '../../../src/app/mesh/standing.js';
import type { Stopped } from '../../../src/app/mesh/stopped.js';
import { renderStopped } from '../../../src/cli/render/stopped.js';
import { standingLine } from '../../../src/cli/render/health.js';
import { renderStanding } from '../../../src/cli/render/standing.js';
import { standingViolations } from '../../../src/verify/checks/revocation.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';

const BOT = 'did:web:acme.com:agents:bot';
const one = (mesh: Stopped['mesh']): Stopped => ({
  ...{
    subject: BOT,
    scope: 'agent',
    key_ids: [],
    status: 'revoked',
    reason: 'leak',
    by: 'me',
    since: null,
    until: null,
  },
  ...{ mesh, here: 'revoked', repair: null },
});

test.each([
  [['revoked'], '1 stopped, says the mesh.'],
  [['revoked', 'active'], '1 stopped, says the mesh; 1 more on this machine alone.'],
  [['active', 'active'], '2 stopped on this machine alone.'],
] as const)('the sum says who says so: %s', (mesh, sum) => {
  const stopped = mesh.map(one);
  expect(renderStopped({ source: 'mesh', age_ms: 0, stopped }, true, plain).split('\n').at(-1)).toBe(sum);
});

test.each([
  [70_000, 'Nothing is stopped, says the mesh, by a server that was last proven current 1 min 10 s ago.'],
  [null, 'Nothing is stopped, says the mesh, by a server that it has left behind, or that nothing has proven current.'],
])('a server that is not up to date says so of the list: %s', (age_ms, said) => {
  expect(renderStopped({ source: 'mesh', age_ms, stopped: [] }, true, plain)).toBe(said);
});

test('the age of the copy is said in one way, by the refusal and by what reports it', () => {
  const freshness = { mesh: true, ageMs: 81_000, maxAgeMs: 60_000, onStale: 'deny' } as const;
  const [stale] = standingViolations({ standing: () => null, freshness, standingNow: 0 }, BOT, 'did:web:acme.com', []);
  const said = 'was proven current 1 min 21 s ago';
  expect(stale!.message).toBe(`The copy of the mesh on this machine ${said}; at most 1 min is allowed.`);
  expect(renderStopped({ source: 'this machine', age_ms: 81_000, stopped: [] }, true, plain)).toContain(said);
  const held: HeldStanding = {
    agent_id: BOT,
    status: 'active',
    denied_by: null,
    reason: null,
    revoked_by: null,
    changed_at: null,
    suspended_until: null,
    version: 0,
    source: 'this machine',
    age_ms: 81_000,
  };
  expect(renderStanding(held, plain)).toContain(said);
});

test('a suspension that is over is told as what was', () => {
  const held = {
    agent_id: BOT,
    status: 'active',
    denied_by: null,
    reason: 'looking into it',
    revoked_by: 'ops',
    changed_at: '2026-02-18T17:00:00Z',
    suspended_until: '2026-02-18T17:20:00Z',
    version: 1,
    source: 'mesh',
    age_ms: 0,
  } as const;
  const said = renderStanding(held, plain);
  expect(said.split('\n').map((line) => line.trim().replace(/ +/g, ' '))).toEqual([
    `ACTIVE ${BOT}`,
    'was suspended until 2026-02-18T17:20:00Z by ops: looking into it',
    'known from the mesh, now',
  ]);
  expect(standingLine(held)).toMatch(
    /^active; was suspended until 2026-02-18T17:20:00Z by ops: looking into it; known/,
  );
});
