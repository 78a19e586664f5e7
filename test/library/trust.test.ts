import { describe, expect, test } from 'vitest';
import * as library from '../../src/index.js';
import type { TrustScoringOptions, Workspace } from '../../src/index.js';
import { AGENT, refusal, supportAgent, workshop } from './workshop.js';

/** Accepts and refuses so many intents of the support agent. */
async function behaved(accepted: number, refused: number) {
  const aip = workshop();
  await supportAgent(aip);
  for (let i = 0; i < accepted + refused; i++) {
    const to = i < accepted ? 'a@acme.com' : 'a@evil.com';
    const intent = await aip.createIntent({ agentId: AGENT, action: 'send_email', params: { to } });
    await aip.verifyIntent(intent);
  }
  return aip;
}

test('the names that the contract lists are all exported', () => {
  const names = [
    ...['createPassport', 'loadPassport', 'createIntent', 'signIntent', 'verifyIntent', 'shield', 'revokeAgent'],
    ...['reinstateAgent', 'getVerificationLogs', 'getTrustScore', 'configureMesh', 'configureTrustScoring'],
    ...['registerVerificationHook', 'VerificationError'],
  ];
  expect(names.filter((name) => typeof (library as Record<string, unknown>)[name] !== 'function')).toEqual([]);
});

describe('getTrustScore', () => {
  test('by the guide: 0.5, +0.01 a success, -0.05 a failure', async () => {
    const aip = await behaved(4, 1);
    const score = await aip.getTrustScore(AGENT);
    expect(score).toEqual({
      agent_id: AGENT,
      score: 0.49,
      model: 'guide',
      meaningful: false,
      verifications: 5,
      updated_at: '2026-02-18T14:23:45.000Z',
    });
    expect(await aip.getTrustScore({ agentId: AGENT })).toEqual(score);
  });
  test('a stranger has the score of a newcomer, which means nothing', async () => {
    const score = await workshop().getTrustScore('did:web:acme.com:agents:nobody');
    expect(score).toMatchObject({ score: 0.5, meaningful: false, verifications: 0, updated_at: null });
  });
  test.each([['support-agent-v1'], [''], [null], [{}], [{ agentId: AGENT, agent: 'x' }]])(
    '%j is no agent',
    async (agent) => {
      expect(await refusal(workshop().getTrustScore(agent as string))).toMatchObject({ code: 'USAGE' });
    },
  );
});

describe('configureTrustScoring', () => {
  test('the rules are the log judged anew, also after it was read', async () => {
    const aip = await behaved(4, 1);
    await aip.getTrustScore(AGENT);
    aip.configureTrustScoring({
      initialScore: 0.2,
      successIncrement: 0.1,
      failureDecrement: 0.3,
      timeDecayRate: 0,
      minVerificationsForTrust: 5,
      suspiciousPatterns: [{ type: 'rapid_failures', threshold: 5, windowSeconds: 60 }],
    });
    expect(await aip.getTrustScore(AGENT)).toMatchObject({ score: 0.3, meaningful: true });
  });
  test.each<[string, unknown]>([
    ['an unknown option', { initial_score: 0.5 }],
    ['a score above 1', { initialScore: 1.1 }],
    ['a step that is no number', { successIncrement: Number.NaN }],
    ['a text', { failureDecrement: '0.1' }],
    ['half a verification', { minVerificationsForTrust: 1.5 }],
    ['no list', { suspiciousPatterns: {} }],
    ['an unknown pattern', { suspiciousPatterns: [{ type: 'odd', threshold: 1, windowSeconds: 1 }] }],
    ['a threshold of 0', { suspiciousPatterns: [{ type: 'rapid_failures', threshold: 0, windowSeconds: 1 }] }],
    ['an unknown model', { model: 'mine' }],
  ])('%s is wrong use', (_, options) => {
    expect(() => workshop().configureTrustScoring(options as TrustScoringOptions)).toThrow(
      expect.objectContaining({ code: 'USAGE' }) as Error,
    );
  });
});

describe('minTrust', () => {
  const asked = async (aip: Workspace, minTrust: unknown) => {
    const intent = await aip.createIntent({ agentId: AGENT, action: 'send_email', params: { to: 'a@acme.com' } });
    return aip.verifyIntent(intent, { minTrust: minTrust as number });
  };

  test('refuses an agent below it, by the rules of this workspace, and lets the others pass', async () => {
    const aip = await behaved(1, 2);
    expect((await asked(aip, 0.41)).success).toBe(true);
    expect(await asked(aip, 0.43)).toMatchObject({
      error_code: 'AIP-E404',
      details: { score: 0.42, minimum: 0.43, agent_id: AGENT },
    });
    // It follows from the score, so it does not lower it further.
    expect((await aip.getTrustScore(AGENT)).score).toBe(0.42);
    aip.configureTrustScoring({ failureDecrement: 0.01 });
    expect((await asked(aip, 0.43)).success).toBe(true);
  });

  test('holds for a shield', async () => {
    const aip = await behaved(0, 1);
    const passport = await aip.loadPassport(AGENT);
    const runs: unknown[] = [];
    const send = aip.shield(
      { passport, actions: ['send_email'], verify: { minTrust: 0.5 } },
      (mail: object) => void runs.push(mail),
    );
    expect(await refusal(send({ to: 'a@acme.com' }))).toMatchObject({ code: 'AIP-E404' });
    expect(runs).toEqual([]);
  });

  test.each([-0.1, 1.1, Number.NaN, '0.5'])('is no %s', async (minTrust) => {
    const aip = await behaved(0, 0);
    await expect(asked(aip, minTrust)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
