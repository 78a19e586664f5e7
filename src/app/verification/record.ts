/** What the state keeps of a judgement: the spent nonce, the agent's history, and the log entry. */
import { isAttributable, PRESENTED_BEFORE } from '../../protocol/log/attribution.js';
import type { Constraints } from '../../protocol/constraints/rules.js';
import type { EntryDraft } from '../../protocol/log/entry.js';
import type { Intent } from '../../protocol/intent.js';
import { DEFAULT_MAX_AGE_S, NONCE_RETENTION_WINDOWS } from '../../protocol/limits.js';
import { maskDetails, maskParams } from '../../protocol/log/secrets.js';
import { formatTime } from '../../protocol/time.js';
import { MAX_LIFETIME_MS } from '../../verify/aip1/checks/form.js';
import { accountingOf, usageOf } from '../../verify/constraints.js';
import { spendsNonce } from '../../verify/finality.js';
import type { Judgement } from '../../verify/judge.js';
import type { Memory, RefusalMarks } from '../ports/state.js';

/** A moment of the transaction, in ms since the epoch. */
export interface Moment {
  readonly wallNow: number;
  /** What `--at` says, else `wallNow`. */
  readonly now: number;
}

/** Spends the nonce where `finality.ts` says so, and counts what was accepted as those constraints say that do the accounts. */
export function settle(
  memory: Memory,
  { document: { agent_id, action, nonce, params, timestamp } }: Intent,
  limits: readonly Constraints[],
  { decision }: Judgement,
  maxAgeMs: number,
  { wallNow, now }: Moment,
): void {
  if (spendsNonce(decision)) {
    const keepUntil = rememberedUntil(wallNow, timestamp, maxAgeMs);
    memory.spendNonce(agent_id, nonce, wallNow, decision.error_code ?? 'accepted', keepUntil);
  }
  if (!decision.success) return;
  const accounting = accountingOf(limits);
  if (accounting !== null) memory.recordUsage({ agentId: agent_id, action, at: now, ...usageOf(accounting, params) });
}

/**
 * True for a refusal of an intent that was refused before, which its agent is not held to again: refusals that would be the same spend
 * no nonce, so whoever holds the intent can present it as often as they like. Remembered by its hash, as a nonce is the agent's to choose.
 */
export function wasRefused(
  marks: RefusalMarks,
  { document: { agent_id, timestamp }, hash }: Intent,
  { decision }: Judgement,
  maxAgeMs: number,
  wallNow: number,
): boolean {
  if (decision.success || !isAttributable(decision) || spendsNonce(decision)) return false;
  const window = decision.dialect === 'native' ? maxAgeMs : Math.max(maxAgeMs, MAX_LIFETIME_MS);
  return !marks.markRefused(agent_id, hash, wallNow, rememberedUntil(wallNow, timestamp, window));
}

function rememberedUntil(wallNow: number, timestamp: number, maxAgeMs: number): number {
  // An intent may be dated ahead, and stays fresh for a whole window after its date: one that was refused for that must not be
  // held back until it comes into force.
  const from = Math.max(wallNow, timestamp * 1000);
  // Who is stricter than others with one state must not make them forget what they would still accept.
  return from + NONCE_RETENTION_WINDOWS * Math.max(maxAgeMs, DEFAULT_MAX_AGE_S * 1000);
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
