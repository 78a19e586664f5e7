import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSecretName, MASK, maskDetails, maskParams } from '../../../src/protocol/log/secrets.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { wordsOf } from '../../../src/protocol/naming/name-words.js';

describe('names that look secret', () => {
  test.each(
    (
      'password PASSWORD Password passwd db_password dbPassword DB-PASSWORD user.password password2 newPasswords pwd secret ' +
      'client_secret clientSecret clientsecret token access_token accessToken accesstoken refresh-token api_key apiKey APIKey ' +
      'APIKEY apikey x-api-key authorization Authorization proxy_authorization auth auth_header cookie Set-Cookie cookies ' +
      'private_key privateKey PRIVATE_KEY credential credentials aws_credentials pin pin_code card_pin cvv CVV2 cvc card_number ' +
      'cardNumber card.number creditCard iban IBAN ssn session session_id sessionId bearer bearerToken passphrase jwt otp ' +
      'otp_code mnemonic seed_phrase signing_key encryptionKey aws_secret_access_key connection_string passwordHash smtp_pass'
    ).split(' '),
  )('%s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  test.each(
    (
      'author authored authority_name pinned pinning spinner opinion shipping_address keyboard monkey key keys order_id amount ' +
      'secretary tokenize passenger passport_country compass bypass_cache card card_type greeting_card cookiecutter discount ' +
      'assessment obsession description span panel company japan code zip_code promo_code ' +
      'string to email subject body private number public_name signature nonce timestamp'
    ).split(' '),
  )('%s is not one', (name) => {
    expect(isSecretName(name)).toBe(false);
  });

  test('words end at case changes, digits and punctuation', () => {
    expect(wordsOf('userAPIKey2-old.x_Y')).toEqual(['user', 'api', 'key', '2', 'old', 'x', 'y']);
    expect(wordsOf('')).toEqual([]);
    expect(wordsOf('___')).toEqual([]);
  });
});

describe('maskParams', () => {
  test('gives back the same object when nothing is secret', () => {
    const params: JsonObject = {
      order_id: '8472',
      amount: 50,
      lines: [{ sku: 'a' }, ['b']],
      author: 'Ann',
      note: null,
    };
    expect(maskParams(params)).toBe(params);
  });

  test('masks at any depth, in arrays too, and leaves its argument alone', () => {
    const params: JsonObject = {
      user: { name: 'ann', password: 'hunter2' },
      headers: [{ Authorization: 'Bearer abc' }, { accept: '*/*' }],
      nested: [[{ deep: { api_key: 'k' } }]],
      kept: { same: true },
    };
    const before = structuredClone(params);
    const masked = maskParams(params);
    expect(masked).toEqual({
      user: { name: 'ann', password: MASK },
      headers: [{ Authorization: MASK }, { accept: '*/*' }],
      nested: [[{ deep: { api_key: MASK } }]],
      kept: { same: true },
    });
    expect(params).toEqual(before);
    expect(masked.kept).toBe(params.kept);
  });

  test.each<[string, Json]>([
    ['a number', 1234],
    ['a string', 's3cret'],
    ['an empty string', ''],
    ['an object', { value: 's3cret' }],
    ['an array', ['s3cret', 'other']],
  ])('hides %s whole', (_, value) => {
    expect(maskParams({ pin: value })).toEqual({ pin: MASK });
  });

  test.each<[string, Json]>([
    ['require_password', true],
    ['token', null],
    ['max_tokens', 4096],
    ['auth', false],
  ])('%s: %s tells nothing and stays', (name, value) => {
    const params = { [name]: value };
    expect(maskParams(params)).toBe(params);
  });

  test('a list of tokens is masked although a number of them is not', () => {
    expect(maskParams({ tokens: ['abc'] })).toEqual({ tokens: MASK });
  });

  test('a param named __proto__ stays a param', () => {
    const params = JSON.parse('{"__proto__": {"password": "p"}, "token": "t"}') as JsonObject;
    const masked = maskParams(params);
    expect(Object.keys(masked).sort()).toEqual(['__proto__', 'token']);
    expect(JSON.stringify(masked)).toBe('{"__proto__":{"password":"[masked]"},"token":"[masked]"}');
    expect('toString' in masked).toBe(false);
  });

  test('a secret string survives under no secret name, wherever it stands', () => {
    const secret = 'S3CRET-VALUE';
    const tree = fc.letrec<{ node: Json }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.constant<Json>('plain'),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'user', 'lines'), tie('node'), { maxKeys: 3 }),
        fc.record({ password: fc.constant(secret), other: tie('node') }),
        fc.record({ api_key: fc.array(fc.constant(secret), { maxLength: 2 }) }),
      ) as fc.Arbitrary<Json>,
    })).node;
    fc.assert(
      fc.property(tree, (node) => {
        const masked = JSON.stringify(maskParams({ root: node }));
        return !masked.includes(secret);
      }),
    );
  });
});

describe('maskDetails', () => {
  test('masks what was requested under a secret param, and keeps the rest', () => {
    const details = { requested: 'hunter2', allowed: ['x'], param: 'api_token', agent_id: 'did:web:acme.com:agents:a' };
    expect(maskDetails(details)).toEqual({ ...details, requested: '[masked]' });
    expect(maskDetails({ ...details, param: 'payment.card_number' })?.requested).toBe('[masked]');
  });

  test('leaves alone what tells nothing secret', () => {
    const amount = { requested: 10000, limit: 100, param: 'amount' };
    expect(maskDetails(amount)).toBe(amount);
    const missing = { param: 'token', agent_id: 'did:web:acme.com:agents:a' };
    expect(maskDetails(missing)).toBe(missing);
    expect(maskDetails(null)).toBeNull();
  });
});
