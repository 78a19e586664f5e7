/** What the log keeps of a judgement. */
import { CONTINUED, isAttributable, PRESENTED_BEFORE, UNBOUND } from '../../protocol/log/attribution.js';
import type { EntryDraft } from '../../protocol/log/entry.js';
import type { Intent } from '../../protocol/intent.js';
import { maskDetails, maskParams, maskString, paramsCommitted } from '../../protocol/log/secrets.js';
import { formatTime } from '../../protocol/time.js';
import { rememberedUntil } from '../../verify/retention.js';
import type { EntryAside, RefusalMarks } from '../ports/state.js';
import type { Submission } from './examine.js';
import type { Settled } from './settle.js';

/**
 * Remembers a refusal. True where the same intent was refused before, which its agent is not held to again: refusals that would be the same spend
 * no nonce, so a holder of the intent can present it as often as they like. Remembered by its hash, as a nonce is the agent's to choose.
 * `windowMs` is how long after its date it may be presented.
 */
export function noteRefusal(
  marks: RefusalMarks,
  { document: { agent_id, timestamp }, hash }: Intent,
  { judgement: { decision }, spent }: Settled,
  windowMs: number,
  wallNow: number,
): boolean {
  if (decision.success || spent || !isAttributable(decision)) return false;
  return !marks.markRefused(agent_id, hash, wallNow, rememberedUntil(wallNow, timestamp, windowMs));
}

/** How much of a document without a proven sender is kept, in bytes: a stranger must not fill the disk. */
const MAX_UNPROVEN_BYTES = 4096;
const MAX_TOKEN = 256;

/** How and when a judgement is recorded. */
interface Recording {
  readonly logParams: 'full' | 'masked' | 'none';
  /** ms since the epoch. */
  readonly wallNow: number;
  readonly tookUs: number;
  /** See `noteRefusal`. */
  readonly refusedBefore: boolean;
  /** True where an entry with all params holds all that was signed. */
  readonly fitsEntry: boolean;
}

/** The entry of a judgement, and what stands beside it: what was sent, the passport, the token of a yes. */
export function recordOf(
  intent: Intent,
  { judgement: { decision, concern }, inForce, unbound, releasable }: Settled,
  { bytes, approvalRequest, observed, counted }: Pick<Submission, 'bytes' | 'approvalRequest' | 'observed' | 'counted'>,
  { logParams, wallNow, tookUs, refusedBefore, fitsEntry }: Recording,
): { readonly draft: EntryDraft; readonly aside: EntryAside } {
  const { agent_id, action, target, params, timestamp, nonce, signature, approval_request } = intent.document;
  const details = logParams === 'full' ? decision.details : maskDetails(decision.details);
  const marks = decision.success
    ? [...(counted === false ? [CONTINUED] : [])]
    : [...(refusedBefore ? [PRESENTED_BEFORE] : []), ...(unbound ? [UNBOUND] : [])];
  const small = concern !== 'who' || intent.signedBytes.length <= MAX_UNPROVEN_BYTES;
  const kept = logParams !== 'none' && small;
  const shown = !kept ? null : logParams === 'full' ? params : maskParams(params);
  return {
    draft: {
      timestamp: formatTime(wallNow),
      agent_id,
      action,
      target: !small || target === undefined ? null : logParams === 'full' ? target : maskString(target),
      params: shown,
      status: decision.success ? 'success' : 'failed',
      error_code: decision.error_code,
      error_message: decision.error_message,
      details: marks.length === 0 ? details : { ...details, ...Object.fromEntries(marks.map((each) => [each, true])) },
      nonce: nonce.length <= MAX_TOKEN ? nonce : null,
      signature: signature.length <= MAX_TOKEN ? signature : null,
      intent_hash: intent.hash,
      intent_timestamp: timestamp,
      key_id: inForce?.keyId ?? null,
      passport_hash: inForce?.passport.hash() ?? null,
      passport_serial: inForce?.passport.serial ?? null,
      // An envelope names no request: it comes beside it.
      approval_request: small ? (approval_request ?? approvalRequest ?? null) : null,
      dialect: decision.dialect,
      latency_us: Math.max(0, Math.round(tookUs)),
      ...(observed === true && !decision.success ? { observed: true as const } : null),
    },
    aside: {
      // Without a proven sender the names alone could fill the disk.
      sent: shown === params || !small ? null : paramsCommitted(params),
      document: kept && logParams === 'full' && !fitsEntry ? textOf(bytes) : null,
      passport: inForce === null ? null : { hash: inForce.passport.hash(), text: inForce.passport.text() },
      token: decision.outcome_token,
      releasable,
    },
  };
}

function textOf(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8');
}
