import { describe, expect, test } from 'vitest';
import { readMandate, unsignedMandate } from '../../../src/protocol/aip1/mandate.js';
import { parseExact, type ValueObject } from '../../../src/protocol/aip1/encoding/numbers.js';
import { readReferencePassport, referencePassportFiles } from '../../../src/protocol/aip1/passport-folder.js';
import { publicKeyOfPem, publicKeyPem } from '../../../src/protocol/aip1/public-pem.js';
import { documentText, referenceTime } from '../../../src/protocol/aip1/sign.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { nativeTermsOf, speakerOf, unspokenConstraints } from '../../../src/protocol/aip1/speaker.js';
import { verifyKeyOf, verifySignature } from '../../../src/protocol/ed25519/verify.js';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import { passportOf } from '../../../src/protocol/passport.js';
import { ShapeError } from '../../../src/protocol/json/shape.js';
import {
  AGENT,
  bent,
  envelopeParts,
  KEYS,
  link,
  mandate,
  NOW,
  passport,
  PRINCIPAL,
} from '../../kit/conformance/parts.js';

const bytes = (value: ValueObject) => Buffer.from(documentText(value), 'utf8');

describe('a mandate', () => {
  const read = (document: ValueObject) => readMandate(parseExact(bytes(document)));

  test('says who may do what until when, and its first spelling is what was signed', () => {
    const given = read(mandate());
    expect(given).toMatchObject({ issuer: PRINCIPAL, subject: AGENT, issuedAt: NOW - 3_600_000 });
    const [first] = given.spellings();
    expect(verifySignature(verifyKeyOf(fromHex(KEYS.issuer)!)!, first!, given.signature!)).toBe(true);
  });

  test('may have no end', () => {
    expect(read(mandate({ lifetimeMs: null })).expiresAt).toBeNull();
  });

  test('boundaries are completed before they are signed', () => {
    const request = {
      issuer: PRINCIPAL,
      subject: AGENT,
      boundaries: {},
      now: NOW,
      lifetimeMs: null,
      id: new Uint8Array(16),
    };
    expect(Object.keys(unsignedMandate(request).boundaries as object)).toContain('monetary_limit');
  });

  test.each([
    ['no id', { mandate_id: undefined }],
    ['an id of another form', { mandate_id: 'mandate:XYZ' }],
    ['no issuer', { issuer: undefined }],
    ['an empty subject', { subject: '' }],
    ['a subject with a space', { subject: `${AGENT} ` }],
    ['no boundaries', { boundaries: undefined }],
    ['an unknown boundary', { 'boundaries.may_do_anything': true }],
    ['a negative cap', { 'boundaries.monetary_limit.per_day': -1 }],
    ['an unknown member', { scope: 'all' }],
    ['another type', { '@type': 'IntentEnvelope' }],
    ['a time without zone', { issued_at: '2026-02-14T12:00:00' }],
    ['no proof', { proof: undefined }],
  ])('%s is refused', (_, bends) => {
    expect(() => read(bent(mandate(), bends))).toThrow(ShapeError);
  });
});

describe('a passport folder of the reference', () => {
  const publicKey = fromHex(KEYS.agent)!;
  const { agent, principal, boundaries } = envelopeParts('folder') as Record<string, ValueObject>;
  const files = referencePassportFiles({ identity: agent!, principal: principal!, boundaries: boundaries! }, publicKey);
  const json = JSON.parse(files['passport.json']) as ValueObject;

  test('what is written can be read', () => {
    const read = readReferencePassport(Buffer.from(files['passport.json']), files['public.pem']);
    expect(read.identity.id).toBe(AGENT);
    expect(toHex(read.publicKey)).toBe(KEYS.agent);
    expect(read.boundaries.allowed).toEqual(['transfer_funds', 'read_invoice']);
  });

  test('either file may be the one that names the key', () => {
    expect(toHex(readReferencePassport(Buffer.from(files['passport.json']), null).publicKey)).toBe(KEYS.agent);
    expect(toHex(readReferencePassport(bytes(bent(json, { public_key: null })), files['public.pem']).publicKey)).toBe(
      KEYS.agent,
    );
  });

  test.each([
    ['no key anywhere', { public_key: null }, null],
    ['two different keys', {}, publicKeyPem(fromHex(KEYS.stranger)!)],
    ['a key of another length', { public_key: 'AAAA' }, null],
    ['a public.pem that is none', {}, '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
    ['a private key in passport.json', { private_key: 'x' }, null],
    ['no identity', { identity: undefined }, null],
    ['no principal', { principal: undefined }, null],
    ['boundaries of another form', { boundaries: [] }, null],
  ])('%s is refused', (_, bends, pem) => {
    expect(() => readReferencePassport(bytes(bent(json, bends)), pem)).toThrow(ShapeError);
  });

  test('a public key comes back from its PEM, and nothing else does', () => {
    const pem = publicKeyPem(publicKey);
    expect(publicKeyOfPem(pem)).toEqual(publicKey);
    expect(publicKeyOfPem(pem.replaceAll('\n', '\r\n'))).toEqual(publicKey);
    expect(publicKeyOfPem(pem.replaceAll('PUBLIC', 'PRIVATE'))).toBeNull();
    expect(publicKeyOfPem(pem + pem)).toBeNull();
    expect(publicKeyOfPem(pem.replace('MCow', 'MCox'))).toBeNull();
    expect(() => publicKeyPem(new Uint8Array(31))).toThrow(RangeError);
  });
});

test('a document is written as JSON with two blanks a step, and whole numbers of any size as they are', () => {
  const plain = { empty: [], none: {}, list: [1, 'x', null, [true, {}]], nested: { a: { b: [] } } };
  expect(documentText(plain)).toBe(JSON.stringify(plain, null, 2));
  expect(documentText({ n: 2n ** 64n })).toBe('{\n  "n": 18446744073709551616\n}');
});

describe('between the dialects', () => {
  const native = (constraints: Record<string, unknown>) =>
    speakerOf(passportOf(passport({ constraints: constraints as never }))).boundaries;

  test('a native passport says what it can in AIP-1', () => {
    const constraints = {
      monetary_limit: '99.95',
      daily_limit: 1000,
      currency: 'EUR',
      geo_restriction: ['DE', 'FR'],
      time_window: { start: '2026-01-01T00:00:00Z', end: '2027-01-01T00:00:00Z' },
    };
    expect(native(constraints)).toEqual({
      allowed_actions: ['transfer_funds', 'read_invoice'],
      denied_actions: [],
      monetary_limit: { per_transaction: 99.95, per_day: 1000, currency: 'EUR' },
      data_access: [],
      geo_restriction: 'DE,FR',
      time_window: { start: '2026-01-01T00:00:00Z', end: '2026-12-31T23:59:59.999000Z' },
    });
  });

  test('its principal gives the agent no more than itself has, for as long as the passport lasts', () => {
    const { issuedAt, expiresAt, document } = passportOf(passport());
    const [granted, ends] = [issuedAt, expiresAt].map((ms) => (ms === null ? null : referenceTime(ms)));
    expect(speakerOf(passportOf(passport())).principal).toEqual({
      type: 'organization',
      id: document.principal,
      delegation_chain: [link(PRINCIPAL, AGENT, { granted_at: granted!, expires_at: ends! })],
    });
  });

  test('a limit of nothing does not become no limit', () => {
    expect(native({ monetary_limit: 0, currency: 'USD' }).monetary_limit).toMatchObject({ per_transaction: 0.01 });
    expect(native({ daily_limit: 0, currency: 'JPY' }).monetary_limit).toMatchObject({ per_day: 1 });
  });

  test('a limit on another param than the amount is not turned into one on the amount', () => {
    const limits = { monetary_limit: { limit: 5, param: 'price' }, daily_limit: { limit: 50, param: 'price' } };
    expect(native(limits).monetary_limit).toEqual({ per_transaction: 0, per_day: 0, currency: 'USD' });
    expect(unspokenConstraints(passportOf(passport({ constraints: limits })))).toEqual([
      'monetary_limit',
      'daily_limit',
    ]);
  });

  test('what no envelope can carry is named', () => {
    const unspoken = (constraints: JsonObject) => unspokenConstraints(passportOf(passport({ constraints })));
    expect(unspoken({ monetary_limit: 1, currency: 'USD', 'x-note': 'a', geo_restriction: ['DE'] })).toEqual([]);
    expect(unspoken({ rate_limit: '10/hour', allowed_domains: ['acme.com'] })).toEqual([
      'rate_limit',
      'allowed_domains',
    ]);
    expect(unspoken({ time_window: { days: ['mon'], from: '09:00', to: '17:00', tz: 'UTC' } })).toEqual([
      'time_window',
    ]);
  });

  test('written and read back, it holds the same agent, actions and constraints', () => {
    const speaker = speakerOf(passportOf(passport({ constraints: { monetary_limit: 100, currency: 'USD' } })));
    const files = referencePassportFiles(speaker, fromHex(KEYS.agent)!);
    const terms = nativeTermsOf(readReferencePassport(Buffer.from(files['passport.json']), files['public.pem']));
    expect(terms).toEqual({
      agentId: AGENT,
      principal: PRINCIPAL,
      actions: ['transfer_funds', 'read_invoice'],
      deniedActions: [],
      constraints: { monetary_limit: 100, currency: 'USD' },
    });
  });

  test('a reference passport that allows anything is not taken over', () => {
    const { agent, principal, boundaries } = envelopeParts('anything') as Record<string, ValueObject>;
    const open = { identity: agent!, principal: principal!, boundaries: bent(boundaries!, { allowed_actions: [] }) };
    const files = referencePassportFiles(open, fromHex(KEYS.agent)!);
    const read = readReferencePassport(Buffer.from(files['passport.json']), null);
    expect(() => nativeTermsOf(read)).toThrow(ShapeError);
    expect(nativeTermsOf(read, ['read_invoice']).actions).toEqual(['read_invoice']);
  });
});
