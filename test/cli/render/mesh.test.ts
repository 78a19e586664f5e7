import { expect, test } from 'vitest';
import { renderEvent } from '../../../src/cli/render/mesh.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import type { MeshEvent } from '../../../src/mesh/log/event.js';

const event = (change: Partial<MeshEvent>) =>
  ({
    seq: 7,
    time: '2026-02-18T14:23:45.000Z',
    type: 'revocation',
    agent_id: 'did:web:acme.com:agents:bot',
    reason: 'leak',
    revoked_by: 'ops',
    suspended_until: null,
    ...change,
  }) as MeshEvent;

test('whatever happened, the agent stands in one column, and the line fits', () => {
  const events = [
    event({}),
    event({ type: 'suspension', suspended_until: '2026-02-18T15:00:00.000Z' }),
    event({ type: 'reinstatement' }),
    event({ type: 'passport', serial: 3, passport_hash: `sha256:${'a'.repeat(64)}` }),
  ];
  for (const width of [60, 80, 120]) {
    const lines = events.map((each) => renderEvent(each, { paint: plain, width }));
    expect(new Set(lines.map((line) => line.indexOf('bot@acme.com'))).size).toBe(1);
    expect(lines.filter((line) => line.length > width || !line.includes('bot@acme.com'))).toEqual([]);
  }
});
