/** Cases whose intents are AIP-1 envelopes: signed elsewhere, or left for throwaway keys to sign. */
import { expect, test } from 'vitest';
import { fromHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { documentText, envelopeOf, signDocument } from '../../../src/protocol/aip1/sign.js';
import { speakerOf } from '../../../src/protocol/aip1/speaker.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { standIn } from '../../../src/app/policy/stand-in.js';
import { world } from '../../kit/world.js';

const SEED = fromHex('aa'.repeat(32))!;
const NOW = '2026-02-18T12:00:00Z';
const PASSPORT = {
  ...{ version: 1, serial: 1, agent_id: 'did:web:acme.com:agents:bot', agent_name: 'bot', domain: 'acme.com' },
  ...{ principal: 'did:web:acme.com', key_id: 'did:web:acme.com:agents:bot#key-1' },
  public_key: formatPublicKey(publicKeyOf(SEED)),
  ...{ actions: ['transfer', 'wire'], denied_actions: ['drop'], metadata: {}, previous_keys: [] },
  constraints: { monetary_limit: 100, currency: 'USD', rate_limit: '2/hour', require_approval: { actions: ['wire'] } },
  ...{ issued_at: '2026-02-18T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
};

/** What the agent itself signed at NOW. */
function signed(amount: number): object {
  const content = { action: 'transfer', target: '', parameters: { amount }, tier: 1, ttl: 300 } as const;
  const now = Date.parse(NOW);
  const envelope = envelopeOf(speakerOf(standIn(PASSPORT, false)), { ...content, now, nonce: SEED.subarray(16) });
  return JSON.parse(documentText(signDocument(envelope, SEED, 'did:web:acme.com', now))) as object;
}

async function run(
  cases: object[],
): Promise<{ code: number; cases: { name: string; actual: string; reason: unknown }[] }> {
  const place = world();
  place.file('policy/bot.passport.json', JSON.stringify(PASSPORT));
  place.file('policy/signed.envelope', JSON.stringify(signed(99.5)));
  const file = place.file(
    'policy/cases.json',
    JSON.stringify(cases.map((each) => ({ passport: 'bot.passport.json', ...each }))),
  );
  const { code, out, err } = await place.run('policy', 'test', file, '--json');
  expect(err).toBe('');
  return { code, ...(JSON.parse(out) as { cases: { name: string; actual: string; reason: unknown }[] }) };
}

const wish = (action: string, parameters: object = {}, more: object = {}) => ({
  ...{ '@type': 'IntentEnvelope', intent: { action, parameters } },
  ...more,
});

test('an envelope that is signed is judged as it stands, at the time that it names', async () => {
  const forged = { ...signed(5), verification_tier: 'tier_2' };
  const { code, cases } = await run([
    { name: 'signed, by path', intent: 'signed.envelope', expect: 'accept' },
    { name: 'past the limit', intent: signed(100.01), expect: 'AIP-E202', details: { limit: 100 } },
    { name: 'changed', intent: forged, expect: 'AIP-E100' },
    { name: 'a day later', now: '2026-02-19T12:00:00Z', intent: signed(5), expect: 'AIP-E101' },
    { name: 'twice', intent: signed(5), history: [signed(5)], expect: 'AIP-E102' },
  ]);
  expect(cases.filter(({ reason }) => reason !== null)).toEqual([]);
  expect(code).toBe(0);
});

test('an envelope without a proof is filled in, and signed by a throwaway key', async () => {
  const { code, cases } = await run([
    { name: 'within', now: NOW, intent: wish('transfer', { amount: 100 }), expect: 'accept' },
    { name: 'past', now: NOW, intent: wish('transfer', { amount: 101 }), expect: 'AIP-E202' },
    { name: 'denied', intent: wish('drop'), expect: 'AIP-E201' },
    { name: 'undeclared', intent: wish('deploy'), expect: 'AIP-E200' },
    {
      name: 'third',
      intent: wish('transfer'),
      history: [wish('transfer'), { action: 'transfer' }],
      expect: 'AIP-E205',
    },
    { name: 'of its own time', intent: wish('transfer', {}, { issued_at: NOW, ttl: 60 }), expect: 'accept' },
    {
      name: 'narrower than the passport',
      intent: wish('transfer', { amount: 6 }, { boundaries: boundaries(5) }),
      expect: 'AIP-E202',
    },
    { name: 'a person is asked', intent: wish('wire'), expect: 'AIP-E209' },
    { name: 'and says yes', intent: wish('wire'), approved_by: ['did:web:acme.com'], expect: 'accept' },
  ]);
  expect(cases.filter(({ reason }) => reason !== null)).toEqual([]);
  expect(code).toBe(0);
});

test('--coverage reads what AIP-1 calls it', async () => {
  const place = world();
  const limits = { monetary_limit: 100, daily_limit: 150, currency: 'USD', allowed_domains: ['acme.com'] };
  const passport = { ...PASSPORT, constraints: { ...limits, allowed_symbols: ['A'], geo_restriction: ['US'] } };
  const file = (intent: object, more: object = {}) =>
    place.file('case.json', JSON.stringify({ name: 'x', passport, intent, expect: 'accept', ...more }));
  const refusedBy = async (path: string): Promise<string[]> => {
    const { out } = await place.run('policy', 'test', path, '--coverage', '--json');
    const { coverage } = JSON.parse(out) as { coverage: { constraints: { constraint: string; refused: boolean }[] } };
    return coverage.constraints.flatMap(({ constraint, refused }) => (refused ? [constraint] : []));
  };
  // In no country that is known, each is refused by geo_restriction as well.
  const geo = 'geo_restriction';
  expect(await refusedBy(file(wish('transfer', { amount: 101 })))).toEqual(['monetary_limit', geo]);
  expect(await refusedBy(file(wish('transfer', { url: 'https://evil.example' })))).toEqual(['allowed_domains', geo]);
  expect(await refusedBy(file(wish('transfer', { symbol: 'B' })))).toEqual(['allowed_symbols', geo]);
  const open = { ...passport, constraints: limits };
  const history = [wish('transfer', { amount: 90 })];
  const daily = file(wish('transfer', { amount: 90 }), { passport: open, history, expect: 'AIP-E202' });
  expect(await refusedBy(daily)).toEqual(['daily_limit']);
});

test('nobody approves in the place of a signed envelope', async () => {
  const place = world();
  const each = {
    name: 'x',
    passport: PASSPORT,
    intent: signed(5),
    approved_by: ['did:web:acme.com'],
    expect: 'accept',
  };
  const { code, err } = await place.run('policy', 'test', place.file('cases.json', JSON.stringify(each)));
  expect([code, err]).toEqual([3, expect.stringContaining('without a signature')]);
});

function boundaries(cap: number): object {
  return {
    ...{ allowed_actions: [], denied_actions: [], data_access: [], geo_restriction: null, time_window: null },
    monetary_limit: { per_transaction: cap, per_day: 0, currency: 'USD' },
  };
}
