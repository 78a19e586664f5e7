/** What an accepted intent is counted with under all the limits that hold for it. */
import type { Constraints } from '../../protocol/constraints/rules.js';
import { minorDigits } from '../../protocol/constraints/currencies.js';
import { MAX_MINOR } from '../../protocol/constraints/money.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Usage } from '../meters.js';
import { amountsIn, largestOf } from '../constraints/reading/amount.js';
import { saysCurrency } from '../constraints/reading/currency.js';
import { paramOf } from '../constraints/judged.js';
import { membersOf, type NamedValue } from '../constraints/reading/members.js';

const NEED_HISTORY: ReadonlySet<string> = new Set(['rate', 'daily_limit']);

/** True when a rate or a daily limit makes past accepted intents matter. */
export function needsHistory(constraints: Constraints): boolean {
  return constraints.all.some(({ kind }) => NEED_HISTORY.has(kind));
}

/** Of several constraints that all hold, those that say what an accepted intent is counted with; null when there are none. */
export function accountingOf(limits: readonly Constraints[]): Constraints | null {
  return (
    limits.find((each) => each.all.some(({ kind }) => kind === 'daily_limit')) ??
    limits.find(needsHistory) ??
    limits[0] ??
    null
  );
}

/**
 * What an accepted intent adds to the history, also where no constraint asks yet: a limit that a passport is given later, or that a
 * caller brings along, counts what was accepted before.
 */
export function usageOf(
  constraints: Constraints,
  params: JsonObject,
  members: readonly NamedValue[] = membersOf(params),
): Pick<Usage, 'currency' | 'amountMinor'> {
  const { currencyIn } = constraints;
  const said = currencyIn && members.find((each) => saysCurrency(each, params, currencyIn))?.value;
  const named = paramOf(params, 'currency') ?? said;
  // A passport without any rule on money accepts other currencies; they are spent in their own.
  const currency = typeof named === 'string' && minorDigits(named) !== null ? named : constraints.currency;
  const amounts = amountsIn(params, members, constraints.spends, currency);
  const amount = amounts.unreadable.length > 0 ? null : largestOf(amounts);
  if (amount === null) return { currency: null, amountMinor: null };
  return { currency, amountMinor: amount.minor < MAX_MINOR ? amount.minor : MAX_MINOR };
}

/**
 * The most that may be given back of an accepted action within a day, in minor units: the least daily limit that holds for it, where every
 * one of them says so (`release: true`). Null where nothing is.
 */
export function releaseOf(limits: readonly Constraints[], action: string): bigint | null {
  let most: bigint | null = null;
  for (const { all } of limits)
    for (const rule of all) {
      if (rule.kind !== 'daily_limit' || (rule.actions !== null && !rule.actions.has(action))) continue;
      if (rule.release !== true) return null;
      if (most === null || rule.limit < most) most = rule.limit;
    }
  return most;
}
