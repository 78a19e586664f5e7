import { randomBytes, randomInt } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { stateFailure } from '../../../src/adapters/sqlite/engine/failures.js';
import { openState } from '../../../src/adapters/sqlite/open.js';
import { stateOn } from '../../../src/adapters/sqlite/state.js';
import { verifyChain } from '../../../src/protocol/log/chain.js';
import { worker } from '../../kit/state/crowd.js';
import { AGENT, draft, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

/** Of 20 files each; more with AIP_TEST_DAMAGES. */
const ROUNDS = Number(process.env['AIP_TEST_DAMAGES'] ?? 5);
const OPTIONS = { random: randomBytes };

/** A state file with 500 entries that no connection of this process holds any more. */
function written(): string {
  const path = statePath();
  const state = openState(`${path}.made`, OPTIONS);
  state.transact((ledger) => {
    for (let i = 0; i < 500; i++) {
      ledger.append(draft({ latency_us: i }));
      ledger.spendNonce(AGENT, String(i), T0, 'accepted', T0 + 600_000);
    }
  });
  state.close();
  edit(`${path}.made`, 'PRAGMA wal_checkpoint(TRUNCATE)');
  copyFileSync(`${path}.made`, path);
  return path;
}

/** Everything a verifier and a reader do. */
function useAll(path: string): void {
  const state = openState(path, OPTIONS);
  try {
    state.transact((ledger) => {
      for (let i = 0; i < 500; i++) ledger.nonceRecord(AGENT, String(i));
      ledger.append(draft());
    });
    for (const _ of state.entries({}));
    for (const _ of state.entries({ agentId: AGENT }));
  } finally {
    state.close();
  }
}

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const content = readFileSync(path);
  content.set(bytes, at);
  writeFileSync(path, content);
}

describe('a damaged state file is a failure with a hint', () => {
  const damages: Record<string, (path: string) => void> = {
    'of no length': (path) => truncateSync(path, 0),
    'of one byte': (path) => truncateSync(path, 1),
    'cut in its first page': (path) => truncateSync(path, 1000),
    'cut after its first page': (path) => truncateSync(path, 4096),
    'cut in half': (path) => truncateSync(path, statSync(path).size / 2),
    'all garbage': (path) => writeFileSync(path, randomBytes(100_000)),
    'all zero': (path) => writeFileSync(path, Buffer.alloc(100_000)),
    text: (path) => writeFileSync(path, 'hello '.repeat(1000)),
    'garbage after its first page': (path) => overwrite(path, 4096, randomBytes(statSync(path).size - 4096)),
    'another database': (path) => {
      rmSync(path);
      const database = new Database(path, 0);
      database.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
      database.close();
    },
    'a directory': (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    'gone, with its write-ahead log left': (path) => {
      rmSync(path);
      writeFileSync(`${path}-wal`, 'x');
    },
    'without its log': (path) => edit(path, 'DROP TABLE entries'),
    'without its head': (path) => edit(path, 'DELETE FROM head'),
    'without its identity': (path) => edit(path, 'DELETE FROM identity'),
    'with an entry that is no JSON': (path) => edit(path, "UPDATE entries SET body = '[' WHERE seq = 3"),
    'with an entry that is no list': (path) => edit(path, "UPDATE entries SET body = '{}' WHERE seq = 3"),
    'with text that is no UTF-8': (path) => edit(path, "UPDATE entries SET action = CAST(x'ff' AS TEXT) WHERE seq = 3"),
    'with a head that is no UTF-8': (path) => edit(path, "UPDATE head SET hash = CAST(x'c0af' AS TEXT)"),
    'with a time that is none': (path) => edit(path, 'UPDATE entries SET at = 1e17 WHERE seq = 3'),
  };
  test.each(Object.entries(damages))('%s', (_what, damage) => {
    const path = written();
    damage(path);
    const failure = failureOf(() => useAll(path));
    expect(failure.code).toBe('STATE');
    expect(failure.exitCode).toBe(3);
    expect(failure.message).toContain(path);
    expect(failure.message).not.toMatch(/SQLITE|libsql|undefined/i);
    expect(failure.hint).toBeTruthy();
    expect(failure.retryable).toBe(false);
  });

  test('and what its hint removes is one file, whatever the folder is called', () => {
    const error = Object.assign(new Error('x'), { code: 'SQLITE_CORRUPT' });
    const { hint } = stateFailure(error, "/Users/o'hara/Application Support/state.db") as Failure;
    expect(hint).toContain("rm '/Users/o'\\''hara/Application Support/state.db'*");
  });

  test('and is left as it was found', () => {
    const path = written();
    truncateSync(path, 0);
    expect(failureOf(() => useAll(path)).message).toContain('damaged');
    expect(statSync(path).size).toBe(0);
  });

  test(
    'of a few changed bytes anywhere: a failure, a broken chain or no effect; never a crash',
    { timeout: 300_000 },
    async () => {
      const path = written();
      const { size } = statSync(path);
      for (let i = 0; i < ROUNDS; i++) {
        // In a process of their own: what SQLite's binding cannot bear takes the process with it.
        const copies = Array.from({ length: 20 }, (_, n) => `${path}.${n}`);
        for (const copy of copies) {
          copyFileSync(path, copy);
          for (let n = 0; n < 3; n++) overwrite(copy, randomInt(size), randomBytes(1));
        }
        const reader = await worker(['read', copies.join(':')]);
        await reader.ready();
        reader.go();
        const answers = await reader.answer();
        expect(answers).toHaveLength(copies.length);
        for (const answer of answers) expect(answer).toMatch(/^(?:whole|broken|spent twice|failure STATE )/);
      }
    },
  );
});

test('a state file in another journal mode is brought back to its own', () => {
  const path = written();
  overwrite(path, 18, Uint8Array.of(1, 1)); // SQLite file format, "File format version numbers"
  useAll(path);
  expect([...readFileSync(path).subarray(18, 20)]).toEqual([2, 2]);
});

describe('a changed log is found', () => {
  test.each([
    ['an action', "UPDATE entries SET action = 'x' WHERE seq = 42", 42],
    ['an agent', "UPDATE agents SET name = 'x'", 1],
    ['an agent lost', 'DELETE FROM agents', 1],
    ['a refusal made a success', 'UPDATE entries SET success = 0 WHERE seq = 42', 42],
    ['a code', "UPDATE entries SET code = 'AIP-E202' WHERE seq = 42", 42],
    ['a time', 'UPDATE entries SET at = at + 1 WHERE seq = 42', 42],
    ['a hash', 'UPDATE entries SET hash = (SELECT hash FROM entries WHERE seq = 1) WHERE seq = 42', 42],
    ['a param', "UPDATE entries SET body = replace(body, '8472', '8473') WHERE seq = 42", 42],
    ['the first removed', 'DELETE FROM entries WHERE seq = 1', 1],
    ['one removed', 'DELETE FROM entries WHERE seq = 42', 42],
    ['the end removed', 'DELETE FROM entries WHERE seq > 400', 401],
    ['all removed', 'DELETE FROM entries', 1],
    [
      'two swapped',
      'UPDATE entries SET seq = CASE seq WHEN 42 THEN -43 ELSE -42 END WHERE seq IN (42, 43); UPDATE entries SET seq = -seq WHERE seq < 0',
      42,
    ],
    ['one moved to the end', 'UPDATE entries SET seq = 501 WHERE seq = 42', 42],
    ['the end and the head cut back', 'DELETE FROM entries WHERE seq > 400; UPDATE head SET seq = 400', 400],
  ])('%s', (_what, sql, seq) => {
    const path = written();
    edit(path, sql);
    const state = openAt(path);
    expect(verifyChain(state.entries({}), state.bounds())).toMatchObject({ ok: false, seq });
  });
});

describe('what the file cannot do is said', () => {
  test('when it is of a newer version, which is not touched', () => {
    const path = written();
    edit(path, 'PRAGMA user_version = 99');
    const before = readFileSync(path);
    const failure = failureOf(() => openState(path, OPTIONS));
    expect(failure).toMatchObject({ code: 'STATE', retryable: false });
    expect(failure.message).toMatch(/newer aip \(format 99/);
    expect(readFileSync(path)).toEqual(before);
  });

  test('when it is full: nothing of the failed batch happened, all before it did', () => {
    const path = statePath();
    openState(path, OPTIONS).close();
    const database = new Database(path, 0);
    const state = stateOn(database, path, OPTIONS);
    database.exec('PRAGMA max_page_count = 60');
    let committed = 0;
    const failure = failureOf(() => {
      for (let batch = 0; batch < 1000; batch++) {
        state.transact((ledger) => {
          for (let i = 0; i < 10; i++) {
            ledger.spendNonce(AGENT, `${batch}.${i}`, T0, 'accepted', T0 + 1000);
            ledger.append(draft());
          }
        });
        committed += 1;
      }
    });
    expect(failure).toMatchObject({ code: 'STATE', retryable: true });
    expect(failure.message).toContain('No space');
    expect(committed).toBeGreaterThan(0);
    expect(verifyChain(state.entries({}), state.bounds())).toMatchObject({ ok: true, count: committed * 10 });
    state.rehearse((ledger) => {
      expect(ledger.nonceRecord(AGENT, `${committed - 1}.9`)).not.toBeNull();
      expect(ledger.nonceRecord(AGENT, `${committed}.0`)).toBeNull();
    });
    state.close();
  });

  test('when another process does not let go of it', () => {
    const path = written();
    const holder = new Database(path, 0);
    holder.exec('BEGIN IMMEDIATE');
    const database = new Database(path, 10);
    const state = stateOn(database, path, OPTIONS);
    expect(failureOf(() => state.transact(() => 1))).toMatchObject({ code: 'STATE', retryable: true });
    expect([...state.entries({ last: 1 })]).toHaveLength(1); // reading goes on
    holder.exec('ROLLBACK');
    expect(state.transact(() => 1)).toBe(1);
    holder.close();
    state.close();
  });

  test('when its folder cannot be made or is a file', () => {
    const path = written();
    expect(failureOf(() => openState(`${path}/state.db`, OPTIONS)).code).toBe('STATE');
    expect(failureOf(() => openState(`${path}/deeper/state.db`, OPTIONS)).code).toBe('STATE');
  });

  test('when nobody may write it', { timeout: 60_000 }, async () => {
    const path = written();
    const root = process.getuid?.() === 0;
    const uid = root ? 65534 : null;
    const home = dirname(path);
    if (root) for (const each of [dirname(home), home, path]) chownSync(each, 65534, 65534);
    const refusal = async (what: string) => {
      const each = await worker(['nonce', path, 'ab'.repeat(16)], uid);
      await each.ready();
      each.go();
      expect(await each.answer(), what).toEqual([expect.stringMatching(/^failure STATE .*state\.db.* \| \S/)]);
    };
    chmodSync(path, 0o400);
    await refusal('a read-only file');
    chmodSync(path, 0o000);
    await refusal('an unreadable file');
    chmodSync(path, 0o600);
    chmodSync(home, 0o500);
    await refusal('a read-only folder');
    rmSync(path);
    await refusal('a read-only folder without the file');
    chmodSync(home, 0o700);
  });

  test('an error that is ours keeps its stack', () => {
    const ours = new TypeError('ours');
    expect(stateFailure(ours, '/x')).toBe(ours);
    const database = new Database(':memory:', 0);
    expect(() => database.exec('SELEC 1')).toThrow(/syntax error/);
    expect(() => database.exec('SELEC 1')).not.toThrow(Failure);
    database.close();
  });
});

function edit(path: string, sql: string): void {
  const database = new Database(path, 0);
  database.exec(sql);
  database.close();
}
