/** What a mesh may sign, when its store falters, and when it was left behind. */
import { describe, expect, test } from 'vitest';
import { MemoryMeshStore } from '../kit/mesh/memory/store.js';
import { parseCheckpoint, unsignedCheckpoint } from '../../src/mesh/log/checkpoint.js';
import { canonicalize } from '../../src/protocol/json/canonical.js';
import type { Head } from '../../src/mesh/log/head.js';
import { StoreTrouble, type OrderResult } from '../../src/mesh/log/store.js';
import type { Judge, Proposal } from '../../src/mesh/ruling.js';
import { cheapSign, LOG_ID, settle, sign, TestMesh } from '../kit/mesh/server.js';

/** A store that a test takes away and gives back. */
class Faltering extends MemoryMeshStore {
  trouble: 'none' | 'unavailable' | 'in-doubt' | 'hangs' = 'none';
  confirms = 0;
  #waiting: (() => void)[] = [];

  override async confirm(): Promise<Head> {
    this.confirms++;
    await this.#falter();
    return super.confirm();
  }
  override async append(batch: readonly Proposal[], judge: Judge): Promise<readonly OrderResult[]> {
    if (this.trouble === 'in-doubt') {
      await super.append(batch, judge);
      throw new StoreTrouble('in-doubt', 'the answer was lost');
    }
    await this.#falter();
    return super.append(batch, judge);
  }
  heal(): void {
    this.trouble = 'none';
    for (const go of this.#waiting.splice(0)) go();
  }
  async #falter(): Promise<void> {
    if (this.trouble === 'unavailable') throw new StoreTrouble('unavailable', 'away');
    if (this.trouble === 'hangs') await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

async function beats(mesh: TestMesh, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 100) {
    mesh.clock.advance(100);
    mesh.server.tick();
    await settle();
  }
}

const times = (reader: { of(event: string): { data: string }[] }) =>
  reader.of('heartbeat').map(({ data }) => parseCheckpoint(data));

describe('the signed time', () => {
  test('is never later than the confirm that proves it, however long the store takes', async () => {
    const store = new Faltering(LOG_ID);
    const mesh = await TestMesh.start({ store });
    const reader = await mesh.stream('/v1/mesh/stream?v=2');
    await beats(mesh, 2_000);
    const proven = times(reader).length;
    expect(proven).toBe(1);
    const [asked, begun] = [mesh.clock.mono, mesh.clock.now];
    store.trouble = 'hangs';
    await beats(mesh, 10_000);
    expect(times(reader)).toHaveLength(proven);
    store.heal();
    await settle();
    const late = times(reader).slice(proven);
    expect(late.length).toBeGreaterThan(0);
    // Those that waited carry the time of the call, not of the answer.
    expect(Date.parse(late[0]!.time)).toBeLessThanOrEqual(begun + 2_100);
    expect(late[0]!.up_ms).toBeLessThanOrEqual(asked + 2_100);
    await beats(mesh, 2_000);
    expect(times(reader).at(-1)!.up_ms).toBeGreaterThan(asked + 9_000);
  });

  test('streams stay open without proof while the store is away, and take it up again', async () => {
    const store = new Faltering(LOG_ID);
    const mesh = await TestMesh.start({ store });
    const reader = await mesh.stream('/v1/mesh/stream?v=2');
    store.trouble = 'unavailable';
    await beats(mesh, 8_000);
    expect([times(reader).length, reader.ended, reader.cutOff, mesh.fatal]).toEqual([0, false, false, []]);
    // Something comes all the same, so that the reader knows the line.
    expect(reader.text.match(/: heartbeat/g)!.length).toBeGreaterThanOrEqual(3);
    store.heal();
    await beats(mesh, 2_000);
    expect(times(reader)).toHaveLength(1);
  });

  test('is confirmed once for all who listen', async () => {
    const store = new Faltering(LOG_ID);
    const mesh = await TestMesh.start({ store });
    for (let i = 0; i < 200; i++) await mesh.stream('/v1/mesh/stream?v=2');
    store.confirms = 0;
    await beats(mesh, 2_000);
    expect(store.confirms).toBeLessThanOrEqual(20);
  });

  test('a poll without a proof still brings events to a client that can do without', async () => {
    const store = new Faltering(LOG_ID);
    const mesh = await TestMesh.start({ store });
    await mesh.command('revoke');
    store.trouble = 'unavailable';
    const answer = await mesh.ask('GET', '/v1/mesh/events?after=0&wait=0s&v=2', 'verifier');
    expect([answer.status, answer.json<{ checkpoint: unknown; events: unknown[] }>()]).toMatchObject([
      200,
      { checkpoint: null, events: [{ seq: 1 }] },
    ]);
    const old = await mesh.ask('GET', '/v1/mesh/events?after=0&wait=0s', 'verifier');
    expect([old.status, old.json()]).toMatchObject([503, { code: 'STORE_UNAVAILABLE', retryable: true }]);
  });
});

describe('a command whose store falters', () => {
  test('is refused and may be asked again where nothing was written', async () => {
    const store = new Faltering(LOG_ID);
    const mesh = await TestMesh.start({ store });
    store.trouble = 'unavailable';
    const refused = await mesh.command('revoke', { cmd_id: 'cmd-trouble' });
    expect([refused.status, refused.json()]).toMatchObject([503, { code: 'STORE_UNAVAILABLE', retryable: true }]);
    expect((await store.head()).seq).toBe(0);
    store.heal();
    expect((await mesh.command('revoke', { cmd_id: 'cmd-trouble' })).json()).toMatchObject({ seq: 1 });
    expect(mesh.fatal).toEqual([]);
  });

  test('in doubt is settled by its cmd_id: one event', async () => {
    const store = new Faltering(LOG_ID);
    const mesh = await TestMesh.start({ store });
    store.trouble = 'in-doubt';
    const doubt = await mesh.command('revoke', { cmd_id: 'cmd-in-doubt' });
    expect([doubt.status, doubt.json()]).toMatchObject([503, { code: 'IN_DOUBT', retryable: true }]);
    store.heal();
    expect((await mesh.command('revoke', { cmd_id: 'cmd-in-doubt' })).json()).toMatchObject({ seq: 1 });
    expect((await store.head()).seq).toBe(1);
  });
});

/** A store that does not take a seal at first. */
class Unsealing extends MemoryMeshStore {
  away = true;
  override async seal(term: number): Promise<void> {
    if (this.away) throw new StoreTrouble('unavailable', 'away');
    return super.seal(term);
  }
}

describe('a higher term', () => {
  const at = { time: '2026-02-18T14:23:45.000Z', upMs: 1, boot: 'elsewhere' };
  const place = (term: number, logId = LOG_ID): Head => ({ logId, term, seq: 0, hash: '0'.repeat(64) });
  const proofOf = (head: Head, by = sign) => {
    const body = unsignedCheckpoint(head, at, null);
    const checkpoint = JSON.stringify({ ...body, signature: by(canonicalize(body)) });
    return { 'aip-proof': Buffer.from(checkpoint).toString('base64url') };
  };

  test.each([
    ['a bare claim', {}],
    ['a document of another key', proofOf(place(9), cheapSign)],
    ['a document of another log', proofOf(place(9, 'b2'.repeat(16)))],
    ['a document of this term', proofOf(place(1))],
    ['rubbish', { 'aip-proof': '!!' }],
  ])('%s seals nothing: the claim is counted and answered with a reset', async (_, headers) => {
    const mesh = await TestMesh.start();
    const reader = await mesh.stream(`/v1/mesh/stream?after=${LOG_ID}.9.3`, headers);
    expect(reader.of('reset')).toHaveLength(1);
    expect(mesh.server.prover.bareClaims).toBe(1);
    expect((await mesh.command('revoke')).status).toBe(200);
  });

  test('a server that is sealed while it runs tells the one who runs it, once a term', async () => {
    const terms: number[] = [];
    const mesh = await TestMesh.start({ onSealed: (term) => terms.push(term) });
    await mesh.stream(`/v1/mesh/stream?after=${LOG_ID}.9.3`);
    expect(terms).toEqual([]);
    for (let i = 0; i < 2; i++) await mesh.stream(`/v1/mesh/stream?v=2&after=${LOG_ID}.9.3`, proofOf(place(9)));
    expect(terms).toEqual([9]);
  });

  test('a proof seals: no command, no signed time, streams and reads stay, also after a restart', async () => {
    const mesh = await TestMesh.start();
    await mesh.command('revoke');
    const reader = await mesh.stream('/v1/mesh/stream?v=2');
    await mesh.stream(`/v1/mesh/stream?v=2&after=${LOG_ID}.9.3`, proofOf(place(9)));
    for (const again of [mesh, await TestMesh.start({ store: (mesh.store as MemoryMeshStore).reopened() })]) {
      const refused = await again.command('revoke');
      expect([refused.status, refused.json()]).toMatchObject([503, { code: 'MESH_SEALED', details: { term: 9 } }]);
      const keys = await again.ask('POST', '/v1/mesh/keys', 'admin', { role: 'observer' });
      expect(keys.json()).toMatchObject({ code: 'MESH_SEALED' });
      const status = await again.ask('GET', '/v1/mesh/status', 'observer');
      expect([status.status, status.json()]).toMatchObject([200, { sealed_by_term: 9, checkpoint: null }]);
      expect((await again.ask('GET', '/healthz', null)).status).toBe(503);
      expect((await again.stream('/v1/mesh/stream?v=2&after=0')).of('event')).toHaveLength(1);
    }
    const before = times(reader).length;
    await beats(mesh, 4_000);
    expect([times(reader).length, reader.ended]).toEqual([before, false]);
    await mesh.store.raiseTerm(10);
    // Of servers on one store the others are promoted with it.
    expect((await mesh.command('revoke')).status).toBe(200);
    const promoted = await TestMesh.start({ store: mesh.store });
    expect((await promoted.command('revoke')).status).toBe(200);
  });

  test('that was proven while the store was away is kept when it answers again', async () => {
    const store = new Unsealing(LOG_ID);
    const mesh = await TestMesh.start({ store });
    const told = await mesh.request('GET', `/v1/mesh/events?v=2&after=${LOG_ID}.9.3`, 'verifier', undefined, {
      ...proofOf(place(9)),
    });
    expect(told.status).toBe(503);
    expect((await mesh.command('revoke')).json()).toMatchObject({ code: 'MESH_SEALED' });
    store.away = false;
    await beats(mesh, 1_000);
    expect(await store.sealedBy()).toBe(9);
    const again = await TestMesh.start({ store: store.reopened() });
    expect((await again.command('revoke')).json()).toMatchObject({ code: 'MESH_SEALED' });
  });
});
