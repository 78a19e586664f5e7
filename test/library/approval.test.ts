import { expect, test } from 'vitest';
import { approvalBytes, type ApprovalDocument } from '../../src/protocol/approvals/exact.js';
import { signMessage } from '../../src/protocol/ed25519/sign.js';
import { toHex } from '../../src/protocol/hex.js';
import { parseJson } from '../../src/protocol/json/parse.js';
import { readIntent } from '../../src/protocol/intent.js';
import { PRINCIPAL, publicKeyText, seedOf, type Signer } from '../kit/native/parts.js';
import { fixture, fixtureBytes } from '../kit/native/vectors.js';
import { workshop } from './workshop.js';

const INTENT = fixtureBytes('intent-bought-for-51.json');

function approval(signer: Signer, changes: Partial<ApprovalDocument> = {}): Record<string, unknown> {
  const { hash, document } = readIntent(parseJson(INTENT));
  const unsigned = {
    type: 'intent-approval',
    version: 1,
    intent_hash: hash,
    agent_id: document.agent_id,
    action: document.action,
    approver: PRINCIPAL,
    key_id: `${PRINCIPAL}#key-1`,
    approved_at: '2026-02-18T14:23:45Z',
    ...changes,
  } as const;
  return { ...unsigned, signature: toHex(signMessage(seedOf(signer), approvalBytes(unsigned))) };
}

test('an intent that needs a person is accepted with the approval of its principal, and with no other', async () => {
  const aip = workshop();
  const trust = {
    passport: await aip.loadPassport(fixture('passport-approval-above-50.json')),
    principalKeys: { [PRINCIPAL]: publicKeyText('principal') },
  };
  const judged = async (more: object) =>
    (await aip.verifyIntent(INTENT, { ...trust, dryRun: true, ...more })).error_code;
  expect(await judged({})).toBe('AIP-E209');
  const given = approval('principal');
  for (const each of [given, JSON.stringify(given), Buffer.from(JSON.stringify(given)), [approval('agent'), given]])
    expect(await judged({ approval: each })).toBe(null);
  expect(await judged({ approval: given, state: false })).toBe(null);
  expect(await judged({ approval: approval('agent') })).toBe('AIP-E209');
  expect(await judged({ approval: approval('principal', { intent_hash: `sha256:${'0'.repeat(64)}` }) })).toBe(
    'AIP-E209',
  );
  expect(await judged({ approval: given, principalKeys: { [PRINCIPAL]: publicKeyText('stranger') } })).toBe('AIP-E103');
  await expect(judged({ approval: '{}' })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(judged({ approval: 5 })).rejects.toMatchObject({ code: 'USAGE' });
});
