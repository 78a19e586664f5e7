import { formatTime } from '../../../../protocol/time.js';
import { NO_STATE, type Recall } from '../../../context.js';
import { failed, PASSED, skipped, type Verdict } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { aip1Violation } from '../violations.js';
import { endOf } from './form.js';

/** E102: this verifier has never judged the nonce before. Asking spends nothing: only an envelope whose proof holds does. */
export function replay(context: Aip1Context): Verdict {
  const { envelope, facts } = context;
  const { memory, now } = facts;
  if (memory === null) return skipped(NO_STATE);
  const spent = memory.nonceRecord(envelope.agentId, envelope.entropy);
  if (spent === null) return forgotten(context, memory) ?? PASSED;
  const { firstSeenAt, firstResult } = spent;
  const ago = Math.max(0, Math.round((now - firstSeenAt) / 1000));
  const then = firstResult === 'accepted' ? 'accepted' : `refused with ${firstResult}`;
  const message = `An envelope with this nonce was judged ${ago} s ago and ${then}; a nonce counts once.`;
  const first_seen_at = formatTime(firstSeenAt);
  const details = { nonce: envelope.entropy, first_seen_at, first_result: firstResult, agent_id: envelope.agentId };
  return failed(aip1Violation('REPLAY_DETECTED', message, details));
}

/**
 * E101 where the nonce may have been spent and forgotten since. A nonce is kept for as long as its envelope is in force by the wall
 * clock, so this is only about what `--at` takes back to its own time.
 */
function forgotten({ envelope, facts, policy }: Aip1Context, memory: Recall): Verdict | null {
  const { wallNow } = facts;
  const { agentId: agent_id, issuedAt } = envelope;
  const end = endOf(envelope);
  if (wallNow <= end) return null;
  // What may be dated ahead may have been spent before its date.
  const earliest = issuedAt - policy.maxSkewMs;
  const forgottenUntil = memory.forgottenUntil(earliest);
  if (earliest > forgottenUntil) return null;
  const message = `Nonces that were spent until ${formatTime(forgottenUntil)} are forgotten here, so an envelope of that time could be a replay.`;
  const details = { issued_at: formatTime(issuedAt), expires_at: formatTime(end), now: formatTime(wallNow), agent_id };
  return failed(aip1Violation('EXPIRED_ENVELOPE', message, details));
}
