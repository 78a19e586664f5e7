/** Shipped entries lose a value by an admin's signed order, and go when they have been kept long enough. */
import { describe, expect, test } from 'vitest';
import { dropLog, eraseAtMesh, type AdminDeps, type ShippedErasure } from '../../../src/app/mesh/admin.js';
import type { MeshEndpoint } from '../../../src/app/ports/mesh.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import { seal, sealRecord, START, verifyChain } from '../../../src/protocol/log/chain.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { LogRecord } from '../../../src/protocol/log/entry.js';
import { MemoryMeshStore } from '../../kit/mesh/memory/store.js';
import type { MeshSigner } from '../../../src/mesh/log/signing.js';
import { StoreTrouble } from '../../../src/mesh/log/store.js';
import type { Role } from '../../../src/mesh/access/roles.js';
import { AGENT, check, sign, TestMesh } from '../../kit/mesh/server.js';
import { draft, T0 } from '../../kit/state/drafts.js';

const SEED = new Uint8Array(32).fill(9);
const OPERATOR = formatPublicKey(publicKeyOf(SEED));
const LOG = 'b2'.repeat(16);
const MARK = 'jane.doe.4711@acme.com';
let drawn = 0;
const random = (n: number): Uint8Array => new Uint8Array(n).fill(n);

/** Two decisions of the agent that show the address, one of another, and the outcome of the first. */
function logged(): LogRecord[] {
  const records: LogRecord[] = [];
  const last = () => records.at(-1) ?? START;
  const decide = (agent_id: string, to: string, at: number): void => {
    const params = { to, subject: 'hi' };
    const made = { ...draft({ at }), agent_id, params, details: { requested: to }, intent_hash: `sha256:${to}` };
    records.push(seal(made, null, 'v1', last(), random).entry);
  };
  decide(AGENT, MARK, T0);
  decide('did:web:acme.com:agents:other', MARK, T0);
  const outcome = {
    exit_code: null,
    duration_ms: null,
    result_hash: null,
    detail: `bounced at ${MARK}`,
    claimed: false,
  };
  const of = {
    type: 'outcome' as const,
    timestamp: new Date(T0).toISOString(),
    agent_id: AGENT,
    of: 1,
    status: 'error' as const,
  };
  records.push(sealRecord({ ...of, ...outcome }, 'v1', last(), random).entry);
  decide(AGENT, MARK, T0 + 60_000);
  return records;
}

async function meshWith(
  options: { readonly logRetentionMs?: number; readonly sign?: MeshSigner; readonly store?: MemoryMeshStore } = {},
  entries = logged(),
) {
  const mesh = await TestMesh.start({ ...options, operatorKey: OPERATOR });
  const shipped = await mesh.ask('POST', '/v1/logs', 'verifier', { log_id: LOG, verifier: 'v1', entries });
  expect(shipped.status).toBe(200);
  const held = async (): Promise<LogRecord[]> =>
    (await mesh.store.logs.read({ limit: 100 })).map(({ text }) => JSON.parse(text) as LogRecord);
  const depsOf = (role: Role, signs: boolean): AdminDeps => {
    const line: MeshEndpoint = {
      url: 'http://mesh.test',
      ask: async ({ method, target, body, headers }) => {
        const { status, body: text } = await mesh.ask(method, target, role, Buffer.from(body!).toString(), headers);
        return { kind: 'answered', status, body: text };
      },
    };
    const signer = { publicKey: OPERATOR, sign: async (text: string) => toHex(signMessage(SEED, Buffer.from(text))) };
    return {
      line,
      clock: mesh.clock.wall,
      random: (n) => new Uint8Array(n).fill(++drawn),
      signer: signs ? signer : null,
    };
  };
  return { mesh, held, depsOf };
}

describe('an erasure', () => {
  test.each<[string, ShippedErasure, number, boolean[]]>([
    ['of a param of an agent', { agent_id: AGENT, param: 'to' }, 2, [false, true, false, false]],
    [
      'of what came before a time',
      { agent_id: AGENT, param: 'to', before: new Date(T0 + 1).toISOString() },
      1,
      [false, true, false, true],
    ],
    ['of one entry', { log_id: LOG, seq: 4 }, 1, [true, true, true, false]],
    ['of a param of one entry', { log_id: LOG, seq: 1, param: 'to' }, 1, [false, true, false, true]],
    ['of what nothing holds', { agent_id: AGENT, param: 'cc' }, 0, [true, true, true, true]],
  ])('%s', async (_, wish, erased, left) => {
    const { mesh, held, depsOf } = await meshWith();
    expect(await eraseAtMesh(depsOf('admin', true), wish)).toMatchObject({ erased });
    const after = await held();
    expect(after.map((record) => JSON.stringify(record).includes(MARK))).toEqual(left);
    // The chain is the one that was shipped, and goes on.
    expect(verifyChain(after)).toMatchObject({ ok: true, count: 4 });
    expect(after.map(({ hash }) => hash)).toEqual(logged().map(({ hash }) => hash));
    const [paper] = await mesh.store.papers.list('log-erasure', 0);
    const { signature, ...body } = JSON.parse(paper!.text) as Record<string, string>;
    expect(body).toMatchObject({ type: 'log-erasure', decisions: erased, operator: OPERATOR });
    expect(check(canonicalize(body), signature!)).toBe(true);
    // Once is enough.
    expect(await eraseAtMesh(depsOf('admin', true), wish)).toMatchObject({ erased: 0 });
  });

  test('takes an admin, and the own signature of one', async () => {
    const { held, depsOf } = await meshWith();
    const wish = { agent_id: AGENT, param: 'to' };
    for (const [role, signs, said] of [
      ['admin', false, 'SIGNATURE_REQUIRED'],
      ['operator', true, 'takes the role admin'],
      ['verifier', true, 'takes the role admin'],
    ] as const)
      await expect(eraseAtMesh(depsOf(role, signs), wish)).rejects.toThrow(said);
    expect((await held()).every((record) => record.erased === null)).toBe(true);
  });

  test.each<object>([
    {},
    { agent_id: AGENT },
    { param: 'to' },
    { agent_id: AGENT, param: 'to', seq: 1 },
    { log_id: LOG, seq: 0 },
    { log_id: 'x', seq: 1 },
    { log_id: LOG, seq: 1, before: '2026-01-01T00:00:00Z' },
    { agent_id: AGENT, param: 'to', before: 'tomorrow' },
    { agent_id: AGENT, param: 'to', more: 1 },
    { agent_id: 'no agent', param: 'to' },
  ])('that is none: %j', async (wish) => {
    const { depsOf } = await meshWith();
    await expect(eraseAtMesh(depsOf('admin', true), wish as ShippedErasure)).rejects.toThrow('BAD_REQUEST');
  });
});

describe('with a key that is asked elsewhere an erasure', () => {
  test('has a signed word', async () => {
    const { mesh, depsOf } = await meshWith({ sign: async (text) => sign(text) });
    expect(await eraseAtMesh(depsOf('admin', true), { agent_id: AGENT, param: 'to' })).toMatchObject({ erased: 2 });
    const [paper] = await mesh.store.papers.list('log-erasure', 0);
    const { signature, ...body } = JSON.parse(paper!.text) as Record<string, string>;
    expect(check(canonicalize(body), signature!)).toBe(true);
  });

  test.each([
    ['an erasure', (deps: AdminDeps) => eraseAtMesh(deps, { agent_id: AGENT, param: 'to' })],
    ['a drop', (deps: AdminDeps) => dropLog(deps, { log_id: LOG }, 'made up')],
  ])('or %s takes nothing where the API key of its admin is revoked while the key signs', async (_, order) => {
    let onSign = async (): Promise<unknown> => undefined;
    const { mesh, held, depsOf } = await meshWith({
      sign: async (text) => {
        if (text.includes('"log-erasure"') || text.includes('"log-drop"')) await onSign();
        return sign(text);
      },
    });
    const before = await held();
    onSign = async () => mesh.server.dropKey(mesh.keys.admin.keyId);
    await expect(order(depsOf('admin', true))).rejects.toThrow('revoked');
    expect(await held()).toEqual(before);
    for (const kind of ['log-erasure', 'log-drop']) expect(await mesh.store.papers.list(kind, 0)).toEqual([]);
  });

  test('takes nothing while the key refuses, and ends nothing', async () => {
    let isOut = false;
    const { mesh, held, depsOf } = await meshWith({
      sign: async (text) => {
        if (isOut) throw new Error('the agent is locked');
        return sign(text);
      },
    });
    const before = await held();
    isOut = true;
    const wish = { agent_id: AGENT, param: 'to' };
    await expect(eraseAtMesh(depsOf('admin', true), wish)).rejects.toThrow('Nothing was changed');
    expect(await held()).toEqual(before);
    expect(await mesh.store.papers.list('log-erasure', 0)).toEqual([]);
    expect(mesh.fatal).toEqual([]);
    isOut = false;
    expect(await eraseAtMesh(depsOf('admin', true), wish)).toMatchObject({ erased: 2 });
  });
});

describe('what is shipped after an erasure', () => {
  const ship = (mesh: TestMesh, entries: readonly LogRecord[]) =>
    mesh.ask('POST', '/v1/logs', 'verifier', { log_id: LOG, verifier: 'v1', entries });
  const shows = (records: readonly LogRecord[]): boolean[] =>
    records.map((record) => JSON.stringify(record).includes(MARK));

  test.each<[string, ShippedErasure, boolean[]]>([
    ['of an agent', { agent_id: AGENT, param: 'to' }, [false, true, false, false]],
    [
      'of what came before a time',
      { agent_id: AGENT, param: 'to', before: new Date(T0 + 1).toISOString() },
      [false, true, false, true],
    ],
    ['of an entry to come', { log_id: LOG, seq: 4 }, [true, true, true, false]],
    ['of an entry with an outcome to come', { log_id: LOG, seq: 1 }, [false, true, false, true]],
  ])('lacks the values that it took: %s', async (_, wish, left) => {
    for (const cut of [1, 2]) {
      const { mesh, held, depsOf } = await meshWith({}, logged().slice(0, cut));
      mesh.clock.advance(3_600_000);
      await eraseAtMesh(depsOf('admin', true), wish);
      expect((await ship(mesh, logged().slice(cut))).status).toBe(200);
      const after = await held();
      expect(shows(after)).toEqual(left);
      expect(verifyChain(after)).toMatchObject({ ok: true, count: 4 });
      expect(after.map(({ hash }) => hash)).toEqual(logged().map(({ hash }) => hash));
      // The log goes on, and what is shipped once more is the same log.
      expect((await ship(mesh, logged())).json()).toMatchObject({ accepted: 0 });
    }
  });

  test('keeps what was made after it', async () => {
    const { mesh, held, depsOf } = await meshWith({}, logged().slice(0, 1));
    mesh.clock.advance(30_000);
    await eraseAtMesh(depsOf('admin', true), { agent_id: AGENT, param: 'to' });
    mesh.clock.advance(3_600_000);
    await ship(mesh, logged().slice(1));
    expect(shows(await held())).toEqual([false, true, false, true]);
  });

  // Entry 4 is dated 30 s behind the erasure.
  test.each<[string, number, JsonObject, boolean]>([
    ['by its own word', 60_000, { sent: T0 + 90_000 + 40_000 }, false],
    ['as an entry is dated after its arrival', 1_000, {}, false],
    ['and is set right, as the next entry shows', 3_600_000, { next: T0 + 20_000 }, false],
    ['and not so far that it was made before', 60_000, { sent: T0 + 90_000 + 10_000 }, true],
    ['and not at all', 3_600_000, { sent: T0 + 3_630_000 }, true],
  ])('of a machine whose clock is ahead, %s', async (_, later, { sent, next }, shown) => {
    const { mesh, held, depsOf } = await meshWith({}, logged().slice(0, 1));
    mesh.clock.advance(30_000);
    await eraseAtMesh(depsOf('admin', true), { agent_id: AGENT, param: 'to' });
    mesh.clock.advance(later);
    const entries = logged().slice(1);
    if (typeof next === 'number') entries.push(seal(draft({ at: next }), null, 'v1', entries.at(-1)!, random).entry);
    const body = { log_id: LOG, verifier: 'v1', entries };
    const headers: Record<string, string> =
      typeof sent === 'number' ? { 'aip-sent-at': new Date(sent).toISOString() } : {};
    expect((await mesh.ask('POST', '/v1/logs', 'verifier', body, headers)).status).toBe(200);
    expect(shows((await held()).slice(0, 4))).toEqual([false, true, false, shown]);
  });

  test('lacks them at a server that starts later, on the same store, as well', async () => {
    const store = new MemoryMeshStore('a1'.repeat(16));
    const { mesh, depsOf } = await meshWith({ store }, logged().slice(0, 1));
    mesh.clock.advance(3_600_000);
    await eraseAtMesh(depsOf('admin', true), { agent_id: AGENT, param: 'to' });
    const { held } = await meshWith({ store: store.reopened() }, logged());
    expect(shows(await held())).toEqual([false, true, false, false]);
  });

  test('lacks them where another server took the erasure between the look for it and the writing', async () => {
    const store = new MemoryMeshStore('a1'.repeat(16));
    const { mesh, held, depsOf } = await meshWith({ store }, logged().slice(0, 1));
    mesh.clock.advance(3_600_000);
    const other = store.reopened();
    const put = other.logs.put.bind(other.logs);
    other.logs.put = async (shipment) => {
      await eraseAtMesh(depsOf('admin', true), { agent_id: AGENT, param: 'to' });
      return put(shipment);
    };
    await meshWith({ store: other }, logged());
    expect(shows(await held())).toEqual([false, true, false, false]);
  });

  test('lacks them also where the store goes away before the writing server could look again', async () => {
    const store = new MemoryMeshStore('a1'.repeat(16));
    const { mesh, held, depsOf } = await meshWith({ store }, logged().slice(0, 1));
    mesh.clock.advance(3_600_000);
    const other = store.reopened();
    const [put, list] = [other.logs.put.bind(other.logs), other.papers.list.bind(other.papers)];
    let isAway = false;
    other.papers.list = async (...which) => {
      if (isAway) throw new StoreTrouble('unavailable', 'away');
      return list(...which);
    };
    const writer = await TestMesh.start({ store: other }, mesh.clock);
    other.logs.put = async (shipment) => {
      await eraseAtMesh(depsOf('admin', true), { agent_id: AGENT, param: 'to' });
      isAway = true;
      return put(shipment);
    };
    const shipped = ship(writer, logged());
    while (writer.server.waits.size === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(shows(await held())).toEqual([false, true, true, true]);
    isAway = false;
    mesh.clock.advance(1_000);
    writer.server.tick();
    expect((await shipped).status).toBe(200);
    expect(shows(await held())).toEqual([false, true, false, false]);
  });

  test('lacks them where another server writes it while the first one rewrites', async () => {
    const store = new MemoryMeshStore('a1'.repeat(16));
    const { mesh, held, depsOf } = await meshWith({ store }, logged().slice(0, 1));
    mesh.clock.advance(3_600_000);
    const rewrite = store.logs.rewrite.bind(store.logs);
    let rewritings = 0;
    store.logs.rewrite = async (...how) => {
      const rewritten = await rewrite(...how);
      // The first one only counts.
      if (++rewritings === 2) await meshWith({ store: store.reopened() }, logged());
      return rewritten;
    };
    await eraseAtMesh(depsOf('admin', true), { agent_id: AGENT, param: 'to' });
    expect(shows(await held())).toEqual([false, true, false, false]);
  });

  test('lacks them where the store went away while what was there was rewritten, and the order is said to be kept', async () => {
    const store = new MemoryMeshStore('a1'.repeat(16));
    const { mesh, held, depsOf } = await meshWith({ store }, logged().slice(0, 1));
    mesh.clock.advance(3_600_000);
    const rewrite = store.logs.rewrite.bind(store.logs);
    let rewritings = 0;
    store.logs.rewrite = async (...how) => {
      if (++rewritings === 2) throw new StoreTrouble('unavailable', 'away');
      return rewrite(...how);
    };
    const wish = { agent_id: AGENT, param: 'to' };
    await expect(eraseAtMesh(depsOf('admin', true), wish)).rejects.toThrow('IN_DOUBT');
    expect(mesh.fatal).toEqual([]);
    await meshWith({ store: store.reopened() }, logged());
    expect(shows(await held())).toEqual([true, true, false, false]);
    await eraseAtMesh(depsOf('admin', true), wish);
    expect(shows(await held())).toEqual([false, true, false, false]);
  });
});

test('retention goes by the time of arrival, and looks once a minute', async () => {
  const { mesh, held } = await meshWith({ logRetentionMs: 3_600_000 });
  const records = logged();
  let [last] = records.slice(-1);
  const entries: LogRecord[] = [];
  for (let i = 0; i < 16; i++) entries.push((last = seal(draft({ at: T0 }), null, 'v1', last!, random).entry));
  await mesh.ask('POST', '/v1/logs', 'verifier', { log_id: LOG, verifier: 'v1', entries });
  const tick = async (ms: number): Promise<number> => {
    mesh.clock.advance(ms);
    mesh.server.tick();
    await new Promise((resolve) => setImmediate(resolve));
    return (await held()).length;
  };
  expect(await tick(3_599_000)).toBe(20);
  expect(await tick(30_000)).toBe(20);
  expect(await tick(40_000)).toBe(18);
  expect(await tick(59_000)).toBe(18);
  expect(await tick(2_000)).toBe(17);
});

describe('a log that somebody made up', () => {
  const MINE = 'c3'.repeat(16);
  const shipping = (mesh: TestMesh, role: Role, log_id: string, verifier: string, entries: readonly LogRecord[]) =>
    mesh.ask('POST', '/v1/logs', role, { log_id, verifier, entries });

  test.each([
    ['by its id', LOG, { log_id: LOG }],
    ['by the name of its verifier', MINE, { verifier: 'v1' }],
  ] as const)('is dropped %s: who has that ships from then on, and the mesh keeps its word', async (_, mine, which) => {
    const { mesh, held, depsOf } = await meshWith();
    const own = logged().map((record) => ({ ...record }));
    // The owner's are of another chain.
    const entries = own
      .slice(0, 1)
      .map(
        (record) =>
          sealRecord({ ...record, timestamp: '2026-01-01T00:00:00.000Z' } as never, 'v1', START, random).entry,
      );
    const refused = await shipping(mesh, 'operator', mine, 'v1', entries);
    expect([refused.status, refused.json<{ code: string }>().code]).toEqual([403, 'FORBIDDEN']);
    await expect(dropLog(depsOf('admin', false), which, 'made up')).rejects.toThrow('SIGNATURE_REQUIRED');
    for (const role of ['operator', 'verifier'] as const)
      await expect(dropLog(depsOf(role, true), which, 'made up')).rejects.toThrow('takes the role admin');
    expect(await held()).toHaveLength(4);
    const { statement, ...dropped } = await dropLog(depsOf('admin', true), which, 'made up');
    const { keyId } = mesh.keys.verifier;
    expect(dropped).toEqual({ log_id: LOG, verifier: 'v1', key_id: keyId, entries: 4 });
    expect(await held()).toEqual([]);
    const [paper] = await mesh.store.papers.list('log-drop', 0);
    expect(JSON.parse(paper!.text)).toEqual(statement);
    const { signature, ...body } = statement as Record<string, string>;
    const { hash, seq } = logged().at(-1)!;
    expect(body).toMatchObject({
      type: 'log-drop',
      log_id: LOG,
      key_id: keyId,
      reason: 'made up',
      operator: OPERATOR,
      seq,
      hash,
    });
    expect(check(canonicalize(body), signature!)).toBe(true);
    expect((await shipping(mesh, 'operator', mine, 'v1', entries)).status).toBe(200);
    expect(await held()).toEqual(entries);
    // The name is taken again.
    expect((await shipping(mesh, 'verifier', LOG, 'v1', logged())).status).toBe(403);
    await expect(dropLog(depsOf('admin', true), { log_id: 'd4'.repeat(16) }, 'x')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test.each<object>([
    { reason: 'x' },
    { log_id: LOG },
    { log_id: LOG, verifier: 'v1', reason: 'x' },
    { log_id: 'x', reason: 'x' },
    { verifier: 'a b', reason: 'x' },
    { log_id: LOG, reason: 'x'.repeat(501) },
    { log_id: LOG, reason: 'x', more: 1 },
  ])('is dropped by no order such as %j', async (wish) => {
    const { mesh, held } = await meshWith();
    expect((await mesh.ask('POST', '/v1/logs/drop', 'admin', wish)).status).toBe(400);
    expect(await held()).toHaveLength(4);
  });

  test('is in doubt where the store goes away when a part of it may be gone', async () => {
    const { mesh, held, depsOf } = await meshWith();
    const drop = mesh.store.logs.drop.bind(mesh.store.logs);
    mesh.store.logs.drop = () => Promise.reject(new StoreTrouble('unavailable', 'away'));
    await expect(dropLog(depsOf('admin', true), { log_id: LOG }, 'made up')).rejects.toThrow('IN_DOUBT');
    mesh.store.logs.drop = drop;
    expect(await dropLog(depsOf('admin', true), { log_id: LOG }, 'made up')).toMatchObject({ entries: 4 });
    expect(await held()).toEqual([]);
  });

  test('nothing is dropped where the mesh cannot sign its word', async () => {
    let isOut = false;
    const { mesh, held, depsOf } = await meshWith({
      sign: async (text) => {
        if (isOut) throw new Error('the agent is locked');
        return sign(text);
      },
    });
    isOut = true;
    await expect(dropLog(depsOf('admin', true), { log_id: LOG }, 'made up')).rejects.toThrow('Nothing was changed');
    expect([await mesh.store.papers.list('log-drop', 0), mesh.fatal]).toEqual([[], []]);
    expect(await held()).toHaveLength(4);
  });
});
