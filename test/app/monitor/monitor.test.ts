import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openMonitorMemory } from '../../../src/adapters/sqlite/monitor-memory.js';
import { openState } from '../../../src/adapters/sqlite/open.js';
import { AlertDelivery, type AlertTarget } from '../../../src/app/monitor/delivery.js';
import { Failure } from '../../../src/app/failure.js';
import { checkAgents, type MonitorDeps, type MonitorLimits } from '../../../src/app/monitor/check.js';
import type { Delivery, Notice } from '../../../src/app/ports/monitor.js';
import type { Standing } from '../../../src/mesh/standing.js';
import { alert } from '../../kit/alerts.js';
import { writePast, type Past } from '../../kit/history.js';
import { AGENT, T0 } from '../../kit/state/drafts.js';
import { scratch } from '../../kit/scratch.js';

const HOUR = 3_600_000;
const LIMITS: MonitorLimits = {
  minTrust: 0.7,
  maxFailureRate: 0.1,
  revokeUnder: 0.5,
  autoRevoke: true,
  maxRevocationsPerHour: 3,
  windowMs: 24 * HOUR,
};

function memoryIn(dir: string) {
  const memory = openMonitorMemory(join(dir, 'state.db'), randomBytes);
  onTestFinished(() => memory.close());
  return memory;
}

function bad(...agents: readonly string[]): Past {
  return agents.flatMap((agent_id) => [
    ...Array.from({ length: 8 }, () => ({ agent_id, at: T0 - HOUR })),
    ...Array.from({ length: 8 }, () => ({ agent_id, at: T0 - HOUR, error_code: 'AIP-E202' })),
  ]);
}

const named = (...names: readonly string[]): string[] => names.map((name) => `did:web:acme.com:agents:${name}`);

/** A monitor whose revocations are remembered; `fails`: they do not come to be in force. */
function monitor(dir: string, { fails = () => false }: { fails?: () => boolean } = {}) {
  const state = openState(join(dir, 'state.db'), { random: randomBytes, clock: () => T0 });
  onTestFinished(() => state.close());
  const standings = new Map<string, Standing>();
  const asked: string[] = [];
  const set = (subject: string, status: Standing['status']): void => {
    const base = { reason: 'r', changedAt: T0, changedBy: 'aip monitor', suspendedUntil: null, version: 1, seq: 0 };
    standings.set(subject, { subject, status, ...base });
  };
  const deps: MonitorDeps = {
    state,
    memory: memoryIn(dir),
    targets: [],
    standing: (subject) => standings.get(subject) ?? null,
    standingNow: (now) => now,
    revoke: (agentId) => {
      asked.push(agentId);
      if (fails()) return Promise.reject(new Failure('NETWORK', 'unreachable', { retryable: true }));
      set(agentId, 'revoked');
      return Promise.resolve();
    },
  };
  const check = (now = T0, limits: Partial<MonitorLimits> = {}) =>
    checkAgents(deps, { ...LIMITS, ...limits }, null, now);
  return { deps, asked, set, check };
}

const kinds = ({ events }: { events: readonly { event: string; kind: string }[] }) =>
  events.map(({ event, kind }) => `${event} ${kind}`);

describe('revocations', () => {
  const agents = named('a', 'b', 'c', 'd', 'e');

  test('are at most so many in any hour, and go on when the hour is over', async () => {
    const dir = scratch();
    writePast(dir, bad(...agents));
    const { asked, check } = monitor(dir);
    await check();
    await check(T0 + HOUR - 1);
    expect(asked).toEqual(agents.slice(0, 3));
    await check(T0 + HOUR);
    expect(asked).toEqual(agents);
  });

  test('are counted over all monitors on one state', async () => {
    const dir = scratch();
    writePast(dir, bad(...agents));
    const [one, two] = [monitor(dir), monitor(dir)];
    await Promise.all([one.check(), two.check()]);
    expect(new Set([...one.asked, ...two.asked]).size).toBeLessThanOrEqual(3);
  });

  test('that failed are tried again without counting twice', async () => {
    const dir = scratch();
    writePast(dir, bad(...agents));
    let down = true;
    const { asked, check } = monitor(dir, { fails: () => down });
    const first = await check();
    expect(first.mine.filter(({ kind }) => kind === 'not_revoked')).toHaveLength(5);
    await check();
    expect(new Set(asked)).toEqual(new Set(agents.slice(0, 3)));
    down = false;
    const after = await check();
    expect(kinds(after).filter((each) => each === 'resolved not_revoked')).toHaveLength(3);
    expect(kinds(after).filter((each) => each === 'raised revoked')).toHaveLength(3);
  });

  test('do not happen when the process ended after them and a person let the agent back', async () => {
    const dir = scratch();
    writePast(dir, bad(agents[0]!));
    const { deps, asked, set, check } = monitor(dir);
    // Granted and carried out, and the monitor ended before it wrote that down.
    expect(deps.memory.reserve(agents[0]!, T0, 3)).toBe('granted');
    set(agents[0]!, 'revoked');
    await check();
    set(agents[0]!, 'active');
    await check();
    expect(asked).toEqual([]);
  });

  test.each([['did:web:acme.com'], ['*']])('are not needed under %s', async (subject) => {
    const dir = scratch();
    writePast(dir, bad(agents[0]!));
    const { asked, set, check } = monitor(dir);
    set(subject, 'revoked');
    expect(kinds(await check())).toContain('raised revoked');
    expect(asked).toEqual([]);
  });

  test('happen to one that is only suspended: it would come back', async () => {
    const dir = scratch();
    writePast(dir, bad(agents[0]!));
    const { asked, set, check } = monitor(dir);
    set(agents[0]!, 'suspended');
    await check();
    expect(asked).toEqual([agents[0]]);
  });

  test('are not what a bug is answered with', async () => {
    const dir = scratch();
    writePast(dir, bad(agents[0]!));
    const { deps } = monitor(dir);
    const revoke = () => Promise.reject(new TypeError('ours'));
    await expect(checkAgents({ ...deps, revoke }, LIMITS, null, T0)).rejects.toThrow(TypeError);
  });

  test.each([
    ['a score at the limit', 0.3, {}],
    ['auto_revoke off', 0.5, { autoRevoke: false }],
    ['none allowed', 0.5, { maxRevocationsPerHour: 0 }],
  ])('do not happen with %s', async (_, revokeUnder, limits) => {
    const dir = scratch();
    // 0.5 + 8 * 0.01 - 8 * 0.05 = 0.18, an idle hour later 0.179
    writePast(dir, bad(agents[0]!));
    const { asked, check } = monitor(dir);
    await check(T0, { revokeUnder: Object.keys(limits).length === 0 ? 0.179 : revokeUnder, ...limits });
    expect(asked).toEqual([]);
  });
});

describe('rubbish in an agent’s name', () => {
  test.each([
    'AIP-E100',
    'AIP-E101',
    'AIP-E105',
    'AIP-E301',
    'AIP-E302',
    'AIP-E303',
    'AIP-E304',
    'AIP-E405',
    'AIP-E500',
    'HOOK_FAILED',
  ])('%s changes nothing', async (error_code) => {
    const dir = scratch();
    writePast(dir, [
      ...Array.from({ length: 30 }, () => ({ at: T0 - HOUR })),
      ...Array.from({ length: 200 }, (_, i) => ({ at: T0 - 1000 + i, error_code })),
    ]);
    const { asked, check } = monitor(dir);
    expect(await check()).toEqual({ open: [], events: [], mine: [] });
    expect(asked).toEqual([]);
  });
});

describe('two monitors on one state', () => {
  test('tell an alert once', async () => {
    const dir = scratch();
    writePast(dir, bad(AGENT));
    const [one, two] = [monitor(dir), monitor(dir)];
    const off = { autoRevoke: false };
    const events = (await Promise.all([one.check(T0, off), two.check(T0, off)])).flatMap(kinds);
    expect(events.sort()).toEqual(['raised high_failure_rate', 'raised low_trust']);
  });
});

describe('delivery', () => {
  const target = (name: AlertTarget['name']): AlertTarget => ({
    name,
    notice: (event) => ({ url: name, body: event.id, headers: () => ({}) }),
  });
  const event = (n: number) => alert({ id: String(n) });

  function queued(...names: readonly AlertTarget['name'][]) {
    const memory = memoryIn(scratch());
    const add = (...events: readonly number[]) => memory.turn(names, (open) => ({ open, events: events.map(event) }));
    const calls: string[] = [];
    const answers = new Map<string, Delivery>();
    const trouble: string[] = [];
    let now = T0;
    const courier = new AlertDelivery({
      memory,
      targets: names.map(target),
      clock: () => now,
      post: ({ url, body }: Notice) => {
        calls.push(`${url} ${body}`);
        return Promise.resolve(answers.get(url) ?? { kind: 'delivered' });
      },
      onTrouble: (name, reason, lost) => void trouble.push(`${name} ${reason} ${lost}`),
    });
    return { memory, add, calls, answers, trouble, courier, later: (ms: number) => void (now += ms) };
  }

  test('is in order, and done once', async () => {
    const { add, calls, courier } = queued('slack', 'webhook');
    add(1, 2);
    await courier.round();
    await courier.round();
    expect(calls.sort()).toEqual(['slack 1', 'slack 2', 'webhook 1', 'webhook 2']);
  });

  test('to one that is down waits, without the others waiting', async () => {
    const { add, calls, answers, trouble, courier } = queued('slack', 'webhook');
    answers.set('slack', { kind: 'failed', reason: 'down', waitMs: 0 });
    add(1, 2);
    await courier.round();
    await courier.round();
    expect(calls.sort()).toEqual(['slack 1', 'slack 1', 'webhook 1', 'webhook 2']);
    expect(trouble).toEqual(['slack down false']);
    answers.delete('slack');
    await courier.round();
    expect(calls.filter((each) => each.startsWith('slack')).slice(2)).toEqual(['slack 1', 'slack 2']);
  });

  test('waits as long as the target asked, and no longer than a quarter of an hour', async () => {
    const { add, calls, answers, courier, later } = queued('pagerduty');
    answers.set('pagerduty', { kind: 'failed', reason: 'it answered 429', waitMs: 24 * HOUR });
    add(1);
    await courier.round();
    later(15 * 60_000 - 1);
    await courier.round();
    expect(calls).toHaveLength(1);
    later(1);
    await courier.round();
    expect(calls).toHaveLength(2);
  });

  test('that is refused is said and not tried again', async () => {
    const { add, calls, answers, trouble, courier } = queued('slack');
    answers.set('slack', { kind: 'refused', reason: 'it answered 404' });
    add(1);
    await courier.round();
    await courier.round();
    expect([calls, trouble]).toEqual([['slack 1'], ['slack it answered 404 true']]);
  });

  test('keeps at most 1000 for a target that never comes back', () => {
    const { memory, add } = queued('slack', 'webhook');
    add(...Array.from({ length: 1_200 }, (_, i) => i));
    const kept = memory.outgoing('slack').map(({ event: { id } }) => Number(id));
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1000, 200, 1199]);
  });
});
