import { formatMinor, jsonOfMinor } from '../../protocol/constraints/money.js';
import type { CurrencyRule, MoneyLimit } from '../../protocol/constraints/rules.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { GUESSED } from '../../protocol/log/attribution.js';
import { violation, type Violation } from '../decision.js';
import { amountsIn, isCertain, worstAbove, type Amount, type Amounts } from './reading/amount.js';
import { otherCurrency } from './reading/currency.js';
import { HOLDS, said, shown, type ConstraintCheck, type Judged } from './judged.js';

/** Every amount is in the passport's currency and can be read exactly; the limits below rely on it. */
export const currency: ConstraintCheck<'currency'> = (rule, { agentId, params, members }) => {
  const other = otherCurrency(params, members, rule, rule.sources);
  if (other !== null) return [inOther(rule, other.value, other.path, agentId, guessedBy(other))];
  const found = rule.sources.map((source) => amountsIn(params, members, source, rule.currency));
  const violations: Violation[] = [];
  for (const { unreadable } of found) {
    for (const { param, reason } of unreadable) {
      violations.push(
        violation('PARAMS_INVALID', `"${param}" is not an amount of ${rule.currency}: ${reason}.`, {
          param,
          reason,
          agent_id: agentId,
        }),
      );
    }
  }
  const [foreign] = violations.length > 0 ? [] : found.flatMap((each) => each.foreign);
  return foreign === undefined
    ? violations
    : [inOther(rule, foreign.currency, foreign.param, agentId, guessedBy(foreign))];
};

function inOther(rule: CurrencyRule, asked: Json, path: string, agentId: string, more: JsonObject): Violation {
  const { currency, limit, assumed } = rule;
  return violation(
    'MONETARY_LIMIT_EXCEEDED',
    `Currency ${said(asked)} asked, ${currency} allowed${assumed ? ' (the default of a passport that names none)' : ''}.`,
    {
      requested: shown(asked),
      limit: limit === null ? null : jsonOfMinor(limit, currency),
      currency,
      param: shown(path),
      ...more,
      agent_id: agentId,
    },
  );
}

/** The money that a limit holds an intent to; null where it cannot be read, or is in another currency: `currency` refuses that, before every limit. */
export function amountsUnder(
  rule: MoneyLimit,
  { params, members }: Pick<Judged, 'params' | 'members'>,
): Amounts | null {
  const { source, currency } = rule;
  if (otherCurrency(params, members, rule, [source]) !== null) return null;
  const amounts = amountsIn(params, members, source, currency);
  return isCertain(amounts) ? amounts : null;
}

/** No single action asks for more than the limit; the limit itself is allowed. */
export const monetaryLimit: ConstraintCheck<'monetary_limit'> = (rule, judged) => {
  const { limit, currency } = rule;
  const { agentId } = judged;
  const amounts = amountsUnder(rule, judged);
  const amount = amounts === null ? null : worstAbove(amounts, limit);
  if (amount === null) return HOLDS;
  return [
    violation(
      'MONETARY_LIMIT_EXCEEDED',
      `${formatMinor(amount.minor, currency)} asked${whereFound(amount)}, ${formatMinor(limit, currency)} allowed.`,
      {
        requested: jsonOfMinor(amount.minor, currency),
        limit: jsonOfMinor(limit, currency),
        currency,
        param: shown(amount.param),
        ...guessedBy(amount),
        agent_id: agentId,
      },
    ),
  ];
};

/** An amount that was found by a word says where, so that a person sees what was taken for money. */
export function whereFound({ param, guessed }: Amount): string {
  return guessed ? ` (in ${said(param)})` : '';
}

/** The mark of a guess, where it is one. */
export function guessedBy({ guessed }: Pick<Amount, 'guessed'>): JsonObject {
  return guessed ? { [GUESSED]: true } : {};
}
