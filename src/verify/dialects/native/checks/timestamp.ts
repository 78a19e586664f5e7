import { DEFAULT_MAX_SKEW_S } from '../../../../protocol/limits.js';
import { formatTime } from '../../../../protocol/time.js';
import type { Identified } from '../context.js';
import { failed, PASSED, violation, type Verdict } from '../../../decision.js';

/** Step 4: the intent is recent, and not dated ahead of what clocks may differ. Exactly at a bound passes. */
export function timestamp({ intent, policy, facts }: Identified): Verdict {
  const { agent_id, timestamp } = intent.document;
  const ageMs = facts.now - timestamp * 1000;
  // Asked so that a bound which is no number refuses.
  if (!(ageMs <= policy.maxAgeMs)) {
    const max_age_s = policy.maxAgeMs / 1000;
    const whole = Math.floor(ageMs / 1000);
    // A fraction of a second over the bound is shown: "300 s old; at most 300 s" would read like a mistake.
    const age_s = whole > max_age_s ? whole : ageMs / 1000;
    const message = `The intent is ${age_s} s old; at most ${max_age_s} s are allowed.`;
    return failed(violation('TIMESTAMP_EXPIRED', message, { timestamp, age_s, max_age_s, agent_id }));
  }
  // What is forgotten is counted from when a nonce was spent, and an intent may have come before its date.
  const earliest = timestamp * 1000 - Math.max(policy.maxSkewMs, DEFAULT_MAX_SKEW_S * 1000);
  const forgottenUntil = facts.memory?.forgottenUntil(earliest) ?? 0;
  if (forgottenUntil !== 0 && earliest <= forgottenUntil) {
    // Reached with `--at`, or with a longer window than the one nonces were kept for.
    const message = `Nonces that were spent until ${formatTime(forgottenUntil)} are forgotten here, so an intent of that time could be a replay.`;
    const age_s = Math.floor((facts.wallNow - timestamp * 1000) / 1000);
    const max_age_s = Math.floor((facts.wallNow - forgottenUntil) / 1000);
    return failed(violation('TIMESTAMP_EXPIRED', message, { timestamp, age_s, max_age_s, agent_id }));
  }
  if (!(-ageMs <= policy.maxSkewMs)) {
    const ahead_s = Math.ceil(-ageMs / 1000);
    const max_ahead_s = policy.maxSkewMs / 1000;
    const message = `The intent is dated ${ahead_s} s ahead; at most ${max_ahead_s} s are allowed.`;
    return failed(violation('TIMESTAMP_IN_FUTURE', message, { timestamp, ahead_s, max_ahead_s, agent_id }));
  }
  return PASSED;
}
