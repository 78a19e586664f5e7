/** What the log keeps of a judgement. */
import { isAttributable, PRESENTED_BEFORE } from '../../protocol/log/attribution.js';
import type { EntryDraft } from '../../protocol/log/entry.js';
import type { Intent } from '../../protocol/intent.js';
import { maskDetails, maskParams } from '../../protocol/log/secrets.js';
import { formatTime } from '../../protocol/time.js';
import type { Judgement } from '../../verify/judge.js';
import { rememberedUntil } from '../../verify/retention.js';
import type { RefusalMarks } from '../ports/state.js';
import type { Settled } from './conclude.js';

/**
 * True for a refusal of an intent that was refused before, which its agent is not held to again: refusals that would be the same spend
 * no nonce, so a holder of the intent can present it as often as they like. Remembered by its hash, as a nonce is the agent's to choose.
 * `windowMs` is how long after its date it may be presented.
 */
export function wasRefused(
  marks: RefusalMarks,
  { document: { agent_id, timestamp }, hash }: Intent,
  { judgement: { decision }, spent }: Settled,
  windowMs: number,
  wallNow: number,
): boolean {
  if (decision.success || spent || !isAttributable(decision)) return false;
  return !marks.markRefused(agent_id, hash, wallNow, rememberedUntil(wallNow, timestamp, windowMs));
}

/** Of what nobody is proved to have sent, so much is kept: whoever can send anything must not fill the disk, in bytes. */
const MAX_UNPROVEN_BYTES = 4096;
const MAX_TOKEN = 256;

export function entryOf(
  intent: Intent,
  { decision, concern }: Judgement,
  logParams: 'full' | 'masked' | 'none',
  wallNow: number,
  tookUs: number,
  refusedBefore: boolean,
): EntryDraft {
  const { agent_id, action, params, nonce, signature } = intent.document;
  const details = logParams === 'full' ? decision.details : maskDetails(decision.details);
  const kept = logParams !== 'none' && (concern !== 'who' || intent.signedBytes.length <= MAX_UNPROVEN_BYTES);
  return {
    timestamp: formatTime(wallNow),
    agent_id,
    action,
    params: !kept ? null : logParams === 'full' ? params : maskParams(params),
    status: decision.success ? 'success' : 'failed',
    error_code: decision.error_code,
    error_message: decision.error_message,
    details: refusedBefore ? { ...details, [PRESENTED_BEFORE]: true } : details,
    nonce: nonce.length <= MAX_TOKEN ? nonce : null,
    signature: signature.length <= MAX_TOKEN ? signature : null,
    intent_hash: intent.hash,
    dialect: decision.dialect,
    latency_us: Math.max(0, Math.round(tookUs)),
  };
}
