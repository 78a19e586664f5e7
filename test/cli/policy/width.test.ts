/** What the policy commands say fits the terminal, broken between words. */
import { expect, test } from 'vitest';
import { columnsOf } from '../../../src/cli/render/terminal/width.js';
import { household, inFiles, made, PASSPHRASE } from '../../kit/native/household.js';

test('policy diff, redteam and trust in 60 columns', async () => {
  const machine = household({ tty: true, columns: 60, env: { CI: '1', NO_COLOR: '1' } });
  const path = await made(machine);
  const next = machine.at('next.json');
  const change = ['--monetary-limit', '50', '--unset', 'rate_limit', '--draft', next];
  expect((await machine.run('passport', 'update', path, ...change)).code).toBe(0);
  const { out } = await machine.run('policy', 'diff', path, next);
  const trust = await machine.run('trust', 'support-agent-v1');
  const redteam = await machine.run('redteam', '-p', path, '--runs', '20');
  const lines = [out, trust.out, redteam.out].join('\n').split('\n');
  expect(lines.filter((line) => line.startsWith('  ')).length).toBeGreaterThan(2);
  // An intent, or a case to be copied, stays whole.
  for (const line of lines) if (!/^\S*$|[{"]/.test(line.trim())) expect(columnsOf(line), line).toBeLessThanOrEqual(60);
});

test('lists and requests in 60 columns', async () => {
  const env = { CI: '1', NO_COLOR: '1', AIP_KEY_PASSPHRASE: PASSPHRASE };
  const machine = household({ tty: true, columns: 60, env });
  const rule = ['--constraint', 'require_approval:={"above":1000}'];
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'issue_refund', ...rule];
  expect((await machine.run(...create, ...inFiles(machine))).code).toBe(0);
  const sign = [
    'intent',
    'sign',
    '-p',
    'bot',
    '-a',
    'issue_refund',
    '-e',
    machine.at('.env'),
    '-o',
    machine.at('i.json'),
  ];
  await machine.run(...sign, '--param', 'amount:=10000', '--param', `memo=two  spaces ${'and more '.repeat(9)}`);
  expect((await machine.run('intent', 'verify', machine.at('i.json'))).code).toBe(14);
  const list = await machine.run('approvals', 'list');
  const [, id] = /^REQUEST {2}([0-9a-f]{32})$/m.exec(list.out)!;
  expect(list.out).toContain('ACTION   issue_refund\n');
  expect(list.err).toContain(`next: aip approvals show ${id}\n`);
  const shown = await machine.run('approvals', 'show', id!);
  expect(shown.out).toContain('amounts above\n             $1,000.00 need approval.');
  // What is approved is shown as it is.
  const approve = await machine.run('approvals', 'approve', id!, '--yes');
  for (const text of [shown.out, approve.err])
    expect(text).toContain(`      "memo": "two  spaces ${'and more '.repeat(9)}"\n`);
  const cut = await machine.run('approvals', 'show', id!.slice(0, 8));
  expect([cut.code, cut.err]).toEqual([3, expect.stringContaining(`No request has the id ${id!.slice(0, 8)}`)]);
  const trust = await machine.run('trust', 'bot', '--explain');
  const log = await machine.run('logs', 'verify');
  const health = await machine.run('health', 'bot');
  const explain = await machine.run('explain');
  expect(explain.out).toContain('AIP-E202  MONETARY_LIMIT_EXCEEDED        12\n  The amount is above the limit');
  for (const line of [list.out, trust.out, explain.out, health.out, log.out.replace(/[0-9a-f]{64}/, '')]
    .join('\n')
    .split('\n'))
    expect(columnsOf(line), line).toBeLessThanOrEqual(60);
});
