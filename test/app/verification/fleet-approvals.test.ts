/** An action that is stopped on one verifier of a fleet and approved by a person is let through once, on whichever machine. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyIntents, type VerifierDeps } from '../../../src/app/verification/intents.js';
import type { Requester } from '../../../src/app/verification/sitting.js';
import { sharedAnswer } from '../../../src/app/verification/fleet/requests.js';
import { actionApprovalBytes, type ActionApprovalDocument } from '../../../src/protocol/approvals/approval.js';
import { readActionApproval } from '../../../src/protocol/approvals/approval.js';
import { readApprovalRequest } from '../../../src/protocol/approvals/request.js';
import { formatTime } from '../../../src/protocol/time.js';
import { passportOf } from '../../../src/protocol/passport.js';
import type { FleetMemory } from '../../../src/app/ports/fleet-memory.js';
import { signerOf } from '../../../src/adapters/mesh/mesh-key.js';
import { intent } from '../../kit/native/intent-parts.js';
import { line, NOW_S, PRINCIPAL, seedOf, type Signer } from '../../kit/native/parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { LedgerMemory, SharedTables } from '../../kit/state/ledger-memory.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const NOW = NOW_S * 1000;
const ISSUED = passportOf(
  passport('support-agent-v1', { constraints: { require_approval: true, rate_limit: '100/hour' } }),
);
let drawn = 0;

function requesterOf(seed: string): Requester {
  return { ...signerOf(Uint8Array.from(Buffer.from(seed.repeat(32), 'hex'))), random: (n) => randomBytes(n) };
}

/** A fleet of three verifiers; the first two are enrolled. */
function fleetOfThree() {
  const clock = { now: NOW };
  const shared = openAt(statePath(), () => clock.now);
  const tables = new SharedTables();
  const machines = ['a1', 'b2', 'c3'].map((seed, i) => {
    const requester = requesterOf(seed);
    if (i < 2) tables.enrolled.add(requester.publicKey);
    const memory: FleetMemory = new LedgerMemory(shared, () => clock.now, tables);
    const state = openAt(statePath(), () => clock.now);
    const deps: VerifierDeps = verifierDeps({
      state,
      clock: () => clock.now,
      fleet: { memory, resumes: false },
      passport: () => ({ status: 'found', passport: ISSUED }),
      requester: () => requester,
    });
    return { deps, state, memory, publicKey: requester.publicKey };
  });
  const ask = async (i: number, request: string | null = null, changes: object = {}) => {
    const document = intent(`shared${drawn++}`, {
      timestamp: Math.floor(clock.now / 1000),
      params: { amount: 10 },
      ...(request === null ? {} : { approval_request: request }),
      ...changes,
    });
    const [judged] = await verifyIntents(machines[i]!.deps, VERIFY, [{ bytes: line(document), source: null }]);
    return judged!.decision;
  };
  const answer = async (id: string, decision: 'approve' | 'deny' = 'approve', seed: Signer = 'principal') => {
    const { text } = tables.requests.get(id)!.request;
    const signed = answerTo(text, clock.now, decision, seed);
    await machines[2]!.memory.answer([sharedAnswer(readActionApproval(JSON.stringify(signed)))]);
    return signed;
  };
  return { clock, tables, machines, ask, answer };
}

/** The principal's answer to a request. */
function answerTo(text: string, now: number, decision: 'approve' | 'deny', seed: Signer): ActionApprovalDocument {
  const { document } = readApprovalRequest(text);
  const unsigned = {
    type: 'approval',
    version: 2,
    request_id: document.request_id,
    verifier: document.verifier,
    action_hash: document.action_hash,
    agent_id: document.agent_id,
    passport_hash: document.passport_hash,
    approver: PRINCIPAL,
    key_id: `${PRINCIPAL}#key-1`,
    decision,
    reason: null,
    approved_at: formatTime(now),
    approved_until: formatTime(now + 600_000),
  } as const;
  const { sign } = signerOf(seedOf(seed));
  return { ...unsigned, signature: sign(Buffer.from(actionApprovalBytes(unsigned)).toString('utf8')) };
}

const idIn = ({ details }: { readonly details: object | null }) => (details as { request_id?: string }).request_id!;

describe('an approval in a fleet', () => {
  test('stopped on one machine, approved, it runs once, on the other', async () => {
    const { ask, answer, machines } = fleetOfThree();
    const stopped = await ask(0);
    expect(stopped.error_code).toBe('AIP-E209');
    const id = idIn(stopped);
    // The same action has the same request on every machine.
    expect(idIn(await ask(1))).toBe(id);
    expect((await ask(1, id)).error_code).toBe('AIP-E209');
    await answer(id);
    const dry = await verifyIntents(machines[1]!.deps, { ...VERIFY, dryRun: true }, [
      { bytes: line(intent(`dry${drawn++}`, { params: { amount: 10 }, approval_request: id })), source: null },
    ]);
    expect(dry[0]!.decision.success).toBe(true);
    const both = await Promise.all([ask(0, id), ask(1, id), ask(1, id)]);
    expect(both.filter(({ success }) => success)).toHaveLength(1);
    expect(both.filter(({ error_code }) => error_code === 'AIP-E216')).toHaveLength(2);
    for (const i of [0, 1]) expect((await ask(i, id)).error_code).toBe('AIP-E216');
    expect(idIn(await ask(0))).not.toBe(id);
  });
  test('the machine that lets it through keeps the request and the answer, so that it can be proven there', async () => {
    const { ask, answer, machines } = fleetOfThree();
    const id = idIn(await ask(0));
    const signed = await answer(id);
    expect((await ask(2, id)).success).toBe(true);
    const kept = machines[2]!.state.look((ledger) => ledger.approvalRequest(id));
    expect(kept).toMatchObject({ status: 'spent', verifier: machines[0]!.publicKey });
    expect(kept!.answers.map(({ document }) => document)).toEqual([signed]);
  });
  test('another action than the approved one does not run, nor without an approval that counts', async () => {
    const { ask, answer } = fleetOfThree();
    const id = idIn(await ask(0));
    await answer(id, 'approve', 'stranger');
    expect((await ask(1, id)).error_code).toBe('AIP-E209');
    await answer(id);
    expect((await ask(1, id, { params: { amount: 11 } })).error_code).toBe('AIP-E209');
    expect((await ask(1, id)).success).toBe(true);
  });
  test('a request of a verifier that is not enrolled counts on that machine alone', async () => {
    const { ask, machines, tables, clock } = fleetOfThree();
    const id = idIn(await ask(2));
    expect(tables.requests.size).toBe(0);
    const { text } = machines[2]!.state.look((ledger) => ledger.approvalRequest(id))!;
    // Put there by somebody with the password of a verifier.
    tables.requests.set(id, {
      request: {
        id,
        verifier: machines[0]!.publicKey,
        actionHash: readApprovalRequest(text).document.action_hash,
        agentId: readApprovalRequest(text).document.agent_id,
        expiresAt: clock.now + 3_600_000,
        ttlMs: 3_600_000,
        text,
      },
      expiresAt: clock.now + 3_600_000,
      deniedAt: null,
      answers: [JSON.stringify(answerTo(text, clock.now, 'approve', 'principal'))],
    });
    expect((await ask(0, id)).error_code).toBe('AIP-E209');
  });
  test("one that its verifier did not sign is nobody's request, and another is raised", async () => {
    const { ask, answer, tables } = fleetOfThree();
    const id = idIn(await ask(0));
    const kept = tables.requests.get(id)!;
    tables.requests.set(id, {
      ...kept,
      request: { ...kept.request, text: kept.request.text.replace(/"reason":"/, '"reason":"changed ') },
    });
    await answer(id);
    expect((await ask(1, id)).error_code).toBe('AIP-E209');
    expect(idIn(await ask(1))).not.toBe(id);
  });
  test('a verifier that is dismissed raises and holds none for the others any more', async () => {
    const { ask, answer, machines, tables } = fleetOfThree();
    const id = idIn(await ask(0));
    expect(idIn(await ask(1))).toBe(id);
    await answer(id);
    tables.enrolled.delete(machines[0]!.publicKey);
    expect((await ask(1, id)).error_code).toBe('AIP-E209');
    // Its own machine has the answer by another way.
    const { text } = machines[0]!.state.look((ledger) => ledger.approvalRequest(id))!;
    const given = {
      ...machines[0]!.deps,
      answers: [readActionApproval(JSON.stringify(answerTo(text, NOW, 'approve', 'principal')))],
    };
    const again = line(intent(`own${drawn++}`, { params: { amount: 10 }, approval_request: id }));
    const [judged] = await verifyIntents(given, VERIFY, [{ bytes: again, source: null }]);
    expect(judged!.decision.success).toBe(true);
  });
  test('a denial ends it on all machines, for as long as it stands; a forged one does not', async () => {
    const { ask, answer, clock } = fleetOfThree();
    const id = idIn(await ask(0));
    await answer(id, 'deny', 'stranger');
    expect(idIn(await ask(1))).toBe(id);
    await answer(id, 'deny');
    const denied = await ask(1);
    expect(denied).toMatchObject({ error_code: 'AIP-E209', details: { reason: 'denied' } });
    await answer(id);
    expect((await ask(0, id)).error_code).toBe('AIP-E209');
    clock.now += 3_600_000;
    expect(idIn(await ask(1))).not.toBe(id);
  });

  test('what is only looked on at raises none, on no machine; one that waits, or was denied, is told', async () => {
    const { ask, answer, machines, tables } = fleetOfThree();
    const observe = async () => {
      const bytes = line(intent(`observed${drawn++}`, { params: { amount: 10 } }));
      const [judged] = await verifyIntents(machines[0]!.deps, VERIFY, [{ bytes, source: null, observed: true }]);
      return judged!.decision;
    };
    expect(await observe()).toMatchObject({ error_code: 'AIP-E209', details: { request_id: null } });
    expect(tables.requests.size).toBe(0);
    const id = idIn(await ask(0));
    expect(tables.requests.size).toBe(1);
    expect(idIn(await observe())).toBe(id);
    await answer(id, 'deny');
    await ask(0);
    expect(await observe()).toMatchObject({ error_code: 'AIP-E209', details: { reason: 'denied' } });
    expect([...machines[0]!.state.entries({})].map(({ observed }) => observed)).toEqual([
      ...[true, undefined, true, undefined, true],
    ]);
    expect(tables.requests.size).toBe(1);
  });

  test('a denial that is brought to one machine is known to the others', async () => {
    const { ask, machines, tables } = fleetOfThree();
    const id = idIn(await ask(0));
    const { text } = tables.requests.get(id)!.request;
    const denial = readActionApproval(JSON.stringify(answerTo(text, NOW, 'deny', 'principal')));
    const bytes = line(intent(`brought${drawn++}`, { params: { amount: 10 }, approval_request: id }));
    await verifyIntents({ ...machines[1]!.deps, answers: [denial] }, VERIFY, [{ bytes, source: null }]);
    expect(tables.requests.get(id)!.answers).toHaveLength(1);
    expect(await ask(0)).toMatchObject({ error_code: 'AIP-E209', details: { reason: 'denied' } });
  });
});
