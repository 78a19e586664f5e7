import { expect, test } from 'vitest';
import { verifyIntents } from '../../src/app/verification/intents.js';
import { parseConstraints, type Constraints } from '../../src/protocol/constraints/grammar.js';
import { passportOf } from '../../src/protocol/passport.js';
import type { Json, JsonObject } from '../../src/protocol/json/values.js';
import { refund } from '../kit/native/intent-parts.js';
import { line } from '../kit/native/parts.js';
import { passport } from '../kit/native/passport-cases.js';
import { knowing, VERIFY, verifierDeps } from '../kit/native/verifier.js';

function limits(value: Json): Constraints {
  const parsed = parseConstraints(value as JsonObject);
  return parsed.ok ? parsed.constraints : expect.unreachable();
}

/** Codes of intents in a row, each with the same params, judged by a passport and by limits of the caller. */
async function inARow(constraints: Json, within: Json, params: JsonObject): Promise<string[]> {
  const found = passportOf(passport('support-agent-v1', { constraints }));
  const deps = verifierDeps(knowing(found));
  const submissions = [1, 2, 3].map((n) => ({
    bytes: line(refund(`beside ${n}`, { params })),
    source: null,
    within: limits(within),
  }));
  return (await verifyIntents(deps, VERIFY, submissions)).map(({ decision }) => decision.error_code ?? 'ok');
}

const ONCE = ['ok', 'AIP-E212', 'AIP-E212'];

test.each<[string, Json, Json, JsonObject]>([
  ['alone', {}, { daily_limit: 100 }, { amount: 60 }],
  ['beside a rate', { rate_limit: '100/hour' }, { daily_limit: 100 }, { amount: 60 }],
  [
    'beside a rate, in another currency',
    { rate_limit: '9/hour' },
    { daily_limit: 100, currency: 'EUR' },
    { amount: 60 },
  ],
  [
    'beside a rate, of another param',
    { rate_limit: '9/hour' },
    { daily_limit: { limit: 100, param: 'total' } },
    { total: 60 },
  ],
  ['beside a count', { max_refunds_per_hour: 9 }, { daily_limit: { limit: 100, param: 'total' } }, { total: 60 }],
  ['beside a wider one', { daily_limit: 1000 }, { daily_limit: 100 }, { amount: 60 }],
  ['beside a narrower one', { daily_limit: 100 }, { daily_limit: 1000 }, { amount: 60 }],
])("a caller's daily limit holds %s", async (_, constraints, within, params) => {
  expect(await inARow(constraints, within, params)).toEqual(ONCE);
});

test.each<[string, Json, Json]>([
  ['in another currency', { daily_limit: 1000 }, { daily_limit: 100, currency: 'EUR' }],
  ['of another param', { daily_limit: 1000 }, { daily_limit: { limit: 100, param: 'total' } }],
])('two daily limits of which one could not be added up refuse everything: one %s', async (_, constraints, within) => {
  expect(await inARow(constraints, within, { amount: 1, total: 1 })).toEqual(Array(3).fill('AIP-E212'));
});

test('a rate is still counted beside limits of money', async () => {
  const within = { daily_limit: { limit: 1000, param: 'total' } };
  expect(await inARow({ rate_limit: '2/hour' }, within, { total: 1 })).toEqual(['ok', 'ok', 'AIP-E205']);
});
