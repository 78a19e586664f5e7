import { describe, expect, test } from 'vitest';
import { Breaker } from '../../../../src/app/verification/hooks/breaker.js';
import { KEY, supportAgent, workshop } from '../../../library/workshop.js';

describe('a circuit', () => {
  const failing = (breaker: Breaker, name: string, ...times: number[]): void => {
    for (const at of times) breaker.ended(name, false, at);
  };
  test('opens after 5 failures within 10 s, for 5 s', () => {
    const breaker = new Breaker();
    failing(breaker, 'a', 0, 1, 2, 3);
    expect(breaker.admits('a', 4)).toBe(true);
    failing(breaker, 'a', 9_999);
    expect(breaker.admits('a', 14_998)).toBe(false);
    expect(breaker.admits('b', 14_998)).toBe(true);
  });
  test('stays closed where they are further apart, or one went well between', () => {
    const breaker = new Breaker();
    failing(breaker, 'a', 0, 3_000, 6_000, 9_000, 12_000);
    expect(breaker.admits('a', 12_000)).toBe(true);
    failing(breaker, 'b', 0, 1, 2, 3);
    breaker.ended('b', true, 4);
    failing(breaker, 'b', 5);
    expect(breaker.admits('b', 6)).toBe(true);
  });
  test('is not open for longer where the clock is set back', () => {
    const breaker = new Breaker();
    failing(breaker, 'a', 3_600_000, 3_600_000, 3_600_000, 3_600_000, 3_600_000);
    expect(breaker.admits('a', 3_600_000)).toBe(false);
    expect(breaker.admits('a', 10_000)).toBe(true);
  });
  test('lets one probe through, which closes it or opens it again', () => {
    const breaker = new Breaker();
    failing(breaker, 'a', 0, 0, 0, 0, 0);
    expect([breaker.admits('a', 5_000), breaker.admits('a', 5_000)]).toEqual([true, false]);
    failing(breaker, 'a', 5_100);
    expect(breaker.admits('a', 10_099)).toBe(false);
    expect(breaker.admits('a', 10_100)).toBe(true);
    breaker.ended('a', true, 10_101);
    expect([breaker.admits('a', 10_102), breaker.admits('a', 10_102)]).toEqual([true, true]);
  });
});

test('a hook that fails is not waited for, refuses at once, and the decision warns; other agents are asked about', async () => {
  const here = workshop();
  const one = await supportAgent(here);
  const two = await supportAgent(here, { agentName: 'other' });
  const asked: string[] = [];
  here.registerVerificationHook({
    verify: ({ agent_id }) => {
      asked.push(agent_id);
      if (agent_id === one.agentId) throw new Error('down');
      return { result: 'allow' };
    },
  });
  const verify = async (passport: typeof one) =>
    here.verifyIntent(
      await here.createIntent({ passport, action: 'issue_refund', params: { amount: 1 }, privateKey: KEY }),
    );
  for (let i = 0; i < 5; i++)
    expect((await verify(one)).warnings.map(({ code }) => code)).not.toContain('circuit_open');
  const refused = await verify(one);
  expect(refused).toMatchObject({ success: false, error_code: 'HOOK_FAILED' });
  expect(refused.warnings.map(({ code }) => code)).toContain('circuit_open');
  expect((await verify(two)).success).toBe(true);
  expect(asked).toHaveLength(6);
  here.wait(5);
  await verify(one);
  expect(asked).toHaveLength(7);
});
