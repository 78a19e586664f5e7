import { describe, expect, test } from 'vitest';
import { canonicalizeWithout } from '../../src/protocol/json/canonical.js';
import { parseJson, parseJsonText } from '../../src/protocol/json/parse.js';
import { isActionName, passportBytes, passportOf, readPassport } from '../../src/protocol/passport.js';
import { ShapeError } from '../../src/protocol/json/shape.js';
import type { JsonObject } from '../../src/protocol/json/values.js';
import { issuerProblem } from '../../src/verify/checks/issuer.js';
import { passport } from '../kit/native/passport-cases.js';
import { agent, publicKeyText, seedOf } from '../kit/native/parts.js';
import { fixtureBytes, PASSPORTS, pinsOf } from '../kit/native/vectors.js';

const read = (changes: object) => passportOf(parseJsonText(JSON.stringify(passport('shape', changes as never))));
const secret = Buffer.from(seedOf('agent')).toString('hex');

describe('readPassport', () => {
  test.each(PASSPORTS.vectors)('$name', ({ passport: file, at = PASSPORTS.at, expect: { exit, code, says } }) => {
    const bytes = fixtureBytes(file);
    let problem: string | null;
    try {
      const found = readPassport(bytes);
      problem = issuerProblem(found, pinsOf(found.document.principal));
      if (problem === null && found.expiresAt !== null && Date.parse(at) >= found.expiresAt) problem = 'it expired';
      expect(Buffer.from(found.signedBytes).toString()).toBe(
        canonicalizeWithout(parseJson(bytes) as JsonObject, 'issuer_signature'),
      );
    } catch (error) {
      expect(error).toBeInstanceOf(ShapeError);
      problem = (error as ShapeError).reason;
    }
    expect(problem === null).toBe(exit === 0 && code === null);
    if (problem !== null)
      expect(problem).toContain(exit === 3 ? says!.replace('not strict JSON', 'strict JSON') : says!);
  });

  test('fills in what may be left out, and signs only what is there', () => {
    const found = readPassport(fixtureBytes('passport-without-optional-members.json'));
    expect(found.document).toMatchObject({ denied_actions: [], metadata: {}, expires_at: null, previous_keys: [] });
    const signed = Buffer.from(found.signedBytes).toString();
    for (const member of ['denied_actions', 'metadata', 'expires_at', 'previous_keys', 'issuer_signature'])
      expect(signed).not.toContain(member);
  });

  test('keeps a schema by its action, and null where there is none', () => {
    const { actions } = readPassport(fixtureBytes('passport-operator.json'));
    expect(actions.get('ship')).toMatchObject({ required: ['order_id', 'boxes'] });
    expect(actions.get('publish')).toBeNull();
    expect(actions.get('toString')).toBeUndefined();
  });

  test.each([
    ['an action of 128 letters', { actions: ['a'.repeat(128)] }],
    ['256 actions', { actions: Array.from({ length: 256 }, (_, i) => `a${i}`) }],
    ['no actions at all', { actions: [] }],
    ['a denial of what is not declared', { denied_actions: ['wire'] }],
    ['a key in base64url', { public_key: Buffer.from(publicKeyText('agent').slice(8), 'hex').toString('base64url') }],
    ['key number zero', { key_id: `${agent('shape')}#key-0` }],
    ['fractions of a second', { issued_at: '2026-02-01T00:00:00.123456789Z' }],
    ['annotations', { constraints: { 'x-note': { any: ['thing'] } } }],
  ])('takes %s', (_, changes) => {
    expect(read(changes).agent.id).toBe(agent('shape'));
  });

  test.each([
    ['an action of 129 letters', { actions: ['a'.repeat(129)] }],
    ['257 actions', { actions: Array.from({ length: 257 }, (_, i) => `a${i}`) }],
    ['an empty action', { actions: [''] }],
    ['an action with a blank', { actions: ['send email'] }],
    ['an action that is null', { actions: [null] }],
    ['an action with an unknown member', { actions: [{ name: 'x', limit: 5 }] }],
    ['an action without a name', { actions: [{ params: {} }] }],
    ['a schema that is a list', { actions: [{ name: 'x', params: [] }] }],
    ['a schema that is true', { actions: [{ name: 'x', params: true }] }],
    ['a denial that is a wildcard', { denied_actions: ['*'] }],
    ['denials that are null', { denied_actions: null }],
    ['metadata that is null', { metadata: null }],
    ['constraints that are null', { constraints: null }],
    ['a key number with a zero before it', { key_id: `${agent('shape')}#key-01` }],
    ['a key without its number', { key_id: agent('shape') }],
    ['an issuer key of the agent', { issuer_key_id: `${agent('shape')}#key-1` }],
    ['a leap second', { issued_at: '2026-06-30T23:59:60Z' }],
    ['a time without its zone', { issued_at: '2026-02-01T00:00:00' }],
    ['an expiry that is a number', { expires_at: 1771424625 }],
    [
      'a former key without an end',
      { previous_keys: [{ key_id: `${agent('shape')}#key-0`, public_key: publicKeyText('agent') }] },
    ],
    ['former keys that are an object', { previous_keys: {} }],
    ['a version 1.5', { version: 1.5 }],
  ])('refuses %s', (_, changes) => {
    expect(() => read(changes)).toThrow(ShapeError);
  });

  test.each(['public_key', 'key_id', 'agent_id', 'issuer_signature', 'version', 'expires_at', 'principal'])(
    'quotes nothing of what stands in %s: it may be a private key',
    (member) => {
      for (const value of [secret, `ed25519:${secret}0`, { seed: secret }]) {
        const document = { ...passport('shape'), [member]: value };
        try {
          passportOf(parseJsonText(JSON.stringify(document)));
          expect.unreachable();
        } catch (error) {
          expect(error).toBeInstanceOf(ShapeError);
          expect((error as Error).message).not.toContain(secret.slice(0, 16));
        }
      }
    },
  );
});

test('the bytes to sign are the document without its signature', () => {
  const { issuer_signature: _, ...unsigned } = passport('shape');
  expect(Buffer.from(passportBytes(unsigned as never)).toString()).toBe(
    canonicalizeWithout(unsigned, 'issuer_signature'),
  );
});

test('the name of an action is made of letters, digits and a few marks', () => {
  for (const name of ['send_email', 'db.users:read', 'v1/refunds', 'A-1']) expect(isActionName(name)).toBe(true);
  for (const name of [
    '',
    '_x',
    '-x',
    'a b',
    'a\n',
    'ä',
    'a*',
    "a'",
    'a;b',
    '../x',
    'a\u0000',
    'a\u202eb',
    'x'.repeat(129),
  ])
    expect(isActionName(name)).toBe(false);
});
