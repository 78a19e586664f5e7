import { minorDigits } from '../../protocol/constraints/currencies.js';
import { decimalOf, minorOf, toMinor, type Decimal } from '../../protocol/constraints/money.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { paramOf } from './judged.js';

export type AmountReading =
  | {
      readonly ok: true;
      /** Minor units. */ readonly minor: bigint;
      /** The param it was read from. */ readonly param: string;
    }
  | { readonly ok: false; readonly param: string; readonly reason: string };

/**
 * The amount under `param` in whole units, or under `<param>_minor` in minor units; null when the intent carries neither. Where it
 * carries both they must agree: else the verifier would judge one and the executor pay the other.
 */
export function readAmount(params: JsonObject, param: string, currency: string): AmountReading | null {
  const whole = paramOf(params, param);
  const minorParam = `${param}_minor`;
  const written = paramOf(params, minorParam);
  if (whole === undefined && written === undefined) return null;
  const fromWhole = whole === undefined ? null : wholeAmount(whole, param, currency);
  if (fromWhole?.ok === false || written === undefined) return fromWhole;
  const minor = minorOf(written);
  if (minor === null) {
    return { ok: false, param: minorParam, reason: 'it is not a whole, non-negative number of minor units' };
  }
  if (fromWhole !== null && fromWhole.minor !== minor) {
    return { ok: false, param: minorParam, reason: `it differs from "${param}"` };
  }
  return fromWhole ?? { ok: true, minor, param: minorParam };
}

function wholeAmount(value: Json, param: string, currency: string): AmountReading {
  const decimal = decimalOf(value);
  if (decimal === null) return { ok: false, param, reason: 'it is not a number or a decimal string like "50.00"' };
  const minor = toMinor(decimal, currency);
  return minor === null ? { ok: false, param, reason: whyNot(decimal, currency) } : { ok: true, minor, param };
}

function whyNot(decimal: Decimal, currency: string): string {
  if (decimal.coefficient < 0n) return 'it is negative';
  return `${currency} has ${minorDigits(currency)} digits after the point, and it has ${decimal.scale}`;
}

/** What the intent says of its currency: true when it says nothing else than `currency`. */
export function isInCurrency(params: JsonObject, currency: string): boolean {
  const named = paramOf(params, 'currency');
  return named === undefined || named === currency;
}
