/** What the policy commands say fits the terminal, broken between words. */
import { expect, test } from 'vitest';
import { columnsOf } from '../../../src/cli/render/terminal/width.js';
import { household, made } from '../../kit/native/household.js';

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
