/** The refund of $10,000 that a person approves ten minutes later, for whatever asks for it. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { keepAnswer } from '../../../src/app/approvals/keep.js';
import type { ActionApprovalDocument } from '../../../src/index.js';
import { publicKeyText, withSignature } from '../../kit/native/parts.js';
import { openAt } from '../../kit/state/temporary.js';
import { KEY, supportAgent, T0, workshop } from '../../library/workshop.js';

const ALICE = 'did:web:alice.example';
const LATER = T0 + 600_000;

/** A workspace with an agent whose refunds above 100 need Alice's word. */
export async function refundDesk() {
  const workspace = workshop();
  const agent = await supportAgent(workspace, {
    actions: ['refund', 'pay.refund'],
    constraints: { require_approval: { above: 100, approvers: [{ id: ALICE, public_key: publicKeyText('alice') }] } },
  });
  const ran: number[] = [];
  const run = ({ amount }: { amount: number }): string => `refunded ${String(amount)} (${String(ran.push(amount))})`;
  return { workspace, agent, ran, run, options: { workspace, privateKey: KEY } };
}

/** Every open request is approved, ten minutes after the start. */
function aliceApproves(workspace: { folder: string; wait(seconds: number): void }): void {
  workspace.wait(600);
  const state = openAt(join(workspace.folder, 'home', 'state.db'), () => LATER);
  for (const { text } of state.look((ledger) => ledger.requests('open', LATER))) {
    const { request_id, verifier, action_hash, agent_id, passport_hash } = JSON.parse(text) as Record<string, string>;
    const unsigned = {
      ...{ type: 'approval', version: 2, request_id, verifier, action_hash, agent_id, passport_hash },
      ...{ approver: ALICE, key_id: `${ALICE}#key-1`, decision: 'approve', reason: null },
      approved_at: new Date(LATER).toISOString(),
      approved_until: new Date(LATER + 600_000).toISOString(),
    };
    expect(
      keepAnswer(state, withSignature(unsigned, 'signature', 'alice') as unknown as ActionApprovalDocument, LATER),
    ).toBeNull();
  }
}

/**
 * Stopped, approved by a person, let through once.
 * @param ask what the model reads, or `asks` where the framework puts its own question to its user first
 * @param tap answers that question with yes; absent for a framework without one
 */
export async function approvedOnce(
  { workspace, ran }: Awaited<ReturnType<typeof refundDesk>>,
  ask: (amount: number, tap: boolean) => Promise<string>,
  hasQuestion: boolean,
): Promise<void> {
  expect(await ask(50, false)).toContain('refunded 50 (1)');
  if (hasQuestion) expect(await ask(10_000, false)).toBe('asks');
  // A tap is no signed approval.
  expect(await ask(10_000, true)).toContain('AIP-E209');
  aliceApproves(workspace);
  expect(await ask(10_000, false)).toContain('refunded 10000 (2)');
  expect(await ask(10_000, true)).toContain('AIP-E209');
  expect(ran).toEqual([50, 10_000]);
}

/** An agent that may refund, its workspace, what its tools note, and the options of every adapter. */
export async function staged(constraints: object = { monetary_limit: 100 }) {
  const workspace = workshop();
  const agent = await supportAgent(workspace, { actions: ['refund', 'pay.refund'], constraints });
  const ran: unknown[] = [];
  return { workspace, agent, ran, options: { workspace, privateKey: KEY } };
}
