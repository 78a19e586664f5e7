import { formatTime } from '../../../../protocol/time.js';
import { NO_STATE } from '../../../context.js';
import type { Identified } from '../context.js';
import { failed, PASSED, skipped, violation, type Verdict } from '../../../decision.js';

const NONCE = /^[0-9a-fA-F]{32,128}$/;

/** True for 32 to 128 hex digits. */
function isNonce(text: string): boolean {
  return NONCE.test(text);
}

/** Step 3: this verifier has never judged the nonce before, in any process, before or after a restart. */
export function nonce({ intent, facts }: Identified): Verdict {
  const { agent_id, nonce } = intent.document;
  if (!isNonce(nonce)) {
    const message = 'The nonce is not 32 to 128 hex digits.';
    return failed(violation('NONCE_INVALID', message, { reason: 'form', agent_id }));
  }
  const { memory, now } = facts;
  if (memory === null) return skipped(NO_STATE);
  const spent = memory.nonceRecord(agent_id, nonce);
  if (spent === null) return PASSED;
  const { firstSeenAt, firstResult } = spent;
  const ago = Math.max(0, Math.round((now - firstSeenAt) / 1000));
  const then = firstResult === 'accepted' ? 'accepted' : `refused with ${firstResult}`;
  return failed(
    violation(
      'REPLAY_DETECTED',
      `An intent with this nonce was judged ${ago} s ago and ${then}; a nonce counts once.`,
      {
        nonce,
        first_seen_at: formatTime(firstSeenAt),
        first_result: firstResult,
        agent_id,
      },
    ),
  );
}
