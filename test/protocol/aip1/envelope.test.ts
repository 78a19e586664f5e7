import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64url, toBase64url } from '../../../src/protocol/aip1/encoding/base64.js';
import { isAip1, readEnvelope, VersionError } from '../../../src/protocol/aip1/envelope.js';
import { hmacHolds, hmacOf } from '../../../src/protocol/aip1/hmac.js';
import { parseExact, type ValueObject } from '../../../src/protocol/aip1/encoding/numbers.js';
import { documentText, envelopeOf, referenceTime, signDocument } from '../../../src/protocol/aip1/sign.js';
import { verifyKeyOf, verifySignature } from '../../../src/protocol/ed25519/verify.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import { ShapeError } from '../../../src/protocol/json/shape.js';
import {
  AGENT,
  bent,
  envelopeParts,
  KEYS,
  NOW,
  PRINCIPAL,
  printed,
  SEEDS,
  signed,
} from '../../kit/conformance/parts.js';

const read = (text: string) => readEnvelope(parseExact(Buffer.from(text, 'utf8')));
const key = verifyKeyOf(fromHex(KEYS.agent)!)!;

/**
 * Published conformance vector A01 of the reference (seed `aa` x 32, nonce 1): its proof value and the text that it is over.
 * Facts of the public suite; the envelope itself is the one that every case here is bent from.
 */
const A01 = {
  entropy: 'nonce:00000000000000000000000000000001',
  proof: 'Ly_nAMGaEhynisDwAHvddWeTbKS3dmjPmhuJc-LNoF9SzRhg4y7k5NHQ6bu6pwuMbEdK1NSfCAQK47qMYbmfBA==',
};

describe('the published vector', () => {
  const document = bent(envelopeParts('A01'), { entropy: A01.entropy });

  test('the seed gives the published key', () => {
    expect(toHex(publicKeyOf(SEEDS.agent))).toBe('e734ea6c2b6257de72355e472aa05a4c487e6b463c029ed306df2f01b5636b58');
  });

  test('signing gives the published proof value', () => {
    const proof = signDocument(document, SEEDS.agent, PRINCIPAL, NOW).proof as { proof_value: string };
    expect(proof.proof_value).toBe(A01.proof);
  });

  test('the published envelope is read, and its first spelling is what was signed', () => {
    const envelope = read(printed(signDocument(document, SEEDS.agent, PRINCIPAL, NOW)));
    const [first] = envelope.spellings();
    expect(verifySignature(key, first!, envelope.proof!)).toBe(true);
  });
});

describe('reading an envelope', () => {
  test('gives what it says, and says when it ends', () => {
    const envelope = read(printed(signed('read')));
    expect(envelope).toMatchObject({ agentId: AGENT, principal: PRINCIPAL, action: 'transfer_funds', tier: 1 });
    expect(envelope.parameters).toEqual({ amount: 200, currency: 'USD' });
    expect(envelope.expiresAt - envelope.issuedAt).toBe(300_000);
  });

  test('large integers reach other readers as digits', () => {
    const envelope = read(printed(signed('digits', { 'intent.parameters.order': 12345678901234567890n })));
    expect(envelope.parameters.order).toBe('12345678901234567890');
  });

  test('an absent member is signed as its default, or as it is', () => {
    const texts = [...read(printed(signed('absent', { expires_at: undefined }))).spellings()].map(String);
    expect(texts[0]).toContain('"expires_at":null,"intent"');
    expect(texts.some((text) => !text.includes('"expires_at":null,"intent"'))).toBe(true);
  });

  test('a plain ASCII envelope has one spelling', () => {
    expect([...read(printed(signed('ascii'))).spellings()]).toHaveLength(1);
  });

  test('there are never more than six', () => {
    const bends = { expires_at: undefined, 'intent.parameters': { a: 1e-7, é: 1, '\ue000': 1, '😀': 2 } };
    expect([...read(printed(signed('all', bends))).spellings()].length).toBeLessThanOrEqual(6);
  });

  test('the version is judged before anything else', () => {
    expect(() => read('{"protocol_version":"2.0.0"}')).toThrow(VersionError);
    expect(() => read('{"protocol_version":2}')).toThrow(ShapeError);
  });

  test('whatever the JSON, it is an envelope or refused', () => {
    const odd = fc.dictionary(
      fc.constantFrom('@type', 'protocol_version', 'agent', 'intent', 'proof', 'x'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(odd, (value) => {
        expect(() => read(JSON.stringify(value))).toThrow(/./);
      }),
    );
  });

  test('any one member of another type is refused or not read', () => {
    const whole = signed('fuzz');
    const paths = [
      '@context', '@type', 'protocol_version', 'agent', 'agent.id', 'agent.attestation', 'agent.attestation.method', 'principal',
      'principal.type', 'principal.id', 'principal.delegation_chain', 'intent', 'intent.action', 'intent.target', 'intent.parameters',
      'boundaries', 'boundaries.allowed_actions', 'boundaries.monetary_limit', 'boundaries.time_window', 'verification_tier', 'entropy',
      'ttl', 'issued_at', 'proof', 'proof.type', 'proof.created', 'proof.proof_value',
    ]; // prettier-ignore
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.oneof(fc.boolean(), fc.integer(), fc.constant([1])), (path, value) => {
        const text = JSON.stringify(bent(whole, { [path]: value }));
        const harmless = path === 'ttl' && typeof value === 'number' && value > 0 && value <= 86_400;
        if (harmless) expect(read(text).agentId).toBe(AGENT);
        else expect(() => read(text)).toThrow(ShapeError);
      }),
    );
  });
});

describe('the dialect', () => {
  test.each(['{"@type":"x"}', '{"@context":1}', '{"protocol_version":"1.0.0"}', '{"intent":{}}', '{"proof":null}'])(
    '%s means to be AIP-1',
    (text) => expect(isAip1(parseExact(Buffer.from(text)))).toBe(true),
  );

  test.each(['{"agent_id":"x","action":"y","params":{},"nonce":"z"}', '{}', '[]', 'null', '"@type"', '["@type"]', '1'])(
    '%s does not',
    (text) => expect(isAip1(parseExact(Buffer.from(text)))).toBe(false),
  );
});

describe('base64url', () => {
  test('every number of bytes comes back, with padding and without', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = toBase64url(bytes);
        expect(text.length % 4).toBe(0);
        expect(fromBase64url(text)).toEqual(bytes);
        expect(fromBase64url(text.replace(/=+$/, ''))).toEqual(bytes);
      }),
    );
  });

  test.each([
    'A',
    'AB',
    'AA=',
    'AA===',
    'A===',
    '=',
    'AA==AA==',
    'A+==',
    'A/==',
    'AA ==',
    'AA==\n',
    'AB==',
    'AAB=',
    'é',
  ])('%j spells nothing', (text) => expect(fromBase64url(text)).toBeNull());
});

describe('HMAC', () => {
  // RFC 4231, test case 2.
  const rfc = { key: Buffer.from('Jefe'), text: Buffer.from('what do ya want for nothing?') };
  const mac = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';

  test('RFC 4231', () => {
    expect(toHex(hmacOf(rfc.key, rfc.text))).toBe(mac);
    expect(hmacHolds(rfc.key, rfc.text, fromHex(mac)!)).toBe(true);
  });

  test.each([mac.slice(2), `${mac}00`, mac.replace('5b', '5c'), ''])('%j does not hold', (hex) => {
    expect(hmacHolds(rfc.key, rfc.text, fromHex(hex)!)).toBe(false);
  });
});

describe('writing an envelope', () => {
  const { agent, principal, boundaries } = envelopeParts('write') as Record<string, ValueObject>;
  const speaker = { identity: agent!, principal: principal!, boundaries: boundaries! };
  const request = {
    action: 'pay',
    target: '',
    parameters: {},
    tier: 1 as const,
    ttl: 300,
    now: NOW,
    nonce: new Uint8Array(16),
  };

  test('what is written can be read, and its proof holds', () => {
    const parameters = { memo: 'Zürich 🎉', rate: 1e-7, order: 12345678901234567890n, none: null, amount: 45.55 };
    const text = documentText(
      signDocument(envelopeOf(speaker, { ...request, parameters }), SEEDS.agent, PRINCIPAL, NOW),
    );
    const envelope = read(text);
    const [first] = [...envelope.spellings()];
    expect(verifySignature(key, first!, envelope.proof!)).toBe(true);
    expect(envelope.parameters.order).toBe('12345678901234567890');
  });

  test('a nonce has 16 bytes at least', () => {
    expect(() => envelopeOf(speaker, { ...request, nonce: new Uint8Array(15) })).toThrow(RangeError);
  });

  test.each([2 ** 53, -(2 ** 60), 1e21])('%d is refused, as its JSON would not be what was signed', (amount) => {
    const document = envelopeOf(speaker, { ...request, parameters: { amount } });
    expect(() => signDocument(document, SEEDS.agent, PRINCIPAL, NOW)).toThrow(RangeError);
  });

  test.each([
    [0, '1970-01-01T00:00:00Z'],
    [NOW + 120, '2026-02-14T12:00:00.120000Z'],
    [NOW + 1, '2026-02-14T12:00:00.001000Z'],
  ])('%d is written %s', (ms, text) => expect(referenceTime(ms)).toBe(text));
});
