/** Limits that found nothing to measure. */
import type { Constraint, Constraints, MoneySource } from '../../protocol/constraints/rules.js';
import type { Json } from '../../protocol/json/values.js';
import { UNMEASURED } from '../../protocol/log/attribution.js';
import { violation, type Violation, type Warning } from '../decision.js';
import { amountsIn } from '../constraints/reading/amount.js';
import { destinationsCounted } from '../constraints/domains.js';
import { shown, type Judged } from '../constraints/judged.js';
import { readBy } from '../constraints/reading/reads.js';

/** A limit that found nothing to measure in params that no schema describes. */
export interface Unmeasured {
  /** As the passport writes it. */
  readonly constraint: string;
  /** What it looks for. */
  readonly looksFor: string;
  /** The params that it looked at, a bounded number. */
  readonly lookedAt: readonly Json[];
}

const SHOWN = 16;

/** The limits on money, destinations and values that found nothing in params without a schema. */
export function unmeasured(limits: readonly Constraints[], judged: Judged): readonly Unmeasured[] {
  if (judged.schema !== null) return NONE;
  const found: Unmeasured[] = [];
  for (const { all } of limits) {
    for (const rule of all) {
      if (rule.actions !== null && !rule.actions.has(judged.action)) continue;
      const looksFor = missedBy(rule, judged);
      if (looksFor !== null) found.push({ constraint: nameOf(rule), looksFor, lookedAt: lookedAt(judged) });
    }
  }
  return found;
}

const NONE: readonly Unmeasured[] = [];

function lookedAt({ members }: Judged): Json[] {
  return members.slice(0, SHOWN).map(({ path }) => shown(path));
}

function nameOf(rule: Constraint): string {
  return 'name' in rule ? rule.name : rule.kind;
}

/** What the rule looks for; null where it found it, or where it reads no params. */
function missedBy(rule: Constraint, judged: Judged): string | null {
  switch (rule.kind) {
    case 'monetary_limit':
    case 'daily_limit': {
      const { readings, unreadable } = amountsIn(judged.params, judged.members, rule.source, rule.currency);
      return readings.length + unreadable.length > 0 ? null : moneySaid(rule.source);
    }
    case 'allowed_domains':
      return destinationsCounted(rule, judged) > 0 ? null : 'an address, URL or host';
    case 'allowed_values':
    case 'denied_values':
    case 'bound':
      return readBy(judged.members, rule.reads).length > 0 ? null : `a param that ends in "${rule.reads.shown}"`;
    case 'currency':
    case 'rate':
    case 'required':
    case 'given':
    case 'approval':
    case 'time_window':
    case 'geo_restriction':
      return null;
  }
}

function moneySaid(source: MoneySource): string {
  return source === null ? 'an amount of money' : source.map(({ text }) => `"${text}"`).join(', ');
}

/** What a decision warns of. */
export function unmeasuredWarnings(found: readonly Unmeasured[]): Warning[] {
  return found.map((each) => ({ code: 'unmeasured', message: said(each) }));
}

/** E208, where this verifier refuses what cannot be measured. */
export function unmeasuredViolations(found: readonly Unmeasured[], agentId: string): Violation[] {
  return found.map((each) =>
    violation('REQUIRED_PARAM_MISSING', said(each), {
      param: null,
      constraint: each.constraint,
      looks_for: each.looksFor,
      looked_at: each.lookedAt,
      [UNMEASURED]: true,
      agent_id: agentId,
    }),
  );
}

function said({ constraint, looksFor, lookedAt }: Unmeasured): string {
  const where = lookedAt.length === 0 ? 'there are no params' : `it looked at ${lookedAt.map(String).join(', ')}`;
  return `"${constraint}" found nothing to measure: it looks for ${looksFor}, and ${where}.`;
}
