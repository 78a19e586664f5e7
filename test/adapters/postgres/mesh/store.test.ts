/** The mesh store in PostgreSQL: the contract of every store, and what only a database that is shared and far away can do. */
import { describe, expect, test } from 'vitest';
import { commandDigest, type Command } from '../../../../src/mesh/command.js';
import { parseEvent } from '../../../../src/mesh/log/event.js';
import { NO_HASH } from '../../../../src/mesh/log/head.js';
import { StoreTrouble, type MeshStore, type OrderResult } from '../../../../src/mesh/log/store.js';
import { judgeWith, type Proposal } from '../../../../src/mesh/ruling.js';
import { meshStoreContract, type StoreUnderTest } from '../../../contract/mesh-store.js';
import { FaultProxy } from '../../../kit/mesh/fault-proxy.js';
import { openStore } from '../../../kit/mesh/several/postgres.js';
import { cheapSign } from '../../../kit/mesh/server.js';
import { until } from '../../../kit/mesh/network.js';
import { connectWithUrl, describePostgres, QUICK, type TestCluster } from '../../../kit/postgres.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');
let count = 0;

function proposal(subject = `did:web:acme.com:agents:a${count}`, cmdId = `command-${++count}`): Proposal {
  const command: Command = {
    ...{ cmdId, action: 'revoke', subject, reason: 'r', by: null, durationMs: null },
    ...{ version: null, logId: null, expiresAt: null },
  };
  return { command, digest: commandDigest(command), operator: { key_id: 'k', signed: null }, nonce: null };
}

function append(store: MeshStore, ...batch: readonly Proposal[]): Promise<readonly OrderResult[]> {
  return store.append(batch, judgeWith(NOW, cheapSign));
}

/** Asks again under the same id, as a client does, until there is an answer. */
async function settled(store: MeshStore, wanted: Proposal, ms = 15_000): Promise<OrderResult> {
  for (const end = Date.now() + ms; ;) {
    try {
      return (await append(store, wanted))[0]!;
    } catch (error) {
      if (!(error instanceof StoreTrouble) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function requireWhole(store: MeshStore): Promise<number> {
  const events = (await store.read(0, 100_000)).map(({ text }) => parseEvent(text));
  events.forEach((event, i) => {
    expect(event.seq).toBe(i + 1);
    expect(event.prev_hash).toBe(i === 0 ? NO_HASH : events[i - 1]!.hash);
  });
  expect(await store.head()).toMatchObject({ seq: events.length });
  return events.length;
}

describePostgres('mesh store', QUICK, (cluster) => {
  async function under(url: string): Promise<StoreUnderTest> {
    const store = await openStore(url);
    return {
      store,
      beside: () => openStore(url),
      reopen: async () => {
        await store.close();
        return under(url);
      },
      dispose: () => store.close(),
    };
  }
  meshStoreContract('PostgreSQL', async () => under((await cluster().database()).url));

  test('openings that all begin at once share one log', async () => {
    const { url } = await cluster().database();
    const stores = await Promise.all([1, 2, 3, 4].map((n) => openStore(url, String(n).repeat(32))));
    expect(new Set(stores.map(({ logId }) => logId)).size).toBe(1);
  });

  test('four openings that write at once: no hole, no command lost, none twice', async () => {
    const { url } = await cluster().database();
    const stores = await Promise.all([1, 2, 3, 4].map(() => openStore(url)));
    const shared = proposal('did:web:acme.com:agents:shared', 'one-command-at-all');
    const work = stores.map(async (store) => {
      const done = [await settled(store, shared)];
      for (let i = 0; i < 25; i++) done.push(await settled(store, proposal()));
      return done;
    });
    const outcomes = (await Promise.all(work)).flat();
    expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true);
    expect(outcomes.filter((each) => each.kind === 'done' && !each.repeated)).toHaveLength(101);
    expect(await requireWhole(stores[0]!)).toBe(101);
  });

  test('of two admin keys that are revoked at once one stays, whatever isolation the database sets', async () => {
    const { name, url } = await cluster().database();
    const store = await openStore(url);
    await cluster().admin(`ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`);
    const holder = await connectWithUrl(url);
    const both = [await openStore(url), await openStore(url)];
    for (const keyId of ['a1', 'a2']) {
      const rest = { hash: keyId, label: null, publicKey: null, createdAt: NOW, revokedAt: null };
      await store.keys.add({ keyId, role: 'admin', ...rest });
    }
    // Both wait here.
    await holder.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtext('aip_mesh.api_keys'))`, [], 1_000);
    const ends = Promise.allSettled(['a1', 'a2'].map((keyId, i) => both[i]!.keys.revoke(keyId, NOW)));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await holder.query('COMMIT', [], 1_000);
    expect((await ends).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await store.keys.list()).filter(({ revokedAt }) => revokedAt === null)).toHaveLength(1);
    await holder.close();
  });

  test('servers that write at once refuse no command, whatever isolation the database sets', async () => {
    const { name, url } = await cluster().database();
    const first = await openStore(url);
    await cluster().admin(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    const stores = await Promise.all([1, 2, 3].map(() => openStore(url)));
    const work = stores.map(async (store) => {
      for (let i = 0; i < 25; i++) expect((await append(store, proposal()))[0]!.kind).toBe('done');
    });
    await Promise.all(work);
    expect(await requireWhole(first)).toBe(75);
  });

  test('a database of a smaller character set is refused before a mesh begins in it', async () => {
    const { name, url } = await cluster().database();
    await cluster().admin(`CREATE DATABASE ${name}_latin ENCODING 'LATIN1' TEMPLATE template0`);
    await expect(openStore(`${url}_latin`)).rejects.toMatchObject({
      code: 'STATE',
      message: expect.stringContaining('LATIN1') as string,
    });
  });

  test('a user without rights is told whose they are', async () => {
    const { name } = await cluster().database();
    await cluster().admin(`CREATE ROLE poor LOGIN PASSWORD 'p'`);
    await expect(openStore(cluster().url(name, 'poor', 'p'))).rejects.toMatchObject({
      code: 'STATE',
      hint: expect.stringContaining('GRANT CREATE ON DATABASE') as string,
    });
  });

  test('a function of somebody who may create some in the same database is never called', async () => {
    const { name, url } = await cluster().database();
    // As every database before PostgreSQL 15.
    await cluster().admin('GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE ROLE beside LOGIN', name);
    for (const signature of [
      'pg_advisory_xact_lock(int)',
      'to_jsonb(record)',
      'jsonb_agg(jsonb)',
      'jsonb_agg(text)',
      'jsonb_build_array(text, text)',
      'jsonb_build_object(text, text)',
      'jsonb_object_agg(text, jsonb)',
    ]) {
      const body = `BEGIN RAISE 'called as %', current_user; END`;
      await cluster().admin(
        `SET ROLE beside; CREATE FUNCTION public.${signature} RETURNS jsonb LANGUAGE plpgsql AS $$ ${body} $$`,
        name,
      );
    }
    const store = await openStore(url);
    await append(store, proposal());
    await append(store, proposal());
    expect(await store.confirm()).toMatchObject({ seq: 2 });
    expect((await store.snapshot()).standings).toHaveLength(2);
    await expect(store.keys.revoke('nobody', NOW)).resolves.toBe(false);
  });

  test('what was judged by a head that went on is judged again', async () => {
    const { url } = await cluster().database();
    const [a, b] = [await openStore(url), await openStore(url)];
    let interfered = false;
    const seen: number[] = [];
    const outcomes = await a.append([proposal()], (each, head, term, standing, mark) => {
      seen.push(head.seq);
      // Between the reading and the writing of `a`.
      if (!interfered) interfered = true;
      return judgeWith(NOW, cheapSign)(each, head, term, standing, mark);
    });
    expect(outcomes[0]!.kind).toBe('done');
    const slow = a.append([proposal()], (each, head, term, standing, mark) => {
      seen.push(head.seq);
      if (seen.length === 2) frozen = append(b, proposal());
      return judgeWith(NOW, cheapSign)(each, head, term, standing, mark);
    });
    let frozen: Promise<unknown> = Promise.resolve();
    await slow;
    await frozen;
    expect(await requireWhole(a)).toBe(3);
  });

  test.each([
    ['another place', { seq: 0 }, ''],
    ['another event there', { hash: 'f'.repeat(64) }, ''],
    ['another term', { term: 9 }, ''],
    ['a seal since', {}, 'UPDATE aip_mesh.head SET sealed_by = 5'],
  ])('what was judged by %s is not written, an answer without an event neither', async (_, stale, sql) => {
    const { name, url } = await cluster().database();
    const store = await openStore(url);
    await append(store, proposal());
    const { seq, hash } = await store.head();
    if (sql !== '') await cluster().admin(sql, name);
    const answers = [{ cmdId: 'stale-answer', digest: 'd', body: '{"cmdId":"stale-answer"}' }];
    const lists = { nonces: [], answers, events: [], standings: [], documents: [], marks: [] };
    const connection = await connectWithUrl(url);
    const write = async (at: object): Promise<unknown> => {
      const writes = JSON.stringify({ seq, hash, term: 1, ...lists, ...at });
      return (await connection.query('SELECT aip_mesh.append($1::jsonb) AS done', [writes], 5_000))[0]!['done'];
    };
    expect(await write(stale)).toBe(false);
    expect(await store.answers(['stale-answer'])).toEqual([]);
    if (sql === '') expect(await write({})).toBe(true);
    await connection.close();
  });

  test('a head row that an idle transaction holds costs a command, not the server, and stops no proof', async () => {
    const { url } = await cluster().database();
    const store = await openStore(url);
    await append(store, proposal());
    const holder = await connectWithUrl(url);
    await holder.query('BEGIN', [], 1_000);
    await holder.query('SELECT 1 FROM aip_mesh.head FOR UPDATE', [], 1_000);
    const blocked = proposal();
    await expect(append(store, blocked)).rejects.toMatchObject({ name: 'StoreTrouble', kind: 'unavailable' });
    expect(await store.confirm()).toMatchObject({ seq: 1 });
    expect(await store.read(0, 10)).toHaveLength(1);
    holder.destroy();
    expect(await settled(store, blocked)).toMatchObject({ kind: 'done', repeated: false });
  });

  test('a listener that is ended, and notifications that are lost, cost a quarter of a second', async () => {
    const { url } = await cluster().database();
    const [writer, reader] = [await openStore(url), await openStore(url)];
    let woken = 0;
    reader.onWake(() => woken++);
    await append(writer, proposal());
    await until(() => woken === 1, 'the first wake');
    await cluster().admin(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()",
    );
    await append(writer, proposal());
    await until(() => woken === 2, 'the wake by looking');
    await append(writer, proposal());
    await until(() => woken === 3, 'the wake after');
  });

  test('a database that swallows everything: each call ends by this program’s own timer, and afterwards all is well', async () => {
    const { url } = await cluster().database();
    const proxy = await FaultProxy.start(cluster().port);
    const through = url.replace(`:${cluster().port}/`, `:${new URL(proxy.url).port}/`);
    const store = await openStore(through);
    await append(store, proposal());
    proxy.faults.blackHole = true;
    await expect(store.confirm()).rejects.toBeInstanceOf(StoreTrouble);
    const lost = proposal();
    await expect(append(store, lost)).rejects.toBeInstanceOf(StoreTrouble);
    await expect(store.read(0, 1)).rejects.toMatchObject({ kind: 'unavailable' });
    proxy.faults.blackHole = false;
    proxy.cutAll();
    expect(await settled(store, lost)).toMatchObject({ kind: 'done' });
    let head = 0;
    for (const end = Date.now() + 15_000; head === 0 && Date.now() < end;)
      head = await store.head().then(
        ({ seq }) => seq,
        () => 0,
      );
    expect(await requireWhole(store)).toBe(2);
    await store.close();
    await proxy.close();
  }, 60_000);

  test.each([
    ['another log', "UPDATE aip_mesh.head SET log_id = repeat('f', 32)", 'another mesh'],
    ['a log that lost its end', 'UPDATE aip_mesh.head SET seq = 0', 'ends at event 0'],
    [
      'a log that lost its end and went on',
      `UPDATE aip_mesh.events SET hash = repeat('e', 64);
       INSERT INTO aip_mesh.events SELECT 2, 1, repeat('d', 64), body FROM aip_mesh.events;
       UPDATE aip_mesh.head SET (seq, hash) = (2, repeat('d', 64))`,
      'Event 1 of the log',
    ],
  ])('%s in its place is no hiccup', async (_, sql, says) => {
    const { name, url } = await cluster().database();
    const store = await openStore(url);
    await append(store, proposal());
    await cluster().admin(sql, name);
    for (const ask of [() => store.confirm(), () => append(store, proposal()), () => store.head()])
      await expect(ask()).rejects.toMatchObject({ code: 'STATE', message: expect.stringContaining(says) as string });
  });

  test('tables of a later program are refused', async () => {
    const { name, url } = await cluster().database();
    await (await openStore(url)).close();
    await cluster().admin('UPDATE aip_mesh.head SET version = 99', name);
    await expect(openStore(url)).rejects.toMatchObject({ code: 'STATE' });
  });

  test('sealed by one server, no other takes a command or proves anything', async () => {
    const { url } = await cluster().database();
    const [a, b] = [await openStore(url), await openStore(url)];
    await a.seal(7);
    await expect(append(b, proposal())).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(b.confirm()).rejects.toBeInstanceOf(StoreTrouble);
    await a.raiseTerm(8);
    expect(await append(b, proposal())).toMatchObject([
      { kind: 'done', answer: { eventId: expect.stringContaining('.8.1') as string } },
    ]);
  });

  test('through pgbouncer in transaction mode', async (context) => {
    const { name } = await cluster().database();
    const port = await cluster().pooler({ postgres: 'sup3r-s3cret' });
    if (port === null) return context.skip('pgbouncer is not installed');
    const store = await openStore(`postgres://postgres:sup3r-s3cret@127.0.0.1:${port}/${name}`);
    for (let i = 0; i < 5; i++) await append(store, proposal());
    expect(await requireWhole(store)).toBe(5);
    expect(await store.confirm()).toMatchObject({ seq: 5 });
  });
});

describe('without PostgreSQL', () => {
  test('a database that is not there is said, and nothing hangs', async () => {
    await expect(openStore('postgres://postgres@127.0.0.1:1/none')).rejects.toBeInstanceOf(StoreTrouble);
  });
});

export type { TestCluster };
