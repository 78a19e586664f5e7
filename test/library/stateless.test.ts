import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { VerifyIntentOptions } from '../../src/index.js';
import { AGENT, KEY, refusal, supportAgent, workshop } from './workshop.js';

const REFUND = { agentId: AGENT, action: 'issue_refund', params: { amount: 50 } };

/** An agent, and how a place that knows nothing but its passport and its principal's key judges it. */
async function stranger(constraints: object = { monetary_limit: 100 }) {
  const aip = workshop();
  const passport = await supportAgent(aip, { constraints });
  const place = workshop();
  const trust: VerifyIntentOptions = {
    state: false,
    passport,
    principalKeys: { 'did:web:acme.com': passport.principalPublicKey },
  };
  return { aip, place, passport, trust };
}

describe('without state', () => {
  test('what needs a memory is skipped, and the decision says so', async () => {
    const { aip, place, trust } = await stranger();
    const decision = await place.verifyIntent(await aip.createIntent(REFUND), trust);
    expect(decision.success).toBe(true);
    const reason = 'this verifier keeps no state';
    expect(decision.checks).toContainEqual({ check: 'nonce', status: 'skipped', reason });
    expect(decision.checks).toContainEqual({ check: 'revocation', status: 'skipped', reason });
    expect(decision.revocation.status).toBe('unknown');
    expect(decision.warnings).toMatchObject([{ code: 'stateless' }]);
    expect(existsSync(join(place.folder, 'home'))).toBe(false);
  });

  test('the same intent passes until it is too old, and that is said to be so', async () => {
    const { aip, place, trust } = await stranger();
    const intent = await aip.createIntent(REFUND);
    expect((await place.verifyIntent(intent, trust)).success).toBe(true);
    expect((await place.verifyIntent(intent, trust)).success).toBe(true);
    place.wait(301);
    expect(await place.verifyIntent(intent, trust)).toMatchObject({ error_code: 'AIP-E302' });
  });

  test.each<[string, object, string, object]>([
    ['rate_limit', { rate_limit: '10/hour' }, 'AIP-E205', { limit: 10, window: 'hour', used: null }],
    ['a rate of another action', { rate_limit: { send_email: '1/day' } }, 'AIP-E205', { used: null }],
    ['max_..._per_...', { max_orders_per_hour: 3 }, 'AIP-E205', { limit: 3 }],
    ['daily_limit', { daily_limit: 500 }, 'AIP-E212', { limit: 500, spent: null }],
  ])('a passport with %s is refused, whatever is asked', async (_, constraints, code, details) => {
    const { aip, place, trust } = await stranger(constraints);
    const decision = await place.verifyIntent(await aip.createIntent({ ...REFUND, params: {} }), trust);
    expect(decision).toMatchObject({ success: false, error_code: code, details });
    expect(decision.message).toContain('keeps no state');
  });

  test('limits over time in a shield are refused as well', async () => {
    const { place, passport, trust } = await stranger();
    const { principalKeys } = trust;
    const shielded = place.shield(
      {
        passport,
        actions: ['issue_refund'],
        constraints: { max_refunds_per_hour: 1 },
        privateKey: KEY,
        verify: { state: false, principalKeys: principalKeys! },
      },
      () => 'ran',
    );
    expect(await refusal(shielded())).toMatchObject({ code: 'AIP-E205' });
  });

  test.each<[string, object, object, string]>([
    ['over the limit', { params: { amount: 101 } }, {}, 'AIP-E202'],
    ['an undeclared action', { action: 'drop' }, {}, 'AIP-E201'],
    ['a nonce that is none', {}, { nonce: '00' }, 'AIP-E101'],
    ['a changed param', {}, { params: { amount: 49 } }, 'AIP-E101'],
    ['another key', {}, { key_id: `${AGENT}#key-2` }, 'AIP-E105'],
    ['another agent', {}, { agent_id: 'did:web:acme.com:agents:other' }, 'AIP-E102'],
    ['an unknown member', {}, { extra: 1 }, 'AIP-E100'],
  ])('%s is refused as ever', async (_, request, edit, code) => {
    const { aip, place, trust } = await stranger();
    const intent = { ...(await aip.createIntent({ ...REFUND, ...request })), ...edit };
    expect(await place.verifyIntent(intent, trust)).toMatchObject({ success: false, error_code: code });
  });

  test('nothing that this machine knows helps: passport and pin are given, or it is refused', async () => {
    const { aip, trust } = await stranger();
    const intent = await aip.createIntent(REFUND);
    const { passport } = trust;
    expect(await aip.verifyIntent(intent, { state: false })).toMatchObject({ error_code: 'AIP-E102' });
    expect(await aip.verifyIntent(intent, { state: false, passport: passport! })).toMatchObject({
      error_code: 'AIP-E103',
    });
  });

  test('schemas and hooks are asked', async () => {
    const aip = workshop();
    const schema = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] };
    const passport = await supportAgent(aip, { actions: [{ name: 'pay', params: schema }], constraints: {} });
    const trust = { state: false, passport, principalKeys: { 'did:web:acme.com': passport.principalPublicKey } };
    const ask = async (params: object) =>
      (await aip.verifyIntent(await aip.createIntent({ agentId: AGENT, action: 'pay', params }), trust)).error_code;
    expect([await ask({ amount: 5 }), await ask({})]).toEqual([null, 'AIP-E211']);
    aip.registerVerificationHook({ verify: () => ({ result: 'reject', code: 'NO-1', message: 'No.' }) });
    expect(await ask({ amount: 5 })).toBe('NO-1');
  });
});
