import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { HealthReport } from '../../../src/trust/health.js';
import { CHROMIUM, openPage } from '../../kit/browser.js';
import { writePast, type Past } from '../../kit/history.js';
import { AGENT, OTHER, T0 } from '../../kit/state/drafts.js';
import { world, type World } from '../../kit/world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HOSTILE = `did:web:evil.com:agents:x"><img src=https://evil.com/x onerror=alert(1)>\u001b[2J`;

/** 21 accepted in 21 minutes, then an E202, an E203 and 3 that anyone could have sent. The world's clock stands at T0. */
const GUIDE: Past = [
  ...Array.from({ length: 21 }, (_, i) => ({ at: T0 - 40 * MINUTE + i * MINUTE })),
  { at: T0 - 10 * MINUTE, error_code: 'AIP-E202' },
  { at: T0 - 9 * MINUTE, error_code: 'AIP-E203', action: 'send_email' },
  ...Array.from({ length: 3 }, (_, i) => ({ at: T0 - 8 * MINUTE + i, error_code: 'AIP-E101' })),
];

async function home(past: Past): Promise<{ at: World; dir: string }> {
  const at = world({ stdin: '' });
  const dir = join(at.cwd, 'home');
  mkdirSync(dir, { recursive: true });
  writePast(dir, past);
  return { at, dir };
}

const report = (out: string) => JSON.parse(out) as HealthReport;

describe('aip health <agent>', () => {
  test("is the guide's report, to the number", async () => {
    const { at, dir } = await home(GUIDE);
    const { code, out } = await at.run('health', AGENT, '--home', dir, '--json');
    expect(code).toBe(0);
    expect(report(out)).toEqual({
      agent_id: AGENT,
      since: '2026-02-17T14:23:00Z',
      total: 26,
      successful: 21,
      failed: 2,
      // 21 / 23 and 2 / 23; 0.5 + 21 * 0.01 - 2 * 0.05
      success_rate: 21 / 23,
      failure_rate: 2 / 23,
      unattributed: 3,
      trust_score: 0.61,
      trust_meaningful: true,
      warnings: [
        { code: 'low_trust', message: 'Low trust score: 0.61, under 0.7.' },
        { code: 'unattributed_refusals', message: expect.stringContaining('3 refused') as string },
      ],
      recent_failures: [
        { error_code: 'AIP-E203', action: 'send_email', timestamp: '2026-02-18T14:14:45.000Z', seq: 23 },
        { error_code: 'AIP-E202', action: 'issue_refund', timestamp: '2026-02-18T14:13:45.000Z', seq: 22 },
      ],
      outcomes: { ok: 0, error: 0, unknown: 0, running: 21 },
      top_codes: [
        { error_code: 'AIP-E101', count: 3 },
        { error_code: 'AIP-E202', count: 1 },
        { error_code: 'AIP-E203', count: 1 },
      ],
      status: 'warning',
      standing: {
        status: 'active',
        denied_by: null,
        reason: null,
        revoked_by: null,
        changed_at: null,
        suspended_until: null,
        source: 'this machine',
        age_ms: null,
      },
    });
  });

  test.each([
    ['itself', [AGENT], AGENT],
    ['its principal', ['did:web:acme.com'], 'did:web:acme.com'],
    ['every agent', ['--everyone'], '*'],
  ])('says that it is stopped, by whom and why: %s', async (_what, whom, denied_by) => {
    const { at, dir } = await home(GUIDE);
    await at.run('revoke', ...whom, '--reason', 'key leaked', '--by', 'ops', '--yes', '--home', dir);
    const { out } = await at.run('health', AGENT, '--home', dir, '--json');
    const standing = { status: 'revoked', denied_by, reason: 'key leaked', revoked_by: 'ops', source: 'this machine' };
    expect(JSON.parse(out)).toMatchObject({ standing });
    const line = /^Standing: REVOKED: key leaked; by ops; since .*known from this machine alone$/m;
    expect((await at.run('health', AGENT, '--home', dir)).out).toMatch(line);
    expect((await at.run('health', '--home', dir)).out).toMatch(/\tREVOKED\t/);
    await at.run('health', '--home', dir, '--html', join(at.cwd, 'stopped.html'));
    const page = readFileSync(join(at.cwd, 'stopped.html'), 'utf8');
    expect(page).toContain('<span class="status revoked">REVOKED</span>');
    expect(page).toContain('REVOKED: key leaked; by ops');
  });

  test('says it in the words of the guide', async () => {
    const { at, dir } = await home(GUIDE);
    const { out } = await at.run('health', AGENT, '--home', dir);
    for (const line of [
      `Agent: ${AGENT}`,
      'Trust Score: 0.61',
      'Total Verifications: 26',
      'Successful: 21 (91.3%)',
      'Failed: 2 (8.7%)',
      'WARNING: Low trust score',
      'Recent Failures:',
      '  - AIP-E203: send_email at 2026-02-18T14:14:45.000Z',
    ]) {
      expect(out).toContain(line);
    }
  });

  test('warns of more than a tenth refused, and not of a tenth', async () => {
    const past = (n: number): Past => [
      ...Array.from({ length: 90 }, (_, i) => ({ at: T0 - HOUR + i * 1000 })),
      ...Array.from({ length: n }, (_, i) => ({ at: T0 - (n - i) * 2 * MINUTE, error_code: 'AIP-E202' })),
    ];
    const codes = async (n: number) => {
      const { at, dir } = await home(past(n));
      return report((await at.run('health', AGENT, '--home', dir, '--json')).out).warnings.map(({ code }) => code);
    };
    expect(await codes(10)).not.toContain('high_failure_rate');
    expect(await codes(11)).toContain('high_failure_rate');
  });

  test('a stranger can neither worsen nor better it', async () => {
    const held = GUIDE.filter(({ error_code }) => error_code !== 'AIP-E101');
    const rubbish: Past = Array.from({ length: 500 }, (_, i) => ({
      at: T0 - MINUTE + i,
      error_code: ['AIP-E101', 'AIP-E301', 'AIP-E302', 'AIP-E102'][i % 4]!,
    }));
    const reports = await Promise.all(
      [held, [...held, ...rubbish]].map(async (past) => {
        const { at, dir } = await home(past);
        return report((await at.run('health', AGENT, '--home', dir, '--json')).out);
      }),
    );
    const [alone, spammed] = reports as [HealthReport, HealthReport];
    for (const key of [
      'successful',
      'failed',
      'success_rate',
      'failure_rate',
      'trust_score',
      'recent_failures',
    ] as const) {
      expect(spammed[key]).toEqual(alone[key]);
    }
    expect(spammed).toMatchObject({ unattributed: 500, total: 523, status: 'warning' });
  });

  test('counts only what lies in the time asked about', async () => {
    const { at, dir } = await home([
      { at: T0 - 100 * HOUR, error_code: 'AIP-E202' },
      { at: T0 - 30 * HOUR },
      { at: T0 - 90 * MINUTE, error_code: 'AIP-E201' },
      { at: T0 - 10 * MINUTE },
    ]);
    const totals = async (since: string) => {
      const found = report((await at.run('health', AGENT, '--home', dir, '--json', '--since', since)).out);
      return [found.total, found.failed, found.recent_failures.length, found.since];
    };
    expect(await totals('1h')).toEqual([1, 0, 0, '2026-02-18T13:23:00Z']);
    expect(await totals('24h')).toEqual([2, 1, 1, '2026-02-17T14:23:00Z']);
    expect(await totals('2026-02-17T00:00:00Z')).toEqual([3, 1, 1, '2026-02-17T00:00:00Z']);
    expect(await totals('90d')).toEqual([4, 2, 2, '2025-11-20T14:00:00Z']);
    expect(await totals('all')).toEqual([4, 2, 2, null]);
  });

  test('loses nothing of today when the clock ran ahead once', async () => {
    const past = [{ at: T0 - 10 * MINUTE }, { at: T0 - 5 * MINUTE, error_code: 'AIP-E202' }];
    const { at, dir } = await home(past);
    writePast(dir, [{ at: T0 + 200 * HOUR }]);
    const { out } = await at.run('health', AGENT, '--home', dir, '--json', '--since', '20m');
    expect(report(out)).toMatchObject({ since: '2026-02-18T14:00:00Z', total: 2, failed: 1 });
    // What it dated so far ahead is in no window of today, and in all that there ever was.
    expect(report((await at.run('health', AGENT, '--home', dir, '--json', '--since', 'all')).out).total).toBe(3);
  });

  test('is critical under 0.5, once the score means something', async () => {
    const past = (n: number): Past =>
      Array.from({ length: n }, (_, i) => ({ at: T0 - (n * HOUR) / 2 + (i * HOUR) / 2, error_code: 'AIP-E202' }));
    for (const [n, status, code] of [
      [9, 'warning', 0],
      [10, 'critical', 15],
    ] as const) {
      const { at, dir } = await home(past(n));
      const run = await at.run('health', AGENT, '--home', dir, '--json', '--fail-on', 'critical');
      expect([report(run.out).status, run.code]).toEqual([status, code]);
      expect((await at.run('health', '--home', dir, '--fail-on', 'warning')).code).toBe(15);
    }
  });

  test('of an agent that did nothing is empty and well', async () => {
    const { at, dir } = await home([]);
    const { code, out, err } = await at.run('health', AGENT, '--home', dir, '--json');
    expect(code).toBe(0);
    expect(err).toContain('unknown_agent');
    // With a gate, what nobody has heard of is not well: the name may be mistyped.
    const gated = await at.run('health', AGENT, '--home', dir, '--json', '--fail-on', 'warning');
    expect([gated.code, gated.out]).toEqual([3, '']);
    expect(report(out)).toMatchObject({
      total: 0,
      success_rate: null,
      failure_rate: null,
      trust_score: 0.5,
      trust_meaningful: false,
      warnings: [],
      status: 'ok',
    });
  });

  test.each([
    [['no-such-agent'], 3],
    [[AGENT, '--since', 'yesterday'], 2],
    [[AGENT, '--fail-on', 'ok'], 2],
    [[AGENT, '--html', '-', '--json'], 2],
  ])('%j ends with %i', async (args, code) => {
    const { at, dir } = await home([]);
    expect((await at.run('health', ...args, '--home', dir)).code).toBe(code);
  });
});

describe('aip health', () => {
  test('lists all agents that were held to something, the worst first', async () => {
    const { at, dir } = await home([
      ...GUIDE,
      { agent_id: OTHER, at: T0 - MINUTE },
      { agent_id: 'did:web:nobody.com:agents:made-up', at: T0, error_code: 'AIP-E102' },
    ]);
    const rows = JSON.parse((await at.run('health', '--home', dir, '--json')).out) as HealthReport[];
    expect(rows.map(({ agent_id, status }) => [agent_id, status])).toEqual([
      [AGENT, 'warning'],
      [OTHER, 'ok'],
    ]);
    const { out } = await at.run('health', '--home', dir);
    // The short form that logs write: an id cut from the left names nobody.
    expect(out.split('\n')[0]).toMatch(/^support-agent-v1@acme\.com\t/);
    expect(out).not.toContain('made-up');
  });

  test('hostile names do nothing to a terminal', async () => {
    const { at, dir } = await home([
      { agent_id: HOSTILE, error_code: 'AIP-\u001b[31mE202', action: 'a\u001b]0;x\u0007\r\nb' },
    ]);
    for (const args of [[], [HOSTILE]]) {
      const { out } = await at.run('health', ...args, '--home', dir);
      expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }
  });
});

describe('aip health --html', () => {
  const hostile: Past = [
    ...GUIDE,
    ...Array.from({ length: 6 }, (_, i) => ({
      agent_id: HOSTILE,
      at: T0 - 2 * HOUR - i * 1000,
      error_code: '"><script>alert(1)</script>',
      action: '</td><style>*{display:none}</style>',
    })),
  ];

  test('is one page that asks for nothing and runs nothing', async () => {
    const { at, dir } = await home(hostile);
    const { code } = await at.run('health', '--home', dir, '--html', join(at.cwd, 'health.html'));
    expect(code).toBe(0);
    const page = readFileSync(join(at.cwd, 'health.html'), 'utf8');
    expect(page).toContain("default-src 'none'; style-src 'sha256-");
    expect(page).not.toMatch(/<(script|img|iframe|object|embed|base|form)|\sstyle=|url\(|@import/i);
    expect(page.match(/<style/g)).toHaveLength(1);
  });

  test.skipIf(CHROMIUM === null)('looks right in a browser', async () => {
    const { at, dir } = await home(hostile);
    const file = join(at.cwd, 'health.html');
    await at.run('health', '--home', dir, '--html', file);
    const page = await openPage();
    await page.goto(pathToFileURL(file).href);
    expect(page.problems).toEqual([]);
    expect(page.requests.filter((url) => !/^(file|data|about):/.test(url))).toEqual([]);
    expect(await page.evaluate('document.querySelectorAll("section[id]").length')).toBe(2);
    // Both charts of time, with bars that have a size, and the agent's numbers.
    expect(await page.evaluate('document.querySelectorAll("svg[role=img]").length')).toBe(6);
    expect(
      await page.evaluate('[...document.querySelectorAll("svg[role=img] rect")].every((r) => r.getBBox().height > 0)'),
    ).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.querySelector("section")).borderRadius')).toBe('10px');
    const shown = await page.evaluate<string>('document.body.innerText');
    for (const text of [AGENT, '0.61', '91.3%', 'AIP-E202', 'onerror=alert(1)', '<script>alert(1)</script>']) {
      expect(shown).toContain(text);
    }
    const shot = await page.screenshot();
    expect(shot.length).toBeGreaterThan(20_000);
    if (process.env['AIP_TEST_SHOTS'] !== undefined)
      writeFileSync(join(process.env['AIP_TEST_SHOTS'], 'health.png'), shot);
  });

  test.skipIf(CHROMIUM === null)('fits a phone, also in the dark', async () => {
    const { at, dir } = await home(hostile);
    const file = join(at.cwd, 'health.html');
    await at.run('health', '--home', dir, '--html', file);
    const page = await openPage({ width: 390, height: 800, dark: true });
    await page.goto(pathToFileURL(file).href);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    // Of a chart that is wider than the phone, the newest end is in sight.
    const ends = `[...document.querySelectorAll('.newest')].every((box) => box.firstElementChild.getBoundingClientRect().right <= innerWidth)`;
    expect(await page.evaluate(`document.querySelectorAll('.newest').length > 0 && ${ends}`)).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 22, 29)');
    if (process.env['AIP_TEST_SHOTS'] !== undefined) {
      writeFileSync(join(process.env['AIP_TEST_SHOTS'], 'phone.png'), await page.screenshot());
    }
  });
});
