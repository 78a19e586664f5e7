/** What the state keeps of a judgement: the spent nonce, the agent's history, and the log entry. */
import type { Constraints } from '../protocol/constraint.js';
import type { EntryDraft } from '../protocol/entry.js';
import type { Intent } from '../protocol/intent.js';
import { DEFAULT_MAX_AGE_S, NONCE_RETENTION_WINDOWS } from '../protocol/limits.js';
import { maskDetails, maskParams } from '../protocol/secrets.js';
import { formatTime } from '../protocol/time.js';
import { accountingOf, usageOf } from '../verify/constraints/index.js';
import { spendsNonce } from '../verify/finality.js';
import type { Judgement } from '../verify/judge.js';
import type { Ledger } from './ports.js';

/** A moment of the transaction, in ms since the epoch. */
export interface Moment {
  readonly wallNow: number;
  /** What `--at` says, else `wallNow`. */
  readonly now: number;
}

/** Spends the nonce where `finality.ts` says so, and counts what was accepted as those constraints say that do the accounts. */
export function settle(
  ledger: Ledger,
  { document: { agent_id, action, nonce, params, timestamp } }: Intent,
  limits: readonly Constraints[],
  { decision }: Judgement,
  maxAgeMs: number,
  { wallNow, now }: Moment,
): void {
  if (spendsNonce(decision)) {
    // An intent may be dated ahead, and stays fresh for a whole window after its date: one that was refused for that must not be
    // held back until it comes into force.
    const from = Math.max(wallNow, timestamp * 1000);
    // Who is stricter than others with one state must not make them forget what they would still accept.
    const keepUntil = from + NONCE_RETENTION_WINDOWS * Math.max(maxAgeMs, DEFAULT_MAX_AGE_S * 1000);
    ledger.spendNonce(agent_id, nonce, wallNow, decision.error_code ?? 'accepted', keepUntil);
  }
  if (!decision.success) return;
  const accounting = accountingOf(limits);
  const usage = accounting === null ? null : usageOf(accounting, action, params);
  if (usage !== null) ledger.recordUsage({ agentId: agent_id, action, at: now, ...usage });
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
): EntryDraft {
  const { agent_id, action, params, nonce, signature } = intent.document;
  const kept = logParams !== 'none' && (concern !== 'who' || intent.signedBytes.length <= MAX_UNPROVEN_BYTES);
  return {
    timestamp: formatTime(wallNow),
    agent_id,
    action,
    params: !kept ? null : logParams === 'full' ? params : maskParams(params),
    status: decision.success ? 'success' : 'failed',
    error_code: decision.error_code,
    error_message: decision.error_message,
    details: logParams === 'full' ? decision.details : maskDetails(decision.details),
    nonce: nonce.length <= MAX_TOKEN ? nonce : null,
    signature: signature.length <= MAX_TOKEN ? signature : null,
    intent_hash: intent.hash,
    dialect: decision.dialect,
    latency_us: Math.max(0, Math.round(tookUs)),
  };
}
