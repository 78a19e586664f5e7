/** A good agent and a monitor that revokes: what a person approves, and what a presenter or a project's file does, stops nobody. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Decision } from '../../../src/verify/decision.js';
import { household, inFiles, type Household } from '../../kit/native/household.js';

/** A monitor that acts on the first verification, and by itself; an agent that starts where nothing is warned of. */
const STRICT = {
  AIP_MONITOR_AUTO_REVOKE: 'true',
  AIP_TRUST_MIN_VERIFICATIONS_FOR_TRUST: '1',
  AIP_TRUST_INITIAL_SCORE: '0.75',
};

async function deployer(rules: readonly string[], env: Record<string, string> = {}): Promise<Household> {
  const machine = household({ env: { ...STRICT, ...env } });
  const constraints = rules.flatMap((rule) => ['--constraint', rule]);
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'deploy', ...constraints];
  expect(await machine.run(...create, ...inFiles(machine))).toMatchObject({ code: 0 });
  return machine;
}

let signed = 0;
async function signs(machine: Household, ...more: string[]): Promise<string> {
  const path = machine.at(`deploy-${signed++}.json`);
  const sign = ['intent', 'sign', '-p', 'bot', '-a', 'deploy', '-e', machine.at('.env'), '-o', path];
  expect(await machine.run(...sign, '--param', 'environment=production', ...more)).toMatchObject({ code: 0 });
  return path;
}

/** What the monitor and the reports say of the agent. */
async function judged(machine: Household) {
  const monitor = await machine.run('monitor', '--once', '--json');
  const { value: health } = await machine.json<Record<string, unknown>>('health', 'bot');
  const { value: trust } = await machine.json<{ score: number }>('trust', 'bot');
  const { out } = await machine.run('status', 'bot');
  return { monitor, health, score: trust.score, status: out.split(' ')[0] };
}

const APPROVAL = 'require_approval:={"environments":["production"]}';

test('six deploys, each approved by a person, raise the trust of an agent and no alarm', async () => {
  const machine = await deployer([APPROVAL]);
  for (let i = 0; i < 6; i++) {
    const asked = await machine.json<Decision>('intent', 'verify', await signs(machine));
    expect([asked.code, asked.value.error_code]).toEqual([14, 'AIP-E209']);
    const id = asked.value.details!.request_id as string;
    expect((await machine.run('approvals', 'approve', id, '--yes')).code).toBe(0);
    const again = await signs(machine, '--approval-request', id);
    expect((await machine.run('intent', 'verify', again)).code).toBe(0);
    expect((await machine.run('monitor', '--once')).code).toBe(0);
  }
  const { monitor, health, score, status } = await judged(machine);
  expect(monitor).toMatchObject({ code: 0, out: '' });
  expect(health).toMatchObject({ successful: 6, failed: 0, unattributed: 6, warnings: [], status: 'ok' });
  expect(score).toBeGreaterThan(0.75);
  expect(status).toBe('ACTIVE');
});

test('approvals of one exact intent count as little', async () => {
  const machine = await deployer([APPROVAL]);
  for (let i = 0; i < 6; i++) {
    const path = await signs(machine);
    expect((await machine.run('intent', 'verify', path)).code).toBe(14);
    const approval = machine.at(`approval-${i}.json`);
    expect((await machine.run('approve', path, '--yes', '-o', approval)).code).toBe(0);
    expect((await machine.run('intent', 'verify', path, '--approval', approval)).code).toBe(0);
  }
  expect(await judged(machine)).toMatchObject({ monitor: { code: 0, out: '' }, status: 'ACTIVE' });
});

test('a request that a person denies is no failure of the agent', async () => {
  const machine = await deployer([APPROVAL]);
  const { value } = await machine.json<Decision>('intent', 'verify', await signs(machine));
  const id = value.details!.request_id as string;
  expect((await machine.run('approvals', 'deny', id, '--yes', '--reason', 'not today')).code).toBe(0);
  for (let i = 0; i < 6; i++) expect((await machine.run('intent', 'verify', await signs(machine))).code).toBe(14);
  expect(await judged(machine)).toMatchObject({ monitor: { code: 0, out: '' }, status: 'ACTIVE' });
});

test.each([
  ['gives another country', ['geo_restriction:=["DE"]'], ['--geo', 'US'], 'AIP-E214'],
  ['gives no country', ['geo_restriction:=["DE"]'], [], 'AIP-E214'],
  [
    'comes at another hour',
    ['time_window:={"start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"}'],
    [],
    'AIP-E213',
  ],
] as const)('a relay that %s gets nobody revoked', async (_, rules, flags, code) => {
  const machine = await deployer(rules);
  for (let i = 0; i < 8; i++) {
    const { value } = await machine.json<Decision>('intent', 'verify', await signs(machine), ...flags);
    expect(value.error_code).toBe(code);
  }
  const { monitor, health, status } = await judged(machine);
  expect(monitor).toMatchObject({ code: 0, out: '' });
  expect(health).toMatchObject({ failed: 0, unattributed: 8 });
  expect(status).toBe('ACTIVE');
});

test('one refused intent, presented again and again, and a file of a project that makes failures weigh more, revoke nobody', async () => {
  const machine = await deployer(['max_instances:=10']);
  writeFileSync(
    machine.at('.aiprc.json'),
    '{"trust":{"failure_decrement":1},"monitor":{"auto_revoke":true,"revoke_under":1}}',
  );
  for (let i = 0; i < 3; i++)
    expect((await machine.run('intent', 'verify', await signs(machine, '--param', `n:=${i}`))).code).toBe(0);
  const over = await signs(machine, '--param', 'instances:=50');
  for (let i = 0; i < 6; i++) expect((await machine.run('intent', 'verify', over)).code).toBe(12);
  const { health, score, status } = await judged(machine);
  expect(health).toMatchObject({ successful: 3, failed: 1, unattributed: 5 });
  expect(score).toBeCloseTo(0.73, 5);
  expect(status).toBe('ACTIVE');
});
