import { hooks as sharedHooks } from '../../../checks/hooks.js';
import { revocation as sharedRevocation } from '../../../checks/revocation.js';
import { PASSED, type Verdict } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { verdictInAip1 } from '../violations.js';

/** The verifier's own hooks hear of envelopes as of intents. */
export function hooks(context: Aip1Context): Verdict {
  return verdictInAip1(sharedHooks(context));
}

/** E400, E401, E501, at every tier: the agent itself and the keys that spoke for it are in good standing, as known now. */
export function revocation(context: Aip1Context): Verdict {
  return verdictInAip1(sharedRevocation(context, context.envelope.agentId, context.believed));
}

/**
 * E402: so is everyone who answers for it. The reference asks this from tier 1 on; but the agent chooses its tier, and a kill switch
 * that the one to be stopped can step around is none.
 */
export function principal(context: Aip1Context): Verdict {
  for (const answerable of context.answerable) {
    const verdict = sharedRevocation(context, answerable, []);
    if (verdict.status !== 'passed') return verdictInAip1(verdict);
  }
  return PASSED;
}
