import { hooks as sharedHooks } from '../../../checks/hooks.js';
import { revocation as sharedRevocation } from '../../../checks/revocation.js';
import { formatPublicKey } from '../../../../protocol/identity/keys.js';
import { formatTime } from '../../../../protocol/time.js';
import { deniedNow } from '../../../believed-keys.js';
import { PASSED, verdictOf, violation, type Verdict, type Violation } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { verdictInAip1 } from '../violations.js';

/** The verifier's own hooks hear of envelopes as of intents. */
export function hooks(context: Aip1Context): Verdict {
  return verdictInAip1(sharedHooks(context));
}

/** E400, E401, E501, at every tier: the agent itself and the keys that spoke for it are in good standing, as known now. */
export function revocation(context: Aip1Context): Verdict {
  const verdict = sharedRevocation(context, context.envelope.agentId, context.believed);
  const others = deniedNames(context);
  if (others.length === 0) return verdictInAip1(verdict);
  return verdictInAip1(verdictOf([...others, ...(verdict.status === 'failed' ? verdict.violations : [])]));
}

/** A key that is bound to no agent speaks under any name it likes: a deny of one of them is a deny of all. */
function deniedNames({ bareKey, facts, envelope: { agentId } }: Aip1Context): Violation[] {
  if (bareKey === null || facts.memory === null) return [];
  return facts.spokenNames(formatPublicKey(bareKey.publicKey)).flatMap((name) => {
    const record = name === agentId ? null : deniedNow(facts, name);
    if (record === null) return [];
    const message = `The key of ${agentId} also spoke as ${name}, which is ${record.status}: ${record.reason ?? 'no reason given'}.`;
    const details = {
      subject: name,
      reason: record.reason,
      revoked_at: formatTime(record.changedAt),
      revoked_by: record.changedBy,
      agent_id: agentId,
    };
    return [violation(record.status === 'revoked' ? 'AGENT_REVOKED' : 'AGENT_SUSPENDED', message, details)];
  });
}

/**
 * E402: so is everyone who answers for it. The reference asks this from tier 1 on; but the agent chooses its tier, and the one
 * to be stopped must not be able to step around a kill switch.
 */
export function principal(context: Aip1Context): Verdict {
  for (const answerable of context.answerable) {
    const verdict = sharedRevocation(context, answerable, []);
    if (verdict.status !== 'passed') return verdictInAip1(verdict);
  }
  return PASSED;
}
