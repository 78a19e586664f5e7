import { expect, test } from 'vitest';
import { ShapeError } from '../../src/protocol/json/shape.js';
import type { Json, JsonObject } from '../../src/protocol/json/values.js';
import { readPassportRequest } from '../../src/protocol/passport-request.js';
import { AT, NOW_S, publicKeyText, SUPPORT, withSignature, type Signer } from '../kit/native/parts.js';

const REQUEST = {
  type: 'passport-request',
  version: 1,
  agent_id: SUPPORT,
  key_id: `${SUPPORT}#key-1`,
  public_key: publicKeyText('agent'),
  actions: ['send_email'],
  constraints: { rate_limit: '5/hour' },
  requested_at: AT,
  nonce: '0f'.repeat(16),
};

const read = (document: JsonObject) => readPassportRequest(Buffer.from(JSON.stringify(document)));
const asked = (changes: JsonObject = {}, by: Signer = 'agent') =>
  read(withSignature({ ...REQUEST, ...changes }, 'signature', by));

test('a request that the holder of its key signed is read', () => {
  const { agent, requestedAt, document } = asked();
  expect([agent.name, requestedAt]).toEqual(['support-agent-v1', NOW_S * 1000]);
  expect(document).toMatchObject(REQUEST);
});

test.each<[string, readonly Json[]]>([
  ['type', ['passport', null]],
  ['version', [2, '1']],
  ['agent_id', ['did:web:acme.com', 'acme.com:agents:x', null]],
  ['key_id', ['key-1', SUPPORT, `${SUPPORT}2#key-1`, null]],
  ['actions', [null, {}, Array.from({ length: 257 }, (_, i) => `a${i}`)]],
  ['constraints', [null, []]],
  ['requested_at', [null, NOW_S, '2026-02-18']],
  ['nonce', ['0f'.repeat(15), '0F'.repeat(16), null]],
  ['public_key', [null, 'x', `ed25519:${'0'.repeat(64)}`, `ed25519:01${'0'.repeat(62)}`]],
])('its own signature mends no %s that is not what it has to be', (name, values) => {
  for (const value of values) {
    expect(() => asked({ [name]: value })).toThrow(ShapeError);
    expect(() => asked({ [name]: value })).toThrow(`"${name}"`);
  }
});

test('nobody asks with a key that they do not hold', () => {
  expect(() => asked({}, 'stranger')).toThrow('signature does not hold');
  expect(() => read({ ...asked().document, nonce: '1f'.repeat(16) })).toThrow('signature does not hold');
  expect(() => read({ ...REQUEST, signature: 'x' })).toThrow('signature does not hold');
});
