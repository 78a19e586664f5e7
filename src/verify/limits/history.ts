/** Limits over time without a memory: what a verifier that keeps no state answers to them. */
import { sourceText } from '../../protocol/constraints/money-grammar.js';
import type { Constraints, MoneySource } from '../../protocol/constraints/rules.js';
import { jsonOfMinor } from '../../protocol/constraints/money.js';
import { violation, type Violation } from '../decision.js';
import { accountingOf } from './usage.js';

/**
 * What a verifier without state answers to limits over time: it cannot know what was accepted before, so it refuses
 * everything that such a passport's agent asks for. `null` stands for what was not counted.
 */
export function withoutHistory(constraints: Constraints, agentId: string): Violation[] {
  const violations: Violation[] = [];
  for (const rule of constraints.all) {
    if (rule.kind === 'rate') {
      violations.push(
        violation('RATE_LIMIT_EXCEEDED', `${why(rule.name)} Accepted intents cannot be counted.`, {
          limit: rule.limit,
          window: rule.unit,
          used: null,
          retry_after_s: null,
          agent_id: agentId,
        }),
      );
    } else if (rule.kind === 'daily_limit') {
      violations.push(notAddedUp(rule, `${why('daily_limit')} What was spent cannot be added up.`, agentId));
    }
  }
  return violations;
}

/**
 * An accepted intent is counted with one amount. A second daily limit that reads another param, or in another currency, would
 * never see anything spent, so nothing passes it.
 */
export function unaccountable(limits: readonly Constraints[], agentId: string): Violation[] {
  const accounting = accountingOf(limits);
  const violations: Violation[] = [];
  for (const rule of limits.flatMap(({ all }) => all)) {
    if (rule.kind !== 'daily_limit' || accounting === null) continue;
    if (rule.currency === accounting.currency && sourceText(rule.source) === sourceText(accounting.spends)) continue;
    const message = `What is spent is added up from ${sourceSaid(accounting.spends)} in ${accounting.currency}, and another limit reads ${sourceSaid(rule.source)} in ${rule.currency}.`;
    violations.push(notAddedUp(rule, message, agentId));
  }
  return violations;
}

/** A daily limit that nothing can be held to, so that nothing passes it. */
function notAddedUp(
  { limit, currency }: { readonly limit: bigint; readonly currency: string },
  message: string,
  agentId: string,
): Violation {
  return violation('DAILY_LIMIT_EXCEEDED', message, {
    requested: null,
    spent: null,
    limit: jsonOfMinor(limit, currency),
    window: '24h',
    agent_id: agentId,
  });
}

function sourceSaid(source: MoneySource): string {
  return source === null ? 'all money' : source.map(({ text }) => `"${text}"`).join(', ');
}

function why(name: string): string {
  return `The passport holds "${name}", and this verifier keeps no state.`;
}
