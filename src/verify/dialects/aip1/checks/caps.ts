import type { Boundaries } from '../../../../protocol/aip1/boundaries.js';
import type { Json, JsonObject } from '../../../../protocol/json/values.js';
import type { Violation } from '../../../decision.js';
import { hasRoom } from '../../../meters.js';
import type { Aip1Context, Bound } from '../context.js';
import {
  amountByWords,
  amountOf,
  countedMinor,
  decimalText,
  digitsOf,
  jsonOfDecimal,
  otherByWords,
} from '../amount.js';
import { compareDecimals, floorAt, type Decimal } from '../../../../protocol/constraints/money.js';
import { GUESSED } from '../../../../protocol/log/attribution.js';
import { aip1Violation } from '../violations.js';

const DAY_MS = 86_400_000;

/** E202, and E103 for an amount that cannot be read. Nothing is money where nothing is capped. */
export function brokenCaps(context: Aip1Context, bounds: Boundaries, bound: Bound): Violation[] {
  const { envelope, facts } = context;
  const { parameters, agentId: agent_id } = envelope;
  const { perTransaction, perDay, currency } = bounds;
  if (perTransaction === null && perDay === null) return [];
  // What a principal said is read as a passport's limits are; the envelope's own boundaries as RFC-001 reads them.
  const amount = bound === 'mandate' ? amountByWords(parameters, currency) : amountOf(parameters, currency);
  if (amount === null) return [];
  if (!amount.ok) {
    const { reason } = amount;
    return [aip1Violation('SCHEMA_INVALID', `${reason}.`, { reason, offset: null, bound, agent_id })];
  }
  const other = otherThan(currency, parameters, bound);
  if (other !== null) {
    const { named, param } = other;
    const requested = typeof named === 'string' ? named.slice(0, 16) : null;
    const message = `The amount is in ${requested ?? 'something that is no currency'}, and the ${bound} caps ${currency}.`;
    const details = { requested, limit: null, currency, param, bound, agent_id };
    return [aip1Violation('MONETARY_LIMIT', message, details)];
  }
  // Zero and negative amounts spend nothing (RFC-001's conformance vectors).
  if (amount.decimal.coefficient <= 0n) return [];
  const asked = decimalText(amount.decimal);
  const exceeded = (
    limit: Decimal,
    spent: Decimal | null,
    message: string,
    window = spent === null ? null : '24h',
  ): Violation[] => {
    const details: JsonObject = {
      requested: jsonOfDecimal(amount.decimal),
      limit: jsonOfDecimal(limit),
      currency,
      spent: spent === null ? null : jsonOfDecimal(spent),
      window,
      param: amount.param,
      ...(amount.guessed === true ? { [GUESSED]: true } : {}),
      bound,
      agent_id,
    };
    return [aip1Violation('MONETARY_LIMIT', message, details)];
  };
  if (perTransaction !== null && compareDecimals(amount.decimal, perTransaction) > 0) {
    const message = `${asked} ${currency} asked, the ${bound} allows ${decimalText(perTransaction)}.`;
    return exceeded(perTransaction, null, message);
  }
  if (perDay === null) return [];
  const { memory, now } = facts;
  if (memory === null) {
    return exceeded(
      perDay,
      null,
      `The ${bound} caps 24 hours, and this verifier keeps no state: nothing can be added up.`,
      '24h',
    );
  }
  const digits = digitsOf(currency);
  const meter = {
    kind: 'sum',
    currency,
    windowMs: DAY_MS,
    asked: countedMinor(amount.decimal, digits),
    limit: floorAt(perDay, digits),
  } as const;
  const reading = memory.read(agent_id, meter, now);
  if (reading.kind !== 'sum') throw new Error('a sum was asked for and a count was read');
  if (hasRoom(meter, reading)) return [];
  const spent = { coefficient: reading.spent, scale: digits };
  const message = `${asked} ${currency} asked and ${decimalText(spent)} spent in 24 hours, the ${bound} allows ${decimalText(perDay)}.`;
  return exceeded(perDay, spent, message);
}

interface OtherCurrency {
  readonly named: Json;
  readonly param: string;
}

/** What the parameters say of their currency that is not the one of the cap. */
function otherThan(currency: string, parameters: JsonObject, bound: Bound): OtherCurrency | null {
  const named = parameters.currency ?? null;
  if (named !== null && (typeof named !== 'string' || named.toUpperCase() !== currency))
    return { named, param: 'currency' };
  return bound === 'mandate' ? otherByWords(parameters, currency) : null;
}
