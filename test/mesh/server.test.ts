import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENDPOINTS } from '../../src/mesh/server/http/endpoints.js';
import { describe, expect, test } from 'vitest';
import { hashOf, parseEvent } from '../../src/mesh/log/event.js';
import { handle } from '../../src/mesh/server/http/handle.js';
import { signatureHolds } from '../../src/mesh/log/signing.js';
import { parsePublicKey } from '../../src/protocol/identity/keys.js';
import { multikeyText } from '../../src/protocol/identity/public-key-forms.js';
import { parseJsonText } from '../../src/protocol/json/parse.js';
import type { JsonObject } from '../../src/protocol/json/values.js';
import { publicKeyText } from '../kit/native/parts.js';
import { ISSUER_KEY } from '../kit/mesh/passports.js';
import { AGENT, check, PRINCIPAL, settle, TestMesh } from '../kit/mesh/server.js';

const BARE = { method: 'GET', query: new URLSearchParams(), headers: {}, body: new Uint8Array(), remote: '127.0.0.1' };

describe('commands', () => {
  test('a revocation is one signed, linked event, and the standing follows it', async () => {
    const mesh = await TestMesh.start();
    const answer = await mesh.command(
      'revoke',
      { reason: 'prompt injection', revoked_by: 'security_team' },
      'operator',
    );
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      agent_id: AGENT,
      status: 'revoked',
      seq: 1,
      version: 1,
      durable: true,
      propagated_to: 0,
      connected: 0,
      propagation_ms: null,
      regions: [],
      changed: true,
    });
    const [record] = await mesh.store.read(0, 10);
    const event = parseEvent(record!.text);
    expect(hashOf(event)).toBe(event.hash);
    expect(signatureHolds(event as unknown as JsonObject, check)).toBe(true);
    const status = await mesh.ask('GET', `/v1/mesh/status/${AGENT}`, 'observer');
    expect(status.json()).toMatchObject({ status: 'revoked', reason: 'prompt injection', revoked_by: 'security_team' });
  });

  test.each([
    ['did:web:localhost:agents:TradingAgent', 200],
    ['did:web:localhost:agents:_private', 200],
    ['did:web:localhost%3A8080:agents:a.b-c', 200],
    ['did:web:LOCALHOST:agents:bot', 200],
    ['did:web:localhost:8080:agents:<lambda>', 200],
    ['did:web:localhost:agents:', 200],
    ['did:web:localhost:agents:a:agents:b', 200],
    ['did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK', 200],
    [`ed25519:${'0a'.repeat(32)}`, 200],
    ['did:web:localhost:agents:bot#key-2', 200],
    ['did:web:localhost:agents:bot#keys-1', 400],
    ['did:web:', 400],
    ['ed25519:0a', 400],
    ['did:web:localhost:agents:a b', 400],
    ['did:web:localhost:agents:b\u043et', 400],
    [`did:web:localhost:agents:${'a'.repeat(64)}`, 200],
    [`did:web:localhost:agents:${'a'.repeat(512)}`, 400],
    ['TradingAgent', 400],
  ])('%s can be revoked: %i', async (agent_id, status) => {
    const mesh = await TestMesh.start();
    expect((await mesh.command('revoke', { agent_id })).status).toBe(status);
  });

  test.each(['', '#key-1', '#z6Mk'])(
    'a did:key%s is stopped, asked about and let back as its key',
    async (fragment) => {
      const mesh = await TestMesh.start();
      const key = publicKeyText('stranger');
      const agent_id = `did:key:${multikeyText(parsePublicKey(key)!)}${fragment}`;
      expect((await mesh.command('revoke', { agent_id })).json()).toMatchObject({ agent_id: key, status: 'revoked' });
      const asked = await mesh.ask('GET', `/v1/mesh/status/${encodeURIComponent(agent_id)}`, 'observer');
      expect(asked.json()).toMatchObject({ agent_id: key, status: 'revoked' });
      expect((await mesh.command('reinstate', { agent_id, version: 1 })).json()).toMatchObject({ status: 'active' });
    },
  );

  test('the same cmd_id twice is one event and the same answer', async () => {
    const mesh = await TestMesh.start();
    const first = await mesh.command('revoke', { cmd_id: 'once-and-only' });
    const second = await mesh.command('revoke', { cmd_id: 'once-and-only' });
    expect(second.json()).toEqual(first.json());
    expect(await mesh.store.read(0, 10)).toHaveLength(1);
  });

  test('another command under a known cmd_id is refused and leaves no event', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke', { cmd_id: 'once-and-only' });
    const second = await mesh.command('suspend', { cmd_id: 'once-and-only', duration_seconds: 60 });
    expect([second.status, second.json().code]).toEqual([409, 'CMD_ID_REUSED']);
    expect(await mesh.store.read(0, 10)).toHaveLength(1);
  });

  test('concurrent revoke and reinstate: the reinstatement that was not looking is refused', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke');
    const [deny, undo] = await Promise.all([mesh.command('revoke'), mesh.command('reinstate', { version: 1 })]);
    expect(deny.status).toBe(200);
    expect([undo.status, undo.json().code]).toEqual([409, 'VERSION_CONFLICT']);
    expect((await mesh.command('reinstate', { version: 2 })).json()).toMatchObject({ status: 'active', version: 3 });
  });

  test('a suspension never weakens a revocation, and a shorter one never shortens a longer', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('suspend', { duration_seconds: 3600 });
    await mesh.command('suspend', { duration_seconds: 60, reason: 'later reason' });
    // Told to those who read the stream as well, who may not know the suspension before.
    const [, event] = await mesh.store.read(0, 10);
    expect(JSON.parse(event!.text)).toMatchObject({ suspended_until: '2026-02-18T15:23:45.000Z' });
    const long = (await mesh.ask('GET', `/v1/mesh/status/${AGENT}`, 'observer')).json();
    expect(long).toMatchObject({
      status: 'suspended',
      reason: 'later reason',
      suspended_until: '2026-02-18T15:23:45.000Z',
    });
    await mesh.command('revoke');
    await mesh.command('suspend', { duration_seconds: 60 });
    const still = (await mesh.ask('GET', `/v1/mesh/status/${AGENT}`, 'observer')).json();
    expect(still).toMatchObject({ status: 'revoked', suspended_until: null, version: 4 });
  });

  test('a suspension lasts 366 days at most', async () => {
    const mesh = await TestMesh.start();
    expect((await mesh.command('suspend', { duration_seconds: 366 * 86_400 })).status).toBe(200);
  });

  test('a suspension ends by itself', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('suspend', { duration_seconds: 60 });
    mesh.clock.advance(60_000);
    const status = (await mesh.ask('GET', `/v1/mesh/status/${AGENT}`, 'observer')).json();
    expect(status).toMatchObject({ status: 'active' });
  });

  test('an agent is told of who stands above it', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke', { agent_id: PRINCIPAL });
    await mesh.command('revoke', { agent_id: '*' });
    const status = (await mesh.ask('GET', `/v1/mesh/status/${AGENT}`, 'observer')).json<{
      above: { status: string }[];
    }>();
    expect(status.above.map((each) => each.status)).toEqual(['revoked', 'revoked']);
  });

  test.each([
    ['an unknown member', { surprise: 1 }],
    ['a subject that is no id', { agent_id: 'support-agent' }],
    ['an id that no document could carry', { agent_id: 'did:web:acme.com:agents:a b' }],
    ['no reason', { reason: undefined }],
    ['an empty reason', { reason: '' }],
    ['a reason with control characters', { reason: 'ok\u001b[2J' }],
    ['a reason with a bidirectional override', { reason: 'ok\u202e' }],
    ['a reason that is too long', { reason: 'x'.repeat(501) }],
    ['a version on a deny', { version: 1 }],
    ['a duration on a revocation', { duration_seconds: 60 }],
    ['a short cmd_id', { cmd_id: 'x' }],
    ['a cmd_id with a space', { cmd_id: 'with a space' }],
    ['an action that is none', { action: 'delete' }],
    ['a log id that is none', { log_id: 'mine' }],
    ['an expiry that is no time', { expires_at: 'tomorrow' }],
  ])('%s is refused and leaves no event', async (_, extra) => {
    const mesh = await TestMesh.start();
    const answer = await mesh.command('revoke', extra);
    expect([answer.status, answer.json().code]).toEqual([400, 'BAD_REQUEST']);
    expect(await mesh.store.read(0, 10)).toHaveLength(0);
  });

  test.each([
    ['zero', 0],
    ['negative', -5],
    ['a fraction', 1.5],
    ['text', '60'],
    ['longer than a year', 366 * 86_400 + 1],
  ])('a suspension whose duration is %s is refused', async (_, duration_seconds) => {
    const mesh = await TestMesh.start();
    const answer = await mesh.command('suspend', { duration_seconds });
    expect(answer.status).toBe(400);
    expect(await mesh.store.read(0, 10)).toHaveLength(0);
  });

  test('a command that arrives after it expired, or for another mesh, is refused', async () => {
    const mesh = await TestMesh.start();
    const late = await mesh.command('revoke', { expires_at: '2026-02-18T14:23:44Z' });
    expect(late.json().code).toBe('COMMAND_EXPIRED');
    const other = await mesh.command('revoke', { log_id: 'b2'.repeat(16) });
    expect(other.json().code).toBe('WRONG_MESH');
    expect(await mesh.store.read(0, 10)).toHaveLength(0);
    expect((await mesh.command('revoke', { expires_at: '2026-02-18T14:23:45Z' })).status).toBe(200);
  });

  test('the largest command still fits into an event', async () => {
    const mesh = await TestMesh.start();
    const label = 'a'.repeat(63);
    const agent_id = `did:web:${label}.${label}.${label}.${'a'.repeat(61)}%3A65535:agents:${label}`;
    const answer = await mesh.command('revoke', {
      agent_id,
      reason: '\u{20AC}'.repeat(500),
      revoked_by: '"'.repeat(200),
    });
    expect(answer.status).toBe(200);
  });
});

describe('who may do what', () => {
  test.each([
    ['observer', 'revoke', 403],
    ['verifier', 'revoke', 403],
    ['operator', 'revoke', 200],
    ['operator', 'reinstate', 403],
    ['admin', 'reinstate', 200],
  ] as const)('%s: %s is %i', async (role, action, status) => {
    const mesh = await TestMesh.start();
    const answer = await mesh.command(action, action === 'reinstate' ? { version: 0 } : {}, role);
    expect(answer.status).toBe(status);
    expect(await mesh.store.read(0, 10)).toHaveLength(status === 200 ? 1 : 0);
  });

  test.each([
    ['none', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['an unknown one', { authorization: `Bearer aipm_admin_${'0'.repeat(12)}_${'0'.repeat(64)}` }],
    ['no key at all', { authorization: 'Bearer letmein' }],
  ])('a key that is %s is refused', async (_, headers) => {
    const mesh = await TestMesh.start();
    const answer = await mesh.ask('GET', '/v1/mesh/status', null, undefined, headers);
    expect([answer.status, answer.json().code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('a key with another role written into it is refused', async () => {
    const mesh = await TestMesh.start();
    const authorization = `Bearer ${mesh.keys.observer.text.replace('observer', 'admin')}`;
    const answer = await mesh.ask('GET', '/v1/mesh/keys', null, undefined, { authorization });
    expect(answer.status).toBe(401);
  });

  test('wrong keys are slowed down, and a deny from the same address is not', async () => {
    const mesh = await TestMesh.start();
    const wrong = { authorization: 'Bearer wrong' };
    const codes = new Set<unknown>();
    for (let i = 0; i < 40; i++)
      codes.add((await mesh.ask('GET', '/v1/mesh/status', null, undefined, wrong)).json().code);
    expect(codes).toEqual(new Set(['UNAUTHENTICATED', 'RATE_LIMITED']));
    expect((await mesh.command('revoke')).status).toBe(200);
  });

  test('a leaked key that is revoked loses its open stream and its waiting poll at once', async () => {
    const mesh = await TestMesh.start();
    const stream = await mesh.stream('/v1/mesh/stream');
    const mark = (await mesh.ask('GET', '/v1/mesh/approvals', 'verifier')).json()['mark'];
    const polls = ['/v1/mesh/events?after=0&', '/v1/logs?', `/v1/mesh/approvals?after=${mark}&`].map((target) =>
      mesh.ask('GET', `${target}wait=20s`, 'verifier'),
    );
    await settle();
    const answer = await mesh.ask('DELETE', `/v1/mesh/keys/${mesh.keys.verifier.keyId}`, 'admin');
    expect(answer.json()).toMatchObject({ changed: true });
    expect(stream.ended).toBe(true);
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual([401, 401, 401]);
    expect((await mesh.ask('GET', '/v1/mesh/status', 'verifier')).status).toBe(401);
  });

  test('the last admin key cannot be revoked; keys are shown once and listed without their secret', async () => {
    const mesh = await TestMesh.start();
    const last = await mesh.ask('DELETE', `/v1/mesh/keys/${mesh.keys.admin.keyId}`, 'admin');
    expect(last.status).toBe(403);
    const made = (await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'operator', label: 'on-call' })).json();
    expect(made).toMatchObject({ role: 'operator', label: 'on-call' });
    const list = (await mesh.ask('GET', '/v1/mesh/keys', 'admin')).body;
    expect(list).toContain(made.key_id);
    expect(list).not.toContain(String(made.key).split('_')[3]);
    expect((await mesh.ask('POST', '/v1/mesh/keys', 'operator', { role: 'admin' })).status).toBe(403);
  });

  test('keys are listed a page at a time, each once', async () => {
    const mesh = await TestMesh.start();
    const made: unknown[] = [];
    for (let i = 0; i < 300; i++)
      made.push((await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier' })).json().key_id);
    const listed: unknown[] = [];
    let pages = 0;
    for (let next: unknown = ''; next !== null && pages < 9; pages++) {
      const answer = await mesh.ask('GET', `/v1/mesh/keys${next === '' ? '' : `?after=${String(next)}`}`, 'admin');
      // What a client reads at most of an answer.
      expect(answer.body.length).toBeLessThan(65_536);
      const page = answer.json<{ keys: { key_id: string }[]; next: string | null }>();
      listed.push(...page.keys.map(({ key_id }) => key_id));
      next = page.next;
    }
    expect(pages).toBe(3);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toEqual(expect.arrayContaining(made));
    expect((await mesh.ask('GET', '/v1/mesh/keys?after=nobody', 'admin')).status).toBe(404);
  });
});

describe('routing', () => {
  test.each([
    ['GET', '/nothing', 404],
    ['GET', '/v1/mesh/commands', 405],
    ['POST', '/v1/mesh/snapshot', 405],
    ['GET', '/healthz', 200],
    ['GET', '/openapi.json', 200],
    ['POST', '/healthz', 405],
  ])('%s %s is %i', async (method, path, status) => {
    const mesh = await TestMesh.start();
    expect((await mesh.ask(method, path, null)).status).toBe(status);
  });

  test.each([
    ...['%ff', '%zz', '%00', 'a%00b'].flatMap((odd) => [
      `DELETE /v1/mesh/verifiers/${odd}`,
      `GET /v1/mesh/passports/${odd}`,
      `DELETE /v1/mesh/principals/${odd}`,
      `GET /v1/mesh/status/${odd}`,
    ]),
    'GET /v1/logs?agent=%00',
    'GET /v1/logs?code=E%00',
    'GET /v1/mesh/fleet?find=%00',
  ])('%s is no request', async (line) => {
    const mesh = await TestMesh.start();
    const [method, target] = line.split(' ') as [string, string];
    const answer = await mesh.ask(method, target, 'admin');
    expect([answer.status, answer.json()['code']]).toEqual([400, 'BAD_REQUEST']);
  });

  test.each([
    ['DELETE', `/v1/mesh/principals/${PRINCIPAL}?kye=${ISSUER_KEY}`],
    ['POST', '/v1/mesh/commands?dry_run=true'],
    ['POST', '/mesh/revoke?wait=1s'],
  ])('%s %s has a parameter that is none of its own: nothing is done', async (method, target) => {
    const mesh = await TestMesh.start();
    await mesh.ask('POST', '/v1/mesh/principals', 'admin', { did: PRINCIPAL, public_key: ISSUER_KEY });
    const body = { agent_id: AGENT, action: 'revoke', reason: 'test', cmd_id: 'c-1' };
    const answer = await mesh.ask(method, target, 'admin', method === 'POST' ? body : undefined);
    expect([answer.status, answer.json()['code']]).toEqual([400, 'BAD_REQUEST']);
    expect(answer.json()['message']).toContain('has no parameter');
    expect((await mesh.ask('GET', '/v1/mesh/principals', 'observer')).body).toContain(ISSUER_KEY);
    expect(mesh.server.head.seq).toBe(0);
  });

  test('the OpenAPI document names every parameter that is read of a query', () => {
    const folder = fileURLToPath(new URL('../../src/mesh/server', import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
    const read = texts.flatMap((text) =>
      [...text.matchAll(/query\.(?:get|getAll|has)\('(\w+)'\)/g)].map(([, name]) => name!),
    );
    expect(read).toContain('wait');
    const named = new Set(ENDPOINTS.flatMap(({ query = {} }) => Object.keys(query)));
    expect(read.filter((name) => !named.has(name))).toEqual([]);
  });

  test('the OpenAPI document names every schema that it refers to', async () => {
    const mesh = await TestMesh.start();
    const { body } = await mesh.ask('GET', '/openapi.json', null);
    const document = JSON.parse(body) as { paths: object; components: { schemas: Record<string, unknown> } };
    const names = [...body.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]!);
    expect(names.filter((name) => !(name in document.components.schemas))).toEqual([]);
    expect(Object.keys(document.paths)).toContain('/mesh/revoke');
    const ids = [...body.matchAll(/"operationId":"(\w+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the status stays a document that clients read, however many verifiers ever confirmed', async () => {
    let mesh = await TestMesh.start();
    const acks = Array.from({ length: 1_000 }, (_, i) => ({
      verifier: `ed25519:${`${i}`.padStart(64, '0')}`,
      label: `${i}`.padStart(64, 'v'),
      keyId: 'k',
      program: '1.0.0',
      onStale: 'deny' as const,
      maxAgeMs: 30_000,
      seq: 1,
      applied: null,
      firstSeenAt: 0,
      seenAt: i,
      leftAt: null,
      ephemeral: false,
    }));
    await mesh.store.members.put(acks);
    mesh = await TestMesh.start({ store: mesh.store });
    const { body } = await mesh.ask('GET', '/v1/mesh/status', 'observer');
    const { last_confirmed } = parseJsonText(body) as { last_confirmed: { verifier: string }[] };
    expect(last_confirmed[0]!.verifier).toBe(acks.at(-1)!.verifier);
  });

  test('paths that somebody made up are one line of the metrics', async () => {
    const mesh = await TestMesh.start();
    for (const path of ['/made-up', '/another', '/"}x']) {
      await handle(mesh.server, { ...BARE, path });
    }
    const { body } = await mesh.ask('GET', '/metrics', 'observer');
    expect(body.match(/^aip_mesh_requests_total.*$/gm)).toEqual([
      'aip_mesh_requests_total{endpoint="other",status="404"} 3',
    ]);
  });

  test('monitors may ask with HEAD what needs no key', async () => {
    const mesh = await TestMesh.start();
    for (const path of ['/healthz', '/', '/openapi.json'])
      expect((await mesh.ask('HEAD', path, null)).status).toBe(200);
  });

  test('metrics tell the head and the requests', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke');
    const { body } = await mesh.ask('GET', '/metrics', 'observer');
    expect(body).toContain('aip_mesh_head_seq 1');
    expect(body).toContain('aip_mesh_requests_total{endpoint="/v1/mesh/commands",status="200"} 1');
  });
});

describe('the reference client', () => {
  test('its commands act on the same log and answer in its form', async () => {
    const mesh = await TestMesh.start();
    const revoke = await mesh.ask('POST', '/mesh/revoke', 'operator', {
      agent_id: AGENT,
      reason: 'r',
      scope: 'global',
    });
    expect(revoke.json()).toMatchObject({ agent_id: AGENT, action: 'revoke', reason: 'r', propagated_to: 0 });
    const status = await mesh.ask('POST', '/mesh/status', 'observer', { agent_id: AGENT });
    expect(status.json()).toMatchObject({ agent_id: AGENT, status: 'revoked', reason: 'r', suspended_until: null });
    await mesh.ask('POST', '/mesh/suspend', 'operator', { agent_id: AGENT, duration_seconds: 60, reason: 's' });
    const back = await mesh.ask('POST', '/mesh/reinstate', 'admin', { agent_id: AGENT });
    expect(back.status).toBe(200);
    expect((await mesh.ask('POST', '/mesh/status', 'observer', { agent_id: AGENT })).json().status).toBe('active');
    expect((await mesh.ask('GET', '/mesh/usage', 'observer')).json()).toMatchObject({ events: 3 });
  });

  test('its stream begins with every subject denied now, then goes on live, one data line an event', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke');
    await mesh.command('suspend', { agent_id: PRINCIPAL, duration_seconds: 60 });
    const reader = await mesh.stream('/mesh/events');
    await mesh.command('reinstate', { version: 1 });
    await settle();
    const events = reader.frames.map((frame) => JSON.parse(frame.data) as Record<string, unknown>);
    expect(events.map((event) => event.type)).toEqual(['suspension', 'revocation', 'reinstatement']);
    expect(Object.keys(events[0]!).sort()).toEqual(
      ['agent_id', 'id', 'reason', 'revoked_by', 'scope', 'suspended_until', 'timestamp', 'type'].sort(),
    );
    for (const line of reader.text.split('\n')) expect(line === '' || /^(data: |id: |: )/.test(line)).toBe(true);
  });

  // It keeps the last event of an agent and no fold: told of a suspension, it lets the agent act again when that ends.
  test('hears of a revocation when a revoked agent is suspended, live and when it catches up', async () => {
    const mesh = await TestMesh.start();
    const live = await mesh.stream('/mesh/events');
    await mesh.command('suspend', { duration_seconds: 60 });
    await mesh.command('revoke');
    await mesh.command('suspend', { duration_seconds: 60, reason: 'looking into it' });
    await settle();
    const told = ({ frames }: typeof live) => frames.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
    const late = await mesh.stream('/mesh/events', { 'last-event-id': String(told(live)[1]!.id) });
    expect(told(late)).toHaveLength(1);
    expect(told(live).map(({ type }) => type)).toEqual(['suspension', 'revocation', 'revocation']);
    for (const events of [told(live), told(late)])
      expect(events.at(-1)).toMatchObject({ type: 'revocation', reason: 'looking into it', suspended_until: null });
  });
});
