import { expect, test } from 'vitest';
import { verifyIntents } from '../../../src/app/verification/intents.js';
import { readPassport } from '../../../src/protocol/passport.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S } from '../../kit/native/parts.js';

import { fixtureBytes } from '../../kit/native/vectors.js';
import { knowing, VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

function verifier() {
  const passport = readPassport(fixtureBytes('passport-support-agent.json'));
  const state = openAt(statePath(), () => NOW_S * 1000);
  const deps = verifierDeps({ ...knowing(passport), state });
  const judge = async (...texts: string[]) => {
    const submissions = texts.map((bytes) => ({ bytes, source: null }));
    return (await verifyIntents(deps, VERIFY, submissions)).map(({ decision }) => decision.error_code ?? 'ok');
  };
  const counts = () => {
    const { successful, failed, unattributed } = state.tally(passport.agent.id)!;
    return { successful, failed, unattributed };
  };
  return { judge, counts, state, agent: passport.agent.id };
}

const over = (salt: string) => line(refund(salt, { params: { amount: 10_000, salt } }));

test('who holds a refused intent cannot have its agent revoked by presenting it again and again', async () => {
  const { judge, counts, state, agent } = verifier();
  const captured = over('captured');
  expect(await judge(captured)).toEqual(['AIP-E202']);
  const before = state.conduct.trust(agent, NOW_S * 1000);
  for (let i = 0; i < 8; i++) expect(await judge(captured, captured)).toEqual(['AIP-E202', 'AIP-E202']);
  expect(counts()).toEqual({ successful: 0, failed: 1, unattributed: 16 });
  expect(state.conduct.trust(agent, NOW_S * 1000)).toEqual(before);
  expect(state.conduct.recentFailures(agent, null)).toHaveLength(1);
  const [first, second] = [...state.entries({})];
  expect(first!.details).not.toHaveProperty('presented_before');
  expect(second).toMatchObject({ error_code: 'AIP-E202', details: { requested: 10_000, presented_before: true } });
});

test('an agent that asks for the same with another signature is held to each, whatever nonce it takes', async () => {
  const { judge, counts } = verifier();
  const texts = ['1', '2', '3'].map((salt) => line(refund('one nonce', { params: { amount: 10_000, salt } })));
  expect(await judge(...texts)).toEqual(['AIP-E202', 'AIP-E202', 'AIP-E202']);
  expect(counts()).toEqual({ successful: 0, failed: 3, unattributed: 0 });
});
