import { referenceText, jcsText } from '../../../src/protocol/aip1/encoding/canonical.js';
import { fromBase64url, toBase64url } from '../../../src/protocol/aip1/encoding/base64.js';
import type { ValueObject } from '../../../src/protocol/aip1/encoding/numbers.js';
import { signMessage } from '../../../src/protocol/ed25519/sign.js';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import type { ConformanceCase } from '../../../src/app/conformance/run.js';
import { bent, envelopeParts, HMAC_KEY, KEYS, macked, passport, SEEDS, signed, text, type Bends } from './parts.js';

const given = { public_key: KEYS.agent };
const shared = { hmac_key: toHex(HMAC_KEY) };

/** Proofs, spellings and replay: E100 E102. */
export function signatureCases(): ConformanceCase[] {
  return [...proofs(), ...spellings(), ...macs(), ...replays()];
}

function proofs(): ConformanceCase[] {
  const at = (
    name: string,
    shows: string,
    document: ValueObject,
    code: string | null,
    more: Partial<ConformanceCase> = {},
  ): ConformanceCase => ({
    name: `proof-${name}`,
    shows,
    documents: [text(document)],
    given,
    expect: { code },
    ...more,
  });
  const value = (document: ValueObject) => (document.proof as { proof_value: string }).proof_value;
  const withValue = (name: string, change: (value: string) => string) => {
    const document = signed(`proof-${name}`);
    return bent(document, { 'proof.proof_value': change(value(document)) });
  };
  const bytesChanged = (name: string, change: (bytes: Uint8Array) => Uint8Array) =>
    withValue(name, (text) => toBase64url(change(fromBase64url(text)!)));
  const tampers: [string, Bends][] = [
    ['action', { 'intent.action': 'read_invoice' }],
    ['amount', { 'intent.parameters.amount': 201 }],
    ['target', { 'intent.target': 'did:web:thief.example' }],
    ['boundaries', { 'boundaries.monetary_limit.per_transaction': 1_000_000 }],
    ['tier', { verification_tier: 'tier_0' }],
    ['agent', { 'agent.id': 'did:web:acme.com:agents:other' }],
    ['principal', { 'principal.id': 'did:web:other.com' }],
    ['nonce', { entropy: `nonce:${'f'.repeat(32)}` }],
    ['expiry', { expires_at: '2026-02-14T12:30:00Z' }],
    ['parameter', { 'intent.parameters.note': 'added' }],
  ];
  return [
    at(
      'unpadded',
      'The proof value may come without padding.',
      withValue('unpadded', (text) => text.replace(/=+$/, '')),
      null,
    ),
    at(
      'passport-key',
      'A known passport brings its key.',
      signed('proof-passport-key', { 'intent.parameters.amount': 50 }),
      null,
      {
        given: { passport: passport(), principal_key: KEYS.principal },
      },
    ),
    ...tampers.map(([what, bends]) =>
      at(
        `tampered-${what}`,
        `The ${what} was changed after signing.`,
        bent(signed(`proof-tampered-${what}`), bends),
        'AIP-E100',
      ),
    ),
    at('other-key', 'Another key signed it.', signed('proof-other-key', {}, SEEDS.stranger), 'AIP-E100'),
    at('no-key', 'No key of the agent is known.', signed('proof-no-key'), 'AIP-E100', { given: {} }),
    at(
      'empty',
      'An empty proof value.',
      withValue('empty', () => ''),
      'AIP-E100',
    ),
    at(
      'stray-bits',
      'base64 whose last digit holds stray bits.',
      withValue('stray-bits', (text) => text.replace(/([A-Za-z0-9_-])(=*)$/, 'B$2')),
      'AIP-E100',
    ),
    at(
      'standard-base64',
      'base64 of the other alphabet.',
      withValue('standard-base64', (text) => text.replaceAll('-', '+').replaceAll('_', '/').replace(/^./, '+')),
      'AIP-E100',
    ),
    at(
      'short',
      '63 bytes.',
      bytesChanged('short', (bytes) => bytes.subarray(0, 63)),
      'AIP-E100',
    ),
    at(
      'long',
      '65 bytes.',
      bytesChanged('long', (bytes) => Uint8Array.from([...bytes, 0])),
      'AIP-E100',
    ),
    at(
      'space',
      'White space in base64.',
      withValue('space', (text) => `${text}\n`),
      'AIP-E100',
    ),
    at('large-s', 'S + L is a second spelling of S.', bytesChanged('large-s', plusOrder), 'AIP-E100'),
    at(
      'zero',
      'All zeros.',
      bytesChanged('zero', () => new Uint8Array(64)),
      'AIP-E100',
    ),
    at('unpinned', 'A passport whose principal is not pinned is no passport.', signed('proof-unpinned'), 'AIP-E406', {
      given: { passport: passport(), public_key: KEYS.agent },
    }),
    at('forged-passport', 'Nor is one that was edited.', signed('proof-forged-passport'), 'AIP-E406', {
      given: {
        passport: { ...passport(), constraints: { monetary_limit: 1_000_000, currency: 'USD' } },
        principal_key: KEYS.principal,
        public_key: KEYS.agent,
      },
    }),
    at('expired-passport', 'Nor is one that is over.', signed('proof-expired-passport'), 'AIP-E407', {
      given: {
        passport: passport({ expires_at: '2026-02-14T11:00:00Z' }),
        principal_key: KEYS.principal,
        public_key: KEYS.agent,
      },
    }),
    at(
      'beside-passport',
      'A key named by the user does not speak for an agent whose passport is known.',
      signed('proof-beside-passport', {}, SEEDS.stranger),
      'AIP-E100',
      {
        given: { passport: passport(), principal_key: KEYS.principal, public_key: KEYS.stranger },
      },
    ),
  ];
}

function plusOrder(bytes: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order;
  const high = Buffer.from(fromHex(s.toString(16).padStart(64, '0'))!).reverse();
  return Uint8Array.from([...bytes.subarray(0, 32), ...high]);
}

function spellings(): ConformanceCase[] {
  const by = (
    name: string,
    shows: string,
    bends: Bends,
    spell: (document: ValueObject) => string,
    code: string | null,
  ): ConformanceCase => {
    const unsigned = bent(envelopeParts(`spelling-${name}`), bends);
    const signature = signMessage(SEEDS.agent, Buffer.from(spell(unsigned), 'utf8'));
    const document = bent(signed(`spelling-${name}`, bends), { 'proof.proof_value': toBase64url(signature) });
    return { name: `spelling-${name}`, shows, documents: [text(document)], given, expect: { code } };
  };
  const reference = (document: ValueObject) => referenceText(document, 'escaped');
  const raw = (document: ValueObject) => referenceText(document, 'raw');
  const jcs = (document: ValueObject) => jcsText(document)!;
  const accented: Bends = { 'intent.parameters.memo': 'Zürich — 日本 🎉\u007f' };
  const small: Bends = { 'intent.parameters.rate': 1e-7, 'intent.parameters.other': 0.00001234 };
  const astral: Bends = { 'intent.parameters.\ue000': 1, 'intent.parameters.😀': 2 };
  const large: Bends = { 'intent.parameters.order': 12345678901234567890n };
  return [
    by('escaped', 'Text beyond ASCII as the reference escapes it.', accented, reference, null),
    by('raw', 'The same text as raw UTF-8, as the normative text asks.', accented, raw, null),
    by('python-floats', 'Small floats as Python writes them.', small, reference, null),
    by('jcs-floats', 'Small floats as JCS writes them.', small, jcs, null),
    by('code-point-keys', 'Keys by code point.', astral, raw, null),
    by('utf-16-keys', 'Keys by UTF-16 unit.', astral, jcs, null),
    by('large-integer', 'Integers beyond 2^53 are exact.', large, reference, null),
    by(
      'large-integer-rounded',
      'And are not what a double makes of them.',
      large,
      (document) => jcs(bent(document, { 'intent.parameters.order': 12345678901234567000 })),
      'AIP-E100',
    ),
    by(
      'pretty',
      'Any other text of the same value is not signed.',
      {},
      (document) => JSON.stringify(document, null, 2),
      'AIP-E100',
    ),
    by('unsorted', 'Nor is one with its members as they come.', {}, (document) => JSON.stringify(document), 'AIP-E100'),
    by(
      'python-spaces',
      'Nor one with spaces.',
      {},
      (document) => reference(document).replaceAll(':', ': '),
      'AIP-E100',
    ),
    by(
      'whole-floats',
      'Nor one with 200.0 for 200.',
      {},
      (document) => reference(document).replace('"amount":200', '"amount":200.0'),
      'AIP-E100',
    ),
    by(
      'nulls-dropped',
      'Nor one without its nulls.',
      {},
      (document) => reference(document).replaceAll(/"[a-z_]+":null,/g, ''),
      'AIP-E100',
    ),
    by(
      'upper-case-escapes',
      'Nor one with escapes in capitals.',
      accented,
      (document) => reference(document).replaceAll(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`),
      'AIP-E100',
    ),
  ];
}

function macs(): ConformanceCase[] {
  const at = (
    name: string,
    shows: string,
    document: ValueObject,
    code: string | null,
    more: object = shared,
  ): ConformanceCase => ({
    name: `hmac-${name}`,
    shows,
    documents: [text(document)],
    given: more,
    expect: { code },
  });
  return [
    at('tier-0', 'At tier 0 an HMAC proves an envelope to whoever shares the key.', macked('hmac-tier-0'), null),
    at(
      'signature-instead',
      'A signature is as good, whoever holds the shared key.',
      signed('hmac-signature-instead', { verification_tier: 'tier_0' }),
      null,
      { ...shared, ...given },
    ),
    at('other-key', 'Another key.', macked('hmac-other-key', {}, SEEDS.stranger), 'AIP-E100'),
    at('tampered', 'Changed afterwards.', bent(macked('hmac-tampered'), { 'intent.parameters.amount': 1 }), 'AIP-E100'),
    at('tier-1', 'Not at tier 1.', macked('hmac-tier-1', { verification_tier: 'tier_1' }), 'AIP-E100', {
      ...shared,
      ...given,
    }),
    at('tier-2', 'Not at tier 2.', macked('hmac-tier-2', { verification_tier: 'tier_2' }), 'AIP-E100', {
      ...shared,
      ...given,
    }),
    at('raised', 'Not where the verifier asks for a higher tier.', macked('hmac-raised'), 'AIP-E100', {
      ...shared,
      ...given,
      min_tier: 1,
    }),
    at('no-key', 'Not without the shared key.', macked('hmac-no-key'), 'AIP-E100', given),
    at(
      'public-key',
      'The public key is not a shared key.',
      macked('hmac-public-key', {}, fromHex(KEYS.agent)!),
      'AIP-E100',
      given,
    ),
  ];
}

function replays(): ConformanceCase[] {
  const first = text(signed('replay'));
  const forged = text(bent(signed('replay-forged-first'), { 'intent.parameters.amount': 1 }));
  const genuine = text(signed('replay-forged-first'));
  const denied = text(signed('replay-denied', { 'intent.action': 'delete_database' }));
  const day = { 'boundaries.monetary_limit.per_day': 500 };
  const full = text(signed('replay-full', { ...day, 'intent.parameters.amount': 500 }));
  const over = text(signed('replay-over', { ...day, 'intent.parameters.amount': 1 }));
  const other = signed('replay-other', {
    entropy: (signed('replay-same-nonce') as { entropy: string }).entropy,
    'intent.parameters.amount': 3,
  });
  return [
    { name: 'replay-first', shows: 'The first is accepted.', documents: [first], given, expect: { code: null } },
    {
      name: 'replay-second',
      shows: 'The second is a replay.',
      documents: [first, first],
      given,
      expect: { code: 'AIP-E102' },
    },
    {
      name: 'replay-compact',
      shows: 'In whatever text it comes.',
      documents: [first, JSON.stringify(JSON.parse(first))],
      given,
      expect: { code: 'AIP-E102' },
    },
    {
      name: 'replay-refused',
      shows: 'A refusal that would always be the same is the same again.',
      documents: [denied, denied],
      given,
      expect: { code: 'AIP-E200' },
    },
    {
      name: 'replay-held-back',
      shows: 'One that was refused for its time or its sum cannot be held back until there is room.',
      documents: [full, over, over],
      given,
      expect: { code: 'AIP-E102' },
    },
    {
      name: 'replay-other-intent',
      shows: 'A nonce counts once, for whatever intent.',
      documents: [text(signed('replay-same-nonce')), text(other)],
      given,
      expect: { code: 'AIP-E102' },
    },
    {
      name: 'replay-forged-first',
      shows: 'A forgery spends no nonce.',
      documents: [forged, genuine],
      given,
      expect: { code: null },
    },
    {
      name: 'replay-forged-second',
      shows: 'A forgery of a spent nonce is reported as the reference would.',
      documents: [genuine, forged],
      given,
      expect: { code: 'AIP-E102' },
    },
  ];
}
