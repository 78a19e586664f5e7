import type { Value } from '../../../src/protocol/aip1/encoding/numbers.js';
import type { ConformanceCase } from '../../../src/app/conformance/run.js';
import { bent, envelopeParts, KEYS, printed, signed, text, type Bends } from './parts.js';

const given = { public_key: KEYS.agent };

/** Version, schema, expiry and nonce: E104 E103 E101 E105. */
export function formCases(): ConformanceCase[] {
  return [...good(), ...versions(), ...members(), ...types(), ...numbers(), ...texts(), ...times(), ...nonces()];
}

function one(name: string, shows: string, bends: Bends, code: string | null, more: Partial<ConformanceCase> = {}) {
  return { name, shows, documents: [text(signed(name, bends))], given, expect: { code }, ...more };
}

function good(): ConformanceCase[] {
  const plain = signed('form-plain');
  return [
    {
      ...one('form-plain', 'An envelope as the reference writes it is accepted.', {}, null),
      documents: [printed(plain)],
    },
    {
      ...one('form-compact', 'White space means nothing.', {}, null),
      documents: [JSON.stringify(signed('form-compact'))],
    },
    {
      ...one('form-reordered', 'The order of members means nothing.', {}, null),
      documents: [JSON.stringify(Object.fromEntries(Object.entries(signed('form-reordered')).reverse()))],
    },
    one('form-expiry-absent', 'An absent expiry means 300 s.', { expires_at: undefined }, null),
    one('form-individual', 'A principal may be a person.', { 'principal.type': 'individual' }, null),
    one('form-no-target', 'A target may be empty.', { 'intent.target': '' }, null),
    one('form-no-parameters', 'Parameters may be empty.', { 'intent.parameters': {} }, null),
    one('form-no-actions', 'No allowed actions means any action.', { 'boundaries.allowed_actions': [] }, null),
    one(
      'form-class-name',
      'Agents of the reference carry class names.',
      { 'agent.id': 'did:web:localhost:agents:TradingAgent' },
      null,
    ),
  ];
}

function versions(): ConformanceCase[] {
  return ['99.0.0', '1.0.1', 'AIP-1', '1.0', ''].map((version, i) =>
    one(
      `version-${i + 1}`,
      `Version ${JSON.stringify(version)} is not spoken here.`,
      { protocol_version: version },
      'AIP-E104',
    ),
  );
}

function members(): ConformanceCase[] {
  const missing = ['agent', 'principal', 'intent', 'boundaries', 'entropy', 'issued_at'];
  const deep = ['agent.id', 'principal.id', 'intent.action'];
  const strangers = [
    'note',
    'agent.role',
    'agent.attestation.level',
    'principal.name',
    'intent.priority',
    'boundaries.monetary_limit.per_week',
  ];
  const unsigned = bent(envelopeParts('schema-no-proof'), {});
  return [
    ...[...missing, ...deep].map((path) =>
      one(`schema-without-${path}`, `An envelope without "${path}" is none.`, { [path]: undefined }, 'AIP-E103'),
    ),
    ...strangers.map((path) =>
      one(
        `schema-stranger-${path}`,
        `The unknown member "${path}" would be read and not signed.`,
        { [path]: 1 },
        'AIP-E103',
      ),
    ),
    {
      ...one('schema-no-proof', 'An envelope without a proof is none.', {}, 'AIP-E103'),
      documents: [text(unsigned)],
    },
    {
      ...one('schema-proof-stranger', 'An unknown member of the proof.', {}, 'AIP-E103'),
      documents: [text(bent(signed('schema-proof-stranger'), { 'proof.nonce': 'x' }))],
    },
    {
      ...one('schema-proof-type', 'A proof of another type.', {}, 'AIP-E103'),
      documents: [text(bent(signed('schema-proof-type'), { 'proof.type': 'RsaSignature2018' }))],
    },
  ];
}

function types(): ConformanceCase[] {
  const wrong: [string, Value][] = [
    ['@context', 'https://example.com/v1'],
    ['@type', 'Mandate'],
    ['agent', 'did:web:acme.com:agents:procurement-bot'],
    ['agent.id', 5],
    ['agent.id', ''],
    ['agent.id', 'did:web:acme.com:agents:procurement-bot '],
    ['agent.id', 'did:web:acme.com:agents:procurement-b\u043et'],
    ['agent.attestation.method', 'trust_me'],
    ['agent.attestation.intent_classifier.confidence_threshold', 1.5],
    ['principal.type', 'robot'],
    ['principal.delegation_chain', {}],
    ['intent.action', ''],
    ['intent.action', null],
    ['intent.action', ['transfer_funds']],
    ['intent.action', 'x'.repeat(129)],
    ['intent.parameters', []],
    ['intent.parameters', null],
    ['boundaries', []],
    ['boundaries.allowed_actions', 'transfer_funds'],
    ['boundaries.allowed_actions', ['transfer_funds', 1]],
    ['boundaries.monetary_limit', 500],
    ['boundaries.monetary_limit.per_transaction', -1],
    ['boundaries.monetary_limit.per_transaction', '500'],
    ['boundaries.monetary_limit.per_day', null],
    ['boundaries.time_window', { start: '2026-01-01T00:00:00Z' }],
    ['boundaries.geo_restriction', ['US']],
    ['verification_tier', 'tier_3'],
    ['verification_tier', 1],
    ['entropy', 5],
    ['ttl', 0],
    ['ttl', 86401],
    ['ttl', 1.5],
    ['ttl', '300'],
    ['issued_at', 1771070400],
    ['issued_at', '2026-02-14T12:00:00+00:00'],
    ['issued_at', '2026-02-30T12:00:00Z'],
    ['expires_at', 'tomorrow'],
  ];
  return wrong.map(([path, value], i) =>
    one(
      `type-${i + 1}-${path}`,
      `"${path}" may not be ${JSON.stringify(value)?.slice(0, 40)}.`,
      { [path]: value },
      'AIP-E103',
    ),
  );
}

function numbers(): ConformanceCase[] {
  const swap = (name: string, number: string) => text(signed(name)).replace('"amount":200', `"amount":${number}`);
  const absurd: [string, string][] = [
    ['infinite', '1e999'],
    ['not-a-number', 'NaN'],
    ['leading-zero', '0200'],
    ['plus', '+200'],
    ['hexadecimal', '0x10'],
  ];
  return absurd.map(([what, number]) => ({
    name: `number-${what}`,
    shows: `${number} is no JSON number of finite size.`,
    documents: [swap(`number-${what}`, number)],
    given,
    expect: { code: 'AIP-E103' },
  }));
}

function texts(): ConformanceCase[] {
  const whole = text(signed('text'));
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const at = (name: string, shows: string, document: string): ConformanceCase => ({
    name: `text-${name}`,
    shows,
    documents: [document],
    given,
    expect: { code: 'AIP-E103' },
  });
  return [
    at('duplicate', 'A member given twice has two meanings.', whole.replace('"ttl":300', '"ttl":300, "ttl":300')),
    at(
      'duplicate-escaped',
      'Also when it is spelled in two ways.',
      whole.replace('"ttl":300', '"ttl":300, "tt\\u006c": 300'),
    ),
    at(
      'duplicate-parameter',
      'Also inside the parameters.',
      whole.replace('"amount":200', '"amount": 1, "amount":200'),
    ),
    at('deep', 'Deeper nesting than 32 is refused.', whole.replace('"amount":200', `"amount":${nested(40)}`)),
    at('deepest', 'However deep.', `${nested(2000)}`.replace('[', '{"@type":').replace(/\]$/, '}')),
    at('lone-surrogate', 'Half a character is none.', whole.replace('billing', '\\ud83d')),
    at('cut', 'A document that ends early.', whole.slice(0, -10)),
    at('trailing', 'Text after the document.', `${whole}{}`),
    at('comment', 'JSON has no comments.', whole.replace('{', '{ // hello\n')),
    at('byte-order-mark', 'A byte order mark is not white space.', `\ufeff${whole}`),
    at('too-large', 'More than 64 KiB.', whole.replace('"amount":200', `"amount":200, "pad": "${'x'.repeat(65_536)}"`)),
    {
      name: 'text-not-utf-8',
      shows: 'Bytes that are not UTF-8.',
      bytes: Buffer.from(whole.replace('billing', 'b\u00ff'), 'latin1').toString('base64'),
      given,
      expect: { code: 'AIP-E103' },
    },
  ];
}

function times(): ConformanceCase[] {
  const issued = '2026-02-14T11:50:00Z';
  return [
    one(
      'expiry-last-instant',
      'The instant of expiry still counts.',
      { issued_at: issued, expires_at: '2026-02-14T12:00:00Z', ttl: 600 },
      null,
    ),
    one(
      'expiry-by-ttl',
      'The ttl binds where the expiry is later.',
      { issued_at: issued, expires_at: '2026-02-14T13:00:00Z', ttl: 599 },
      'AIP-E101',
    ),
    one(
      'expiry-just-over',
      'One millisecond later is too late.',
      { issued_at: issued, expires_at: '2026-02-14T12:00:00Z', ttl: 600 },
      'AIP-E101',
      {
        at: '2026-02-14T12:00:00.001Z',
      },
    ),
    one('expiry-past', 'An expiry in the past.', { expires_at: '2024-01-01T00:00:00Z' }, 'AIP-E101'),
    one(
      'expiry-default-inside',
      'Without an expiry, 60 s after issue is in time.',
      { issued_at: '2026-02-14T11:59:00Z' },
      null,
    ),
    one(
      'expiry-default-outside',
      'Without an expiry, 600 s after issue is too late.',
      { issued_at: issued },
      'AIP-E101',
    ),
    one(
      'expiry-default-absent',
      'Also when the member is absent.',
      { issued_at: issued, expires_at: undefined },
      'AIP-E101',
    ),
    one(
      'expiry-ten-years',
      'No envelope lives longer than a day.',
      { issued_at: '2026-02-12T12:00:00Z', expires_at: '2036-01-01T00:00:00Z' },
      'AIP-E101',
    ),
    one(
      'expiry-future',
      'An envelope dated ahead is not in force yet.',
      { issued_at: '2026-02-14T12:01:00Z' },
      'AIP-E101',
    ),
    one('expiry-skew', 'Clocks may differ by 30 s.', { issued_at: '2026-02-14T12:00:30Z' }, null),
    one(
      'expiry-before-signature',
      'Expiry is reported before a signature that does not hold.',
      { expires_at: '2024-01-01T00:00:00Z' },
      'AIP-E101',
      {
        given: { public_key: KEYS.stranger },
      },
    ),
  ];
}

function nonces(): ConformanceCase[] {
  const bad = [
    'nonce:abc',
    'nonce:',
    '',
    `nonce:${'g'.repeat(32)}`,
    'a'.repeat(38),
    `NONCE:${'a'.repeat(32)}`,
    `nonce:${'a'.repeat(31)}`,
    `nonce:${'a'.repeat(32)}\n`,
  ];
  return [
    one('nonce-shortest', '32 hex digits are enough.', { entropy: `nonce:${'0123456789abcdef'.repeat(2)}` }, null),
    one('nonce-long', 'More are allowed.', { entropy: `nonce:${'0123456789abcdef'.repeat(8)}` }, null),
    ...bad.map((entropy, i) =>
      one(`nonce-${i + 1}`, `${JSON.stringify(entropy)} is no nonce.`, { entropy }, 'AIP-E105'),
    ),
  ];
}
