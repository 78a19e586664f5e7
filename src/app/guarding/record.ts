/** Refusals that no intent was signed for, as entries of the log: a tool that changed, a file that is aip's own. */
import type { EntryDraft } from '../../protocol/log/entry.js';
import { maskDetails, maskParams, maskString } from '../../protocol/log/secrets.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import { formatTime } from '../../protocol/time.js';
import { withHashes } from './long-texts.js';

/** A call that was refused before it was signed. */
export interface UnsignedRefusal {
  readonly passport: Passport;
  readonly action: string;
  readonly target: string | null;
  readonly params: JsonObject;
  readonly code: string;
  readonly name: string;
  readonly details: JsonObject;
  /** True where the guard only looked on, so that the call ran. */
  readonly observed?: boolean;
}

/** @param now ms since the epoch */
export function refusalEntry(refusal: UnsignedRefusal, logParams: 'full' | 'masked' | 'none', now: number): EntryDraft {
  const { passport, action, target, code, name } = refusal;
  const params = withHashes(refusal.params);
  return {
    timestamp: formatTime(now),
    agent_id: passport.agent.id,
    action,
    target: target === null || logParams === 'full' ? target : maskString(target),
    params: logParams === 'none' ? null : logParams === 'full' ? params : maskParams(params),
    status: 'failed',
    error_code: code,
    error_message: name,
    details: maskDetails({ ...refusal.details, agent_id: passport.agent.id }),
    nonce: null,
    signature: null,
    intent_hash: null,
    intent_timestamp: null,
    key_id: null,
    passport_hash: passport.hash(),
    passport_serial: passport.serial,
    approval_request: null,
    dialect: 'native',
    latency_us: 0,
    ...(refusal.observed === true ? { observed: true as const } : {}),
  };
}
