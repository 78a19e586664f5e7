import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Decision } from '../../../src/verify/decision.js';
import { BINARY } from '../../kit/built/program.js';
import { aip, place, start, type Place } from '../../kit/built/binary.js';
import { operate, refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S, PRINCIPAL, publicKeyText } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';
import { expectDecision, fixture, INTENTS } from '../../kit/native/vectors.js';

const PIN = ['--principal-key', `${PRINCIPAL}=${publicKeyText('principal')}`];
const stateOf = ({ env }: Place) => join(env.AIP_HOME!, 'state.db');

function known(where: Place, passport: string): void {
  expect(aip(where, ['principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal')]).code).toBe(0);
  expect(aip(where, ['passport', 'import', fixture(passport)]).code).toBe(0);
}

// A process each: those that need no history, and of them every ninth.
const SAMPLE = INTENTS.vectors
  .filter(({ before, standing, copy, min_trust }) =>
    [before, standing, copy, min_trust].every((each) => each === undefined),
  )
  .filter((_, i) => i % 9 === 0);

test.each(SAMPLE)('the binary says the same: $name', (vector) => {
  const where = place();
  const { intent, passports, at = INTENTS.at, geo, max_age_s, expect: expected } = vector;
  const flags = [
    ...passports.flatMap((file) => ['--passport', fixture(file)]),
    ...(geo === undefined ? [] : ['--geo', geo]),
    ...(max_age_s === undefined ? [] : ['--max-age', `${max_age_s}s`]),
  ];
  const { code, out, err } = aip(where, ['intent', 'verify', fixture(intent), ...PIN, '--at', at, ...flags, '--json']);
  expectDecision(JSON.parse(out) as Decision, vector);
  expect([code, err]).toEqual([expected.exit, '']);
});

const LINES = 20_000;
/** What a stream of any length may hold at most; the process alone takes about 90 MB. */
const MOST_MB = 340;
/** Where memory is not read from /proc. */
const NO_PROC = !existsSync('/proc/self/status');

test.skipIf(NO_PROC)(
  `a stream of ${LINES} lines is judged in constant memory`,
  async () => {
    const where = place();
    known(where, 'passport-operator.json');
    const child = start(where, ['intent', 'verify', '-', '--ndjson', '--at', INTENTS.at]);
    // One signature, many lines: the copies are refused one by one after all of the work on them.
    const copies = Array.from({ length: 50 }, (_, i) => line(operate(`copy ${i}`, 'scale_service', { n: i })));
    Readable.from(
      (function* () {
        for (let i = 0; i < LINES; i += copies.length) yield copies.join('');
      })(),
    ).pipe(child.stdin);
    let answers = 0;
    let accepted = 0;
    let early = 0;
    let peak = 0;
    const megabytes = () =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? 0) / 1024;
    let rest = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      const lines = (rest + (chunk as string)).split('\n');
      rest = lines.pop()!;
      answers += lines.length;
      accepted += lines.filter((text) => text.startsWith('{"success":true')).length;
      if (early === 0 && answers >= LINES / 10) early = megabytes();
      if (answers < LINES) peak = Math.max(peak, megabytes());
    }
    expect([answers, accepted]).toEqual([LINES, copies.length]);
    expect(peak).toBeLessThan(MOST_MB);
    // Nine tenths of the stream add next to nothing to what the first tenth took.
    expect(peak - early).toBeLessThan(150);
    // Refusals that may be a stranger's doing are folded into counters beyond 120 a minute.
    const { entries, nonces } = stored(stateOf(where));
    expect(nonces).toBe(copies.length);
    expect(entries).toBeGreaterThanOrEqual(copies.length + 120);
    expect(entries).toBeLessThan(LINES / 50);
  },
  180_000,
);

test.skipIf(NO_PROC)(
  'a line of 600 MB is refused in constant memory',
  async () => {
    const child = start(place(), ['intent', 'verify', '-', '--ndjson']);
    const part = Buffer.alloc(1024 * 1024, 'a');
    let peak = 0;
    Readable.from(
      (function* () {
        for (let i = 0; i < 600; i++) {
          const status = readFileSync(`/proc/${child.pid}/status`, 'latin1');
          peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
          yield part;
        }
      })(),
    ).pipe(child.stdin);
    let said = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) said += chunk as string;
    expect(JSON.parse(said)).toMatchObject({ success: false, error_code: 'AIP-E100' });
    expect(peak).toBeGreaterThan(30);
    expect(peak).toBeLessThan(MOST_MB);
  },
  60_000,
);

test('a reader who goes away turns no refusal into a yes', () => {
  const where = place();
  known(where, 'passport-support-agent.json');
  const lines = Array.from({ length: 400 }, (_, i) => line(refund(`${i}`, { action: 'x', timestamp: NOW_S }))).join('');
  writeFileSync(join(where.folder, 'in.ndjson'), lines);
  const script = `"${process.execPath}" "${BINARY}" intent verify in.ndjson --ndjson --at ${INTENTS.at} | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: where.folder, env: where.env, encoding: 'utf8' });
  const [first, code] = stdout.trimEnd().split('\n');
  expect(JSON.parse(first!)).toMatchObject({ success: false, error_code: 'AIP-E201' });
  expect(code).toBe('12');
  expect(stderr).toBe('');
});

test.skipIf(!existsSync('/dev/full'))('an answer that could not be written is no success', () => {
  const where = place();
  known(where, 'passport-support-agent.json');
  writeFileSync(join(where.folder, 'in.json'), line(refund('full')));
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [BINARY, 'intent', 'verify', 'in.json', '--at', INTENTS.at], {
    cwd: where.folder,
    env: where.env,
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/^error: /);
  expect(stderr).not.toMatch(/^ {4}at /m);
});

test('SIGTERM ends an idle stream with 143, and what was answered is kept', async () => {
  const where = place();
  known(where, 'passport-support-agent.json');
  const child = start(where, ['intent', 'verify', '-', '--ndjson', '--at', INTENTS.at]);
  child.stdin.write(line(refund('kept')));
  const first = await new Promise<string>((resolve) => child.stdout.setEncoding('utf8').once('data', resolve));
  expect(JSON.parse(first)).toMatchObject({ success: true });
  child.kill('SIGTERM');
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(143);
  expect(stored(stateOf(where))).toMatchObject({ entries: 1, nonces: 1 });
});
