import { expect, test } from 'vitest';
import { verifyIntents } from '../../src/app/verify-intents.js';
import { passportOf } from '../../src/protocol/passport.js';
import type { JsonObject } from '../../src/protocol/values.js';
import { refund } from '../kit/native/intent-parts.js';
import { line, NOW_S } from '../kit/native/parts.js';
import { passport } from '../kit/native/passport-cases.js';
import { VERIFY, verifierDeps } from '../kit/native/verifier.js';
import { openAt, statePath } from '../kit/state/temporary.js';

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
    return judgement!.decision.error_code ?? 'ok';
  };
}

test.each<[string, JsonObject, string]>([
  ['a rate', { rate_limit: '2/hour' }, 'AIP-E205'],
  ['a rate of its kind of action', { max_refunds_per_day: 2 }, 'AIP-E205'],
  ['a daily limit', { daily_limit: 100 }, 'AIP-E212'],
])('%s counts what was accepted before the passport set it', async (_, constraints, code) => {
  const without: JsonObject[] = [{}, { monetary_limit: 100 }];
  for (const before of without) {
    const judge = verifier();
    expect([await judge(before), await judge(before), await judge(constraints)]).toEqual(['ok', 'ok', code]);
  }
});
