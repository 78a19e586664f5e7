import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderPassport } from '../../../src/cli/render/passport.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import type { PassportDocument } from '../../../src/protocol/passport.js';
import { AGENT, hostileText, marked, UNSAFE } from './decision-sample.js';

const PASSPORT: PassportDocument = {
  version: 1,
  agent_id: AGENT,
  agent_name: 'support-agent-v1',
  domain: 'acme.com',
  principal: 'did:web:acme.com',
  key_id: `${AGENT}#key-2`,
  public_key: `ed25519:${'ab'.repeat(32)}`,
  actions: [
    'send_email',
    { name: 'issue_refund', params: { type: 'object', required: ['order_id', 'amount'] } },
    { name: 'ping' },
    { name: 'pong', params: {} },
  ],
  denied_actions: ['delete_user'],
  constraints: {
    monetary_limit: 100,
    allowed_domains: ['acme.com', 'a.org'],
    daily_limit: { limit: '500', currency: 'EUR' },
  },
  metadata: { team: 'support' },
  issued_at: '2026-02-18T14:23:45Z',
  expires_at: null,
  previous_keys: [
    { key_id: `${AGENT}#key-1`, public_key: `ed25519:${'cd'.repeat(32)}`, valid_until: '2026-02-19T14:23:45Z' },
  ],
  issuer_key_id: 'did:web:acme.com#key-1',
  issuer_signature: 'ee'.repeat(64),
};

test('shows who, by whom, what, within what and until when', () => {
  expect(
    renderPassport(PASSPORT, plain, { verified: 'signed by did:web:acme.com#key-1, pinned here', width: 100 }).split(
      '\n',
    ),
  ).toEqual([
    'support-agent-v1',
    `  agent       ${AGENT}`,
    '  principal   did:web:acme.com',
    '  signature   ok: signed by did:web:acme.com#key-1, pinned here',
    '  serial      0',
    '  issued      2026-02-18T14:23:45Z',
    '  expires     never',
    `  key         ${AGENT}#key-2`,
    `              ed25519:${'ab'.repeat(32)}`,
    `  old keys    ${AGENT}#key-1 until 2026-02-19T14:23:45Z`,
    '  may         send_email',
    '              issue_refund (params by schema, needs order_id, amount)',
    '              ping',
    '              pong (params by schema)',
    '  may not     delete_user',
    '  within      monetary_limit: 100',
    '              allowed_domains: acme.com, a.org',
    '              daily_limit: {"limit":"500","currency":"EUR"}',
    '  metadata    team: support',
  ]);
});

test('shows the serial of the document', () => {
  expect(renderPassport({ ...PASSPORT, serial: 3 }, plain)).toContain('  serial      3\n');
});

test('a signature that nobody checked is not called good', () => {
  const shown = renderPassport(PASSPORT, plain);
  expect(shown).toContain('signature   not checked');
  expect(shown).not.toMatch(/\bok\b/);
  expect(renderPassport(PASSPORT, marked)).toContain('<yellow>not checked</yellow>');
});

describe('what is empty or long', () => {
  test('has no heading without content, and says that nothing is allowed', () => {
    const bare = {
      ...PASSPORT,
      actions: [],
      denied_actions: [],
      constraints: {},
      metadata: {},
      previous_keys: [],
      expires_at: '2027-01-01T00:00:00Z',
    };
    const shown = renderPassport(bare, plain);
    expect(shown).toContain('may         nothing');
    expect(shown).toContain('expires     2027-01-01T00:00:00Z');
    expect(shown).not.toMatch(/may not|within|metadata|old keys/);
  });

  test('is cut after thirty actions, and says so', () => {
    const actions = Array.from({ length: 256 }, (_, i) => `action_${i}`);
    const shown = renderPassport({ ...PASSPORT, actions }, plain);
    expect(shown).toContain('and 226 more');
    expect(shown).not.toContain('action_30');
  });

  test('members that a signed document may leave out are no failure', () => {
    const { denied_actions: _d, metadata: _m, previous_keys: _p, expires_at: _e, ...rest } = PASSPORT;
    expect(renderPassport(rest as PassportDocument, plain)).toContain('expires     never');
  });
});

test('nothing in a passport does more to a terminal than be shown', () => {
  const document = fc
    .record({
      name: hostileText,
      action: hostileText,
      value: hostileText,
      list: fc.array(hostileText, { maxLength: 3 }),
      verified: hostileText,
    })
    .map(({ name, action, value, list, verified }) => ({
      verified,
      passport: {
        ...PASSPORT,
        agent_name: name,
        agent_id: name,
        principal: name,
        key_id: value,
        public_key: value,
        issued_at: value,
        expires_at: value,
        actions: [action, { name: action, params: { required: list } }],
        denied_actions: [action],
        constraints: { [name]: value, list, deep: { [name]: [value] } },
        metadata: { [name]: value },
        previous_keys: [{ key_id: value, public_key: value, valid_until: value }],
      } as PassportDocument,
    }));
  fc.assert(
    fc.property(document, ({ passport, verified }) => {
      for (const line of renderPassport(passport, plain, { verified }).split('\n')) expect(line).not.toMatch(UNSAFE);
    }),
  );
});
