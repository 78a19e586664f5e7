import { formatTime } from '../../../../protocol/time.js';
import { failed, PASSED, type Verdict } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { aip1Violation } from '../violations.js';

/** E403: an unbroken chain of grants in force leads from the principal to the agent. An agent may be its own principal. */
export function delegation({ envelope, passport, policy, facts: { now } }: Aip1Context): Verdict {
  const { delegation: chain, principal, agentId: agent_id } = envelope;
  const fail = (reason: string, link: number | null) =>
    failed(
      aip1Violation('DELEGATION_INVALID', `The delegation does not hold: ${reason}.`, {
        reason,
        link,
        principal,
        agent_id,
      }),
    );
  if (passport !== null && passport.document.principal !== principal) {
    return fail(`its principal is not ${passport.document.principal}, who issued the passport`, null);
  }
  if (chain.length === 0) return principal === agent_id ? PASSED : fail('the chain is empty', null);
  if (chain[0]!.from !== principal) return fail('the chain does not start at the principal', 0);
  if (chain.at(-1)!.to !== agent_id) return fail('the chain does not end at the agent', chain.length - 1);
  for (const [i, { from, grantedAt, expiresAt }] of chain.entries()) {
    if (i > 0 && chain[i - 1]!.to !== from) return fail('the chain is broken', i);
    if (expiresAt !== null && now > expiresAt) return fail(`a link expired at ${formatTime(expiresAt)}`, i);
    if (grantedAt - now > policy.maxSkewMs) return fail(`a link is granted from ${formatTime(grantedAt)} on`, i);
  }
  return PASSED;
}
