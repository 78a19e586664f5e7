/** The copy that verification reads, damaged anywhere: it refuses, or says exactly what was saved. */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLocalCopy } from '../../../../src/adapters/mesh/client/local-copy.js';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { openState } from '../../../../src/adapters/sqlite/open.js';
import { Failure } from '../../../../src/app/failure.js';
import type { Standing } from '../../../../src/mesh/standing.js';
import { AGENT, LOG_ID, MESH_PUBLIC_KEY } from '../../../kit/mesh/server.js';
import { scratch } from '../../../kit/scratch.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');
const PAGE = 4096;
/** Every byte of the tables that a deny is read from, and every so many of all others. */
const STEP = Number(process.env['AIP_TEST_DAMAGE_STEP'] ?? 127);

function denied(subject: string): Standing {
  const fields = { reason: 'r', changedAt: NOW, changedBy: null, suspendedUntil: null, version: 1, seq: 1 };
  return { subject, status: 'revoked', ...fields };
}

const first = {
  from: null,
  whole: true,
  events: [],
  keptBefore: [],
  passports: [],
  tellsPassports: true,
  kept: [],
} as const;

/** A whole file with three denies, one of them set on this machine alone; the bytes of its pages that matter most. */
function copyFile(): { readonly path: string; readonly whole: Buffer; readonly dense: ReadonlySet<number> } {
  const folder = scratch();
  const path = join(folder, 'state.db');
  const copy = openLocalCopy(path, MESH_PUBLIC_KEY, randomBytes);
  const position = { logId: LOG_ID, term: 1, seq: 2, hash: 'c'.repeat(64) };
  copy.save({ ...first, position, standings: [denied(AGENT), denied('did:web:acme.com')] });
  copy.setLocal(denied('*'));
  copy.prove(NOW, position);
  copy.close();
  const database = new Database(path, 0);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const roots = database
    .query(['number'], "SELECT rootpage FROM sqlite_schema WHERE name IN ('standing', 'standing_marks', 'mesh_copy')")
    .all([]);
  database.close();
  const whole = readFileSync(path);
  const dense = new Set<number>();
  for (const [root] of roots) {
    const start = (root - 1) * PAGE;
    // Between the pointers and the cells nothing is stored.
    const cells = whole.readUInt16BE(start + 5);
    const pointers = start + 8 + 2 * whole.readUInt16BE(start + 3);
    for (let i = start; i < start + PAGE; i++) if (i < pointers || i >= start + cells) dense.add(i);
  }
  return { path, whole, dense };
}

const SUBJECTS = [AGENT, 'did:web:acme.com', '*'] as const;

/** What verification reads: null for a file that is refused. */
function read(path: string): (string | null)[] | null {
  try {
    const state = openState(path, { random: randomBytes });
    try {
      return state.rehearse((ledger) =>
        SUBJECTS.map((subject) => {
          try {
            return ledger.standing(subject)?.status ?? null;
          } catch (error) {
            if (error instanceof Failure && error.code === 'STATE') return 'refused';
            throw error;
          }
        }),
      );
    } finally {
      state.close();
    }
  } catch (error) {
    if (error instanceof Failure && error.code === 'STATE') return null;
    throw error;
  }
}

function provenAt(path: string): number | null {
  try {
    const copy = openLocalCopy(path, MESH_PUBLIC_KEY, randomBytes);
    try {
      return copy.provenAt();
    } finally {
      copy.close();
    }
  } catch (error) {
    if (error instanceof Failure && error.code === 'STATE') return null;
    throw error;
  }
}

function put(path: string, bytes: Buffer): void {
  for (const side of ['-wal', '-shm']) rmSync(`${path}${side}`, { force: true });
  writeFileSync(path, bytes);
}

describe('a damaged copy', () => {
  test('whole, it denies what was denied', () => {
    const { path, dense } = copyFile();
    expect(read(path)).toEqual(['revoked', 'revoked', 'revoked']);
    expect(provenAt(path)).toBe(NOW);
    expect(dense.size).toBeGreaterThan(300);
  });

  test('with a byte flipped anywhere, it hides no deny and is proven at no other time', () => {
    const { path, whole, dense } = copyFile();
    let refused = 0;
    for (let i = 0; i < whole.length; i++) {
      if (!dense.has(i) && i % STEP !== 0) continue;
      const flipped = Buffer.from(whole);
      flipped[i]! ^= 1 << (i % 8);
      put(path, flipped);
      const found = read(path);
      refused += found === null || found.includes('refused') ? 1 : 0;
      for (const status of found ?? []) expect(['revoked', 'refused'], `byte ${i}`).toContain(status);
      if (dense.has(i)) expect([NOW, null], `byte ${i}`).toContain(provenAt(path));
    }
    expect(refused).toBeGreaterThan(200);
  });

  test('cut off anywhere, it hides no deny', () => {
    const { path, whole, dense } = copyFile();
    for (let size = 0; size < whole.length; size++) {
      if (size % 997 !== 0 && size % PAGE !== 0 && !(dense.has(size) && size % STEP === 0)) continue;
      put(path, whole.subarray(0, size));
      for (const status of read(path) ?? []) expect(['revoked', 'refused'], `${size} bytes`).toContain(status);
    }
  });

  test.each([
    ['a deny that is gone', `DELETE FROM standing WHERE subject = '${AGENT}'`],
    [
      'a deny of another subject',
      `UPDATE standing SET subject = 'did:web:acme.com:agents:x' WHERE subject = '${AGENT}'`,
    ],
    ['a revocation that became a suspension', "UPDATE standing SET status = 'suspended', suspended_until = 1"],
    ['a revocation that became nothing', "UPDATE standing SET status = 'active'"],
    ['a status that nobody knows', "PRAGMA ignore_check_constraints = 1; UPDATE standing SET status = 'fine'"],
    ['a table that is gone', 'DROP TABLE standing'],
    ['a second word that is gone', 'DELETE FROM standing_marks'],
    ['a table of second words that is gone', 'DROP TABLE standing_marks'],
  ])('%s is refused; and the next whole copy mends it', (_, sql) => {
    const { path } = copyFile();
    const database = new Database(path, 0);
    database.exec(sql);
    database.close();
    expect(read(path)?.[0] ?? 'refused').toBe('refused');
    if (sql.startsWith('DROP')) return;
    const copy = openLocalCopy(path, MESH_PUBLIC_KEY, randomBytes);
    const position = { logId: LOG_ID, term: 1, seq: 2, hash: 'c'.repeat(64) };
    copy.save({ ...first, position, standings: [denied(AGENT), denied('did:web:acme.com')] });
    copy.close();
    expect(read(path)).toEqual(['revoked', 'revoked', 'revoked']);
  });

  test('a second word about a subject without a standing is refused, too', () => {
    const { path } = copyFile();
    const database = new Database(path, 0);
    database.exec('DELETE FROM standing; DELETE FROM standing_marks');
    database.exec("INSERT INTO standing_marks SELECT x'00', x'00'");
    database.close();
    expect(read(path)).toEqual([null, null, null]);
  });
});
