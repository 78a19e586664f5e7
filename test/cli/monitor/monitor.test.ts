import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AlertEvent } from '../../../src/app/ports/monitor.js';
import { newApiKey } from '../../../src/mesh/access/api-key.js';
import { writePast, type Past } from '../../kit/history.js';
import { AGENT, OTHER, T0 } from '../../kit/state/drafts.js';
import { receiver } from '../../kit/servers/receiver.js';
import { world, type World, type WorldOptions } from '../../kit/world.js';

const MINUTE = 60_000;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** 20 accepted, some minutes apart, then so many refused: long enough ago for no pattern. */
function fallen(agent_id: string, failures: number, accepted = 20): Past {
  return [
    ...Array.from({ length: accepted }, (_, i) => ({ agent_id, at: T0 - 50 * MINUTE + i * 1000 })),
    ...Array.from({ length: failures }, (_, i) => ({
      agent_id,
      at: T0 - 40 * MINUTE + i * 61_000,
      error_code: 'AIP-E202',
    })),
  ];
}

function home(past: Past, options: WorldOptions = {}) {
  const at = world({ stdin: '', ...options });
  const dir = join(at.cwd, 'home');
  mkdirSync(dir, { recursive: true });
  writePast(dir, past);
  const run = async (...args: string[]) => {
    const done = await at.run(...args, '--home', dir);
    return { ...done, rows: rowsOf(done.out) };
  };
  return { at, dir, run, once: (...args: string[]) => run('monitor', '--once', '--json', ...args) };
}

function rowsOf(out: string): AlertEvent[] {
  return out.startsWith('{"id"')
    ? out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as AlertEvent)
    : [];
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 800; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('never came');
}

const named = (rows: readonly AlertEvent[]) => rows.map(({ event, kind, severity }) => `${event} ${kind} ${severity}`);
const AUTO = { AIP_MONITOR_AUTO_REVOKE: 'true' };

describe('aip monitor --once', () => {
  test('ends with 0 and says nothing on stdout when all is well', async () => {
    const { once } = home(fallen(AGENT, 0, 40));
    expect(await once()).toMatchObject({ code: 0, out: '' });
  });

  test('alerts on a score under 0.7 and on more than 10 % refused, and ends with 15', async () => {
    const { once } = home(fallen(AGENT, 3));
    const { code, rows } = await once();
    expect(code).toBe(15);
    expect(named(rows)).toEqual(['raised low_trust warning', 'raised high_failure_rate warning']);
    expect(rows[0]).toMatchObject({
      agent_id: AGENT,
      facts: { score: 0.55, limit: 0.7 },
      since: '2026-02-18T14:23:45.000Z',
    });
    expect(rows[1]).toMatchObject({ facts: { failed: 3, successful: 20 } });
  });

  test('exactly at a limit is within it', async () => {
    // 0.5 + 0.4 - 4 * 0.05 = 0.7, and 4 of 40 are 10 %.
    const { once } = home([...fallen(AGENT, 4, 36), ...fallen(AGENT, 0, 4)]);
    expect(await once()).toMatchObject({ code: 0, out: '' });
  });

  test('a score that means nothing yet raises nothing', async () => {
    const { once } = home(fallen(AGENT, 0, 5));
    expect(await once()).toMatchObject({ code: 0, out: '' });
  });

  test('limits are config', async () => {
    const env = { AIP_MONITOR_MIN_TRUST: '0.5', AIP_MONITOR_MAX_FAILURE_RATE: '0.2' };
    const { once } = home(fallen(AGENT, 3), { env });
    expect(await once()).toMatchObject({ code: 0, out: '' });
  });

  test('tells it once: the next run says it is open still', async () => {
    const { once } = home(fallen(AGENT, 3));
    const first = await once();
    const second = await once();
    expect(second.code).toBe(15);
    expect(named(second.rows)).toEqual(['open low_trust warning', 'open high_failure_rate warning']);
    expect(second.rows.map(({ key }) => key).sort()).toEqual(first.rows.map(({ key }) => key).sort());
  });

  test('resolves it under the same key when it ends', async () => {
    const { dir, once } = home(fallen(AGENT, 3));
    const { rows } = await once();
    writePast(
      dir,
      Array.from({ length: 30 }, () => ({ at: T0 - MINUTE })),
    );
    const later = await once();
    expect(later.code).toBe(0);
    expect(named(later.rows)).toEqual(['resolved high_failure_rate warning', 'resolved low_trust warning']);
    expect(later.rows.map(({ key }) => key).sort()).toEqual(rows.map(({ key }) => key).sort());
  });

  test('--agent looks at one and leaves the alerts of others as they are', async () => {
    const { once } = home([...fallen(AGENT, 3), ...fallen(OTHER, 3)]);
    await once();
    const { rows } = await once('--agent', OTHER);
    expect(new Set(rows.map(({ agent_id }) => agent_id))).toEqual(new Set([OTHER]));
    expect((await once()).rows).toHaveLength(4);
  });

  test('alerts on a pattern while it is new', async () => {
    const burst = Array.from({ length: 5 }, (_, i) => ({ at: T0 - MINUTE + i * 1000, error_code: 'AIP-E202' }));
    const { once } = home([...fallen(AGENT, 0, 90), ...burst]);
    expect(named((await once()).rows)).toEqual(['raised rapid_failures warning']);
    const old = home([...fallen(AGENT, 0, 90), ...burst.map((each) => ({ ...each, at: each.at - 10 * MINUTE }))]);
    expect((await old.once()).rows).toEqual([]);
  });

  test('alerts on a revocation and on its end, with who and why', async () => {
    const { run, once } = home(fallen(AGENT, 0, 40));
    await once();
    await run('revoke', AGENT, '--reason', 'key leaked', '--by', 'did:web:acme.com', '--yes', '--local');
    const { code, rows } = await once();
    expect([code, named(rows)]).toEqual([15, ['raised revoked error']]);
    expect(rows[0]!.facts).toMatchObject({ reason: 'key leaked', by: 'did:web:acme.com' });
    await run('reinstate', AGENT, '--reason', 'rotated', '--yes', '--local');
    const after = await once();
    expect([after.code, named(after.rows)]).toEqual([0, ['resolved revoked error']]);
    expect(after.rows[0]!.facts).toMatchObject({ reason: 'rotated' });
  });

  test('alerts on a suspension, and on a principal and everyone being stopped', async () => {
    const { run, once } = home(fallen(AGENT, 0, 40));
    await run('suspend', AGENT, '--for', '30m', '--unseen', '--reason', 'looking', '--yes', '--local');
    await run('revoke', 'did:web:acme.com', '--reason', 'breach', '--yes', '--local');
    await run('revoke', '--everyone', '--reason', 'breach', '--yes', '--local');
    const { rows } = await once();
    expect(rows.map(({ kind, agent_id }) => [kind, agent_id]).sort()).toEqual([
      ['revoked', '*'],
      ['revoked', 'did:web:acme.com'],
      ['suspended', AGENT],
    ]);
  });

  test('shows people a plain line without what would move their cursor', async () => {
    const hostile = 'did:web:evil.com:agents:x\u001b[2J\u202e';
    const { at, dir } = home(fallen(hostile, 3), { tty: { stdout: true }, columns: 120 });
    const { out } = await at.run('monitor', '--once', '--no-color', '--home', dir);
    expect(out.split('\n')[0]).toBe(
      '2026-02-18 14:23:45  WARNING   did:web:evil.com:agents:x: Trust is 0.55, under 0.7',
    );
  });
});

describe('noise that anyone can make', () => {
  const noise = ['AIP-E100', 'AIP-E101', 'AIP-E102', 'AIP-E301', 'AIP-E302', 'AIP-E405', 'AIP-E500', 'HOOK_FAILED'];
  test('neither alerts nor revokes', async () => {
    const rubbish = Array.from({ length: 400 }, (_, i) => ({
      at: T0 - MINUTE + i,
      error_code: noise[i % noise.length]!,
    }));
    const { once, run } = home(
      [...fallen(AGENT, 0, 40), ...rubbish, ...rubbish.map((each) => ({ ...each, agent_id: OTHER }))],
      { env: AUTO },
    );
    expect(await once()).toMatchObject({ code: 0, out: '' });
    expect(JSON.parse((await run('status', AGENT, '--local', '--json')).out)).toMatchObject({ status: 'active' });
  });
});

describe('revoking without a person', () => {
  const agents = Array.from({ length: 5 }, (_, i) => `did:web:acme.com:agents:a${i}`);
  const all = agents.flatMap((agent) => fallen(agent, 6));
  const revoked = async (run: ReturnType<typeof home>['run']) => {
    const found: string[] = [];
    for (const agent of agents) {
      const { out } = await run('status', agent, '--local', '--json');
      if ((JSON.parse(out) as { status: string }).status === 'revoked') found.push(agent);
    }
    return found;
  };

  test('happens only when config says so', async () => {
    const { once, run } = home(all);
    expect(named((await once()).rows)).toContain('raised low_trust critical');
    expect(await revoked(run)).toEqual([]);
  });

  test('stops at three an hour, over restarts, and says that a person must decide', async () => {
    const { once, run } = home(all, { env: AUTO });
    const { rows } = await once();
    expect(await revoked(run)).toEqual(agents.slice(0, 3));
    const told = rows.filter(({ kind }) => kind === 'revoked');
    expect(told.map(({ severity, message }) => [severity, message])).toEqual(
      Array.from({ length: 3 }, () => ['critical', 'Revoked by the monitor']),
    );
    expect(told[0]!.facts).toMatchObject({ by: 'aip monitor', reason: 'Low trust score 0.40, under 0.5' });
    const not = rows.filter(({ kind }) => kind === 'not_revoked');
    expect(not.map(({ agent_id, severity }) => [agent_id, severity])).toEqual([
      [agents[3], 'critical'],
      [agents[4], 'critical'],
    ]);
    expect(not[0]!.message).toContain('a person must decide');
    for (let i = 0; i < 3; i++) await once();
    expect(await revoked(run)).toEqual(agents.slice(0, 3));
  });

  test('0 an hour leaves all to a person', async () => {
    const { once, run } = home(all, { env: { ...AUTO, AIP_MONITOR_MAX_REVOCATIONS_PER_HOUR: '0' } });
    expect((await once()).rows.filter(({ kind }) => kind === 'not_revoked')).toHaveLength(5);
    expect(await revoked(run)).toEqual([]);
  });

  test('a person who reinstates is not overruled', async () => {
    const { once, run } = home(fallen(agents[0]!, 6), { env: AUTO });
    await once();
    await run('reinstate', agents[0]!, '--reason', 'false alarm', '--yes', '--local');
    expect(named((await once()).rows)).toContain('resolved revoked critical');
    expect(await revoked(run)).toEqual([]);
  });

  test('nor one who had revoked it before the monitor looked', async () => {
    const { once, run } = home(fallen(agents[0]!, 6), { env: AUTO });
    await run('revoke', agents[0]!, '--unseen', '--reason', 'mine', '--yes', '--local');
    await once();
    await run('reinstate', agents[0]!, '--reason', 'false alarm', '--yes', '--local');
    await once();
    expect(await revoked(run)).toEqual([]);
  });

  test('a second fall is revoked again', async () => {
    const { dir, once, run } = home(fallen(agents[0]!, 6), { env: AUTO });
    await once();
    await run('reinstate', agents[0]!, '--reason', 'fixed', '--yes', '--local');
    writePast(
      dir,
      Array.from({ length: 20 }, () => ({ agent_id: agents[0]!, at: T0 - 2 * MINUTE })),
    );
    await once();
    writePast(
      dir,
      Array.from({ length: 6 }, () => ({ agent_id: agents[0]!, at: T0 - MINUTE, error_code: 'AIP-E202' })),
    );
    await once();
    expect(await revoked(run)).toEqual([agents[0]]);
  });

  test('a mesh that cannot be reached is said, and tried again', async () => {
    const env = {
      ...AUTO,
      AIP_MESH_URL: 'http://127.0.0.1:9',
      AIP_MESH_PUBLIC_KEY: `ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a`,
      AIP_MESH_KEY: newApiKey('operator', new Uint8Array(38)).text,
    };
    const { once } = home(fallen(agents[0]!, 6), { env });
    const { code, rows, err } = await once();
    expect([code, err]).toEqual([15, expect.stringContaining('mesh_stale') as string]);
    expect(rows.find(({ kind }) => kind === 'not_revoked')).toMatchObject({
      severity: 'critical',
      message: expect.stringContaining('NETWORK') as string,
    });
  });
});

describe('targets', () => {
  test('all three are told once, also by a second run', async () => {
    const at = await receiver();
    const env = {
      AIP_MONITOR_SLACK_URL: at.url('/slack'),
      AIP_MONITOR_PAGERDUTY_URL: at.url('/pagerduty'),
      AIP_PAGERDUTY_KEY: 'a'.repeat(32),
      AIP_WEBHOOK_SECRET: SECRET,
    };
    const { once } = home(fallen(AGENT, 3), { env });
    const hook = ['--webhook', at.url('/hook')];
    const { rows } = await once(...hook);
    const paths = () => at.calls.map(({ path }) => path).sort();
    expect(paths()).toEqual(['/hook', '/hook', '/pagerduty', '/pagerduty', '/slack', '/slack']);
    expect(at.calls.filter(({ path }) => path === '/hook').map(({ body }) => JSON.parse(body) as unknown)).toEqual(
      rows,
    );
    await once(...hook);
    expect(paths()).toHaveLength(6);
  });

  test('one that is down keeps nobody from being told, and is told by the next run', async () => {
    const at = await receiver();
    at.answer((path) => ({ status: path === '/slack' ? 503 : 200, headers: { 'retry-after': '3600' } }));
    const env = {
      AIP_MONITOR_SLACK_URL: at.url('/slack'),
      AIP_WEBHOOK_SECRET: SECRET,
      AIP_MONITOR_WEBHOOK_URL: at.url('/hook'),
    };
    const { once } = home(fallen(AGENT, 3), { env });
    const { code, err } = await once();
    expect([code, err]).toEqual([
      15,
      expect.stringContaining('slack was not told: it answered 503; trying again') as string,
    ]);
    expect(err).not.toContain(at.url('/slack'));
    at.answer(() => ({ status: 200 }));
    at.calls.length = 0;
    await once();
    expect(at.calls.map(({ path }) => path)).toEqual(['/slack', '/slack']);
  });

  test.each([
    [{ AIP_MONITOR_WEBHOOK_URL: 'https://example.com' }, 'AIP_WEBHOOK_SECRET'],
    [{ AIP_MONITOR_WEBHOOK_URL: 'https://example.com', AIP_WEBHOOK_SECRET: 'short' }, 'AIP_WEBHOOK_SECRET'],
    [{ AIP_MONITOR_SLACK_URL: 'http://hooks.slack.com/x' }, 'monitor.slack_url'],
    [{ AIP_MONITOR_SLACK_URL: 'http://127.0.0.1.evil.com/x' }, 'monitor.slack_url'],
    [{ AIP_PAGERDUTY_KEY: 'not a key' }, 'AIP_PAGERDUTY_KEY'],
    [{ AIP_MONITOR_MIN_TRUST: '1.1' }, 'monitor.min_trust'],
  ])('%j is refused', async (env, name) => {
    const { code, err } = await home([], { env }).once();
    expect([code, err]).toEqual([2, expect.stringContaining(name) as string]);
    expect(err).not.toContain('not a key');
  });

  test.each([
    ['--webhook', 'http://example.com'],
    ['--interval', '10ms'],
    ['--interval', '2h'],
    ['--interval', 'soon'],
  ])('%s %s is refused', async (...args) => {
    expect((await home([]).once(...args)).code).toBe(2);
  });

  test("Slack's URL, which is a secret, is not shown by config list", async () => {
    const env = { AIP_MONITOR_SLACK_URL: 'https://hooks.slack.com/services/T0/B0/xyzzy' };
    for (const flags of [[], ['--json'], ['--sources']]) {
      const { out, err } = await home([], { env }).run('config', 'list', ...flags);
      expect(out).toContain('(set)');
      expect(out + err).not.toContain('xyzzy');
    }
  });

  test('an unknown agent is exit 3', async () => {
    expect((await home([]).once('--agent', 'nobody')).code).toBe(3);
  });
});

describe('aip monitor', () => {
  async function running(at: World, dir: string, ...args: string[]) {
    const run = at.run('monitor', '--interval', '50ms', '--home', dir, ...args);
    await until(() => at.err().includes('watching'));
    return run;
  }

  test('tells what begins and ends while it runs, and sums up when it is stopped', async () => {
    const { at, dir } = home(fallen(AGENT, 0, 40));
    const run = at.run('monitor', '--interval', '50ms', '--home', dir);
    await until(() => at.err().includes('watching all agents; telling nobody but this output'));
    writePast(
      dir,
      Array.from({ length: 5 }, (_, i) => ({ at: T0 - 20 * MINUTE + i * 61_000, error_code: 'AIP-E202' })),
    );
    await until(() => at.out().includes('low_trust'));
    writePast(
      dir,
      Array.from({ length: 30 }, () => ({ at: T0 - MINUTE })),
    );
    await until(() => at.out().includes('resolved'));
    at.interrupt(130);
    const { code, out, err } = await run;
    expect(code).toBe(130);
    expect(named(rowsOf(out))).toEqual([
      'raised low_trust warning',
      'raised high_failure_rate warning',
      'resolved high_failure_rate warning',
      'resolved low_trust warning',
    ]);
    expect(err).toMatch(/2 raised, 2 resolved, 0 open; \d+ checks/);
  });

  test('at a terminal it begins with what is open still, in lines that fit, by short names', async () => {
    const { at, dir, once } = home(fallen(AGENT, 3), { tty: { stdout: true }, columns: 60 });
    const { length } = (await once()).rows;
    const run = running(at, dir, '--no-color');
    const lines = () => at.out().trimEnd().split('\n');
    await until(() => lines().filter((line) => line.includes('still')).length === length);
    at.interrupt(130);
    await run;
    const open = lines().filter((line) => line.includes('still'));
    expect(open[0]).toMatch(/^02-18 14:23:45 {2}still warning {2}[\w-]+@[\w.]+:/);
    expect(lines().filter((line) => line.length > 60)).toEqual([]);
  });

  test('goes on while a target never answers, and stops at once', async () => {
    const receiving = await receiver();
    receiving.answer(() => null);
    const env = { AIP_MONITOR_SLACK_URL: receiving.url('/slack'), ...AUTO };
    const { at, dir } = home(fallen(AGENT, 3), { env });
    const run = running(at, dir);
    await until(() => receiving.calls.length > 0);
    writePast(
      dir,
      Array.from({ length: 5 }, () => ({ at: T0 - MINUTE, error_code: 'AIP-E202' })),
    );
    await until(() => at.out().includes('Revoked by the monitor'));
    at.interrupt(143);
    expect((await run).code).toBe(143);
  });
});
