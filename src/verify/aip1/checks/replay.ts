import { formatTime } from '../../../protocol/time.js';
import { NO_STATE } from '../../context.js';
import { failed, PASSED, skipped, type Verdict } from '../../decision.js';
import type { Aip1Context } from '../context.js';
import { aip1Violation } from '../violations.js';

/** E102: this verifier has never judged the nonce before. Asking spends nothing: only an envelope whose proof holds does. */
export function replay({ envelope, facts, now }: Aip1Context): Verdict {
  if (facts.spent === undefined) return skipped(NO_STATE);
  if (facts.spent === null) return PASSED;
  const { firstSeenAt, firstResult } = facts.spent;
  const ago = Math.max(0, Math.round((now - firstSeenAt) / 1000));
  const then = firstResult === 'accepted' ? 'accepted' : `refused with ${firstResult}`;
  const message = `An envelope with this nonce was judged ${ago} s ago and ${then}; a nonce counts once.`;
  const first_seen_at = formatTime(firstSeenAt);
  const details = { nonce: envelope.entropy, first_seen_at, first_result: firstResult, agent_id: envelope.agentId };
  return failed(aip1Violation('REPLAY_DETECTED', message, details));
}
