import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openLocalCopy, type LocalCopy } from '../../../../src/adapters/mesh/client/local-copy.js';
import type { CopyChange } from '../../../../src/app/ports/mesh.js';
import type { Head } from '../../../../src/mesh/log/head.js';
import type { Standing } from '../../../../src/mesh/standing.js';
import { FaultProxy } from '../../../kit/mesh/fault-proxy.js';
import { network, until } from '../../../kit/mesh/network.js';
import { AGENT, LOG_ID, MESH_PUBLIC_KEY, PRINCIPAL } from '../../../kit/mesh/server.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');

function at(seq: number, history = 'c'): Head {
  return { logId: LOG_ID, term: 1, seq, hash: history.repeat(64) };
}

function standing(subject: string, status: Standing['status'], seq: number): Standing {
  const suspendedUntil = status === 'suspended' ? NOW + 60_000 : null;
  return { subject, status, reason: null, changedAt: NOW, changedBy: null, suspendedUntil, version: seq, seq };
}

/** What a process writes that was at `from` and has applied the events up to `to`. */
function way(from: number, to: number, standings: Standing[], fields: Partial<CopyChange> = {}): CopyChange {
  const events = Array.from({ length: to - from }, (_, i) => at(from + 1 + i));
  return {
    from: at(from),
    position: at(to),
    whole: false,
    events,
    standings,
    keptBefore: [],
    passports: [],
    tellsPassports: true,
    kept: [],
    ...fields,
  };
}

const snapshot = (seq: number, standings: Standing[], from: Head | null = null): CopyChange =>
  way(seq, seq, standings, { from, whole: true });

/** The same copy as two processes have it open, at event 5 of the mesh's log. */
function twice(key = MESH_PUBLIC_KEY): { one: LocalCopy; other: LocalCopy; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'aip-copy-'));
  const path = join(folder, 'state.db');
  const [one, other] = [openLocalCopy(path, MESH_PUBLIC_KEY, randomBytes), openLocalCopy(path, key, randomBytes)];
  onTestFinished(() => {
    one.close();
    other.close();
    rmSync(folder, { recursive: true, force: true });
  });
  one.save(snapshot(5, [standing(AGENT, 'active', 5)]));
  return { one, other, path };
}

const status = (copy: LocalCopy, subject = AGENT) => copy.standing(subject)?.status ?? null;

describe('a copy that two processes keep', () => {
  test('the slower one takes back nothing that the faster one wrote', () => {
    const { one, other } = twice();
    expect(one.save(way(5, 8, [standing(AGENT, 'revoked', 8)]))).toBe('here');
    expect(other.save(way(5, 6, [standing(AGENT, 'suspended', 6)]))).toBe('ahead');
    expect(other.save(way(6, 7, [standing(AGENT, 'active', 7)]))).toBe('ahead');
    expect([status(one), one.load()?.position.seq]).toEqual(['revoked', 8]);
    // Once past it, it is the one that writes.
    expect(other.save(way(7, 9, [standing(AGENT, 'revoked', 8), standing(PRINCIPAL, 'revoked', 9)]))).toBe('here');
    expect([status(one, PRINCIPAL), one.load()?.position.seq]).toEqual(['revoked', 9]);
  });

  test('a snapshot that was long on its way does not replace what came meanwhile', () => {
    const { one, other } = twice();
    one.save(way(5, 8, [standing(AGENT, 'revoked', 8)]));
    expect(other.save(snapshot(6, [standing(AGENT, 'active', 5)]))).toBe('elsewhere');
    expect(other.save(snapshot(6, [standing(AGENT, 'active', 5)], at(5)))).toBe('elsewhere');
    expect([status(one), one.load()?.position.seq]).toEqual(['revoked', 8]);
  });

  test('a proof of an older place does not make a newer one look proven, nor the other way round', () => {
    const { one, other } = twice();
    one.save(way(5, 8, []));
    expect(other.prove(NOW, at(5))).toEqual(at(8));
    expect(one.provenAt()).toBeNull();
    expect(one.prove(NOW, at(8))).toEqual(at(8));
    expect(one.provenAt()).toBe(NOW);
  });

  test('what another history left there is not written over, but loaded', () => {
    const { one, other } = twice();
    // A restored mesh tells events 6 and 7 anew; the copy has a 6 that nobody tells any more, which reinstated.
    one.save({ ...way(5, 6, [standing(AGENT, 'active', 6)]), position: at(6, 'd'), events: [at(6, 'd')] });
    expect(other.save(way(5, 7, [standing(PRINCIPAL, 'revoked', 7)]))).toBe('elsewhere');
    expect(one.load()?.position).toEqual(at(6, 'd'));
  });

  test('a copy that went to another mesh ends whoever still follows the old one', () => {
    const { one, other } = twice(`ed25519:${'0'.repeat(64)}`);
    expect(other.save(snapshot(2, [standing(AGENT, 'revoked', 2)]))).toBe('here');
    expect(() => one.save(way(5, 6, [standing(AGENT, 'active', 6)]))).toThrow(/joined another mesh/);
    expect(() => one.prove(NOW, at(5))).toThrow(/joined another mesh/);
    expect([status(other), other.provenAt()]).toEqual(['revoked', null]);
  });

  test('two followers end where the mesh is, and both are live', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aip-copy-'));
    const net = await network();
    const proxy = await FaultProxy.start(net.listening.port);
    const path = join(folder, 'state.db');
    const copies = [0, 1].map(() => openLocalCopy(path, MESH_PUBLIC_KEY, randomBytes));
    try {
      const follows = copies.map((copy, i) => net.follow({ copy, endpoints: [i === 0 ? net.url : proxy.url] }));
      for (const follow of follows) follow.start();
      await until(() => follows.every(({ state }) => state === 'live'), 'live');
      proxy.faults.delayMs = 40;
      for (let i = 0; i < 10; i++) {
        await net.revoke(AGENT);
        await until(() => status(copies[0]!) === 'revoked', 'revoked');
        await net.post('admin', '/mesh/reinstate', { agent_id: AGENT });
        await net.revoke(PRINCIPAL);
      }
      await until(() => follows.every(({ follower }) => follower.copy.position?.seq === 30), 'both have all');
      expect([copies[0]!.load()?.position.seq, status(copies[0]!), status(copies[0]!, PRINCIPAL)]).toEqual([
        30,
        'active',
        'revoked',
      ]);
      proxy.faults.delayMs = 0;
      await until(() => follows.every(({ state }) => state === 'live'), 'live again');
      for (const follow of follows) follow.stop();
    } finally {
      for (const copy of copies) copy.close();
      await proxy.close();
      await net.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a deny that the mesh has acknowledged to this machine', () => {
  test('stands until its event is applied, whatever the follower writes before', () => {
    const { one, other } = twice();
    other.anticipate({ standing: standing(AGENT, 'revoked', 8), until: 8 });
    expect(one.save(way(5, 6, [standing(PRINCIPAL, 'revoked', 6)]))).toBe('here');
    expect(status(one)).toBe('revoked');
    expect(one.save(way(6, 7, [standing(AGENT, 'active', 7)]))).toBe('here');
    expect(status(one)).toBe('revoked');
    expect(one.save(way(7, 9, [standing(AGENT, 'active', 9)]))).toBe('here');
    expect([status(one), one.load()?.kept]).toEqual(['active', []]);
  });

  test('stands when the mesh has lost it since, until it is reinstated', () => {
    const { one, other } = twice();
    other.anticipate({ standing: standing(AGENT, 'revoked', 8), until: 8 });
    expect(one.save(way(5, 8, [standing(PRINCIPAL, 'revoked', 8)])), 'the follower must know of it').toBe('elsewhere');
    const { kept, position } = one.load()!;
    expect([status(one), position, kept.map((deny) => deny.until)]).toEqual(['revoked', at(8), [null]]);
    expect(one.save(way(8, 9, [standing(AGENT, 'active', 9)], { keptBefore: kept, kept }))).toBe('here');
    expect(status(one)).toBe('revoked');
    expect(one.save(way(9, 10, [standing(AGENT, 'active', 10)], { keptBefore: kept }))).toBe('here');
    expect(status(one)).toBe('active');
  });

  test('stands beside a first snapshot that was made before it', () => {
    const { one } = twice();
    const folder = mkdtempSync(join(tmpdir(), 'aip-copy-'));
    const fresh = openLocalCopy(join(folder, 'state.db'), MESH_PUBLIC_KEY, randomBytes);
    fresh.anticipate({ standing: standing(AGENT, 'revoked', 8), until: 8 });
    expect(fresh.save(snapshot(5, [standing(AGENT, 'active', 5)]))).toBe('here');
    expect(status(fresh)).toBe('revoked');
    expect(fresh.save(way(5, 8, [standing(AGENT, 'revoked', 8)]))).toBe('here');
    expect(fresh.load()?.kept).toEqual([]);
    fresh.close();
    rmSync(folder, { recursive: true, force: true });
    expect(status(one)).toBe('active');
  });

  test('is not shortened by the next one, whose event has not come either', () => {
    const { one, other } = twice();
    const long = standing(AGENT, 'suspended', 8);
    other.anticipate({ standing: long, until: 8 });
    other.anticipate({ standing: { ...long, suspendedUntil: NOW + 1000, reason: 'later', seq: 9 }, until: 9 });
    expect(one.standing(AGENT)).toEqual({ ...long, reason: 'later', seq: 9 });
    expect(one.load()?.kept.map((deny) => deny.until)).toEqual([9]);
  });

  test('is not weakened by the one before it, whose answer was taken up later', () => {
    const { one, other } = twice();
    other.anticipate({ standing: standing(AGENT, 'revoked', 9), until: 9 });
    one.anticipate({ standing: standing(AGENT, 'suspended', 8), until: 8 });
    expect(one.standing(AGENT)).toEqual(standing(AGENT, 'revoked', 9));
    expect(one.load()?.kept.map((deny) => deny.until)).toEqual([9]);
  });

  test('does not weaken one that only a reinstatement ends', () => {
    const { one, other } = twice();
    const kept = [{ standing: standing(AGENT, 'revoked', 4), until: null }];
    one.save(way(5, 6, [], { kept }));
    other.anticipate({ standing: standing(AGENT, 'suspended', 7), until: 7 });
    expect(one.load()?.kept).toEqual(kept);
    one.save(way(6, 7, [standing(AGENT, 'suspended', 7)], { keptBefore: kept, kept }));
    expect(status(one)).toBe('revoked');
  });
});
