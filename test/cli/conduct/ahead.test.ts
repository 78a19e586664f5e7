/** Entries of a clock that ran ahead, among those of today: no health figure counts them, limits do, and the doctor says so. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settled } from '../../kit/native/household.js';
import { fixture } from '../../kit/native/vectors.js';
import { writePast, type Past } from '../../kit/history.js';
import { AGENT, T0 } from '../../kit/state/drafts.js';
import type { HealthReport } from '../../../src/trust/health.js';
import { world } from '../../kit/world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function health(past: Past, ...flags: string[]): Promise<HealthReport> {
  const at = world({ stdin: '' });
  const dir = join(at.cwd, 'home');
  mkdirSync(dir, { recursive: true });
  writePast(dir, past);
  return JSON.parse((await at.run('health', AGENT, '--home', dir, '--json', ...flags)).out) as HealthReport;
}

const TODAY: Past = [{ at: T0 - 2 * HOUR }, { at: T0 - 5 * MINUTE }, { at: T0 - 4 * MINUTE, error_code: 'AIP-E202' }];
/** The log keeps its order; the clock was ahead for the last of them. */
const AHEAD: readonly (readonly [string, number])[] = [
  ['two minutes', 2 * MINUTE],
  ['an hour', HOUR],
  ['a day', 24 * HOUR],
  ['a year', 365 * 24 * HOUR],
];

describe.each(AHEAD)('entries %s ahead', (_, ahead) => {
  const past: Past = [...TODAY, { at: T0 + ahead, error_code: 'AIP-E203' }, { at: T0 + ahead }];

  test.each([
    ['--since', '24h'],
    ['--since', '3h'],
    ['--since', '2026-02-18T00:00:00Z'],
  ])('count in no %s %s', async (...flags) => {
    const { total, successful, failed, recent_failures } = await health(past, ...flags);
    const same = await health(TODAY, ...flags);
    // Beyond two days the minutes of this hour are forgotten with them, and the hour is counted whole.
    expect([total, successful, failed]).toEqual([same.total, same.successful, same.failed]);
    expect(recent_failures).toEqual(same.recent_failures);
  });

  test('count in all that there ever was', async () => {
    expect((await health(past, '--since', 'all')).total).toBe(5);
  });

  test('are named by the doctor, also where later ones hide them', async () => {
    const at = world({ stdin: '' });
    const dir = join(at.cwd, 'home');
    mkdirSync(dir, { recursive: true });
    writePast(dir, [...past, { at: T0 - MINUTE }]);
    const { out } = await at.run('doctor', '--home', dir, '--json');
    expect(out).toContain('2 entries of the log are dated after now');
    expect(out).toContain('Health counts them from then on; rates and daily limits count them already');
  });
});

describe('--at ahead of now', () => {
  const verify = ['intent', 'verify', fixture('intent-refund.json')];
  test.each(['2026-02-18T14:24:45Z', '2026-02-19', '2027-01-01T00:00:00Z'])(
    '%s is refused where it would be counted',
    async (at) => {
      const machine = await settled();
      const failure = await machine.failure(...verify, '--at', at);
      expect(failure).toMatchObject({ code: 'USAGE', exit_code: 2 });
      expect(failure.hint).toContain('--allow-future');
      for (const flag of ['--dry-run', '--allow-future'])
        expect((await machine.run(...verify, '--at', at, flag, '--max-age', '400d')).code).toBe(0);
    },
  );

  test.each(['now', '2026-02-18T14:23:45Z', '2026-02-18T14:24:00Z', '2026-02-18T14:23:40Z'])(
    '%s is taken',
    async (at) => {
      const machine = await settled();
      expect((await machine.run(...verify, '--at', at)).code).toBe(0);
    },
  );
});
