import { appendFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../../src/protocol/log/entry.js';
import { inHome, writePast, type Past } from '../../kit/history.js';
import { AGENT, draft, OTHER, refused, T0 } from '../../kit/state/drafts.js';
import { world, type WorldOptions } from '../../kit/world.js';

const MINUTE = 60_000;

function home(past: Past, options: WorldOptions = {}) {
  const at = world({ stdin: '', ...options });
  const dir = join(at.cwd, 'home');
  mkdirSync(dir, { recursive: true });
  writePast(dir, past);
  const tail = async (...args: string[]) => {
    const run = await at.run('logs', 'tail', ...args, '--home', dir);
    return { ...run, rows: rowsOf(run.out), seqs: rowsOf(run.out).map(({ seq }) => seq) };
  };
  return { at, dir, tail };
}

function rowsOf(out: string): Entry[] {
  return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Entry]));
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('never came');
}

const PAST: Past = [
  { at: T0 - 90 * MINUTE },
  { at: T0 - 80 * MINUTE, error_code: 'AIP-E202', details: { requested: 10000, limit: 100, agent_id: AGENT } },
  { at: T0 - 50 * MINUTE, agent_id: OTHER, action: 'place_order' },
  { at: T0 - 40 * MINUTE, error_code: 'AIP-E401' },
  { at: T0 - 30 * MINUTE, action: 'send_email', params: { to: 'Anna@acme.com' } },
  { at: T0 - 20 * MINUTE, error_code: 'AIP-E301' },
];

describe('aip logs tail', () => {
  test('prints whole entries, a line each, when piped', async () => {
    const { dir, tail } = home(PAST);
    const { rows, code } = await tail();
    expect(code).toBe(0);
    expect(rows).toEqual(inHome(dir, (state) => [...state.entries({})]));
  });

  test('shows the last 20, or as many as asked for', async () => {
    const { tail } = home(Array.from({ length: 30 }, () => ({})));
    expect((await tail()).seqs).toEqual(Array.from({ length: 20 }, (_, i) => i + 11));
    expect((await tail('-n', '3')).seqs).toEqual([28, 29, 30]);
    expect((await tail('-n', '0')).seqs).toEqual([]);
    expect((await tail('--since', '2020-01-01T00:00:00Z')).seqs).toHaveLength(30);
  });

  test.each([
    [['--agent', OTHER], [3]],
    [['--action', 'send_email'], [5]],
    [
      ['--status', 'failed'],
      [2, 4, 6],
    ],
    [['--status', 'failed', '-n', '1'], [6]],
    [['--code', 'AIP-E202'], [2]],
    [['--code', 'e202'], [2]],
    [['--code', 'aip-e202'], [2]],
    [['--code', 'AIP-E406'], []],
    [
      ['--since', '1h'],
      [3, 4, 5, 6],
    ],
    [
      ['--until', '45m'],
      [1, 2, 3],
    ],
    [['--since', '60m', '--until', '35m', '--status', 'failed'], [4]],
    [['--grep', 'anna@acme'], [5]],
    [['--grep', 'anna@Acme'], []],
    [['--grep', '"limit":1\\d+'], [2]],
    [
      ['--grep', 'AIP-E\\d', '-n', '2'],
      [4, 6],
    ],
    [['--agent', 'did:web:acme.com:agents:nobody'], []],
  ])('%j shows %j', async (args, seqs) => {
    expect((await home(PAST).tail(...args)).seqs).toEqual(seqs);
  });

  test.each([
    [['--exit-on', 'failed'], 15, [1, 2]],
    [['--exit-on', 'failed:2'], 15, [1, 2, 3, 4]],
    [['--exit-on', 'failed:4'], 0, [1, 2, 3, 4, 5, 6]],
    [['--exit-on', 'revoked'], 15, [1, 2, 3, 4]],
    [['--exit-on', 'AIP-E301'], 15, [1, 2, 3, 4, 5, 6]],
    [['--exit-on', 'E301:2'], 0, [1, 2, 3, 4, 5, 6]],
  ])('%j ends with %i after %j', async (args, code, seqs) => {
    const run = await home(PAST).tail(...args);
    expect([run.code, run.seqs]).toEqual([code, seqs]);
  });

  test.each([
    [['--agent', 'nobody'], 3],
    [['--status', 'maybe'], 2],
    [['-n', '-1'], 2],
    [['-n', 'all'], 2],
    [['--since', 'noon'], 2],
    [['--grep', '('], 2],
    [['--code', 'AIP-E999'], 2],
    [['--code', 'e299'], 2],
    [['--exit-on', 'AIP-E999:3'], 2],
    [['--exit-on', 'failed:0'], 2],
    [['--exit-on', ':3'], 2],
    [['--exit-on', ''], 2],
    [['--file', 'no-such.jsonl'], 3],
    [['--file', '.'], 3],
  ])('%j ends with %i', async (args, code) => {
    const { at, dir } = home(PAST);
    const run = await at.run('logs', 'tail', ...args, '--home', dir);
    expect([run.code, run.out]).toEqual([code, '']);
  });

  test('tells a person that nothing matches, and a pipe nothing', async () => {
    expect(await home(PAST, { tty: true }).tail('--action', 'none')).toMatchObject({
      out: '',
      err: 'No entry matches.\n',
    });
    expect(await home(PAST).tail('--action', 'none')).toMatchObject({ code: 0, out: '', err: '' });
  });

  test('tells a person on a machine of a mesh where the entries of the others are', async () => {
    const { at, dir } = home(PAST, { tty: true, env: { AIP_MESH_URL: 'http://127.0.0.1:9' } });
    const { err } = await at.run('logs', 'tail', '--action', 'none', '--home', dir);
    expect(err).toBe('No entry here matches. Of the fleet:\n  aip logs tail --mesh\n');
  });

  test.each([
    [['--code', 'E999'], 'AIP-E999'],
    [['--code', '301'], 'Did you mean AIP-E301 REPLAY_DETECTED'],
    [['--code', 'monetary_limit_exceeded'], 'Did you mean AIP-E202 MONETARY_LIMIT_EXCEEDED'],
    [['--exit-on', 'fialed'], 'Did you mean failed?'],
    [['--exit-on', 'our-own:2'], '"our-own", only a hook of yours can.'],
  ])('%j warns of a code that is waited for in vain', async (args, said) => {
    expect((await home(PAST).tail(...args)).err).toContain(said);
  });

  test('no code that there is, and none of another program, is warned of', async () => {
    for (const args of [
      ['--code', 'e202'],
      ['--exit-on', 'revoked'],
      ['--exit-on', 'AIP-E408:9'],
    ])
      expect((await home(PAST).tail(...args)).err).toBe('');
    const { at, dir } = home(PAST, { stdin: '{"status":"failed","error_code":"TIMEOUT"}\n' });
    expect((await at.run('logs', 'tail', '--file', '-', '--code', 'TIMEOUT', '--home', dir)).err).toBe('');
  });

  test('is one readable line an entry on a terminal', async () => {
    const { at, dir } = home(PAST, { tty: true, columns: 120 });
    const { out } = await at.run('logs', 'tail', '--home', dir, '--no-color');
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe(
      '2026-02-18 12:53:45.000  ok        support-agent-v1@acme.com  issue_refund  order_id=8472  amount=50',
    );
    expect(lines[1]).toContain('REFUSED   support-agent-v1@acme.com  issue_refund  AIP-E202  REFUSED  requested=10000');
    expect(lines[3]).toContain('REVOKED');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(120);
  });

  test('nothing in an entry moves the cursor or colours the line', async () => {
    const evil = '\u001b[2J\u001b]0;pwned\u0007\r\n\u009b31m\u202e\u0000';
    const past: Past = [
      { agent_id: `x${evil}`, action: evil, params: { [evil]: evil }, error_code: null },
      { agent_id: AGENT, error_code: `AIP${evil}`, error_message: evil, details: { a: [evil] } },
    ];
    for (const tty of [true, false]) {
      const { at, dir } = home(past, { tty, columns: 200 });
      const { out } = await at.run('logs', 'tail', '--home', dir, '--no-color');
      expect(out.split('\n')).toHaveLength(3);
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });
});

describe('aip logs tail -f', () => {
  test('shows what others commit, in order and once, until Ctrl-C', async () => {
    const { at, dir } = home(PAST);
    const done = at.run('logs', 'tail', '-f', '-n', '2', '--home', dir);
    await until(() => at.out().split('\n').length > 2);
    for (let i = 0; i < 5; i++) {
      inHome(dir, (state) =>
        state.transact((ledger) => {
          for (let n = 0; n < 100; n++) ledger.append(draft());
        }),
      );
    }
    await until(() => at.out().split('\n').length > 502);
    at.interrupt(130);
    const { code, out, err } = await done;
    expect(code).toBe(130);
    expect(rowsOf(out).map(({ seq }) => seq)).toEqual(Array.from({ length: 502 }, (_, i) => i + 5));
    expect(err).toMatch(/^502 shown, 1 failed, in \d+ s\n$/);
  });

  test('filters what comes, and ends by itself when it has seen enough', async () => {
    const { at, dir } = home([]);
    const done = at.run('logs', 'tail', '-f', '--code', 'E202', '--exit-on', 'failed:3', '--home', dir);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let i = 0; i < 4; i++) {
      inHome(dir, (state) => {
        state.transact((ledger) => ledger.append(draft()));
        state.transact((ledger) => ledger.append(refused('AIP-E301')));
        state.transact((ledger) => ledger.append(refused('AIP-E202')));
      });
    }
    const { code, out } = await done;
    expect(code).toBe(15);
    expect(rowsOf(out).map(({ seq }) => seq)).toEqual([3, 6, 9]);
  });
});

/** The guide's audit record, "Mistake 3". */
const GUIDE_RECORD = {
  timestamp: '2026-02-18T14:23:45Z',
  agent_id: 'did:web:acme.com:agents:support-v1',
  action: 'issue_refund',
  params: { amount: 50, order_id: '8472' },
  verification_result: 'success',
  signature: 'd4e8f2...',
  nonce: '8f7a3c...',
};

describe('aip logs tail --file', () => {
  const lines = (...values: unknown[]): string =>
    values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n');

  test("reads the guide's audit record and keeps what it does not know", async () => {
    const at = world({ stdin: `${lines(GUIDE_RECORD, { ...GUIDE_RECORD, verification_result: 'failed', x: [1] })}\n` });
    const { out, code } = await at.run('logs', 'tail', '--file', '-');
    expect(code).toBe(0);
    expect(rowsOf(out)).toEqual([
      { ...GUIDE_RECORD, status: 'success' },
      { ...GUIDE_RECORD, verification_result: 'failed', x: [1], status: 'failed' },
    ]);
  });

  test.each([
    [{ result: 'DENIED' }, 'failed'],
    [{ result: 'ok' }, 'success'],
    [{ result: false }, 'failed'],
    [{ verification_result: 'success', result: 'failed' }, 'success'],
    [{ status: 'failed', result: 'ok' }, 'failed'],
    [{ result: 'maybe' }, undefined],
    [{ result: { ok: true } }, undefined],
    [{ status: 200, result: 'ok' }, 'success'],
    [{}, undefined],
  ])('%j is %s', async (record, status) => {
    const at = world({ stdin: JSON.stringify(record) });
    const [row] = rowsOf((await at.run('logs', 'tail', '--file', '-')).out);
    expect(row!.status === 'success' || row!.status === 'failed' ? row!.status : undefined).toBe(status);
  });

  test('counts lines that are no records, tells the first, and goes on', async () => {
    const bad = ['{"a":1', '42', '[]', 'null', '"x"', 'plain text', '{"a":1}{"b":2}'];
    const at = world({ stdin: lines({ n: 1 }, '', '   ', ...bad, { n: 2 }) });
    const { out, err, code } = await at.run('logs', 'tail', '--file', '-');
    expect(code).toBe(0);
    expect(rowsOf(out)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(err).toContain('7 lines are no JSON object and left out; the first is line 4.');
  });

  test('a line that is not UTF-8 or endless spoils no other', async () => {
    const at = world();
    const file = join(at.cwd, 'log.jsonl');
    writeFileSync(
      file,
      Buffer.concat([
        Buffer.from('{"n":1}\n{"n":"'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('"}\n{"n":3}\n{"n":"'),
        Buffer.alloc(3_000_000, 'x'),
        Buffer.from('"}\n{"n":"ä5"}\n'),
        Buffer.alloc(2_000_000, '{'),
      ]),
    );
    const { out, err } = await at.run('logs', 'tail', '--file', file);
    expect(rowsOf(out)).toEqual([{ n: 1 }, { n: '\ufffd\ufffd' }, { n: 3 }, { n: 'ä5' }]);
    expect(err).toContain('2 lines are no JSON object');
  });

  test('nor does one that is nested too deep to be written again', async () => {
    const [deep, wide] = [`{"seq":1,"n":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, { n: Array(5000).fill([[]]) }];
    const at = world();
    const file = at.file('log.jsonl', lines(deep, wide));
    for (const grep of [[], ['--grep', 'n']]) {
      const { code, out, err } = await at.run('logs', 'tail', '--file', file, ...grep);
      expect([code, rowsOf(out), err]).toEqual([0, [wide], expect.stringContaining('1 line is no JSON object')]);
    }
    expect((await at.run('logs', 'verify', '--file', file)).code).toBe(15);
  });

  test('filters as it does the log, by the times that others write, too', async () => {
    const at = world();
    const file = at.file(
      'log.jsonl',
      lines(
        { n: 1, timestamp: '2026-02-18T15:00:00+01:00', error_code: 'AIP-E202' },
        { n: 2, timestamp: 1_771_424_000, error_code: 'AIP-E202' },
        { n: 3, timestamp: 1_771_424_000_000, error_code: 'AIP\u002dE202' },
        { n: 4, timestamp: 'yesterday', error_code: 'AIP-E202' },
        { n: 5, timestamp: '2026-02-18T10:00:00Z', error_code: 'AIP-E202' },
        '{"n":6,"timestamp":"2026-02-18T14:10:00Z","error_code":"AIP\\u002dE202"}',
        { n: 7, timestamp: '2026-02-18T14:10:00Z', error_code: 'AIP-E2020' },
      ),
    );
    const { out } = await at.run('logs', 'tail', '--file', file, '--code', 'E202', '--since', '1h');
    expect(rowsOf(out).map((row) => (row as unknown as { n: number }).n)).toEqual([1, 2, 3, 6]);
    expect(rowsOf((await at.run('logs', 'tail', '--file', file, '-n', '2')).out)).toHaveLength(2);
  });

  test('follows a file through being written to, cut and replaced', async () => {
    const at = world();
    const file = at.file('log.jsonl', lines(...Array.from({ length: 30 }, (_, n) => ({ n }))) + '\n');
    const done = at.run('logs', 'tail', '-f', '--file', file, '-n', '2', '--exit-on', 'END');
    const seen = () =>
      at
        .out()
        .match(/"n":\d+/g)
        ?.map((each) => Number(each.slice(4))) ?? [];
    await until(() => seen().length === 2);
    appendFileSync(file, '{"n":30}\n{"n":');
    await until(() => seen().length === 3);
    appendFileSync(file, '31}\n');
    await until(() => seen().length === 4);
    truncateSync(file, 0);
    await until(() => at.err().includes('truncated'));
    appendFileSync(file, '{"n":32}\n');
    await until(() => seen().length === 5);
    // The last words of the old file come before its name is taken.
    appendFileSync(file, '{"n":33}\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, '{"n":34}\n{"n":35,"error_code":"END"}\n{"n":36}\n');
    expect((await done).code).toBe(15);
    expect(seen()).toEqual([28, 29, 30, 31, 32, 33, 34, 35]);
  });
});
