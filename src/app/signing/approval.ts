import { approvalBytes, type ApprovalDocument } from '../../protocol/approvals/exact.js';
import { principalOfAgent } from '../../protocol/identity/did.js';
import { toHex } from '../../protocol/hex.js';
import { formatSeconds } from '../../protocol/time.js';
import type { Approvable } from '../../verify/approvals/approved.js';
import { Failure } from '../failure.js';
import { issuerKey, type IssuerKey, type PrincipalDeps } from '../keys/principals.js';

/**
 * The key of the principal that answers for the agent, found before a person is asked; the function returned signs an approval of exactly
 * this intent with it. @throws Failure KEY_NOT_FOUND, and as key stores do
 */
export async function approvingIntent(
  deps: PrincipalDeps,
  { agentId, intentHash, action }: Approvable & { readonly action: string },
): Promise<() => Promise<ApprovalDocument>> {
  const principal = principalOfAgent(agentId);
  if (principal === null) throw new Failure('USAGE', `Nobody can tell who answers for ${agentId}.`);
  const { key } = await approverKey(deps, principal);
  return async () => {
    const unsigned = {
      type: 'intent-approval',
      version: 1,
      intent_hash: intentHash,
      agent_id: agentId,
      action,
      approver: principal,
      key_id: key.keyId,
      approved_at: formatSeconds(deps.clock()),
    } as const;
    return { ...unsigned, signature: toHex(await key.sign(approvalBytes(unsigned))) };
  };
}

/** What helps who has no key to issue passports with does not help here. */
async function approverKey(deps: PrincipalDeps, principal: string): Promise<IssuerKey> {
  try {
    return await issuerKey(deps, principal, null);
  } catch (error) {
    const isHere =
      deps.issuerAt != null || deps.state.pins(principal).some(({ keyId }) => deps.state.key(keyId) !== null);
    if (isHere || !(error instanceof Failure) || error.code !== 'KEY_NOT_FOUND') throw error;
    const hint = `approve it where the key of ${principal} is`;
    throw new Failure('KEY_NOT_FOUND', `This machine holds no key of ${principal}.`, { hint, cause: error });
  }
}
