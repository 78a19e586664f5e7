import { describe, expect, test } from 'vitest';
import { actionHash } from '../../../src/protocol/approvals/action-hash.js';
import { isExact, readAnyApproval, sortedApprovals } from '../../../src/protocol/approvals/any.js';
import { readActionApproval } from '../../../src/protocol/approvals/approval.js';
import { readApproval } from '../../../src/protocol/approvals/exact.js';
import { readApprovalRequest } from '../../../src/protocol/approvals/request.js';
import { ShapeError } from '../../../src/protocol/json/shape.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { AT, PRINCIPAL, publicKeyText, SUPPORT } from '../../kit/native/parts.js';

const HASH = `sha256:${'0f'.repeat(32)}`;
const SIGNATURE = 'ab'.repeat(64);
const ACTION = { agent_id: SUPPORT, action: 'pay', params: { amount: 10 }, target: 'shop', passport_hash: HASH };

const ANSWER: JsonObject = {
  type: 'approval',
  version: 2,
  request_id: '0f'.repeat(16),
  verifier: publicKeyText('verifier'),
  action_hash: HASH,
  agent_id: SUPPORT,
  passport_hash: HASH,
  approver: PRINCIPAL,
  key_id: `${PRINCIPAL}#key-1`,
  decision: 'approve',
  reason: 'seen',
  approved_at: AT,
  approved_until: AT,
  signature: SIGNATURE,
};
const EXACT: JsonObject = {
  type: 'intent-approval',
  version: 1,
  intent_hash: HASH,
  agent_id: SUPPORT,
  action: 'pay',
  approver: PRINCIPAL,
  key_id: `${PRINCIPAL}#key-1`,
  approved_at: AT,
  signature: SIGNATURE,
};
const REQUEST: JsonObject = {
  type: 'approval-request',
  version: 1,
  request_id: '0f'.repeat(16),
  verifier: publicKeyText('verifier'),
  action_hash: actionHash(ACTION),
  ...ACTION,
  reason: 'amounts above 5 need approval',
  approvers: [
    { id: 'did:web:alice.example', public_key: publicKeyText('alice') },
    { id: PRINCIPAL, public_key: null },
  ],
  count: 2,
  ttl_s: 60,
  requested_at: AT,
  expires_at: AT,
  signature: SIGNATURE,
};

type Reader = (bytes: Uint8Array) => { readonly document: object };
type Refused = Readonly<Record<string, readonly Json[]>>;

const NO_HASH: readonly Json[] = [5, HASH.slice(7), HASH.toUpperCase(), `${HASH}0`];
// Another spelling of a key would be another verifier, or another person, to who compares texts.
const NO_KEY: readonly Json[] = [
  ...[5, 'ed25519:', publicKeyText('alice').slice(8), publicKeyText('alice').slice(0, -2)],
  ...[publicKeyText('alice').toUpperCase(), `ed25519:${publicKeyText('alice').slice(8).toUpperCase()}`],
  Buffer.from(publicKeyText('alice').slice(8), 'hex').toString('base64'),
];
const NO_TIME: readonly Json[] = [null, 1771424625, '2026-02-18T14:23:45', '2026-02-18'];
const NO_SIGNATURE: readonly Json[] = [null, '', SIGNATURE.slice(2), SIGNATURE.toUpperCase()];
const NO_KEY_ID: readonly Json[] = [
  ...[null, PRINCIPAL, `${PRINCIPAL}#key-`, `${SUPPORT}#key-1`, `${PRINCIPAL}x#key-1`],
  // Of another, whose id is as long.
  `${PRINCIPAL.replace('acme', 'evil')}#key-1`,
];

const DOCUMENTS: readonly (readonly [string, JsonObject, Reader, readonly JsonObject[], Refused])[] = [
  [
    'an answer',
    ANSWER,
    readActionApproval,
    [{ reason: null }, { passport_hash: null }, { decision: 'deny' }, { reason: 'x'.repeat(500) }],
    {
      // What an approver signs for another purpose is no answer.
      type: ['intent-approval', 'approval-request', null],
      version: [1, '2', 3],
      request_id: ['0F'.repeat(16), '0f'.repeat(15), `${'0f'.repeat(16)}0`, null],
      verifier: [...NO_KEY, null],
      action_hash: [...NO_HASH, null],
      agent_id: ['', null, 'a'.repeat(2049)],
      passport_hash: NO_HASH,
      approver: ['', null],
      key_id: [...NO_KEY_ID, `${PRINCIPAL}#key-0`],
      decision: ['Approve', true, null],
      reason: ['', 5, 'x'.repeat(501)],
      approved_at: NO_TIME,
      approved_until: NO_TIME,
      signature: NO_SIGNATURE,
    },
  ],
  [
    'an approval of one exact intent',
    EXACT,
    readApproval,
    [{ action: 'a'.repeat(128) }, { key_id: `${PRINCIPAL}#key-12` }],
    {
      type: ['approval', null],
      version: [2, '1'],
      intent_hash: [...NO_HASH, null],
      agent_id: ['', null],
      action: ['', null, 'a'.repeat(129)],
      approver: [SUPPORT, 'acme.com', null],
      key_id: NO_KEY_ID,
      approved_at: NO_TIME,
      signature: NO_SIGNATURE,
    },
  ],
  [
    'a request',
    REQUEST,
    readApprovalRequest,
    [
      ...[{ count: 1 }, { ttl_s: 1 }, { ttl_s: 366 * 86_400 }, { approvers: [], count: 1 }],
      { target: null, action_hash: actionHash({ ...ACTION, target: null }) },
      { passport_hash: null, action_hash: actionHash({ ...ACTION, passport_hash: null }) },
    ],
    {
      type: ['approval', null],
      version: [2, '1'],
      request_id: ['0F'.repeat(16), null],
      verifier: [...NO_KEY, null],
      // Each of them well-formed: what a person is shown has to be what is approved.
      action_hash: [...NO_HASH, HASH],
      agent_id: ['', null],
      action: ['', null, 'a'.repeat(129)],
      params: [null, [], 'x'],
      target: ['', 5],
      passport_hash: NO_HASH,
      reason: ['', null, 'x'.repeat(501)],
      approvers: [null, {}, Array.from({ length: 1025 }, () => ({ id: PRINCIPAL, public_key: null }))],
      count: [0, 3, 1.5, '1'],
      ttl_s: [0, 366 * 86_400 + 1, 1.5, '60'],
      requested_at: NO_TIME,
      expires_at: NO_TIME,
      signature: NO_SIGNATURE,
    },
  ],
];

describe.each(DOCUMENTS)('%s', (_, whole, read, open, refused) => {
  const reading = (document: JsonObject) => read(Buffer.from(JSON.stringify(document)));

  test('is read back as it was written', () => {
    expect(reading(whole).document).toEqual(whole);
  });

  test('has a case for each of its members', () => {
    expect(Object.keys(refused)).toEqual(Object.keys(whole));
  });

  const cases = Object.entries(refused).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  test.each(cases)('is refused by the name of a member that is not what it has to be: %s %j', (name, value) => {
    expect(() => reading({ ...whole, [name]: value })).toThrow(ShapeError);
    expect(() => reading({ ...whole, [name]: value })).toThrow(`"${name}"`);
  });

  test.each(open)('is read with %j', (changes) => {
    expect(reading({ ...whole, ...changes }).document).toEqual({ ...whole, ...changes });
  });

  test('is refused with a member more or less', () => {
    expect(() => reading({ ...whole, note: 'x' })).toThrow('"note"');
    for (const name of Object.keys(whole)) {
      const { [name]: _left, ...rest } = whole;
      expect(() => reading(rest)).toThrow(ShapeError);
    }
  });
});

test.each<[string, JsonObject]>([
  ['"public_key"', { id: PRINCIPAL, public_key: publicKeyText('alice').toUpperCase() }],
  ['"public_key"', { id: PRINCIPAL }],
  ['"id"', { id: '', public_key: null }],
  ['"role"', { id: PRINCIPAL, public_key: null, role: 'lead' }],
])('a request names the %s of an approver', (member, approver) => {
  const bytes = Buffer.from(JSON.stringify({ ...REQUEST, approvers: [approver], count: 1 }));
  expect(() => readApprovalRequest(bytes)).toThrow(ShapeError);
  expect(() => readApprovalRequest(bytes)).toThrow(member);
});

test('an approval of either kind is read as what its type says', () => {
  const isKind = (document: JsonObject) => isExact(readAnyApproval(Buffer.from(JSON.stringify(document))));
  expect([isKind(EXACT), isKind(ANSWER)]).toEqual([true, false]);
  const both = [ANSWER, EXACT].map((each) => readAnyApproval(Buffer.from(JSON.stringify(each))));
  expect(sortedApprovals(both)).toEqual({ exact: [both[1]], answers: [both[0]] });
  for (const document of [REQUEST, { ...EXACT, type: 'approval' }, { ...ANSWER, type: 'intent-approval' }])
    expect(() => isKind(document)).toThrow(ShapeError);
});
