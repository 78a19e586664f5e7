/** An agent's past with this verifier, as RFC-001 (section 9) weighs it. */
export interface TrustHistory {
  readonly total: number;
  readonly successful: number;
  readonly violations: number;
  readonly revocations: number;
  readonly attestationChanges: number;
  /** Links from the principal to the agent; 1 when it was granted directly. */
  readonly delegationDepth: number;
}

/** The weighted sum of RFC-001, section 9.2, from 0 to 1 with four decimals; an agent without history has 0. */
export function rfcTrustScore(history: TrustHistory | null): number {
  if (history === null || history.total === 0) return 0;
  const { total, successful, violations, revocations, attestationChanges, delegationDepth } = history;
  const score =
    0.35 * (successful / total) +
    0.25 * (1 - violations / total) +
    0.15 * Math.max(0, 1 - 0.3 * revocations) +
    0.1 * Math.max(0, 1 - 0.15 * attestationChanges) +
    0.05 * Math.max(0, 1 - 0.2 * (delegationDepth - 1)) +
    0.1 * Math.min(1, total / 100);
  return Math.round(Math.min(1, Math.max(0, score)) * 1e4) / 1e4;
}
