import type { Constraints } from '../../protocol/constraint.js';
import { minorDigits } from '../../protocol/currencies.js';
import { MAX_MINOR } from '../../protocol/money.js';
import type { JsonObject } from '../../protocol/values.js';
import type { Usage } from '../meters.js';
import { readAmount } from './amount.js';
import { paramOf } from './judged.js';

const NEED_HISTORY: ReadonlySet<string> = new Set(['rate', 'daily_limit']);

/** True when a rate or a daily limit makes past accepted intents matter. */
export function needsHistory(constraints: Constraints): boolean {
  return constraints.all.some(({ kind }) => NEED_HISTORY.has(kind));
}

/** Of several constraints that all hold, those that say what an accepted intent is counted with; null when none asks. */
export function accountingOf(limits: readonly Constraints[]): Constraints | null {
  return (
    limits.find((each) => each.all.some(({ kind }) => kind === 'daily_limit')) ?? limits.find(needsHistory) ?? null
  );
}

/**
 * What an accepted intent adds to the history; null when no constraint ever asks. The amount is recorded wherever one can be read,
 * so that a daily limit that is added to a passport later counts what was spent before.
 */
export function usageOf(
  constraints: Constraints,
  _action: string,
  params: JsonObject,
): Pick<Usage, 'currency' | 'amountMinor'> | null {
  if (!needsHistory(constraints)) return null;
  const named = paramOf(params, 'currency');
  // A passport without any rule on money accepts other currencies; they are spent in their own.
  const currency = typeof named === 'string' && minorDigits(named) !== null ? named : constraints.currency;
  const amount = readAmount(params, constraints.amountParam, currency);
  if (amount === null || !amount.ok) return { currency: null, amountMinor: null };
  return { currency, amountMinor: amount.minor < MAX_MINOR ? amount.minor : MAX_MINOR };
}
