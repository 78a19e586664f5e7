import Libsql from 'libsql';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkLog, type ChainedLog } from '../../../src/app/logs/check.js';
import { Failure } from '../../../src/app/failure.js';
import { entryHash, START, type Link } from '../../../src/protocol/log/chain.js';
import { seal } from '../../kit/state/sealed.js';
import type { Entry } from '../../../src/protocol/log/entry.js';
import { writePast } from '../../kit/history.js';
import { draft } from '../../kit/state/drafts.js';
import { openAt } from '../../kit/state/temporary.js';
import { world } from '../../kit/world.js';

/** Older than what is compared with nonces and counters, which these entries never had. */
const LONG_AGO = Date.parse('2026-02-01T12:00:00Z');

/** A world whose log holds `n` entries, and what an intruder can do to its file. */
function logged(n: number) {
  const place = world();
  const path = join(place.cwd, 'home', 'state.db');
  const state = openAt(path);
  state.transact((ledger) => {
    for (let i = 0; i < n; i++) ledger.append(draft({ latency_us: i, at: LONG_AGO }));
  });
  const { logId } = state;
  const { head } = state.bounds();
  const tamper = (sql: string): void => {
    const file = new Libsql(path);
    file.exec(sql);
    file.close();
  };
  const verify = async () => {
    const { code, out, err } = await place.run('logs', 'verify', '--json', '--home', join(place.cwd, 'home'));
    return { code, err, answer: (out === '' ? null : JSON.parse(out)) as Record<string, unknown> };
  };
  const show = () => place.run('logs', 'verify', '--home', join(place.cwd, 'home'));
  return { logId, head, tamper, verify, show };
}

describe('aip logs verify', () => {
  test.each([1, 7, 1000, 1001])('a log of %i entries is whole', async (n) => {
    const { logId, head, verify } = logged(n);
    expect(await verify()).toEqual({
      code: 0,
      err: '',
      answer: {
        ok: true,
        count: n,
        head,
        log_id: logId,
        first_bad_seq: null,
        reason: null,
        checkpoint: null,
        pruned: 0,
        derived: { ok: true, problems: [] },
        signatures: null,
      },
    });
    expect(head.seq).toBe(n);
  });

  test('a file whose first lines are gone is whole from there on, and says so', async () => {
    const place = world({ stdin: '' });
    const home = join(place.cwd, 'home');
    mkdirSync(home);
    writePast(home, [{}, {}, {}]);
    const lines = (await place.run('logs', 'export', '--home', home)).out.trimEnd().split('\n');
    const check = (name: string, from: number) =>
      place.run('logs', 'verify', '--home', home, '--file', place.file(name, lines.slice(from).join('\n')));
    expect(await check('whole.jsonl', 0)).toMatchObject({ code: 0, err: '' });
    const part = [0, 'warning: It begins at entry 3: what came before was not checked. [begins_later]\n'];
    const { code, err } = await check('part.jsonl', 2);
    expect([code, err]).toEqual(part);
    // More blank lines than are read at once.
    const late = place.file('late.jsonl', '\n'.repeat(2_000_000) + lines.slice(2).join('\n'));
    const spaced = await place.run('logs', 'verify', '--home', home, '--file', late);
    expect([spaced.code, spaced.err]).toEqual(part);
  });

  test.each([
    ['--file', 'log.jsonl', '--signatures'],
    ['--file', 'log.jsonl', '--mesh'],
    ['--identity', 'key.txt'],
  ])('what would not be looked at is refused: %s %s %s', async (...flags) => {
    const { code, out, err } = await world().run('logs', 'verify', ...flags);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(flags.at(-1) === 'key.txt' ? '--identity' : flags.at(-1)!);
  });

  test('an empty log is whole, and says that it is empty', async () => {
    const { verify, show } = logged(0);
    expect((await verify()).answer).toMatchObject({ ok: true, count: 0, head: { seq: 0 } });
    expect(await show()).toEqual({ code: 0, out: 'ok the log is empty\n', err: '' });
  });

  test.each(['', '\n \n'])(
    'an export without entries is nothing to verify, and that is never a yes (%j)',
    async (text) => {
      const place = world();
      const { code, out, err } = await place.run('logs', 'verify', '--file', place.file('log.jsonl', text));
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('There is nothing to verify');
    },
  );

  test('for a person: the head, or the place where it broke', async () => {
    const { head, tamper, show } = logged(3);
    expect((await show()).out).toContain(`ok the hash chain of 3 entries is whole\n  head        3  ${head.hash}\n`);
    tamper('UPDATE entries SET success = 0 WHERE seq = 2');
    const { code, out } = await show();
    expect(code).toBe(15);
    expect(out).toContain('BROKEN at entry 2: it was changed after it was written\n  1 entry before it is whole');
  });

  test.each([
    ['a changed result', 'UPDATE entries SET success = 0 WHERE seq = 4', 4, /changed/],
    ['a changed time', 'UPDATE entries SET at = at + 1 WHERE seq = 1', 1, /changed/],
    ['a changed action', "UPDATE entries SET action = 'issue_refunds' WHERE seq = 9", 9, /changed/],
    ['another agent', "UPDATE agents SET name = 'did:web:evil.com:agents:x'", 1, /changed/],
    ['a changed body', "UPDATE entries SET body = replace(body, '8472', '8473') WHERE seq = 5", 5, /changed/],
    ['a body that is no JSON', "UPDATE entries SET body = '[' WHERE seq = 5", 5, /cannot be read/],
    ['the first removed', 'DELETE FROM entries WHERE seq = 1', 1, /missing/],
    ['one removed', 'DELETE FROM entries WHERE seq = 6', 6, /missing/],
    ['the end cut off', 'DELETE FROM entries WHERE seq > 7', 8, /up to 9 are missing/],
    ['all removed', 'DELETE FROM entries', 1, /missing/],
    [
      'the end cut off, with the number of the head',
      'DELETE FROM entries WHERE seq = 9; UPDATE head SET seq = 8',
      8,
      /remembers as its head/,
    ],
    [
      'two swapped',
      'UPDATE entries SET seq = 100 WHERE seq = 2; UPDATE entries SET seq = 2 WHERE seq = 3; UPDATE entries SET seq = 3 WHERE seq = 100',
      2,
      /does not follow/,
    ],
    [
      'one added',
      'INSERT INTO entries (seq, at, agent, action, success, code, hash, body) SELECT 10, at, agent, action, success, code, hash, body FROM entries WHERE seq = 9',
      10,
      /added after the head/,
    ],
    [
      'a changed hash',
      "UPDATE entries SET hash = replace(hash, 'a', 'b') WHERE seq = 3; UPDATE entries SET hash = 'x' WHERE seq = 3",
      3,
      /changed/,
    ],
    ['a changed head', "UPDATE head SET hash = 'ff'", 9, /remembers as its head/],
  ])('%s is found, with its number', async (_what, sql, seq, reason) => {
    const { tamper, verify } = logged(9);
    tamper(sql);
    const { code, answer } = await verify();
    expect(code).toBe(15);
    expect(answer).toMatchObject({ ok: false, first_bad_seq: seq });
    expect(answer['reason']).toMatch(reason);
    expect(answer['count']).toBe(seq - 1);
  });

  test('a file that is no state at all is a failure, not a broken chain', async () => {
    const place = world();
    place.file('home/state.db', 'not a database at all'.repeat(100));
    const { code, out, err } = await place.run('logs', 'verify', '--json', '--home', join(place.cwd, 'home'));
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(JSON.parse(err)).toMatchObject({ code: 'STATE' });
  });
});

describe('a log that moves while it is read', () => {
  function memory(size: number) {
    const entries: Entry[] = [];
    let after: Link = START;
    let head: Link = START;
    const append = (): void => {
      const entry = seal(draft(), 'v', head);
      entries.push(entry);
      head = { seq: entry.seq, hash: entry.hash };
    };
    for (let i = 0; i < size; i++) append();
    const log: ChainedLog = {
      bounds: () => ({ after, head }),
      records: ({ afterSeq = 0 }) => entries.filter((entry) => entry.seq > afterSeq),
    };
    const prune = (n: number): void => {
      const gone = entries.splice(0, n).at(-1)!;
      after = { seq: gone.seq, hash: gone.hash };
    };
    return { log, entries, append, prune };
  }

  test('what is added meanwhile is checked as well', async () => {
    const { log, append } = memory(1500);
    let left = 700;
    const pause = async (): Promise<void> => {
      for (let i = 0; i < 350 && left > 0; i++, left--) append();
    };
    expect(await checkLog(log, { newest: null, pause })).toMatchObject({ ok: true, count: 2200, head: { seq: 2200 } });
  });
  test('a bad entry among them is found', async () => {
    const { log, entries, append } = memory(10);
    let once = true;
    const pause = async (): Promise<void> => {
      if (!once) return;
      once = false;
      append();
      append();
      entries[10] = { ...entries[10]!, action: 'other' };
    };
    expect(await checkLog(log, { newest: null, pause })).toMatchObject({ ok: false, seq: 11, count: 10 });
  });
  test('pruning under the reader is not damage', async () => {
    const { log, prune } = memory(3000);
    let once = true;
    const pause = async (): Promise<void> => {
      if (once) prune(2500);
      once = false;
    };
    expect(await checkLog(log, { newest: null, pause })).toMatchObject({ ok: true, count: 500, head: { seq: 3000 } });
  });
  test('a writer that never stops does not keep the reader for ever', async () => {
    const { log, append } = memory(1);
    expect(await checkLog(log, { newest: null, pause: async () => append() })).toMatchObject({ ok: true });
  });
  test('the newest entries alone', async () => {
    const { log, entries } = memory(50);
    const pause = async (): Promise<void> => undefined;
    entries[9] = { ...entries[9]!, action: 'other' };
    expect(await checkLog(log, { newest: 40, pause })).toMatchObject({ ok: true, count: 40 });
    expect(await checkLog(log, { newest: 41, pause })).toMatchObject({ ok: false, seq: 10 });
    entries[20] = { ...entries[20]!, hash: entryHash({ ...entries[20]!, action: 'x' }), action: 'x' };
    expect(await checkLog(log, { newest: 40, pause })).toMatchObject({ ok: false, seq: 22 });
  });
  test('a file that is busy is a failure, never a broken chain', async () => {
    const { log } = memory(5);
    const busy: ChainedLog = {
      ...log,
      records: () => {
        throw new Failure('STATE', 'busy', { retryable: true });
      },
    };
    await expect(checkLog(busy, { newest: null, pause: async () => undefined })).rejects.toThrow('busy');
  });
});
