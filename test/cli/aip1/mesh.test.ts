/** The reference's mesh client, as far as its requests and its reading go, against `aip mesh serve`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { Decision } from '../../../src/verify/decision.js';
import { AGENT, KEYS, signed, text } from '../../kit/conformance/parts.js';
import { Home } from '../../kit/mesh/homes.js';
import { python, pythonScript } from '../../kit/python/package.js';

type Answer = Record<string, unknown>;
type Said = { live?: true; answers?: Record<string, Answer>; events?: Answer[] };
const OTHER = 'did:web:acme.com:agents:other';

test.skipIf(python === undefined)('Python and aip stop agents for each other', async () => {
  const admin = new Home();
  const { url, running } = await admin.serve();
  const verifier = new Home();
  await verifier.join(admin);
  const following = await verifier.follow();
  const { key } = await admin.json<{ key: string }>('mesh', 'key', 'create', '--role', 'admin');
  // Who reinstates must be admin. Revoked, suspended, reinstated by Python; revoked by aip.
  const child = spawn(python!, [pythonScript('mesh.py'), url, '4'], {
    env: { PATH: process.env.PATH ?? '', AIP_MESH_KEY: key },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: Said = {};
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    Object.assign(said, JSON.parse(line) as Said);
    if (said.answers === undefined || said.events !== undefined) continue;
    expect((await admin.run(['revoke', OTHER, '--unseen', '--reason', 'for good', '--yes'])).code).toBe(0);
  }
  expect((await ended)[0]).toBe(0);

  const answers = said.answers!;
  const standing = { status: 'active', reason: null, revoked_at: null, suspended_until: null };
  expect(answers).toMatchObject({
    register: { http: 200 },
    before: { http: 200, ...standing, agent_id: AGENT },
    revoke: { http: 200, agent_id: AGENT, reason: 'key leaked 🔥' },
    revoked: { http: 200, agent_id: AGENT, status: 'revoked', reason: 'key leaked 🔥', suspended_until: null },
    suspend: { http: 200, agent_id: OTHER, reason: 'odd' },
    suspended: { http: 200, agent_id: OTHER, status: 'suspended', reason: 'odd' },
    reinstate: { http: 200, agent_id: OTHER },
    reinstated: { http: 200, agent_id: OTHER, status: 'active' },
    usage: { http: 200 },
    'without a key': { http: 401 },
    'with another key': { http: 401 },
  });
  expect(answers['without an agent']!.http).toBe(400);
  for (const name of ['revoke', 'suspend', 'reinstate'])
    expect(Object.keys(answers[name]!)).toEqual(
      expect.arrayContaining(['id', 'agent_id', 'action', 'reason', 'propagated_to', 'propagation_ms', 'timestamp']),
    );
  expect(said.events!.map(({ type, agent_id }) => [type, agent_id])).toEqual([
    ['revocation', AGENT],
    ['suspension', OTHER],
    ['reinstatement', OTHER],
    ['revocation', OTHER],
  ]);
  for (const event of said.events!)
    expect(Object.keys(event).sort()).toEqual(
      ['agent_id', 'id', 'reason', 'revoked_by', 'scope', 'suspended_until', 'timestamp', 'type'].sort(),
    );

  // What Python revoked is refused by a machine that only listens, in the words of the envelope's dialect.
  const issued = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const file = verifier.file('e.json', text(signed('stopped', { issued_at: issued })));
  const { code, out } = await verifier.run([
    'intent',
    'verify',
    file,
    '--public-key',
    `ed25519:${KEYS.agent}`,
    '--json',
  ]);
  const { error_code, dialect } = JSON.parse(out) as Decision;
  expect([code, error_code, dialect]).toEqual([13, 'AIP-E400', 'aip-1']);
  for (const each of [following, running]) {
    each.child.kill('SIGTERM');
    await each.ended;
  }
});
