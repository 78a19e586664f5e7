import { describe, expect, test } from 'vitest';
import { allow, reject, type HookIntent, type VerifyIntentOptions } from '../../src/index.js';
import {
  AGENT,
  AT,
  HMAC_KEY,
  KEYS,
  macked,
  mandate,
  nonceOf,
  passport,
  signed,
  text,
} from '../kit/conformance/parts.js';
import { refusal, workshop } from './workshop.js';

const at = new Date(AT);
const publicKey = `ed25519:${KEYS.agent}`;
const issuerKey = `ed25519:${KEYS.issuer}`;
const narrow = mandate({ boundaries: { 'monetary_limit.per_transaction': 100 } });

/** What the library says of an envelope over 200 USD. */
async function verdict(name: string, envelopes: VerifyIntentOptions['envelopes'], more: VerifyIntentOptions = {}) {
  const decision = await workshop().verifyIntent(text(signed(name)), { at, envelopes: envelopes ?? {}, ...more });
  return [decision.error_code, ...decision.warnings.map(({ code }) => code)];
}

describe('envelopes of AIP-1', () => {
  test.each<[string, VerifyIntentOptions['envelopes'], (string | null)[]]>([
    ['with nothing known', undefined, ['AIP-E100']],
    ['with a key', { publicKey }, [null, 'self_declared_boundaries', 'unbound_key']],
    ['with another key', { publicKey: issuerKey }, ['AIP-E100']],
    ['with a mandate', { publicKey, mandates: [mandate()], issuerKey }, [null]],
    ['with a mandate as text', { publicKey, mandates: [text(mandate())], issuerKey }, [null]],
    ['with a narrower mandate', { publicKey, mandates: [narrow], issuerKey }, ['AIP-E202']],
    [
      'with a mandate of a stranger',
      { publicKey, mandates: [mandate()] },
      ['AIP-E406', 'self_declared_boundaries', 'unbound_key'],
    ],
    [
      'with half a mandate',
      { publicKey, mandates: ['{'], issuerKey },
      ['AIP-E406', 'self_declared_boundaries', 'unbound_key'],
    ],
    [
      'without the mandate asked for',
      { publicKey, requireMandate: true },
      ['AIP-E405', 'self_declared_boundaries', 'unbound_key'],
    ],
    [
      'with another prompt registered',
      { publicKey, registry: { prompts: { [AGENT]: 'sha256:other' } } },
      ['AIP-E301', 'self_declared_boundaries', 'unbound_key'],
    ],
  ])('%s', async (name, envelopes, expected) => {
    expect(await verdict(name, envelopes)).toEqual(expected);
    // The same without a memory, which cannot hold an agent to the sum of a day, and so ends with the boundaries.
    const [code] = await verdict(name, envelopes, { state: false });
    expect(code).toBe([null, 'AIP-E301'].includes(expected[0]!) ? 'AIP-E202' : expected[0]);
  });

  test('a known passport counts more than a key', async () => {
    const aip = workshop();
    const known = await aip.loadPassport(Buffer.from(JSON.stringify(passport())));
    const principalKeys = { 'did:web:acme.com': `ed25519:${KEYS.principal}` };
    const decision = await aip.verifyIntent(text(signed('known')), {
      ...{ at, passport: known, principalKeys, envelopes: { publicKey } },
    });
    expect(decision).toMatchObject({ error_code: 'AIP-E202', details: { bound: 'passport' } });
  });

  test('a hook sees an envelope as an intent, so that no agent passes one by its dialect', async () => {
    const aip = workshop();
    const seen: HookIntent[] = [];
    aip.registerVerificationHook({
      verify: (intent) => {
        seen.push(structuredClone(intent));
        Object.assign(intent.params, { amount: 0 });
        return intent.action === 'transfer_funds' ? reject({ code: 'COMPLIANCE-001', message: 'Sanctioned' }) : allow();
      },
    });
    const decision = await aip.verifyIntent(text(signed('seen')), { at, envelopes: { publicKey } });
    const params = { amount: 200, currency: 'USD' };
    expect(decision.error_code).toBe('COMPLIANCE-001');
    expect(seen).toEqual([
      {
        ...{ agent_id: AGENT, action: 'transfer_funds', params, target: 'did:web:vendor.com:agents:billing' },
        timestamp: at.getTime() / 1000,
        nonce: nonceOf('seen'),
        intent_hash: decision.intent_hash,
      },
    ]);
    expect((await aip.getVerificationLogs())[0]!.params).toEqual(params);
  });

  test('a shared key is for tier 0', async () => {
    const verified = async (name: string, envelopes: VerifyIntentOptions['envelopes']) =>
      (await workshop().verifyIntent(text(macked(name)), { at, envelopes: envelopes! })).error_code;
    expect(await verified('shared', { hmacKey: HMAC_KEY })).toBe(null);
    expect(await verified('unshared', { hmacKey: new Uint8Array(32) })).toBe('AIP-E100');
    expect(await verified('bound', { hmacKeys: { [AGENT]: HMAC_KEY } })).toBe(null);
    expect(await verified('of another', { hmacKeys: { 'did:web:acme.com:agents:x': HMAC_KEY } })).toBe('AIP-E100');
    expect(await verified('raised', { hmacKey: HMAC_KEY, minTier: 1 })).toBe('AIP-E100');
  });

  test.each<[string, object]>([
    ['an unknown option', { publickey: publicKey }],
    ['a key that is none', { publicKey: 'ed25519:00' }],
    ['a short shared key', { hmacKey: new Uint8Array(31) }],
    ['a short bound key', { hmacKeys: { 'did:web:acme.com:agents:x': new Uint8Array(31) } }],
    ['a key bound to no agent', { hmacKeys: { 'no agent': HMAC_KEY } }],
    ['a shared key as text', { hmacKey: 'cc'.repeat(32) }],
    ['another tier', { minTier: 3 }],
    ['a mandate that is none', { mandates: [5] }],
    ['a mandate that JSON cannot say', { mandates: [{ ...mandate(), boundaries: { per_day: 1n } }] }],
    ['mandates that are no list', { mandates: mandate() }],
    ['two mandates of one agent', { mandates: [mandate(), mandate()], issuerKey }],
    ['half an answer', { requireMandate: 'yes' }],
    ['a registry of another form', { registry: { prompts: [] } }],
  ])('%s is wrong use', async (_, envelopes) => {
    const promise = Promise.resolve().then(() => workshop().verifyIntent('{}', { envelopes }));
    expect(await refusal(promise)).toMatchObject({ code: 'USAGE' });
  });
});
