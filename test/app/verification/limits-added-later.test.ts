import { expect, test } from 'vitest';
import { verifyIntents } from '../../../src/app/verification/intents.js';
import { passportOf } from '../../../src/protocol/passport.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S } from '../../kit/native/parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

/** A verifier whose agent's principal changes the passport now and then. */
function verifier() {
  const clock = () => NOW_S * 1000;
  const state = openAt(statePath(), clock);
  let made = 0;
  return async (constraints: JsonObject) => {
    const issued = passportOf(passport('support-agent-v1', { constraints }));
    const deps = verifierDeps({ state, clock, passport: () => ({ status: 'found', passport: issued }) });
    const bytes = line(refund(`${made++}`, { params: { amount: 40 } }));
    const [judgement] = await verifyIntents(deps, VERIFY, [{ bytes, source: null }]);
    return judgement!.decision;
  };
}

const WITHOUT: readonly JsonObject[] = [{}, { monetary_limit: 100 }];

test.each<[string, JsonObject, JsonObject]>([
  ['a rate', { rate_limit: '2/hour' }, { used: 3, limit: 2, retry_after_s: 3600 }],
  ['a rate of its kind of action', { max_refunds_per_day: 3 }, { used: 3, limit: 3 }],
  ['a daily limit', { daily_limit: 150 }, { spent: 120, limit: 150 }],
])('%s counts what was accepted before the passport set it', async (_, constraints, details) => {
  for (const before of WITHOUT) {
    const judge = verifier();
    for (let i = 0; i < 3; i++) expect(await judge(before)).toMatchObject({ success: true });
    expect(await judge(constraints)).toMatchObject({ success: false, details });
  }
});
