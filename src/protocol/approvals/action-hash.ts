import { sha256Hex } from '../hash.js';
import { canonicalize } from '../json/canonical.js';
import type { JsonObject } from '../json/values.js';

/** What an approval is of: an action with all that matters about it, and neither its time nor its nonce. */
export interface AskedAction {
  readonly agent_id: string;
  readonly action: string;
  readonly params: JsonObject;
  /** Null where the intent names none. */
  readonly target: string | null;
  /** `sha256:` and hex of the passport in force; null for an agent that is judged without one. */
  readonly passport_hash: string | null;
}

/** `sha256:` and the hash over the RFC 8785 bytes of the action (protocol, section 5.3). */
export function actionHash({ agent_id, action, params, target, passport_hash }: AskedAction): string {
  return `sha256:${sha256Hex(canonicalize({ agent_id, action, params, target, passport_hash }))}`;
}
