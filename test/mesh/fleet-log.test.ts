import { describe, expect, test } from 'vitest';
import { isSignedBy, readStatement } from '../../src/app/logs/statements.js';
import type { RecordDraft } from '../../src/protocol/log/chain.js';
import { seal } from '../kit/state/sealed.js';
import type { Entry, OutcomeDraft } from '../../src/protocol/log/entry.js';
import { parsePublicKey } from '../../src/protocol/identity/keys.js';
import { TestVerifier, type Told } from '../kit/mesh/fleet.js';
import { LOG_ID, MESH_PUBLIC_KEY, Reader, settle, TestMesh } from '../kit/mesh/server.js';
import { AGENT, OTHER, T0 } from '../kit/state/drafts.js';
import type { StreamReply } from '../../src/mesh/server/http/exchange.js';

const failed = { error_code: 'AIP-E202', error_message: 'REFUSED' };

async function shipped(...past: readonly Told[]): Promise<{ mesh: TestMesh; v: TestVerifier }> {
  const mesh = await TestMesh.start();
  const v = new TestVerifier('v-1');
  v.log(...past);
  if (past.length > 0) expect((await mesh.ask('POST', '/v1/logs', 'verifier', v.shipment())).status).toBe(200);
  return { mesh, v };
}

const put = (mesh: TestMesh, body: unknown, role: 'verifier' | 'observer' | 'operator' = 'verifier') =>
  mesh.ask('POST', '/v1/logs', role, body);
const get = async (mesh: TestMesh, query = '') =>
  (await mesh.ask('GET', `/v1/logs${query}`, 'observer')).json<{
    entries: Entry[];
    next: string;
    more: boolean;
    head: number;
  }>();
const seqs = async (mesh: TestMesh, query = '') => (await get(mesh, query)).entries.map((entry) => entry.seq);

const decisions = async (mesh: TestMesh) =>
  (await mesh.ask('GET', '/metrics', 'observer')).body.match(/^aip_mesh_decisions_total.*$/gm) ?? [];

const HASH = `sha256:${'4f'.repeat(32)}`;
const COMMON = { timestamp: '2026-03-01T12:00:00.000Z', agent_id: AGENT } as const;
const outcome = (more: Partial<OutcomeDraft>): RecordDraft => ({
  ...COMMON,
  ...{ type: 'outcome', of: 1, status: 'ok', exit_code: 0, duration_ms: 5, result_hash: null, detail: null },
  ...{ claimed: false, ...more },
});

describe('the metrics count shipped decisions by result and code', () => {
  test('each once, however often it is shipped', async () => {
    const { mesh, v } = await shipped({}, failed, {}, failed, { error_code: 'AIP-E401' });
    await put(mesh, v.shipment());
    expect(await decisions(mesh)).toEqual([
      'aip_mesh_decisions_total{result="accepted",code=""} 2',
      'aip_mesh_decisions_total{result="refused",code="AIP-E202"} 2',
      'aip_mesh_decisions_total{result="refused",code="AIP-E401"} 1',
    ]);
  });

  test('in a bounded number of lines, whatever codes are made up, and on one line each', async () => {
    const made = Array.from({ length: 300 }, (_, i) => ({ error_code: `MADE "UP"\n${i}` }));
    const { mesh } = await shipped(...made);
    const lines = await decisions(mesh);
    expect(lines).toHaveLength(201);
    expect(lines).toContain('aip_mesh_decisions_total{result="refused",code="other"} 100');
    expect(lines[0]).toBe(String.raw`aip_mesh_decisions_total{result="refused",code="MADE \"UP\"\n0"} 1`);
  });
});

describe('shipping', () => {
  test('the head is countersigned, and what is sent twice is kept once', async () => {
    const { mesh, v } = await shipped({}, failed, {});
    const again = await put(mesh, v.shipment());
    expect(again.json()).toMatchObject({ accepted: 0, checkpoint: { seq: 3, hash: v.head.hash } });
    const signed = readStatement(Buffer.from(JSON.stringify(again.json()['checkpoint'])));
    expect(isSignedBy(signed, [parsePublicKey(MESH_PUBLIC_KEY)!])).toBe(true);
    v.log({});
    expect((await put(mesh, v.shipment(1))).json()).toMatchObject({ accepted: 1, checkpoint: { seq: 4 } });
    expect(await seqs(mesh)).toEqual([1, 2, 3, 4]);
  });

  test('without entries it says how far the log is held: the cursor is the server\u2019s', async () => {
    const { mesh, v } = await shipped();
    expect((await put(mesh, v.shipment())).json()).toEqual({ accepted: 0, checkpoint: null });
    v.log({}, {});
    await put(mesh, v.shipment());
    expect((await put(mesh, v.shipment(2))).json()).toMatchObject({ checkpoint: { seq: 2, hash: v.head.hash } });
  });

  test('entries come back as they were written', async () => {
    const { mesh, v } = await shipped({ params: { note: 'Zürich \u0000\u2028 "quoted"', amount: 1.5 } });
    expect((await get(mesh)).entries).toEqual(v.entries);
  });

  test.each([[{ agent_id: 'did:web:acme.com:agents:a\u0000' }], [{ error_code: 'MADE-UP\u0000' }]])(
    'an entry of %j, which no log holds, is refused for what it is',
    async (fields) => {
      const { mesh, v } = await shipped();
      v.log({ ...failed, ...fields });
      expect((await put(mesh, v.shipment())).json()).toMatchObject({ code: 'BAD_REQUEST' });
    },
  );

  test('half a character in an entry is refused, as what has no hash', async () => {
    const { mesh, v } = await shipped();
    v.log(failed);
    const entries = [{ ...v.entries[0]!, agent_id: `${AGENT}\ud800` }];
    expect((await put(mesh, { ...v.shipment(), entries })).json()).toMatchObject({ code: 'BAD_REQUEST' });
    expect(mesh.fatal).toEqual([]);
  });

  test('a gap is refused, naming where to go on', async () => {
    const { mesh, v } = await shipped({}, {});
    v.log({}, {}, {});
    const answer = await put(mesh, v.shipment(4));
    expect([answer.status, answer.json()]).toMatchObject([409, { code: 'LOG_FORK', details: { kind: 'gap', seq: 2 } }]);
    expect(await seqs(mesh)).toEqual([1, 2]);
  });

  test('a history that was written anew is refused, whole', async () => {
    const { mesh } = await shipped({}, {}, {});
    const other = new TestVerifier('v-1');
    other.log({}, { action: 'something_else' }, {}, {});
    const answer = await put(mesh, other.shipment());
    expect(answer.json()).toMatchObject({ code: 'LOG_FORK', details: { kind: 'fork', seq: 2 } });
    expect(await seqs(mesh)).toEqual([1, 2, 3]);
  });

  const changed = (change: (entries: Entry[]) => unknown) => {
    const v = new TestVerifier('v-1');
    v.log({}, failed, {});
    const entries = v.entries.map((entry) => ({ ...entry }));
    return { ...v.shipment(), entries: change(entries) ?? entries };
  };
  test.each([
    ['an entry that was changed', changed((e) => void Object.assign(e[1]!, { error_code: null, status: 'success' }))],
    ['a changed param', changed((e) => void Object.assign(e[0]!, { params: { order_id: '1' } }))],
    ['an entry that is missing', changed((e) => [e[0], e[2]])],
    ['entries out of order', changed((e) => [e[1], e[0], e[2]])],
    ['an entry of another verifier', { ...changed(() => undefined), verifier: 'v-2' }],
    ['an entry with a member more', changed((e) => void Object.assign(e[0]!, { extra: 1 }))],
    ['an entry with a member less', changed((e) => [{ ...e[0], nonce: undefined }])],
    ['an entry that is a list', changed(() => [[]])],
    ['a seq that is text', changed((e) => [{ ...e[0], seq: '1' }])],
    ['a time that is none', changed((e) => [{ ...e[0], timestamp: 'now' }])],
    ['a status that is none', changed((e) => [{ ...e[0], status: 'maybe' }])],
    ['params that are text', changed((e) => [{ ...e[0], params: 'x' }])],
    ['entries that are no list', { ...changed(() => undefined), entries: {} }],
    ['a log id that is none', { ...changed(() => undefined), log_id: 'x' }],
    ['a verifier that is no name', { ...changed(() => undefined), verifier: 'a b' }],
    ['a member more', { ...changed(() => undefined), cursor: 1 }],
    ['what is nested too deep', `{"log_id":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['what is not JSON', '{"log_id":'],
    ['a lone surrogate', JSON.stringify(changed((e) => [{ ...e[0], action: '\ud800' }]))],
  ])('%s is refused, and nothing is kept', async (_, body) => {
    const mesh = await TestMesh.start();
    const answer = await put(mesh, body);
    expect([answer.status, answer.json()['code']]).toEqual([400, 'BAD_REQUEST']);
    expect(await mesh.store.logs.head()).toBe(0);
  });

  const others: readonly (readonly [string, RecordDraft])[] = [
    ['an outcome', outcome({})],
    ['an outcome that gave a limit back', outcome({ status: 'error', released: true })],
    ['an outcome that leaves it open', outcome({ status: 'unknown' })],
    [
      'a judgement that was never reported',
      { ...COMMON, type: 'interrupted', intent_hash: HASH, settled_as: 'accepted', settled_at: COMMON.timestamp },
    ],
    ['an erasure', { ...COMMON, type: 'erasure', entries: [1], param: null, by: 'v-1', signature: 'ab'.repeat(64) }],
  ];
  test.each(others)(
    '%s is taken with the entries around it, and without a member of its kind it is refused',
    async (_, draft) => {
      const mesh = await TestMesh.start();
      const v = new TestVerifier('v-1');
      v.log({});
      v.record(draft);
      v.log({});
      const answer = await put(mesh, v.shipment());
      expect([answer.status, answer.json()['accepted']]).toEqual([200, 3]);
      const stranger = new TestVerifier('v-2');
      stranger.record({ ...draft, extra: 1 } as never);
      expect((await put(mesh, stranger.shipment())).status).toBe(400);
      const { agent_id: _agent, ...less } = draft;
      const lacking = new TestVerifier('v-3');
      lacking.record(less as never);
      expect((await put(mesh, lacking.shipment())).status).toBe(400);
    },
  );

  test('an observer may not ship', async () => {
    const { mesh, v } = await shipped();
    v.log({});
    const answer = await put(mesh, v.shipment(), 'observer');
    expect([answer.status, await mesh.store.logs.head()]).toEqual([403, 0]);
  });

  test('whoever holds another key cannot go on with a log, until the first one is revoked', async () => {
    const { mesh, v } = await shipped({});
    v.log({});
    const stranger = await put(mesh, v.shipment(1), 'operator');
    expect([stranger.status, stranger.json()['code']]).toEqual([403, 'FORBIDDEN']);
    await mesh.store.keys.revoke(mesh.keys.verifier.keyId, mesh.clock.now);
    expect((await put(mesh, v.shipment(1), 'operator')).status).toBe(200);
  });

  test('nobody is told of the end of what another verifier shipped under the id of its log, also once that key is revoked', async () => {
    const { mesh, v } = await shipped({});
    await mesh.store.keys.revoke(mesh.keys.verifier.keyId, mesh.clock.now);
    const ask = async (verifier: string) =>
      (await put(mesh, { log_id: v.logId, verifier, entries: [] }, 'operator')).json()['code'];
    expect([await ask('another'), await ask(v.verifier)]).toEqual(['FORBIDDEN', undefined]);
  });

  test('a log cannot take the name of another', async () => {
    const { mesh, v } = await shipped({});
    const entry = seal({ ...v.entries[0]! }, 'v-1', { seq: 0, hash: '0'.repeat(64) });
    const answer = await put(mesh, { log_id: 'f'.repeat(32), verifier: 'v-1', entries: [entry] }, 'operator');
    expect([answer.status, answer.json()['code']]).toEqual([403, 'FORBIDDEN']);
  });
});

describe('reading', () => {
  const past = [
    { at: T0 },
    { at: T0 + 1000, ...failed },
    { at: T0 + 2000, agent_id: OTHER },
    { at: T0 + 3000, agent_id: OTHER, error_code: 'AIP-E203' },
  ];

  test.each([
    ['', [1, 2, 3, 4]],
    [`?agent=${encodeURIComponent(OTHER)}`, [3, 4]],
    ['?status=failed', [2, 4]],
    ['?code=AIP-E203', [4]],
    [`?since=${T0 + 2000}`, [3, 4]],
    [`?since=${new Date(T0 + 1000).toISOString()}`, [2, 3, 4]],
    ['?after=2', [3, 4]],
    [`?after=${LOG_ID}.3`, [4]],
    ['?last=2', [3, 4]],
    [`?last=1&agent=${encodeURIComponent(AGENT)}`, [2]],
    ['?limit=2', [1, 2]],
    ['?code=AIP-E999', []],
  ])('%s', async (query, expected) => {
    const { mesh } = await shipped(...past);
    expect(await seqs(mesh, query)).toEqual(expected);
  });

  test('pages follow each other without loss, also when a filter leaves much out', async () => {
    const { mesh } = await shipped(...past, ...past, ...past);
    const found: number[] = [];
    for (let after = '0', more = true; more;) {
      const page = await get(mesh, `?after=${after}&status=failed&limit=2`);
      found.push(...page.entries.map((entry) => entry.seq));
      ({ next: after, more } = page);
    }
    expect(found).toEqual([2, 4, 6, 8, 10, 12]);
    // Nothing matches: the next page need not look at these again.
    expect((await get(mesh, '?code=AIP-E999')).next).toBe(`${LOG_ID}.12`);
  });

  test('a page is bounded in bytes, and says that there is more', async () => {
    const params = { note: 'x'.repeat(60_000) };
    const { mesh, v } = await shipped();
    for (let i = 0; i < 12; i++) await put(mesh, { ...v.shipment(), entries: v.log({ params }) });
    const first = await get(mesh);
    expect(first.more).toBe(true);
    expect(first.entries.length).toBeLessThan(12);
    expect((await seqs(mesh, `?after=${first.next}`))[0]).toBe(first.entries.length + 1);
    const newest = await get(mesh, '?last=12');
    expect([newest.more, newest.entries.at(-1)!.seq]).toEqual([true, 12]);
  });

  test('waits for an entry, and no longer than asked', async () => {
    const { mesh, v } = await shipped({});
    const waiting = get(mesh, '?after=1&wait=10s');
    await settle();
    await put(mesh, { ...v.shipment(), entries: v.log({}) });
    expect((await waiting).entries.map((entry) => entry.seq)).toEqual([2]);
    const vain = get(mesh, '?after=2&wait=10s');
    await settle();
    mesh.clock.advance(10_000);
    mesh.server.tick();
    expect(await vain).toMatchObject({ entries: [], next: `${LOG_ID}.2`, more: false });
  });

  test('an entry that the filter leaves out does not end the wait', async () => {
    const { mesh, v } = await shipped({});
    let answered = false;
    const waiting = get(mesh, '?after=1&wait=10s&status=failed').then((page) => ((answered = true), page));
    await settle();
    await put(mesh, { ...v.shipment(), entries: v.log({}) });
    await settle();
    expect(answered).toBe(false);
    await put(mesh, { ...v.shipment(), entries: v.log(failed) });
    expect((await waiting).entries.map((entry) => entry.seq)).toEqual([3]);
  });

  test.each([
    ['a place of another mesh', `?after=${'b2'.repeat(16)}.1`, 409],
    ['a place beyond the end', '?after=99', 409],
    ['a place that is none', '?after=-1', 400],
    ['a status that is none', '?status=maybe', 400],
    ['a since that is none', '?since=yesterday', 400],
    ['a wait that is none', '?wait=long', 400],
    ['a limit that is none', '?limit=1e3', 400],
  ])('%s is refused', async (_, query, status) => {
    const { mesh } = await shipped({});
    expect((await mesh.ask('GET', `/v1/logs${query}`, 'observer')).status).toBe(status);
  });

  test('takes a key', async () => {
    const { mesh } = await shipped({});
    for (const path of ['/v1/logs', '/v1/logs/stream', '/v1/mesh/fleet']) {
      expect((await mesh.ask('GET', path, null)).status).toBe(401);
    }
  });
});

describe('the stream', () => {
  async function follow(mesh: TestMesh, query = '', reader = new Reader()): Promise<Reader> {
    const reply = (await mesh.request('GET', `/v1/logs/stream${query}`, 'observer')) as StreamReply;
    expect(reply.status).toBe(200);
    reader.connection = reply.open(reader);
    await settle();
    return reader;
  }
  const rows = (reader: Reader) => reader.of('entry').map((frame) => Number(frame.id!.split('.')[1]));

  test('brings entries as they arrive, and resumes by id', async () => {
    const { mesh, v } = await shipped({}, {});
    const reader = await follow(mesh);
    expect(rows(reader)).toEqual([]);
    await put(mesh, { ...v.shipment(), entries: v.log({}, failed) });
    await settle();
    expect(rows(reader)).toEqual([3, 4]);
    expect(JSON.parse(reader.of('entry')[1]!.data)).toEqual(v.entries[3]);
    const resumed = await follow(mesh, `?after=${LOG_ID}.1`);
    expect(rows(resumed)).toEqual([2, 3, 4]);
  });

  test('a reader that takes nothing is waited for, then cut; nothing is lost when it drains', async () => {
    const { mesh, v } = await shipped({});
    const slow = new Reader();
    slow.takes = false;
    await follow(mesh, '?after=0', slow);
    await put(mesh, { ...v.shipment(), entries: v.log({}, {}) });
    await settle();
    slow.drain();
    await settle();
    expect(rows(slow)).toEqual([1, 2, 3]);
    slow.takes = false;
    await put(mesh, { ...v.shipment(), entries: v.log({}) });
    await settle();
    mesh.clock.advance(10_000);
    mesh.server.tick();
    expect(slow.cutOff).toBe(true);
    expect(mesh.server.feed.size).toBe(0);
  });

  test('one far behind is told of the gap instead of being read to for long', async () => {
    const { mesh, v } = await shipped();
    for (let i = 0; i < 25; i++) {
      await put(mesh, { ...v.shipment(), entries: v.log(...Array.from({ length: 100 }, () => ({}))) });
    }
    const reader = await follow(mesh, '?after=0');
    expect(reader.of('gap').map((frame) => JSON.parse(frame.data))).toEqual([{ from: 1, to: 2400 }]);
    expect(rows(reader)).toEqual(Array.from({ length: 100 }, (_, i) => 2401 + i));
  });

  test('ends with its key, and with the server', async () => {
    const { mesh } = await shipped({});
    const one = await follow(mesh);
    mesh.server.dropKey(mesh.keys.observer.keyId);
    expect(one.ended).toBe(true);
    const other = await shipped({});
    const reader = await follow(other.mesh);
    other.mesh.server.stop(0);
    expect(reader.ended).toBe(true);
  });

  test('one that would begin beyond the end is refused', async () => {
    const { mesh } = await shipped({});
    expect((await mesh.ask('GET', '/v1/logs/stream?after=7', 'observer')).status).toBe(409);
  });
});
