/** Step 5 beside a schema: what the agent is held to, and what not. */
import { expect, test } from 'vitest';
import { schemaProblems } from '../../../src/adapters/json-schema.js';
import { isAttributable } from '../../../src/protocol/log/attribution.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Passport } from '../../../src/protocol/passport.js';
import { action } from '../../../src/verify/checks/action.js';
import type { Held, SchemaCheck } from '../../../src/verify/context.js';

/** The refusal of a note under this schema, and whether the agent is held to it. */
function refused(schema: JsonObject, check: SchemaCheck) {
  const document = { agent_id: 'did:web:acme.com:agents:bot', action: 'note', params: { text: 'x' } };
  const passport = { actions: new Map([['note', schema]]), deniedActions: new Set() } as unknown as Passport;
  const verdict = action({ intent: { document }, facts: { schemaProblems: check } } as unknown as Held, passport);
  if (verdict.status !== 'failed') return expect.unreachable();
  const [{ entry, details, message }] = verdict.violations;
  return { code: entry.code, message, held: isAttributable({ dialect: 'native', error_code: entry.code, details }) };
}

test('an agent is held to params that do not fit the schema of its passport', () => {
  expect(refused({ type: 'object', required: ['to'] }, schemaProblems)).toMatchObject({ code: 'AIP-E211', held: true });
});

test.each([
  ['a schema that cannot be used', { properties: { text: { format: 'email' } } }, schemaProblems],
  ['one that this machine took too long for', {}, slow],
])('it is not held to %s: nothing was found against it', (_, schema, check) => {
  const { code, held, message } = refused(schema, check);
  expect([code, held]).toEqual(['AIP-E211', false]);
  expect(message).toMatch(/^The params of "note" cannot be judged: .+[^.]\.$/);
});

function slow(): ReturnType<SchemaCheck> {
  return [{ path: '', reason: 'cannot be judged: it takes too long' }];
}
