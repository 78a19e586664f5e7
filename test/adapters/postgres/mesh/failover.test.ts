/** A primary with a synchronous standby: what was acknowledged survives the primary, and what is in doubt is settled by its cmd_id. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { PostgresMeshStore } from '../../../../src/adapters/postgres/mesh/store.js';
import { commandDigest, type Command } from '../../../../src/mesh/command.js';
import { parseEvent } from '../../../../src/mesh/log/event.js';
import { NO_HASH } from '../../../../src/mesh/log/head.js';
import { StoreTrouble, type MeshStore, type OrderResult } from '../../../../src/mesh/log/store.js';
import { judgeWith, type Proposal } from '../../../../src/mesh/ruling.js';
import { cheapSign, LOG_ID } from '../../../kit/mesh/server.js';
import { connectWithUrl, describePostgres, QUICK } from '../../../kit/postgres.js';
import { Standby } from '../../../kit/mesh/several/postgres.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');
const ROUNDS = process.env['AIP_TEST_CRASHES'] === '1' ? 20 : 2;
const WRITERS = 4;

function proposal(cmdId: string): Proposal {
  const command: Command = {
    ...{
      cmdId,
      action: 'revoke',
      subject: `did:web:acme.com:agents:${cmdId}`,
      reason: 'r',
      by: null,
      durationMs: null,
    },
    ...{ version: null, logId: null, expiresAt: null },
  };
  return { command, digest: commandDigest(command), operator: { key_id: 'k', signed: null }, nonce: null };
}

async function open(urls: readonly string[]): Promise<PostgresMeshStore> {
  return PostgresMeshStore.open({
    // As a URL with several hosts does: the first that takes writes.
    connect: async (withinMs) => {
      for (const url of urls.slice(0, -1)) {
        try {
          const connection = await connectWithUrl(url, withinMs / urls.length);
          const [row] = await connection.query('SELECT pg_is_in_recovery() AS standby', [], 1_000);
          if (row?.['standby'] === false) return connection;
          await connection.close();
        } catch {
          // The next one.
        }
      }
      return connectWithUrl(urls.at(-1)!, withinMs / urls.length);
    },
    newLogId: () => LOG_ID,
    node: 'n',
  });
}

/** Asks again under the same id until there is an answer. */
async function settled(store: MeshStore, cmdId: string, until: number): Promise<OrderResult> {
  for (;;) {
    try {
      return (await store.append([proposal(cmdId)], judgeWith(NOW, cheapSign)))[0]!;
    } catch (error) {
      if (!(error instanceof StoreTrouble) || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function requireWhole(store: MeshStore, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const events = (await store.read(0, 100_000)).map(({ text }) => parseEvent(text));
  events.forEach((event, i) => {
    expect(event.seq).toBe(i + 1);
    expect(event.prev_hash).toBe(i === 0 ? NO_HASH : events[i - 1]!.hash);
  });
  const seqs = new Map(events.map(({ cmd_id, seq }) => [cmd_id, seq]));
  expect(seqs.size).toBe(events.length);
  for (const [cmdId, seq] of acknowledged) expect([cmdId, seqs.get(cmdId)]).toEqual([cmdId, seq]);
}

describePostgres('failover', { config: ['wal_level = replica', 'max_wal_senders = 8'] }, (cluster) => {
  test.each(Array.from({ length: ROUNDS }, (_, i) => i + 1))(
    'the primary is killed and its synchronous standby promoted, round %i: nothing acknowledged is lost, no hole',
    async (round) => {
      const { name } = await cluster().database();
      const standby = await Standby.of(cluster(), round);
      const urls = [cluster().url(name), standby.url(name)];
      let store = await open(urls);
      const acknowledged = new Map<string, number>();
      let killed = false;
      try {
        const until = Date.now() + 60_000;
        const writer = async (w: number): Promise<void> => {
          for (let i = 0; !killed || i < 5; i++) {
            const cmdId = `round-${round}-${w}-${i}`;
            const outcome = await settled(store, cmdId, until);
            if (outcome.kind === 'done') acknowledged.set(cmdId, outcome.answer.seq);
          }
        };
        const writers = Array.from({ length: WRITERS }, (_, w) => writer(w));
        for (const end = Date.now() + 20_000; acknowledged.size < 40 && Date.now() < end;)
          await new Promise((resolve) => setTimeout(resolve, 20));
        await cluster().kill();
        await standby.promote();
        killed = true;
        await Promise.all(writers);
        expect(acknowledged.size).toBeGreaterThanOrEqual(5 * WRITERS);
        await requireWhole(store, acknowledged);
        expect(await store.confirm()).toMatchObject({ seq: acknowledged.size });
      } finally {
        await store.close();
        await standby.end();
      }
      // The old primary, alone again and without its standby's word: it may not go on as if nothing had been.
      writeFileSync(join(cluster().data, 'postgresql.auto.conf'), '');
      rmSync(join(cluster().data, 'standby.signal'), { force: true });
      await cluster().boot();
      store = await open([cluster().url(name)]);
      await store.close();
    },
    120_000,
  );

  test('two primaries: the old one answers reads, proves nothing, and what it is given stays in doubt', async () => {
    const { name } = await cluster().database();
    const standby = await Standby.of(cluster(), 98);
    const old = await open([cluster().url(name)]);
    // The standby has what was committed, and may not have carried it out yet.
    const next = await vi.waitFor(() => open([standby.url(name)]), { timeout: 30_000, interval: 100 });
    try {
      await settled(old, 'before-the-split', Date.now() + 10_000);
      await old.confirm();
      await standby.promote();
      const until = Date.now() + 30_000;
      expect(await settled(next, 'given-to-the-new', until)).toMatchObject({ kind: 'done', answer: { seq: 2 } });
      expect(await next.confirm()).toMatchObject({ seq: 2 });
      // Nobody has told the old one.
      expect(await old.head()).toMatchObject({ seq: 1 });
      await expect(old.confirm()).rejects.toBeInstanceOf(StoreTrouble);
      const wanted = proposal('given-to-the-old');
      await expect(old.append([wanted], judgeWith(NOW, cheapSign))).rejects.toMatchObject({ kind: 'in-doubt' });
      await expect(old.confirm()).rejects.toBeInstanceOf(StoreTrouble);
      await requireWhole(next, new Map([['given-to-the-new', 2]]));
    } finally {
      await old.close();
      await next.close();
      await standby.end();
      await cluster().admin('ALTER SYSTEM RESET synchronous_standby_names');
      await cluster().admin('SELECT pg_reload_conf()');
    }
  }, 120_000);

  test('while the standby is dead a commit is in doubt, by this program’s own timer; nothing is proven, and back again it is there once', async () => {
    const { name } = await cluster().database();
    const standby = await Standby.of(cluster(), 99);
    const store = await open([cluster().url(name)]);
    try {
      await settled(store, 'before-it-died', Date.now() + 10_000);
      await standby.kill();
      const wanted = proposal('in-doubt-command');
      await expect(store.append([wanted], judgeWith(NOW, cheapSign))).rejects.toMatchObject({ kind: 'in-doubt' });
      await expect(store.confirm()).rejects.toBeInstanceOf(StoreTrouble);
      await standby.boot();
      const outcome = await settled(store, 'in-doubt-command', Date.now() + 30_000);
      expect(outcome).toMatchObject({ kind: 'done', answer: { seq: 2 } });
      await requireWhole(store, new Map([['in-doubt-command', 2]]));
    } finally {
      await store.close();
      await standby.end();
      await cluster().admin('ALTER SYSTEM RESET synchronous_standby_names');
      await cluster().admin('SELECT pg_reload_conf()');
    }
  }, 120_000);
});

describePostgres('a primary that becomes a standby', QUICK, (cluster) => {
  test('keeps no connection that could not listen, and is listened to again when it is promoted', async () => {
    const { name } = await cluster().database();
    const store = await open([cluster().url(name)]);
    const asked = async (sql: string) =>
      (await cluster().admin(`SELECT pid FROM pg_stat_activity WHERE application_name = 'aip test' AND ${sql}`, name))
        .length;
    try {
      await cluster().stop();
      writeFileSync(join(cluster().data, 'standby.signal'), '', { mode: 0o644 });
      await cluster().boot();
      await new Promise((resolve) => setTimeout(resolve, 2000));
      // One to read by, one that just tries, and the one that counts.
      expect(await asked(`datname = '${name}'`)).toBeLessThanOrEqual(3);
      await cluster().admin('SELECT pg_promote()');
      await vi.waitFor(async () => expect(await asked(`query LIKE 'LISTEN%' AND state = 'idle'`)).toBe(1), 10_000);
    } finally {
      await store.close();
    }
  });
});
