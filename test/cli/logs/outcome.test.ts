import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accept, inHome } from '../../kit/history.js';
import { draft } from '../../kit/state/drafts.js';
import { world } from '../../kit/world.js';

function decided(env: Readonly<Record<string, string>> = {}) {
  const place = world({ env });
  const home = join(place.io.userHome, 'home');
  mkdirSync(home, { mode: 0o700 });
  const token = inHome(home, (state) =>
    state.transact((ledger) => {
      const drawn = ledger.token();
      accept(ledger, draft());
      ledger.append(draft(), { sent: null, passport: null, token: drawn });
      return drawn;
    }),
  );
  const run = (...argv: string[]) => place.run(...argv, '--home', home);
  return { place, run, token };
}
const HASH = draft().intent_hash!;

test('an outcome is recorded as claimed without the token, and as final with it', async () => {
  const { place, run, token } = decided();
  const claim = await run('outcome', HASH, '--status', 'ok', '--json');
  expect([claim.code, JSON.parse(claim.out)]).toEqual([
    0,
    { of: 1, seq: 2, status: 'ok', claimed: true, released: false, not_released: null },
  ]);
  const file = place.file('token.txt', `${token}\n`);
  const more = ['--duration', '1500ms', '--result-hash', HASH, '--detail', 'no funds', '--token-file', file];
  const final = await run('outcome', HASH, '--status', 'error', '--exit-code', '3', ...more, '--json');
  expect(final.code, final.err).toBe(0);
  expect(final.out).toContain('"claimed":false');
  const again = await run('outcome', HASH, '--status', 'ok');
  expect(again.code).toBe(2);
  expect(again.err).toContain('final');
  const whole = join(place.cwd, 'log.jsonl');
  await run('logs', 'export', '-o', whole);
  const archive = await run('logs', 'verify', '--file', whole, '--json');
  expect(JSON.parse(archive.out)).toMatchObject({ ok: true, count: 3 });
  const tail = await run('logs', 'tail', '--type', 'outcome', '--json');
  expect(
    tail.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([
    { type: 'outcome', of: 1, status: 'ok', claimed: true },
    {
      type: 'outcome',
      of: 1,
      status: 'error',
      exit_code: 3,
      claimed: false,
      duration_ms: 1500,
      result_hash: HASH,
      detail: 'no funds',
    },
  ]);
  const usual = await run('logs', 'tail', '--json');
  expect(usual.out.trim().split('\n')).toHaveLength(1);
  expect((await run('logs', 'verify')).code).toBe(0);
});

test('unknown is recorded, is not final, and says so', async () => {
  const { place, run, token } = decided();
  const file = place.file('token.txt', token);
  const told = await run('outcome', HASH, '--status', 'unknown', '--token-file', file);
  expect([told.code, told.out]).toEqual([0, 'ok entry 1 ended as unknown (not final); entry 2\n']);
  expect((await run('outcome', HASH, '--status', 'error', '--token-file', file)).code).toBe(0);
  expect((await run('outcome', HASH, '--status', 'unknown', '--token-file', file)).code).toBe(2);
  expect((await run('outcome', HASH, '--status', 'maybe')).code).toBe(2);
});

test('what is wrong is said, with the exit code of its kind', async () => {
  const { place, run } = decided();
  const wrong = place.file('wrong.txt', '0'.repeat(32));
  const cases: [string[], number][] = [
    [['outcome', HASH], 2],
    [['outcome', 'sha256:1', '--status', 'ok'], 2],
    [['outcome', HASH, '--status', 'ok', '--exit-code', '999'], 2],
    [['outcome', `sha256:${'1'.repeat(64)}`, '--status', 'ok'], 3],
    [['outcome', HASH, '--status', 'ok', '--token-file', 'missing'], 3],
    [['outcome', HASH, '--status', 'ok', '--token-file', wrong], 4],
  ];
  for (const [argv, code] of cases) {
    const { code: found, err } = await run(...argv);
    expect([argv, found]).toEqual([argv, code]);
    expect(err).toContain('hint:');
  }
});

test('--release says that an action did not happen; where the passport gives nothing back, that is said and the outcome kept', async () => {
  const { run, place, token } = decided();
  const file = place.file('token.txt', token);
  expect((await run('outcome', HASH, '--status', 'ok', '--release', '--token-file', file)).code).toBe(2);
  const { code, out, err } = await run(
    'outcome',
    HASH,
    '--status',
    'error',
    '--release',
    '--token-file',
    file,
    '--json',
  );
  expect([code, JSON.parse(out)]).toMatchObject([0, { status: 'error', released: false }]);
  expect(err).toContain('not_released');
});

test('what its detail shows of a secret is masked', async () => {
  const { run } = decided({ AIP_LOG_PARAMS: 'full' });
  const detail = 'ECONNREFUSED postgres://u:S3CRETa@db/x, Authorization: Bearer S3CRETbbbbbbbb, {"n":1}';
  expect((await run('outcome', HASH, '--status', 'error', '--detail', detail)).code).toBe(0);
  const { out } = await run('logs', 'tail', '--type', 'outcome', '--json');
  expect(out).not.toContain('S3CRET');
  expect(out).toContain('ECONNREFUSED postgres://[masked]@db/x');
  expect((await run('logs', 'verify')).code).toBe(0);
});
