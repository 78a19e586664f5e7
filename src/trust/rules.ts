import { canonicalize } from '../protocol/json/canonical.js';
import { sha256Hex } from '../protocol/hash.js';

/** So many events within a window raise a warning; they never change a score. */
export interface SuspiciousPattern {
  readonly type: 'rapid_failures' | 'unusual_actions';
  /** 1 to `MAX_THRESHOLD`. */
  readonly threshold: number;
  readonly window_seconds: number;
}

/** How a score is computed; the guide's "Trust Score Tuning". Scores and steps lie between 0 and 1. */
export interface TrustRules {
  readonly model: 'guide' | 'aip-1';
  readonly initialScore: number;
  readonly successIncrement: number;
  readonly failureDecrement: number;
  /** Lost for each whole hour without activity. */
  readonly timeDecayRate: number;
  /** Before so many verifications a score means nothing. */
  readonly minVerifications: number;
  readonly patterns: readonly SuspiciousPattern[];
}

/** The guide's numbers. */
export const GUIDE_RULES: TrustRules = {
  model: 'guide',
  initialScore: 0.5,
  successIncrement: 0.01,
  failureDecrement: 0.05,
  timeDecayRate: 0.001,
  minVerifications: 10,
  patterns: [
    { type: 'rapid_failures', threshold: 5, window_seconds: 60 },
    { type: 'unusual_actions', threshold: 3, window_seconds: 300 },
  ],
};

/** The fold remembers as many moments as a threshold names, for each agent. */
export const MAX_THRESHOLD = 1000;

/** Names the rules: what was folded under one name continues under the same name only. Part of it is the fold's own version. */
export function ruleName(rules: TrustRules): string {
  return sha256Hex(canonicalize({ fold: 1, ...rules, patterns: rules.patterns.map((each) => ({ ...each })) })).slice(
    0,
    16,
  );
}
