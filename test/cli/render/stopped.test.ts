import { expect, test } from 'vitest';
import type { Stopped } from '../../../src/app/mesh/stopped.js';
import { renderStopped } from '../../../src/cli/render/stopped.js';
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
