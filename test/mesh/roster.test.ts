/** Who should be listening: counted over the roster, not over the connections. */
import { describe, expect, test } from 'vitest';
import { signatureHolds } from '../../src/mesh/log/signing.js';
import { publicKeyOf, signMessage } from '../../src/protocol/ed25519/sign.js';
import { toHex } from '../../src/protocol/hex.js';
import { formatPublicKey } from '../../src/protocol/identity/keys.js';
import type { Role } from '../../src/mesh/access/roles.js';
import { MemoryMeshStore } from '../kit/mesh/memory/store.js';
import {
  asHeader,
  writeApplied,
  writeCard,
  writeLeaving,
  type Applied,
  type OnStale,
  type VerifierKey,
} from '../../src/mesh/roster/member.js';
import type { FollowedHome } from '../../src/mesh/server/regions/relay.js';
import { LOG_ID, settle, TestMesh, verifyOperator, type Reader } from '../kit/mesh/server.js';

function keyOf(n: number): VerifierKey {
  const seed = new Uint8Array(32).fill(n);
  return { publicKey: formatPublicKey(publicKeyOf(seed)), sign: (text) => toHex(signMessage(seed, Buffer.from(text))) };
}

class Verifier {
  readonly key: VerifierKey;
  reader: Reader | null = null;
  constructor(
    readonly mesh: TestMesh,
    n: number,
    readonly label = `v-${n}`,
    readonly onStale: OnStale = 'last-known',
    readonly maxAgeMs = 30_000,
  ) {
    this.key = keyOf(n);
  }

  card(role: Role = 'verifier'): Record<string, string> {
    const { label, onStale, maxAgeMs } = this;
    const keyId = this.mesh.keys[role].keyId;
    return {
      'aip-verifier': asHeader(writeCard(this.key, { keyId, label, host: 'h', program: '9.9.9', onStale, maxAgeMs })),
    };
  }

  async listen(role: Role = 'verifier'): Promise<this> {
    this.reader = await this.mesh.stream('/v1/mesh/stream?v=2', this.card(role), role);
    return this;
  }

  get stream(): string {
    return (JSON.parse(this.reader!.of('hello')[0]!.data) as { stream: string }).stream;
  }

  async confirm(
    fields: Partial<{ seq: number; by: VerifierKey; logId: string; hash: string }> = {},
    role: Role = 'verifier',
  ) {
    const head = this.mesh.server.head;
    const { seq = head.seq, by = this.key, logId = head.logId } = fields;
    const hash = fields.hash ?? (await this.mesh.server.hashes.at(seq)) ?? head.hash;
    const applied = writeApplied(by, { logId, seq, hash, challenge: null });
    return this.mesh.ask('POST', '/v1/mesh/acks', role, { stream: this.stream, seq, applied });
  }

  close(): void {
    this.reader!.connection!.closed();
  }
}

const later = async (mesh: TestMesh, ms: number): Promise<void> => {
  for (let at = 0; at < ms; at += 1_000) {
    mesh.clock.advance(1_000);
    mesh.server.tick();
    await settle();
  }
};

async function revoke(mesh: TestMesh): Promise<Record<string, unknown>> {
  return (await mesh.command('revoke')).json();
}

describe('what is said of an event', () => {
  test('counts a verifier that died: applied by 1 of 2, and who is absent', async () => {
    const mesh = await TestMesh.start();
    const [eu, us] = [await new Verifier(mesh, 11, 'eu-1').listen(), await new Verifier(mesh, 12, 'us-1').listen()];
    us.close();
    await revoke(mesh);
    await eu.confirm();
    expect(await revoke(mesh)).toMatchObject({
      roster: 2,
      applied: 0,
      unsettled: 2,
      complete: false,
      late: [{ label: 'eu-1' }],
      absent: [{ label: 'us-1', verifier: us.key.publicKey, on_stale: 'last-known', refuses_since: null }],
    });
    await eu.confirm();
    expect((await mesh.ask('GET', '/v1/mesh/status', 'observer')).json()).toMatchObject({
      roster: 2,
      absent: [{ label: 'us-1' }],
      verifiers: [{ verifier: eu.key.publicKey, label: 'eu-1', program: '9.9.9', on_stale: 'last-known' }],
    });
    expect((await mesh.ask('GET', '/metrics', 'observer')).body).toMatch(/aip_mesh_verifiers_absent 1\n/);
  });

  test('of more than fit into one answer, the one furthest behind is listed', async () => {
    const mesh = await TestMesh.start();
    await revoke(mesh);
    for (let i = 0; i < 200; i++) await mesh.stream('/v1/mesh/stream?v=2', {}, 'observer');
    await new Verifier(mesh, 11, 'eu-1').listen();
    const status = (await mesh.ask('GET', '/v1/mesh/status', 'observer')).json();
    expect(status).toMatchObject({ connected: 201, more: expect.any(Number), verifiers: expect.anything() });
    expect(status['more']).toBeGreaterThan(0);
    expect((status['verifiers'] as readonly unknown[])[0]).toMatchObject({ label: 'eu-1', seq: 0 });
  });

  test('one that denies when stale is settled once its bound has passed, and not before', async () => {
    const mesh = await TestMesh.start();
    (await new Verifier(mesh, 11, 'us-1', 'deny', 30_000).listen()).close();
    expect(await revoke(mesh)).toMatchObject({ complete: false, unsettled: 1 });
    await later(mesh, 31_000);
    expect(await revoke(mesh)).toMatchObject({ complete: true, unsettled: 0, applied: 0, roster: 1 });
  });

  test('is the same after the server was started again', async () => {
    const mesh = await TestMesh.start();
    await new Verifier(mesh, 11, 'us-1').listen();
    await later(mesh, 2_000);
    const again = await TestMesh.start({ store: (mesh.store as MemoryMeshStore).reopened() }, mesh.clock);
    expect(await revoke(again)).toMatchObject({ roster: 1, complete: false, absent: [{ label: 'us-1' }] });
  });

  test('a verifier with two connections is one, and has applied what both have', async () => {
    const mesh = await TestMesh.start();
    const one = await new Verifier(mesh, 11).listen();
    const other = await new Verifier(mesh, 11).listen();
    await revoke(mesh);
    await one.confirm();
    expect(mesh.server.roster.count(1)).toMatchObject({ members: 1, applied: 0, late: [{ label: 'v-11' }] });
    await other.confirm();
    expect(mesh.server.roster.count(1)).toMatchObject({ members: 1, applied: 1, complete: true });
  });

  test('5,000 on the roster cost a count well under a millisecond of what a revoke may', async () => {
    const mesh = await TestMesh.start();
    await mesh.store.members.put(
      Array.from({ length: 5_000 }, (_, i) => ({
        verifier: `ed25519:${i}`,
        label: `v${i}`,
        keyId: 'k',
        program: '1',
        onStale: 'deny' as const,
        maxAgeMs: 1,
        seq: 0,
        applied: null,
        firstSeenAt: 0,
        seenAt: 0,
        leftAt: null,
        ephemeral: false,
      })),
    );
    const big = await TestMesh.start({ store: mesh.store });
    expect(await revoke(big)).toMatchObject({ roster: 5_000, complete: true, absent_more: 4_900 });
  });
});

describe('a confirmation counts for nothing', () => {
  test.each([
    ['under an observer’s key', async (v: Verifier) => (await v.listen('observer'), v.confirm({}, 'observer'))],
    [
      'unsigned',
      async (v: Verifier) => (
        await v.listen(),
        v.mesh.ask('POST', '/v1/mesh/acks', 'verifier', { stream: v.stream, seq: 1 })
      ),
    ],
    ['signed by another verifier', async (v: Verifier) => (await v.listen(), v.confirm({ by: keyOf(99) }))],
    ['of another log', async (v: Verifier) => (await v.listen(), v.confirm({ logId: 'b2'.repeat(16) }))],
    ['beyond the log', async (v: Verifier) => (await v.listen(), v.confirm({ seq: 7 }))],
  ])('%s', async (_, say) => {
    const mesh = await TestMesh.start();
    (await new Verifier(mesh, 12, 'us-1').listen()).close();
    await revoke(mesh);
    await say(new Verifier(mesh, 11));
    expect(mesh.server.roster.count(1).applied).toBe(0);
  });

  test('over the stream of another API key', async () => {
    const mesh = await TestMesh.start();
    const one = await new Verifier(mesh, 11).listen();
    await revoke(mesh);
    expect((await one.confirm({}, 'operator')).status).toBe(404);
    expect(mesh.server.roster.count(1).applied).toBe(0);
  });
});

describe('the roster', () => {
  test('two verifiers with one label are one line of the metrics, with the lag of the slower one', async () => {
    const mesh = await TestMesh.start();
    const quick = await new Verifier(mesh, 1, 'eu-1').listen();
    await new Verifier(mesh, 2, 'eu-1').listen();
    await mesh.command('revoke');
    await quick.confirm();
    const lines = (await mesh.ask('GET', '/metrics', 'observer')).body.split('\n');
    const { keyId } = mesh.keys.verifier;
    expect(lines.filter((line) => line.startsWith('aip_mesh_verifier_lag_events{'))).toEqual([
      `aip_mesh_verifier_lag_events{verifier="eu-1",key_id="${keyId}"} 1`,
    ]);
  });

  test('a card that was signed for another API key, or with another key, is refused', async () => {
    const mesh = await TestMesh.start();
    const verifier = new Verifier(mesh, 11);
    const other = verifier.card('operator');
    expect((await mesh.ask('GET', '/v1/mesh/stream?v=2', 'verifier', undefined, other)).status).toBe(403);
    const card = JSON.parse(Buffer.from(verifier.card()['aip-verifier']!, 'base64url').toString()) as object;
    const forged = { 'aip-verifier': asHeader({ ...card, label: 'eu-9' }) };
    expect((await mesh.ask('GET', '/v1/mesh/stream?v=2', 'verifier', undefined, forged)).status).toBe(400);
    expect(mesh.server.roster.size).toBe(0);
  });

  test('a machine of the first version is not missed under its old name once its log comes from a later one', async () => {
    const mesh = await TestMesh.start();
    const name = '0123456789abcdef';
    const old = await mesh.stream(`/v1/mesh/stream?verifier=${name}`);
    const left = async (headers: Record<string, string>): Promise<readonly string[]> => {
      const body = { log_id: 'b2'.repeat(16), verifier: name, entries: [] };
      expect((await mesh.ask('POST', '/v1/logs', 'verifier', body, headers)).status).toBe(200);
      return mesh.server.roster.all().map(({ label }) => label);
    };
    const later = { 'aip-sent-at': new Date(mesh.clock.now).toISOString() };
    expect(await left(later)).toEqual([name]);
    old.connection!.closed();
    expect(await left({})).toEqual([name]);
    expect(await left(later)).toEqual([]);
  });

  test('a key is for one verifier unless it says more; one more is refused, and told whom it meets', async () => {
    const mesh = await TestMesh.start();
    const made = await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier' });
    const { key, key_id, max_verifiers } = made.json<{ key: string; key_id: string; max_verifiers: number }>();
    expect(max_verifiers).toBe(1);
    const listen = (n: number, label: string) => {
      const card = writeCard(keyOf(n), { keyId: key_id, label, host: 'h', program: '1', onStale: 'deny', maxAgeMs: 1 });
      return mesh.request('GET', '/v1/mesh/stream?v=2', null, undefined, {
        authorization: `Bearer ${key}`,
        'aip-verifier': asHeader(card),
      });
    };
    expect((await listen(11, 'eu-1')).status).toBe(200);
    expect((await listen(11, 'eu-1')).status).toBe(200);
    const refused = (await listen(12, 'us-1')) as { status: number; body?: string };
    expect([refused.status, refused.body]).toEqual([403, expect.stringMatching(/TOO_MANY_VERIFIERS.*eu-1/)]);
    expect((await mesh.ask('DELETE', '/v1/mesh/verifiers/eu-1', 'operator')).status).toBe(403);
    expect((await mesh.ask('DELETE', '/v1/mesh/verifiers/eu-1', 'admin')).json()).toMatchObject({ label: 'eu-1' });
    expect((await listen(12, 'us-1')).status).toBe(200);
    expect((await mesh.ask('DELETE', '/v1/mesh/verifiers/nobody', 'admin')).status).toBe(404);
  });

  test.each([
    ['its own', { label: 'eu-1' }, 'us-9', 'us-9'],
    ['that of its API key', { label: 'eu-1' }, null, 'eu-1'],
    ['that of an API key for several, with its host', { label: 'ci', max_verifiers: 2 }, null, 'ci/host-1'],
    ['its host', {}, null, 'host-1'],
  ])('people see its label: %s', async (_what, order, label, seen) => {
    const mesh = await TestMesh.start();
    const made = await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier', ...order });
    const { key, key_id } = made.json<{ key: string; key_id: string }>();
    const of = { keyId: key_id, label, host: 'host-1', program: '1', onStale: 'deny', maxAgeMs: 1 } as const;
    const headers = { authorization: `Bearer ${key}`, 'aip-verifier': asHeader(writeCard(keyOf(11), of)) };
    expect((await mesh.request('GET', '/v1/mesh/stream?v=2', null, undefined, headers)).status).toBe(200);
    expect((await mesh.ask('GET', '/v1/mesh/roster', 'observer')).json()).toMatchObject({
      verifiers: [{ label: seen }],
    });
  });

  test('one that asks once is on the roster and does not listen; what it has applied counts', async () => {
    const mesh = await TestMesh.start();
    const one = new Verifier(mesh, 11, 'cron-1', 'deny', 30_000);
    const [keyId, logId] = [mesh.keys.verifier.keyId, mesh.server.head.logId];
    const ask = () => {
      const { seq, hash } = mesh.server.head;
      const applied = asHeader(writeApplied(one.key, { logId, seq, hash, challenge: null }));
      const target = `/v1/mesh/events?v=2&after=${seq}&wait=0s&once=1`;
      return mesh.ask('GET', target, 'verifier', undefined, { ...one.card(), 'aip-applied': applied });
    };
    expect((await ask()).status).toBe(200);
    expect(await revoke(mesh)).toMatchObject({ roster: 1, unsettled: 1, absent: [{ label: 'cron-1', key_id: keyId }] });
    expect(mesh.server.roster.count(1)).toMatchObject({ reporting: 0, applied: 0 });
    await ask();
    expect(mesh.server.roster.count(1)).toMatchObject({ reporting: 0, applied: 1, complete: true });
    await revoke(mesh);
    await later(mesh, 31_000);
    expect(mesh.server.roster.count(2)).toMatchObject({ applied: 0, complete: true });
  });

  test.each([
    ['polls', '', 61_000],
    ['asked once', '&once=1', 7_000],
  ])('a server that follows tells home of one that %s, and that it is gone', async (_what, once, ms) => {
    const heard: [string, object | null][] = [];
    const no = (): never => expect.unreachable();
    const upstream: FollowedHome = {
      ...{ home: 'http://home', forward: no, snapshot: no, refresh: async () => false, prove: async () => null },
      ...{
        heard: (verifier, word) => heard.push([verifier, word]),
        heardOfTerm: no,
        heardAt: null,
        provenAgo: () => null,
        boot: null,
      },
    };
    const mesh = await TestMesh.start({ upstream });
    const one = new Verifier(mesh, 11);
    const { logId, hash } = mesh.server.head;
    const applied = asHeader(writeApplied(one.key, { logId, seq: 0, hash, challenge: null }));
    const target = `/v1/mesh/events?v=2&after=0&wait=0s${once}`;
    await mesh.ask('GET', target, 'verifier', undefined, { ...one.card(), 'aip-applied': applied });
    expect(heard.map(([verifier, word]) => [verifier, word === null])).toEqual([
      [one.key.publicKey, false],
      [one.key.publicKey, false],
    ]);
    await later(mesh, ms);
    expect(heard.slice(2)).toEqual([[one.key.publicKey, null]]);
  });

  test('leaving is said with the verifier’s own signature: then it is not missed, until it listens again', async () => {
    const mesh = await TestMesh.start();
    const one = await new Verifier(mesh, 11, 'us-1').listen();
    const keyId = mesh.keys.verifier.keyId;
    const forged = { ...writeLeaving(keyOf(12), keyId), public_key: one.key.publicKey };
    expect((await mesh.ask('POST', '/v1/mesh/leave', 'verifier', forged)).status).toBe(400);
    expect((await mesh.ask('POST', '/v1/mesh/leave', 'operator', writeLeaving(one.key, keyId))).status).toBe(404);
    expect(await revoke(mesh)).toMatchObject({ roster: 1 });
    expect((await mesh.ask('POST', '/v1/mesh/leave', 'verifier', writeLeaving(one.key, keyId))).json()).toEqual({
      left: true,
    });
    expect(await revoke(mesh)).toMatchObject({ roster: 0, complete: true });
    await one.listen();
    expect(await revoke(mesh)).toMatchObject({ roster: 1 });
  });

  test('an ephemeral one ends by itself when it was not seen for ten minutes', async () => {
    const mesh = await TestMesh.start();
    const made = await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier', ephemeral: true });
    const { key, key_id, max_verifiers } = made.json<{ key: string; key_id: string; max_verifiers: number }>();
    expect(max_verifiers).toBe(100);
    const card = writeCard(keyOf(11), {
      keyId: key_id,
      label: 'ci',
      host: 'h',
      program: '1',
      onStale: 'last-known',
      maxAgeMs: 1,
    });
    const reply = await mesh.request('GET', '/v1/mesh/stream?v=2', null, undefined, {
      authorization: `Bearer ${key}`,
      'aip-verifier': asHeader(card),
    });
    if (!('open' in reply)) throw new Error('no stream');
    const connection = reply.open({ write: () => true, end: () => undefined, cut: () => undefined });
    (await new Verifier(mesh, 12, 'us-1').listen()).close();
    await later(mesh, 700_000);
    expect(await revoke(mesh)).toMatchObject({ roster: 2 });
    connection.closed();
    await later(mesh, 500_000);
    expect(await revoke(mesh)).toMatchObject({ roster: 2 });
    await later(mesh, 150_000);
    expect(await revoke(mesh)).toMatchObject({ roster: 1, absent: [{ label: 'us-1' }] });
  });

  test('a drill may be given by an operator, and its canary is in no list of agents', async () => {
    const mesh = await TestMesh.start();
    const canary = 'did:web:drill.invalid:agents:canary-1';
    expect((await mesh.command('revoke', { agent_id: canary, reason: 'drill' }, 'operator')).status).toBe(200);
    const fleet = (await mesh.ask('GET', '/v1/mesh/fleet', 'observer')).json<{ agents: unknown[] }>();
    expect(fleet.agents).toEqual([]);
    const back = await mesh.command('reinstate', { agent_id: canary, version: 1 }, 'operator');
    expect(back.status).toBe(200);
    await mesh.command('revoke', {}, 'operator');
    expect((await mesh.command('reinstate', { version: 1 }, 'operator')).status).toBe(403);
  });

  test('the signed word of each is kept, and holds under its key for whoever reads it', async () => {
    const mesh = await TestMesh.start();
    const one = await new Verifier(mesh, 11).listen();
    await revoke(mesh);
    await one.confirm();
    const { verifiers } = (await mesh.ask('GET', '/v1/mesh/roster', 'observer')).json<{
      verifiers: { applied: Applied }[];
    }>();
    const { applied } = verifiers[0]!;
    expect(applied).toMatchObject({ seq: 1, log_id: LOG_ID, public_key: one.key.publicKey });
    const check = (text: string, signature: string) => verifyOperator(one.key.publicKey, text, signature);
    expect(signatureHolds({ ...applied }, check)).toBe(true);
    expect(signatureHolds({ ...applied, seq: 2 }, check)).toBe(false);
  });
});

describe('a verifier whose own key was stopped', () => {
  const stop = (mesh: TestMesh, verifier: Verifier, action = 'revoke', more = {}) =>
    mesh.command(action, { agent_id: verifier.key.publicKey, ...more });

  test('goes on listening, and what it confirms is not believed', async () => {
    const mesh = await TestMesh.start();
    const [good, bad] = [await new Verifier(mesh, 1).listen(), await new Verifier(mesh, 2).listen()];
    await stop(mesh, bad);
    await settle();
    expect(bad.reader!.of('event')).toHaveLength(1);
    await Promise.all([good.confirm(), bad.confirm()]);
    const answer = await revoke(mesh);
    expect(answer).toMatchObject({ roster: 2, unsettled: 2 });
    await Promise.all([good.confirm(), bad.confirm()]);
    expect(mesh.server.roster.count(mesh.server.head.seq)).toMatchObject({ applied: 1, unsettled: 1, complete: false });
    const { verifiers } = (await mesh.ask('GET', '/v1/mesh/status', 'observer')).json<{ verifiers: object[] }>();
    expect(verifiers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ label: 'v-1', key_denied: false }),
        expect.objectContaining({ label: 'v-2', key_denied: true }),
      ]),
    );
  });

  test('is believed again when the key is reinstated, and when a suspension has ended', async () => {
    const mesh = await TestMesh.start();
    const one = await new Verifier(mesh, 1).listen();
    await stop(mesh, one);
    await stop(mesh, one, 'reinstate', { version: 1 });
    await one.confirm();
    expect(mesh.server.roster.count(mesh.server.head.seq)).toMatchObject({ applied: 1 });
    await stop(mesh, one, 'suspend', { duration_seconds: 60 });
    await one.confirm();
    expect(mesh.server.roster.count(mesh.server.head.seq)).toMatchObject({ applied: 0 });
    mesh.clock.advance(61_000);
    await one.confirm();
    expect(mesh.server.roster.count(mesh.server.head.seq)).toMatchObject({ applied: 1 });
  });
});

describe('a verifier that was told another history', () => {
  test.each([
    ['the hash of another event', (mesh: TestMesh) => ({ seq: 2, hash: mesh.server.head.hash.replace(/^./, '0') })],
    ['the hash of the event before', async (mesh: TestMesh) => ({ seq: 2, hash: (await mesh.server.hashes.at(1))! })],
    ['an event that is not there', () => ({ seq: 3 })],
  ])('confirms nothing: %s', async (_what, of) => {
    const mesh = await TestMesh.start();
    const one = await new Verifier(mesh, 1).listen();
    await revoke(mesh);
    await revoke(mesh);
    const answer = await one.confirm(await of(mesh));
    expect([answer.status, answer.json()]).toEqual([409, expect.objectContaining({ code: 'LOG_FORK' })]);
    expect(mesh.server.roster.count(1)).toMatchObject({ applied: 0, unsettled: 1 });
    expect((await one.confirm()).status).toBe(200);
    expect(mesh.server.roster.count(2)).toMatchObject({ applied: 1, unsettled: 0 });
  });

  test('is not counted by a poll either', async () => {
    const mesh = await TestMesh.start();
    await revoke(mesh);
    const key = keyOf(1);
    const [keyId, logId] = [mesh.keys.verifier.keyId, mesh.server.head.logId];
    const card = writeCard(key, {
      keyId,
      label: 'v-1',
      host: 'h',
      program: '9.9.9',
      onStale: 'deny',
      maxAgeMs: 30_000,
    });
    const poll = (hash: string) =>
      mesh.ask('GET', '/v1/mesh/events?v=2&after=1&wait=0s', 'verifier', undefined, {
        'aip-verifier': asHeader(card),
        'aip-applied': asHeader(writeApplied(key, { logId, seq: 1, hash, challenge: null })),
      });
    expect((await poll('ab'.repeat(32))).status).toBe(200);
    expect(mesh.server.roster.count(1)).toMatchObject({ applied: 0 });
    expect((await poll(mesh.server.head.hash)).status).toBe(200);
    const { applied, lastAt } = mesh.server.roster.count(1);
    expect([applied, lastAt]).toEqual([1, mesh.clock.up()]);
    // Asked again, it has applied it when it first said so: that is what the command took.
    mesh.clock.advance(2_000);
    expect((await poll(mesh.server.head.hash)).status).toBe(200);
    expect(mesh.server.roster.count(1).lastAt).toBe(lastAt);
  });
});

test('after a crash, a verifier is not said to refuse before it does: it was heard later than the store was told', async () => {
  const mesh = await TestMesh.start();
  await new Verifier(mesh, 1, 'us-1', 'deny', 30_000).listen();
  await later(mesh, 9_000);
  // Nobody said goodbye, and nothing was written since it began to listen.
  const again = await TestMesh.start({ store: mesh.store }, mesh.clock);
  await later(again, 25_000);
  expect(await revoke(again)).toMatchObject({ unsettled: 1, complete: false });
  await later(again, 10_000);
  expect(await revoke(again)).toMatchObject({ unsettled: 0, complete: true });
});

test('a verifier whose API key is revoked while its poll is read does not listen', async () => {
  const mesh = await TestMesh.start();
  const polling = new Verifier(mesh, 13);
  const { hashes, head } = mesh.server;
  const at = hashes.at.bind(hashes);
  hashes.at = async (seq) => {
    await mesh.ask('DELETE', `/v1/mesh/keys/${mesh.keys.verifier.keyId}`, 'admin');
    return at(seq);
  };
  const applied = writeApplied(polling.key, { logId: LOG_ID, seq: 0, hash: head.hash, challenge: null });
  const headers = { ...polling.card(), 'aip-applied': asHeader(applied) };
  const target = `/v1/mesh/events?v=2&after=${LOG_ID}.1.0&wait=0ms`;
  expect((await mesh.ask('GET', target, 'verifier', undefined, headers)).status).toBe(401);
  expect(mesh.server.pollers.size).toBe(0);
  expect((await mesh.command('revoke', {}, 'admin')).json()).toMatchObject({ connected: 0, reporting: 0 });
});
