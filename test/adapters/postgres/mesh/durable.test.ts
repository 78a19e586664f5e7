/** A database whose owner turned synchronous_commit off: what the mesh has answered is on the disk all the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { ApiKeyRecord } from '../../../../src/mesh/access/api-key.js';
import { commandDigest, type Command } from '../../../../src/mesh/command.js';
import type { Member } from '../../../../src/mesh/roster/member.js';
import type { MeshStore } from '../../../../src/mesh/log/store.js';
import { judgeWith } from '../../../../src/mesh/ruling.js';
import { claim } from '../../../contract/fleet-memory.js';
import { openStore } from '../../../kit/mesh/several/postgres.js';
import { cheapSign } from '../../../kit/mesh/server.js';
import { describePostgres, QUICK } from '../../../kit/postgres.js';
import { fleetDatabase } from '../../../kit/state/fleet.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');
const DID = 'did:web:acme.com';
const KEY = `ed25519:${'a'.repeat(64)}`;
const LOG = 'b'.repeat(32);

async function revoke(store: MeshStore, cmdId = 'command'): Promise<void> {
  const command: Command = {
    ...{ cmdId, action: 'revoke', subject: DID, reason: 'r', by: null, durationMs: null },
    ...{ version: null, logId: null, expiresAt: null },
  };
  const order = { command, digest: commandDigest(command), operator: { key_id: 'k', signed: null }, nonce: null };
  await store.append([order], judgeWith(NOW, cheapSign));
}

const API_KEY: ApiKeyRecord = {
  ...{ keyId: 'k1', role: 'observer' as const, hash: 'h', label: null, publicKey: null },
  ...{ createdAt: NOW, revokedAt: null },
};
const MEMBER: Member = {
  ...{ verifier: KEY, label: 'web-1', keyId: 'k1', program: null, onStale: null, maxAgeMs: null, ephemeral: false },
  ...{ firstSeenAt: NOW, seenAt: NOW, leftAt: null, seq: 0, applied: null },
};
const SHIPMENT = {
  ...{ logId: LOG, verifier: 'v', keyId: 'k', at: NOW },
  entries: [
    {
      seq: 1,
      prevHash: '0'.repeat(64),
      hash: 'c'.repeat(64),
      agentId: DID,
      status: 'success',
      code: null,
      at: NOW,
      text: '{}',
    },
  ],
} as const;

/** What is done, and what is read after the database's end. */
interface Write {
  /** On the disk before it. */
  readonly first?: (store: MeshStore) => Promise<unknown>;
  readonly done: (store: MeshStore) => Promise<unknown>;
  readonly read: (store: MeshStore) => Promise<unknown>;
  readonly is: unknown;
}
const WRITES: Readonly<Record<string, Write>> = {
  'an order': { done: revoke, read: async (s) => (await s.standing(DID))?.status, is: 'revoked' },
  'an API key': { done: (s) => s.keys.add(API_KEY), read: async (s) => (await s.keys.find('k1'))?.keyId, is: 'k1' },
  'an API key that is revoked': {
    first: (s) => s.keys.add(API_KEY),
    done: (s) => s.keys.revoke('k1', NOW),
    read: async (s) => (await s.keys.find('k1'))?.revokedAt,
    is: NOW,
  },
  'a principal': {
    done: (s) => s.principals.add({ did: DID, publicKey: KEY, addedAt: NOW, addedBy: 'k' }),
    read: async (s) => (await s.principals.list(DID)).length,
    is: 1,
  },
  'a principal that is removed': {
    first: (s) => s.principals.add({ did: DID, publicKey: KEY, addedAt: NOW, addedBy: 'k' }),
    done: (s) => s.principals.remove(DID, null),
    read: async (s) => (await s.principals.list(DID)).length,
    is: 0,
  },
  'a seal': { done: (s) => s.seal(7), read: (s) => s.sealedBy(), is: 7 },
  'the mesh’s key': { done: (s) => s.setMeshKey(KEY), read: (s) => s.meshKey(), is: KEY },
  'a signed request that is spent': {
    done: (s) => s.nonces.spend('n', NOW + 1),
    read: (s) => s.nonces.spend('n', NOW + 1),
    is: false,
  },
  'an answer to a request for approval': {
    done: (s) => s.papers.put('answer', { id: 'p', version: 1, changedAt: NOW, keepUntil: NOW, text: '{}' }),
    read: async (s) => (await s.papers.get('answer', 'p'))?.version,
    is: 1,
  },
  'a verifier that was taken off the roster': {
    first: (s) => s.members.put([MEMBER]),
    done: (s) => s.members.put([{ ...MEMBER, seenAt: NOW + 1, leftAt: NOW + 1 }]),
    read: async (s) => (await s.members.list(-1))[0]?.leftAt,
    is: NOW + 1,
  },
  'entries of a verifier': {
    done: (s) => s.logs.put(SHIPMENT),
    read: async (s) => (await s.logs.read({ after: 0, limit: 10 })).length,
    is: 1,
  },
};

describePostgres(
  'a database that answers before its disk',
  { config: ['synchronous_commit = off', 'wal_writer_delay = 10s'] },
  (cluster) => {
    test.each(Object.keys(WRITES))('keeps %s through its end', async (name) => {
      const { first, done, read, is } = WRITES[name]!;
      const { url } = await cluster().database();
      const before = await openStore(url);
      await first?.(before);
      await cluster().admin('CHECKPOINT');
      await done(before);
      await cluster().kill();
      await before.close();
      await cluster().boot();
      expect(await read(await openStore(url))).toBe(is);
    });

    test('proves its head by a write that is on the disk', async () => {
      const { name, url } = await cluster().database();
      const store = await openStore(url);
      await cluster().admin('CHECKPOINT');
      await store.confirm();
      await cluster().kill();
      await store.close();
      await cluster().boot();
      expect(await cluster().admin('SELECT n FROM aip_mesh.proofs', name)).toHaveLength(1);
    });
  },
);

describePostgres('a user who is told of nothing but errors', QUICK, (cluster) => {
  test('where the wait for a standby is broken off, nothing is acknowledged and no intent is accepted', async () => {
    const fleet = await fleetDatabase(cluster());
    const store = await openStore(fleet.url);
    await revoke(store, 'before');
    await cluster().admin(`ALTER DATABASE ${fleet.name} SET client_min_messages = 'error'`);
    await cluster().admin("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await cluster().admin('SELECT pg_reload_conf()');
    const broken = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;
    let over = false;
    const cancelling = (async () => {
      for (; !over; await sleep(50)) await cluster().admin(broken);
    })();
    onTestFinished(async () => {
      over = true;
      await cancelling;
    });
    const quiet = await openStore(fleet.url);
    await expect(revoke(quiet, 'after')).rejects.toMatchObject({ name: 'StoreTrouble', kind: 'in-doubt' });
    const memory = fleet.memory('aaaaaaaaaaaaaaaa', { patience: { totalMs: 600, tryMs: 400 } });
    await expect(memory.settle([claim()], false)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await cluster().admin('ALTER SYSTEM RESET synchronous_standby_names');
    await cluster().admin('SELECT pg_reload_conf()');
  });
});
