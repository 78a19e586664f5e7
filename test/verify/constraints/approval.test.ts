import { describe, expect, test } from 'vitest';
import type { Approving } from '../../../src/verify/approvals/approving.js';
import { approvalMissing, spentApproval } from '../../../src/verify/constraints/approval.js';
import type { Held } from '../../../src/verify/context.js';

const AGENT = 'did:web:acme.com:agents:support-agent-v1';
const INTENT = { intentHash: 'sha256:00', agentId: AGENT };
const ALICE = { id: 'did:web:alice.example', publicKey: `ed25519:${'0f'.repeat(32)}` };
const approvingOf = (by: number, exact = false): Approving => ({
  exact,
  actionHash: 'sha256:01',
  spent: null,
  judge: () => ({ by, problems: ['one', 'two'] }),
});

describe('an action that needs approval', () => {
  const missing = (count: number, approvers: readonly (typeof ALICE)[] | null, approving: Approving) =>
    approvalMissing({ approvers, count, ttlMs: 60_000 }, approving, INTENT)?.('why', 'A person has to approve this.');

  test('waits for as many people as its passport asks for', () => {
    const bob = { ...ALICE, id: 'did:web:bob.example' };
    for (const by of [2, 3]) expect(missing(2, [ALICE, bob], approvingOf(by))).toBeUndefined();
    expect(missing(2, [ALICE, bob, ALICE], approvingOf(1))!.details).toMatchObject({
      approvers: [ALICE.id, bob.id],
      needed: 1,
      not_counted: ['one', 'two'],
      reason: 'why',
      ...{ intent_hash: 'sha256:00', action_hash: 'sha256:01', agent_id: AGENT },
    });
    expect(missing(2, [ALICE, bob], approvingOf(0))!.details['needed']).toBe(2);
  });

  test("has the principal's approval of exactly this intent where no one else is named", () => {
    expect(missing(1, null, approvingOf(0, true))).toBeUndefined();
    expect(missing(1, [ALICE], approvingOf(0, true))).toBeDefined();
    expect(missing(1, null, approvingOf(0))).toBeDefined();
  });
});

test.each([
  [null, null, null],
  ['once it was used', 1_771_424_625_000, '2026-02-18T14:23:45.000Z'],
  ['also where nobody knows when', null, null],
])('a request is spent %s', (spent, endedAt, spent_at) => {
  const approving = { ...approvingOf(1), spent: spent === null ? null : { id: 'r', endedAt } };
  const held = { intent: { document: { agent_id: AGENT } }, facts: { approving: () => approving } } as unknown as Held;
  const found = spentApproval(held);
  expect(found === null ? null : [found.entry.code, found.details]).toEqual(
    spent === null ? null : ['AIP-E216', { request_id: 'r', spent_at, agent_id: AGENT }],
  );
});
