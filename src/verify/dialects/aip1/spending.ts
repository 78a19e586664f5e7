/**
 * What an accepted envelope is counted with. An agent chooses the currency of its own boundaries, so what it says there must never
 * decide which sum an amount goes into where somebody else caps that sum.
 */
import type { Boundaries } from '../../../protocol/aip1/boundaries.js';
import type { Constraints } from '../../../protocol/constraints/rules.js';
import { amountsIn } from '../../constraints/reading/amount.js';
import { accountingOf, usageOf } from '../../limits/usage.js';
import { membersOf } from '../../constraints/reading/members.js';
import type { Violation } from '../../decision.js';
import type { Usage } from '../../meters.js';
import { amountByWords, amountOf, countedMinor, digitsOf } from './amount.js';
import type { Aip1Context } from './context.js';
import { aip1Violation } from './violations.js';

type Spent = Pick<Usage, 'currency' | 'amountMinor'>;

/** E202: an amount without a currency, where two bounds cap it in different ones, could be held to one of them only. */
export function unclearCurrency(context: Aip1Context): Violation[] {
  const { envelope, limits } = context;
  const { parameters, agentId: agent_id } = envelope;
  const [first, ...others] = cappedIn(context);
  const other = others.find(({ currency }) => currency !== first?.currency);
  if (first === undefined || other === undefined || (parameters.currency ?? null) !== null) return [];
  const isMoney =
    amountOf(parameters, first.currency) !== null ||
    limits.some(({ spends, currency }) => {
      const { readings, unreadable } = amountsIn(parameters, membersOf(parameters), spends, currency);
      return readings.length + unreadable.length > 0;
    });
  if (!isMoney) return [];
  const { currency, bound } = first;
  const message = `The intent names no currency: the ${bound} caps ${currency}, the ${other.bound} caps ${other.currency}.`;
  const details = { requested: null, limit: null, currency, param: 'currency', bound, agent_id };
  return [aip1Violation('MONETARY_LIMIT', message, details)];
}

/** What to count; null when nothing asks. */
export function usageOfEnvelope(context: Aip1Context): Spent | null {
  const { envelope, mandate, limits } = context;
  const accounting = accountingOf(limits);
  const native = accounting === null ? null : usageOf(accounting, envelope.parameters);
  const capsDay = [envelope.boundaries, mandate?.boundaries].some((each) => (each?.perDay ?? null) !== null);
  // What a passport limits may be another param than the amount.
  const own = capsDay || !limits.some(limitsDay) ? amountSpent(context) : null;
  if (own === null || native === null || native.amountMinor === null) return own ?? native;
  return native.currency === own.currency && native.amountMinor > own.amountMinor! ? native : own;
}

/** Amounts are counted even where nothing caps them yet. */
function amountSpent(context: Aip1Context): Spent | null {
  const { envelope, mandate, passport } = context;
  const { parameters } = envelope;
  const named = parameters.currency;
  const [capped] = cappedIn(context);
  const trusted = capped?.currency ?? passport?.constraints.currency ?? (mandate ?? envelope).boundaries.currency;
  const currency = typeof named === 'string' && named.length <= 16 ? named.toUpperCase() : trusted;
  const amount = mandate === null ? amountOf(parameters, currency) : amountByWords(parameters, currency);
  if (amount === null || !amount.ok || amount.decimal.coefficient <= 0n) return null;
  return { currency, amountMinor: countedMinor(amount.decimal, digitsOf(currency)) };
}

interface CappedIn {
  readonly bound: 'passport' | 'caller' | 'mandate' | 'envelope';
  readonly currency: string;
}

/** Who caps money, and in which currency; what the agent says of itself comes last. */
function cappedIn({ envelope, mandate, passport, limits }: Aip1Context): CappedIn[] {
  return [
    ...limits.filter(limitsMoney).map((each): CappedIn => {
      return { bound: each === passport?.constraints ? 'passport' : 'caller', currency: each.currency };
    }),
    ...(mandate !== null && caps(mandate.boundaries)
      ? [{ bound: 'mandate', currency: mandate.boundaries.currency } as const]
      : []),
    ...(caps(envelope.boundaries) ? [{ bound: 'envelope', currency: envelope.boundaries.currency } as const] : []),
  ];
}

function caps({ perTransaction, perDay }: Boundaries): boolean {
  return perTransaction !== null || perDay !== null;
}

function limitsMoney({ all }: Constraints): boolean {
  return all.some(({ kind }) => kind === 'monetary_limit' || kind === 'daily_limit');
}

function limitsDay({ all }: Constraints): boolean {
  return all.some(({ kind }) => kind === 'daily_limit');
}
