/** Servers on one store: what one of them keeps or says while the store does not answer, or while another one writes. */
import { describe, expect, test } from 'vitest';
import { MemoryMeshStore } from '../../kit/mesh/memory/store.js';
import { asHeader, writeCard } from '../../../src/mesh/roster/member.js';
import { StoreTrouble, type MeshStore } from '../../../src/mesh/log/store.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { keyOf, request, seedOf } from '../../kit/mesh/approvals.js';
import { AGENT, LOG_ID, settle, TestMesh } from '../../kit/mesh/server.js';

type Table = 'members' | 'papers' | 'notes';

/** A store beside others; `away` are the calls, as `members.list`, that it does not answer now. */
class OneOfSeveral extends MemoryMeshStore {
  override readonly shared = true;
  readonly away = new Set<string>();
  override readonly members = this.#leaving('members');
  override readonly papers = this.#leaving('papers');
  override readonly notes = this.#leaving('notes');

  #leaving<Name extends Table>(name: Name): MeshStore[Name] {
    // Of the class that this one extends, whose fields are made before.
    const table: MeshStore[Name] = this[name];
    const { away } = this;
    return new Proxy(table, {
      get(target, call: string) {
        const work = (target as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>)[call]!;
        return async (...values: unknown[]) => {
          if (away.has(`${name}.${call}`)) throw new StoreTrouble('unavailable', 'It does not answer.');
          return work(...values);
        };
      },
    });
  }
}

async function two() {
  const first = new OneOfSeveral(LOG_ID);
  const second = first.reopened(OneOfSeveral) as OneOfSeveral;
  const a = await TestMesh.start({ store: first });
  const b = await TestMesh.start({ store: second }, a.clock);
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 1_000) {
      a.clock.advance(1_000);
      for (const { server } of [a, b]) server.tick();
      await settle();
    }
  };
  return { first, second, a, b, pass };
}

const cardOf = (n: number, keyId: string): string => {
  const says = { label: `v-${n}`, host: 'h', program: '9.9.9', onStale: 'last-known', maxAgeMs: 30_000 } as const;
  const seed = seedOf(n);
  const key = {
    publicKey: formatPublicKey(publicKeyOf(seed)),
    sign: (text: string) => toHex(signMessage(seed, Buffer.from(text))),
  };
  return asHeader(writeCard(key, { keyId, ...says }));
};

const listening = (mesh: TestMesh, n: number) =>
  mesh.stream('/v1/mesh/stream?v=2', { 'aip-verifier': cardOf(n, mesh.keys.verifier.keyId) });

describe('who should be listening', () => {
  test('is counted from its first moment on, at whichever server it listens', async () => {
    const { a, b, pass } = await two();
    await pass(2_000);
    await a.command('revoke', { agent_id: `${AGENT}1` });
    await listening(b, 11);
    expect((await a.command('revoke')).json()).toMatchObject({ roster: 1, complete: false, unsettled: 1 });
  });

  test('is learnt from another server also where the store did not answer meanwhile', async () => {
    const { first, a, b, pass } = await two();
    await pass(2_000);
    first.away.add('members.list');
    const reader = await listening(b, 11);
    await pass(2_000);
    reader.connection!.closed();
    await pass(60_000);
    first.away.clear();
    await pass(1_000);
    // It is gone from there, and may still accept: it is missed.
    expect((await a.command('revoke')).json()).toMatchObject({ roster: 1, complete: false, unsettled: 1 });
  });

  test('is kept where the store did not take it at first', async () => {
    const { second, a, b, pass } = await two();
    second.away.add('members.put');
    const reader = await listening(b, 11);
    await pass(2_000);
    reader.connection!.closed();
    await pass(2_000);
    second.away.clear();
    await pass(2_000);
    expect((await a.command('revoke')).json()).toMatchObject({ roster: 1, complete: false });
  });
});

test('a verifier is taken off once the store has taken that, and not before', async () => {
  const { first, a, pass } = await two();
  (await listening(a, 11)).connection!.closed();
  await pass(2_000);
  first.away.add('members.put');
  const forget = () => a.ask('DELETE', '/v1/mesh/verifiers/v-11', 'admin');
  expect((await forget()).json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await pass(1_000);
  first.away.clear();
  await pass(2_000);
  expect((await a.command('revoke')).json()).toMatchObject({ roster: 1, complete: false });
  expect((await forget()).json()).toMatchObject({ label: 'v-11', forgotten: true });
  expect((await a.command('reinstate', { version: 1 })).json()).toMatchObject({ roster: 0 });
});

describe('a command that was written', () => {
  test('is answered as written where the store does not say who listens', async () => {
    const { first, a } = await two();
    a.clock.advance(1_000);
    first.away.add('members.list');
    const answer = await a.command('revoke', { cmd_id: 'cmd-written' });
    expect(answer.json()).toMatchObject({ seq: 1, durable: true });
  });

  test('is in doubt where the store does not keep by which id its key was named, and keeps it when it is given again', async () => {
    const { first, a } = await two();
    first.away.add('notes.put');
    const named = { cmd_id: 'cmd-of-a-key', agent_id: `${AGENT}#key-1`, key_text: keyOf(9) };
    expect((await a.command('revoke', named)).json()).toMatchObject({ code: 'IN_DOUBT' });
    first.away.clear();
    expect((await a.command('revoke', named)).json()).toMatchObject({ seq: 1, agent_id: keyOf(9) });
    const told = await a.ask('GET', `/v1/mesh/status/${encodeURIComponent(`${AGENT}#key-1`)}`, 'observer');
    expect(told.json()).toMatchObject({ above: [{ agent_id: keyOf(9), status: 'revoked' }, {}] });
  });
});

test('an ephemeral verifier ends, and no server with it, where the store did not answer when it was due', async () => {
  const { first, second, a, b, pass } = await two();
  const made = await a.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier', ephemeral: true });
  const { key, key_id } = made.json<{ key: string; key_id: string }>();
  const headers = { authorization: `Bearer ${key}`, 'aip-verifier': cardOf(12, key_id) };
  const reply = await a.request('GET', '/v1/mesh/stream?v=2', null, undefined, headers);
  if (!('open' in reply)) throw new Error('no stream');
  const connection = reply.open({ write: () => true, end: () => undefined, cut: () => undefined });
  await pass(2_000);
  connection.closed();
  for (const store of [first, second]) store.away.add('members.forget');
  await pass(640_000);
  expect([...a.fatal, ...b.fatal]).toEqual([]);
  expect(await first.members.list(-1)).toHaveLength(1);
  for (const store of [first, second]) store.away.clear();
  await pass(20_000);
  expect(await first.members.list(-1)).toEqual([]);
});

describe('requests for approval', () => {
  test('are all listed after the store did not answer the first question for them', async () => {
    const { first, a, b, pass } = await two();
    expect((await b.ask('POST', '/v1/mesh/approvals', 'verifier', request(1))).status).toBe(201);
    await pass(60_000);
    first.away.add('papers.list');
    expect((await a.ask('GET', '/v1/mesh/approvals', 'admin')).json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    first.away.clear();
    const listed = (await a.ask('GET', '/v1/mesh/approvals', 'admin')).json<{ requests: unknown[] }>();
    expect(listed.requests).toHaveLength(1);
  });

  test('that another server took are listed though the store did not answer for longer than clocks differ', async () => {
    const { first, a, b, pass } = await two();
    expect((await a.ask('GET', '/v1/mesh/approvals', 'admin')).status).toBe(200);
    first.away.add('papers.list');
    await b.ask('POST', '/v1/mesh/approvals', 'verifier', request(1));
    await pass(60_000);
    first.away.clear();
    await pass(2_000);
    const listed = (await a.ask('GET', '/v1/mesh/approvals', 'admin')).json<{ requests: unknown[] }>();
    expect(listed.requests).toHaveLength(1);
  });
});

describe('how far a region is', () => {
  test('is known at the servers that it does not speak to, and that it follows', async () => {
    const { first, a, b, pass } = await two();
    const key = { keyId: 'region000001', role: 'region', label: 'eu', hash: 'x', publicKey: null } as const;
    await first.keys.add({ ...key, createdAt: a.clock.wall(), revokedAt: null });
    const states = new Set<string>();
    for (let n = 0; n < 30; n++) {
      a.server.regions.heard('eu', 5);
      await pass(2_000);
      for (const { server } of [a, b]) if (n > 0) states.add(server.regions.rows(5)[0]!.state);
    }
    expect([...states]).toEqual(['following']);
    await pass(17_000);
    expect([a, b].map(({ server }) => server.regions.rows(5)[0]!.state)).toEqual(['absent', 'absent']);
  });

  test('is not written over by a server that it no longer speaks to', async () => {
    const { first, a, b } = await two();
    const [early, late] = [a.server.regions, b.server.regions];
    early.heard('eu', 5);
    await settle();
    late.heard('eu', 9);
    await settle();
    // Its own last word is ten seconds old, and is said no more.
    a.clock.advance(11_000);
    early.keep();
    await settle();
    expect(JSON.parse((await first.notes.get('region:eu'))!)).toMatchObject({ seq: 9 });
    expect(
      (await early.settle(9, a.clock.up(), { mode: 'sync', withinMs: 50, names: [] }, () => false))[0],
    ).toMatchObject({ state: 'acknowledged' });
  });
});
