/** Requests for approval and answers to them, signed by keys that only tests know. */
import { actionApprovalBytes } from '../../../src/protocol/approvals/approval.js';
import { actionHash } from '../../../src/protocol/approvals/action-hash.js';
import { approvalRequestBytes } from '../../../src/protocol/approvals/request.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { sha256Hex } from '../../../src/protocol/hash.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { AGENT } from './server.js';

export const seedOf = (n: number) => new Uint8Array(32).fill(n);
export const keyOf = (n: number) => formatPublicKey(publicKeyOf(seedOf(n)));
export const VERIFIER = 40;
export const PERSON = 41;
export const OTHER = 42;
export const CAROL = 'did:web:carol.example';
export const PASSPORT = `sha256:${'ab'.repeat(32)}`;
export const NOW = Date.parse('2026-02-18T14:23:45.000Z');
export const iso = (ms: number) => new Date(NOW + ms).toISOString();

export function request(n: number, fields: Record<string, unknown> = {}, seed = VERIFIER) {
  const action = {
    agent_id: AGENT,
    action: 'issue_refund',
    params: { amount: 10_000, order: String(n) },
    target: null,
    passport_hash: PASSPORT,
    ...(fields['agent_id'] === undefined ? {} : { agent_id: fields['agent_id'] as string }),
    ...(fields['params'] === undefined ? {} : { params: fields['params'] as JsonObject }),
  };
  const unsigned = {
    type: 'approval-request',
    version: 1,
    request_id: sha256Hex(`request ${n}`).slice(0, 32),
    verifier: keyOf(VERIFIER),
    action_hash: actionHash(action),
    ...action,
    reason: 'A person has to approve this.',
    approvers: [{ id: CAROL, public_key: keyOf(PERSON) }],
    count: 1,
    ttl_s: 3600,
    requested_at: iso(0),
    expires_at: iso(3_600_000),
    ...fields,
  };
  const signature = toHex(signMessage(seedOf(seed), approvalRequestBytes(unsigned as never)));
  return { ...unsigned, signature };
}

export function answerTo(asked: ReturnType<typeof request>, fields: Record<string, unknown> = {}, seed = PERSON) {
  const unsigned = {
    type: 'approval',
    version: 2,
    request_id: asked.request_id,
    verifier: asked.verifier,
    action_hash: asked.action_hash,
    agent_id: asked.agent_id,
    passport_hash: asked.passport_hash,
    approver: CAROL,
    key_id: `${CAROL}#key-1`,
    decision: 'approve',
    reason: null,
    approved_at: iso(0),
    approved_until: iso(900_000),
    ...fields,
  };
  return { ...unsigned, signature: toHex(signMessage(seedOf(seed), actionApprovalBytes(unsigned as never))) };
}
