import { holdsThing } from '../../protocol/constraints/counted-names.js';
import type { RateRule } from '../../protocol/constraints/rules.js';
import { violation } from '../decision.js';
import { HOLDS, type ConstraintCheck, type Judged } from './judged.js';

/** The sliding window still has room for one more accepted intent. */
export const rate: ConstraintCheck<'rate'> = (rule, judged) => {
  if (!appliesTo(rule, judged.action)) return HOLDS;
  const { used, roomAt } = usedOf(rule, judged);
  if (used < rule.limit) return HOLDS;
  const retryAfter = roomAt === null ? null : Math.max(1, Math.ceil((roomAt - judged.now) / 1000));
  const when = retryAfter === null ? '' : `; there is room in ${retryAfter} s`;
  return [
    violation(
      'RATE_LIMIT_EXCEEDED',
      rule.limit === 0
        ? `"${rule.name}" allows none per ${rule.unit}.`
        : `${used} accepted in the last ${rule.unit}, ${rule.limit} allowed by "${rule.name}"${when}.`,
      { limit: rule.limit, window: rule.unit, used, retry_after_s: retryAfter, agent_id: judged.agentId },
    ),
  ];
};

function appliesTo(rule: RateRule, action: string): boolean {
  if (rule.action !== null) return rule.action === action;
  return rule.thing === null || holdsThing(action, rule.thing);
}

function usedOf(rule: RateRule, judged: Judged): { used: number; roomAt: number | null } {
  // Nothing to count, and no time at which there is room.
  if (rule.limit === 0) return { used: 0, roomAt: null };
  const { action, actions } = rule;
  // A rate for several actions counts them together; there is one moment to name only where one action is counted.
  if (action === null && rule.thing === null && actions !== null) {
    const { used, roomAt } = countOf(rule, [...actions], judged);
    return { used, roomAt: actions.size === 1 ? roomAt : null };
  }
  return countOf(rule, action === null ? null : [action], judged);
}

function countOf(
  { thing, windowMs, limit }: RateRule,
  actions: readonly string[] | null,
  judged: Judged,
): { used: number; roomAt: number | null } {
  const reading = judged.read({ kind: 'count', actions, word: thing, windowMs, limit });
  if (reading.kind !== 'count') throw new Error('a count was asked for and a sum was read');
  return reading;
}
