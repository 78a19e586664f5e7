import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { standingInForce } from '../../../../src/app/mesh/standing.js';
import type { MeshStanding } from '../../../../src/app/mesh/orders.js';
import { describe, expect, test } from 'vitest';
import { refreshOnce } from '../../../../src/adapters/mesh/client/refresh-once.js';
import { openLocalCopy, type LocalCopy } from '../../../../src/adapters/mesh/client/local-copy.js';
import { checkOf } from '../../../../src/adapters/mesh/mesh-key.js';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { openState } from '../../../../src/adapters/sqlite/open.js';
import { Failure } from '../../../../src/app/failure.js';
import type { CopyChange } from '../../../../src/app/ports/mesh.js';
import type { Head } from '../../../../src/mesh/log/head.js';
import type { Standing } from '../../../../src/mesh/standing.js';
import { FaultProxy } from '../../../kit/mesh/fault-proxy.js';
import { network, until } from '../../../kit/mesh/network.js';
import { AGENT, LOG_ID, MESH_PUBLIC_KEY, PRINCIPAL } from '../../../kit/mesh/server.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');

function standing(subject: string, status: Standing['status'], fields: Partial<Standing> = {}): Standing {
  return {
    subject,
    status,
    reason: 'r',
    changedAt: NOW,
    changedBy: null,
    suspendedUntil: status === 'suspended' ? NOW + 60_000 : null,
    version: 1,
    seq: 1,
    ...fields,
  };
}

function change(seq: number, standings: Standing[], fields: Partial<CopyChange> = {}): CopyChange {
  const from = fields.whole === true ? null : at(seq - 1);
  return {
    from,
    position: at(seq),
    whole: false,
    events: [],
    standings,
    keptBefore: [],
    passports: [],
    tellsPassports: true,
    kept: [],
    ...fields,
  };
}

function at(seq: number, history = 'c'): Head {
  return { logId: LOG_ID, term: 1, seq, hash: history.repeat(64) };
}

async function folder(work: (path: string) => void | Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'aip-copy-'));
  try {
    await work(join(dir, 'state.db'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function open(path: string, key: string | null = MESH_PUBLIC_KEY): LocalCopy {
  return openLocalCopy(path, key, randomBytes);
}

/** What verification reads of a subject, through the state's own door. */
function verified(path: string, subject: string): string | null {
  const state = openState(path, { random: randomBytes });
  try {
    return state.rehearse((ledger) => ledger.standing(subject)?.status ?? null);
  } finally {
    state.close();
  }
}

describe('the local copy', () => {
  test('is empty at first, and what was saved is there for the next process and for verification', () =>
    folder((path) => {
      const copy = open(path);
      expect([copy.load(), copy.provenAt()]).toEqual([null, null]);
      copy.save(change(3, [standing(AGENT, 'revoked'), standing(PRINCIPAL, 'active')], { whole: true }));
      copy.save(change(4, [standing('*', 'suspended')]));
      copy.prove(NOW, at(4));
      copy.close();
      const again = open(path);
      expect(again.load()?.position.seq).toBe(4);
      expect(
        again
          .load()
          ?.standings.map((each) => each.subject)
          .sort(),
      ).toEqual(['*', PRINCIPAL, AGENT].sort());
      expect(again.provenAt()).toBe(NOW);
      again.close();
      expect([AGENT, PRINCIPAL, '*', 'did:web:x.org'].map((subject) => verified(path, subject))).toEqual([
        'revoked',
        'active',
        'suspended',
        null,
      ]);
    }));

  test('a whole change forgets the subjects it does not name', () =>
    folder((path) => {
      const copy = open(path);
      copy.save(change(1, [standing(AGENT, 'revoked')], { whole: true }));
      copy.save(change(2, [standing(PRINCIPAL, 'revoked')], { whole: true, from: at(1) }));
      expect(copy.load()?.standings.map((each) => each.subject)).toEqual([PRINCIPAL]);
      expect(copy.standing(AGENT)).toBeNull();
      copy.close();
      expect(verified(path, AGENT)).toBeNull();
    }));

  test('a deny that must not be forgotten is in force although the mesh says active, and ends with it', () =>
    folder((path) => {
      const copy = open(path);
      const kept = [{ standing: standing(AGENT, 'revoked', { seq: 9 }), until: null }];
      copy.save(change(1, [standing(AGENT, 'active')], { whole: true, kept }));
      expect(verified(path, AGENT)).toBe('revoked');
      expect(copy.load()?.kept).toEqual(kept);
      // What aip status says is what verification here does.
      const told = {
        reason: null,
        by: null,
        changedAt: null,
        suspendedUntil: null,
        version: 1,
        above: [],
        stoppedKeys: [],
        known: true,
        ageMs: 0,
      };
      const mesh: MeshStanding = { subject: AGENT, status: 'active', ...told };
      expect(standingInForce(mesh, copy, NOW)).toMatchObject({ status: 'revoked', source: 'this machine' });
      const ending = [{ ...kept[0]!, until: 9 }];
      copy.save(change(2, [], { keptBefore: kept, kept: ending }));
      expect(standingInForce(mesh, copy, NOW), 'a deny that the mesh has undone meanwhile').toMatchObject({
        source: 'mesh',
      });
      copy.save(change(2, [], { keptBefore: ending }));
      expect(verified(path, AGENT)).toBe('active');
      copy.close();
    }));

  test('what was set on this machine alone stays, whatever the mesh says, until it is lifted here', () =>
    folder((path) => {
      const copy = open(path);
      copy.setLocal(standing(AGENT, 'suspended'));
      copy.save(change(1, [standing(PRINCIPAL, 'revoked')], { whole: true }));
      expect(copy.standing(AGENT)?.status).toBe('suspended');
      copy.save(change(2, [standing(AGENT, 'revoked')]));
      expect(verified(path, AGENT)).toBe('revoked');
      copy.save(change(3, [standing(AGENT, 'active')]));
      expect(verified(path, AGENT)).toBe('suspended');
      copy.setLocal(standing(AGENT, 'active'));
      expect(verified(path, AGENT)).toBe('active');
      copy.close();
    }));

  test('the copy of another mesh is no copy, and a machine without a mesh has none', () =>
    folder((path) => {
      const copy = open(path);
      copy.save(change(1, [standing(AGENT, 'revoked')], { whole: true }));
      copy.prove(NOW, at(1));
      copy.close();
      for (const key of [`ed25519:${'0'.repeat(64)}`, null]) {
        const other = open(path, key);
        expect([other.load(), other.provenAt()]).toEqual([null, null]);
        other.close();
      }
      expect(verified(path, AGENT)).toBe('revoked');
    }));

  test('a copy whose rows were changed, added or removed behind its back is no copy', () =>
    folder((path) => {
      const copy = open(path);
      copy.save(change(1, [standing(AGENT, 'revoked'), standing(PRINCIPAL, 'revoked')], { whole: true }));
      copy.close();
      const database = new Database(path, 0);
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      database.close();
      const whole = readFileSync(path);
      // Every byte of the file in turn; most of them are of tables that the copy does not read.
      const step = Math.max(1, Math.floor(whole.length / 500));
      let refused = 0;
      for (let i = 0; i < whole.length; i += step) {
        const flipped = Buffer.from(whole);
        flipped[i]! ^= 1 << (i % 8);
        writeFileSync(path, flipped);
        refused += judgeDamaged(path);
      }
      expect(refused).toBeGreaterThan(0);
      for (let size = 0; size < whole.length; size += 2_048) {
        writeFileSync(path, whole);
        truncateSync(path, size);
        judgeDamaged(path);
      }
    }));
});

/** Opens a damaged file: it is refused (1), or what it gives is exactly what was saved (0). */
function judgeDamaged(path: string): 0 | 1 {
  rmSync(`${path}-wal`, { force: true });
  rmSync(`${path}-shm`, { force: true });
  try {
    const copy = open(path);
    try {
      const kept = copy.load();
      if (kept === null) return 1;
      const sorted = [...kept.standings].sort((a, b) => (a.subject < b.subject ? -1 : 1));
      expect(sorted).toEqual([standing(PRINCIPAL, 'revoked'), standing(AGENT, 'revoked')]);
      return 0;
    } finally {
      copy.close();
    }
  } catch (error) {
    if (error instanceof Failure) return 1;
    throw error;
  }
}

describe('following with a copy', () => {
  test('what a follower applies, verification sees; and the next follower resumes instead of starting over', () =>
    folder(async (path) => {
      const net = await network();
      try {
        await net.revoke(AGENT);
        const copy = open(path);
        const follow = net.follow({ copy });
        follow.start();
        await until(() => follow.state === 'live', 'live');
        expect(verified(path, AGENT)).toBe('revoked');
        await net.post('admin', '/mesh/reinstate', { agent_id: AGENT });
        await until(() => verified(path, AGENT) === 'active', 'reinstated');
        follow.stop();
        await net.revoke(PRINCIPAL);
        const wholes: boolean[] = [];
        const next = net.follow({ copy, onChange: (_, whole) => wholes.push(whole) });
        next.start();
        await until(() => verified(path, PRINCIPAL) === 'revoked', 'caught up');
        expect(wholes).toEqual([false]);
        expect(copy.provenAt()).not.toBeNull();
        next.stop();
        copy.close();
      } finally {
        await net.close();
      }
    }));

  test('a question asked once brings the copy up to date, or gives up in time', () =>
    folder(async (path) => {
      const net = await network();
      const proxy = await FaultProxy.start(net.listening.port);
      const copy = open(path);
      const options = {
        endpoints: [proxy.url],
        key: net.mesh.keys.verifier.text,
        check: checkOf(MESH_PUBLIC_KEY)!,
        verifier: null,
        maxAgeMs: 30_000,
        copy,
      };
      try {
        await net.revoke(AGENT);
        expect(await refreshOnce(options, 2_000)).toBe(true);
        expect(verified(path, AGENT)).toBe('revoked');
        proxy.faults.blackHole = true;
        await net.revoke(PRINCIPAL);
        const started = performance.now();
        expect(await refreshOnce(options, 300)).toBe(false);
        expect(performance.now() - started).toBeLessThan(2_000);
        proxy.faults.blackHole = false;
        expect(await refreshOnce({ ...options, key: 'aipm_wrong' }, 300)).toBe(false);
        expect(await refreshOnce(options, 2_000)).toBe(true);
        expect(verified(path, PRINCIPAL)).toBe('revoked');
      } finally {
        copy.close();
        await proxy.close();
        await net.close();
      }
    }));

  test('a question whose copy cannot be read fails, and nothing of it comes later', () =>
    folder(async (path) => {
      const copy = open(path);
      const load = () => {
        throw new Failure('STATE', 'damaged');
      };
      const options = {
        endpoints: ['http://127.0.0.1:9'],
        key: 'k',
        check: checkOf(MESH_PUBLIC_KEY)!,
        verifier: null,
        maxAgeMs: 30_000,
        copy: Object.assign(Object.create(copy) as LocalCopy, { load }),
      };
      await expect(refreshOnce(options, 1)).rejects.toThrow('damaged');
      // An error in a timer would be nobody's to catch.
      await sleep(20);
      copy.close();
    }));
});
