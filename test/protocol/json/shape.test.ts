import { expect, test } from 'vitest';
import { objectOf } from '../../../src/protocol/json/shape.js';

const PASSPORT = { version: 1, agent_name: 'bot', actions: [], constraints: {} };
const INTENT = { agent_id: 'x', action: 'x', params: {}, nonce: 'x', signature: 'x' };

test.each([
  ['the intent', 'action', PASSPORT, 'the intent lacks "action"; it looks like a passport'],
  ['the mandate', 'boundaries', INTENT, 'the mandate lacks "boundaries"; it looks like an intent'],
  ['the passport', 'principal', PASSPORT, 'the passport lacks "principal"'],
  ['the bundle', 'type', {}, 'the bundle lacks "type"'],
])('%s without "%s" is told from a document of another kind', (what, member, value, reason) => {
  expect(() => objectOf(value, what, [member])).toThrow(reason);
  if (!reason.includes(';')) expect(() => objectOf(value, what, [member])).not.toThrow('looks like');
});
