import type { Decision } from '../verify/decision.js';
import type { JsonObject } from '../protocol/json/values.js';

/**
 * A refused intent, thrown by `shield`. The world failing (no key, no disk) is a `Failure` instead, so that the two are
 * never confused.
 */
export class VerificationError extends Error {
  /** `AIP-E202`, or the code that a verification hook gave. */
  readonly code: string;
  /** The name of the code (`MONETARY_LIMIT_EXCEEDED`), or what the hook said. */
  declare readonly message: string;
  /** The facts, always with `agent_id`: for E202 `{requested, limit, currency, param, agent_id}`. */
  readonly details: JsonObject;
  /** One sentence for people. */
  readonly reason: string;
  /** The whole decision. */
  readonly decision: Decision;

  /** @param decision a refusal; a yes throws TypeError. */
  constructor(decision: Decision) {
    if (decision.success || decision.error_code === null) throw new TypeError('a yes is no error');
    super(decision.error_message ?? decision.error_code);
    this.name = 'VerificationError';
    this.code = decision.error_code;
    this.details = decision.details ?? {};
    this.reason = decision.message;
    this.decision = decision;
  }

  override toString(): string {
    return `${this.code}: ${this.message}. ${this.reason}`;
  }
}
