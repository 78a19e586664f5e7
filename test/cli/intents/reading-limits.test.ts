import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { household, inFiles, type Household } from '../../kit/native/household.js';

interface Vector {
  readonly name: string;
  readonly constraints?: {
    readonly currency?: string;
    readonly monetary_limit?: unknown;
    readonly daily_limit?: number;
  };
  readonly params: object;
  readonly target?: string;
  readonly expect: readonly string[];
}
const vectors = (name: string): Vector[] =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')) as Vector[];

/** A machine with an agent that may do one thing, within limits on money and destinations. */
async function limited(): Promise<Household> {
  const machine = household();
  const limits = ['--monetary-limit', '100', '--currency', 'USD', '--allowed-domain', 'acme.com'];
  await machine.run('passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'act', ...limits, ...inFiles(machine));
  return machine;
}

async function judged(machine: Household, { params, target }: Pick<Vector, 'params' | 'target'>, ...flags: string[]) {
  const to = target === undefined ? [] : ['--target', target];
  const sign = ['intent', 'sign', '-p', 'bot', '-a', 'act', '--params', JSON.stringify(params), ...to];
  const { out } = await machine.run(...sign, '-e', machine.at('.env'));
  return machine.json('intent', 'verify', machine.file('i.json', out), ...flags);
}

describe('what limits read, at the command line', () => {
  test.each(['money', 'destinations'])('%s', async (table) => {
    const machine = await limited();
    // A table of money may have limits of its own; those of the agent here are the usual ones.
    const usual = vectors(table).filter(
      ({ name, constraints: { currency = 'USD', monetary_limit = 100, daily_limit } = {} }) =>
        /^(?:honest|refused):/.test(name) && currency === 'USD' && monetary_limit === 100 && daily_limit === undefined,
    );
    expect(usual.length).toBeGreaterThan(50);
    for (const vector of usual) {
      const { value } = await judged(machine, vector, '--dry-run');
      expect([vector.name, value.error_code]).toEqual([vector.name, vector.expect[0] ?? null]);
    }
  });

  test('verify.unmeasured: deny refuses what no limit can measure, exit 12', async () => {
    const machine = await limited();
    const warned = await judged(machine, { params: { order_id: '8472' } });
    expect([warned.code, warned.value.warnings.map(({ code }) => code)]).toEqual([0, ['unmeasured', 'unmeasured']]);
    const config = machine.file('aip.json', JSON.stringify({ verify: { unmeasured: 'deny' } }));
    const refused = await judged(machine, { params: { order_id: '8472' } }, '--config', config);
    expect([refused.code, refused.value.error_code, refused.value.details?.unmeasured]).toEqual([12, 'AIP-E208', true]);
  });
});
