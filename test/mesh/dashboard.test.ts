import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fleetConduct } from '../../src/app/conduct/fleet-conduct.js';
import { MemoryMeshStore } from '../kit/mesh/memory/store.js';
import { TestVerifier, type Told } from '../kit/mesh/fleet.js';
import { until } from '../kit/mesh/network.js';
import { LOG_ID, PRINCIPAL, TestMesh } from '../kit/mesh/server.js';
import { AGENT, OTHER } from '../kit/state/drafts.js';
import { world } from '../kit/world.js';

interface FleetAgent {
  readonly agent_id: string;
  readonly status: string;
  readonly status_of: string;
  readonly reason: string | null;
  readonly revocable: boolean;
  readonly failure_rate: number | null;
  readonly trust_score: number | null;
  readonly trust_meaningful: boolean;
  readonly unattributed: number;
  readonly outcomes: { readonly ok: number; readonly error: number; readonly unknown: number };
  readonly hours: readonly (readonly [number, number])[];
}

interface Fleet {
  readonly agents: readonly FleetAgent[];
  readonly more: number;
  readonly totals: {
    readonly agents: number;
    readonly stopped: number;
    readonly accepted: number;
    readonly refused: number;
  };
  readonly above: readonly { subject: string; key_of: string | null; status: string; reason: string | null }[];
  readonly logs: readonly { verifier: string; label: string; seq: number; last_shipped_ms: number }[];
  readonly entries: number;
  readonly counted: boolean;
}

async function fleetOf(
  ...past: readonly Told[]
): Promise<{ mesh: TestMesh; fleet: (query?: string) => Promise<Fleet> }> {
  const store = new MemoryMeshStore(LOG_ID);
  const conduct = fleetConduct({ logs: store.logs, pause: () => Promise.resolve() });
  const mesh = await TestMesh.start({ store, conduct });
  const v = new TestVerifier('v-1');
  v.log(...past.map((each, i) => ({ at: mesh.clock.now - 60_000 + i, ...each })));
  for (let i = 0; i < v.entries.length; i += 200) {
    const body = v.shipment(0, v.entries.slice(i, i + 200));
    expect((await mesh.ask('POST', '/v1/logs', 'verifier', body)).status).toBe(200);
  }
  return {
    mesh,
    fleet: async (query = '') => (await mesh.ask('GET', `/v1/mesh/fleet${query}`, 'observer')).json<Fleet>(),
  };
}

const times = (count: number, told: Told = {}): Told[] => Array.from({ length: count }, () => told);

describe('the page', () => {
  const page = async () => (await TestMesh.start()).ask('GET', '/', null);

  test('takes no key, and says nothing about anyone', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke', { agent_id: OTHER, reason: 'secret reason' });
    const { status, headers, body } = await mesh.ask('GET', '/', null);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    for (const told of [OTHER, 'secret reason', LOG_ID]) expect(body).not.toContain(told);
  });

  test('allows its own script and style by hash, this server, and nothing else', async () => {
    const { headers, body } = await page();
    const policy = new Map(
      headers['content-security-policy']!.split('; ').map((each) => {
        const [name, ...sources] = each.split(' ');
        return [name!, sources.join(' ')];
      }),
    );
    const hash = (tag: string) => {
      const text = new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(body)![1]!;
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    };
    expect(Object.fromEntries(policy)).toEqual({
      'default-src': "'none'",
      'script-src': hash('script'),
      'style-src': hash('style'),
      'connect-src': "'self'",
      'img-src': 'data:',
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    });
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
  });

  test('names no other place, keeps nothing, and makes no markup of strings', async () => {
    const { body } = await page();
    const addresses = [...body.matchAll(/https?:\/\/[^\s"'`)]+/g)].map(([found]) => found);
    expect(addresses.filter((found) => found !== 'http://www.w3.org/2000/svg')).toEqual([]);
    for (const word of [
      'innerHTML',
      'outerHTML',
      'insertAdjacentHTML',
      'document.write',
      'eval(',
      'Storage',
      'cookie',
    ]) {
      expect(body).not.toContain(word);
    }
    expect(body).not.toMatch(/\son[a-z]+=|\sstyle=|javascript:|<link(?! rel="icon" href="data:,")/);
    expect(body.match(/<script/g)).toHaveLength(1);
  });

  test('labels every field, and is small', async () => {
    const { body } = await page();
    const ids = [...body.matchAll(/<(?:input|textarea) id="([^"]+)"/g)].map((match) => match[1]!);
    expect(ids).toHaveLength(10);
    for (const id of ids) expect(body).toMatch(new RegExp(`for="${id}"|<label[^>]*><input id="${id}"`));
    expect(body.length).toBeLessThan(64 * 1024);
  });

  test.each(['POST', 'PUT', 'DELETE'])('%s is not for it', async (method) => {
    expect((await (await TestMesh.start()).ask(method, '/', null)).status).toBe(405);
  });
});

describe('the fleet', () => {
  test.each([
    ['of its API key', { label: 'eu-1' }, 'eu-1'],
    ['of its API key, before its own name where the key is for several', { label: 'ci', max_verifiers: 2 }, 'ci/v-2'],
    ['its own name where the key has none', {}, 'v-2'],
  ])('a log is shown under the label %s', async (_what, order, label) => {
    const { mesh, fleet } = await fleetOf();
    const made = await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier', ...order });
    const authorization = `Bearer ${made.json<{ key: string }>().key}`;
    const v = new TestVerifier('v-2');
    v.log({ at: mesh.clock.now });
    expect((await mesh.ask('POST', '/v1/logs', null, v.shipment(), { authorization })).status).toBe(200);
    expect((await fleet()).logs).toMatchObject([{ verifier: 'v-2', label }]);
  });

  test('the roster is sorted once, however many logs are shown', async () => {
    const { mesh, fleet } = await fleetOf();
    for (const name of ['v-2', 'v-3', 'v-4']) {
      const made = await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier', max_verifiers: 1 });
      const authorization = `Bearer ${made.json<{ key: string }>().key}`;
      const v = new TestVerifier(name);
      v.log({ at: mesh.clock.now });
      await mesh.ask('POST', '/v1/logs', null, v.shipment(), { authorization });
    }
    const sorted = vi.spyOn(mesh.server.roster, 'all');
    expect((await fleet()).logs).toHaveLength(3);
    expect(sorted).toHaveBeenCalledTimes(1);
  });

  test('trust and failure rate come from the shipped logs, standing from the mesh', async () => {
    const { mesh, fleet } = await fleetOf(...times(21), ...times(2, { error_code: 'AIP-E202' }), {
      error_code: 'AIP-E101',
    });
    const before = await fleet();
    expect(before).toMatchObject({ more: 0, above: [], entries: 24, counted: true });
    expect(before.logs).toMatchObject([{ verifier: 'v-1', label: 'v-1', seq: 24, last_shipped_ms: 0 }]);
    // 0.5 + 21 * 0.01 - 2 * 0.05
    expect(before.agents).toMatchObject([
      {
        agent_id: AGENT,
        status: 'active',
        trust_score: 0.61,
        trust_meaningful: true,
        failure_rate: 2 / 23,
        unattributed: 1,
        outcomes: { ok: 0, error: 0, unknown: 21 },
      },
    ]);
    await mesh.command('revoke', { agent_id: AGENT, reason: 'enough' });
    expect((await fleet()).agents).toMatchObject([{ status: 'revoked', status_of: AGENT, reason: 'enough' }]);
  });

  test('an agent is shown as what its principal or the whole mesh makes it', async () => {
    const { mesh, fleet } = await fleetOf({});
    await mesh.command('suspend', { agent_id: AGENT, duration_seconds: 60, reason: 'a while' });
    await mesh.command('revoke', { agent_id: PRINCIPAL, reason: 'all of them' });
    expect((await fleet()).agents).toMatchObject([{ status: 'revoked', status_of: PRINCIPAL, reason: 'all of them' }]);
    expect((await fleet()).above).toEqual([
      { subject: PRINCIPAL, key_of: null, status: 'revoked', reason: 'all of them' },
    ]);
    await mesh.command('reinstate', { agent_id: PRINCIPAL, version: 1 });
    expect((await fleet()).agents).toMatchObject([{ status: 'suspended', status_of: AGENT }]);
    mesh.clock.advance(60_000);
    expect((await fleet()).agents).toMatchObject([{ status: 'active', reason: null }]);
  });

  test('what stops most is in the list however many keys are stopped', async () => {
    const { mesh, fleet } = await fleetOf({});
    for (let n = 0; n < 60; n++)
      await mesh.command('revoke', { agent_id: `ed25519:${n.toString(16).padStart(2, '0').repeat(32)}` });
    for (const agent_id of [PRINCIPAL, '*']) await mesh.command('revoke', { agent_id });
    const { above } = await fleet();
    expect([above.length, above.slice(0, 2).map(({ subject }) => subject)]).toEqual([50, ['*', PRINCIPAL]]);
  });

  test('the stopped come first, then those that need a person, strangers’ names last', async () => {
    const [bad, good, gone, junk] = [1, 2, 3, 4].map((n) => `did:web:acme.com:agents:a${n}`) as [
      string,
      string,
      string,
      string,
    ];
    const { mesh, fleet } = await fleetOf(
      ...times(4, { agent_id: bad, error_code: 'AIP-E203' }),
      ...times(4, { agent_id: good }),
      ...times(4, { agent_id: gone }),
      ...times(4, { agent_id: junk, error_code: 'AIP-E100' }),
    );
    await mesh.command('revoke', { agent_id: gone });
    const { agents } = await fleet();
    expect(agents.map((agent) => agent.agent_id)).toEqual([gone, bad, good, junk]);
    expect(agents[3]).toMatchObject({ failure_rate: null, trust_score: null, unattributed: 4 });
    expect((await fleet('?find=a2')).agents.map((agent) => agent.agent_id)).toEqual([good]);
  });

  test('names that strangers make up push no agent out, and cannot be revoked', async () => {
    const rubbish = Array.from({ length: 700 }, (_, i) => ({ agent_id: `<b>${i}</b>`, error_code: 'AIP-E100' }));
    const { fleet } = await fleetOf({}, ...rubbish);
    const { agents, more } = await fleet();
    expect(agents[0]).toMatchObject({ agent_id: AGENT, revocable: true });
    expect(agents.slice(1).every((agent) => !agent.revocable)).toBe(true);
    expect([agents.length, more]).toEqual([200, 301]);
  });

  test('the totals are of every agent, whatever is looked for and however many are listed', async () => {
    const { mesh, fleet } = await fleetOf(...times(3), { error_code: 'AIP-E202' }, { agent_id: OTHER });
    for (let i = 0; i < 250; i++) await mesh.command('revoke', { agent_id: `${PRINCIPAL}:agents:stopped-${i}` });
    const totals = { agents: 252, stopped: 250, accepted: 4, refused: 1 };
    expect(await fleet()).toMatchObject({ more: 52, totals });
    const found = await fleet(`?find=${AGENT.slice(-6).toUpperCase()}`);
    expect(found.agents.map(({ agent_id }) => agent_id)).toEqual([AGENT]);
    expect(found.totals).toEqual(totals);
  });

  test('an agent that was denied and never logged is there as well', async () => {
    const { mesh, fleet } = await fleetOf();
    await mesh.command('revoke', { agent_id: OTHER });
    expect((await fleet()).agents).toMatchObject([
      { agent_id: OTHER, status: 'revoked', trust_score: null, hours: [] },
    ]);
  });

  test('without the counting of logs it says so, and shows the standings', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke');
    const answer = (await mesh.ask('GET', '/v1/mesh/fleet', 'observer')).json<Fleet>();
    expect(answer).toMatchObject({ counted: false, agents: [{ status: 'revoked' }] });
  });
});

describe('aip mesh serve', () => {
  test('shows the page, and counts what is shipped to it', async () => {
    const at = world({ stdin: '' });
    const dir = join(at.cwd, 'home');
    const running = at.run('mesh', 'serve', '--listen', '127.0.0.1:0', '--home', dir, '--json');
    await until(() => at.out().includes('"ready"'), 'it is ready');
    const { url } = JSON.parse(at.out()) as { url: string };
    const page = await fetch(`${url}/`);
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([
      200,
      expect.stringContaining('sha256-'),
    ]);
    const config = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as { mesh: { key_file: string } };
    const headers = { authorization: `Bearer ${readFileSync(config.mesh.key_file, 'utf8').trim()}` };
    const v = new TestVerifier('v-1');
    v.log(...times(3));
    const body = JSON.stringify(v.shipment());
    expect((await fetch(`${url}/v1/logs`, { method: 'POST', headers, body })).status).toBe(200);
    const fleet = (await (await fetch(`${url}/v1/mesh/fleet`, { headers })).json()) as Fleet;
    expect(fleet).toMatchObject({ counted: true, entries: 3, agents: [{ agent_id: AGENT, trust_meaningful: false }] });
    at.interrupt(143);
    expect((await running).code).toBe(143);
  });
});
