/** Amounts of envelopes, exact: compared as the decimals they are, and counted in minor units rounded against the agent. */
import { minorDigits } from '../../../protocol/constraints/currencies.js';
import { ceilAt, compareDecimals, decimalOf, MAX_MINOR, type Decimal } from '../../../protocol/constraints/money.js';
import type { Json, JsonObject } from '../../../protocol/json/values.js';
import { amountsIn, largestOf } from '../../constraints/reading/amount.js';
import { otherByName } from '../../constraints/reading/currency.js';
import { membersOf } from '../../constraints/reading/members.js';

/** The money of an envelope, as RFC-001 reads it. */
export type EnvelopeAmount =
  | {
      readonly ok: true;
      /** Major units. */
      readonly decimal: Decimal;
      readonly param: string;
      /** Found by a word in the name, and not by the name. */
      readonly guessed?: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** The reference counts two digits for what ISO 4217 does not know, such as tokens. */
export function digitsOf(currency: string): number {
  return minorDigits(currency) ?? 2;
}

/** The amount of an intent, `amount_minor` before `amount`; null when it carries neither. */
export function amountOf(parameters: JsonObject, currency: string): EnvelopeAmount | null {
  return minorAmount(parameters, currency) ?? majorAmount(parameters);
}

function minorAmount(parameters: JsonObject, currency: string): EnvelopeAmount | null {
  const minor = Object.hasOwn(parameters, 'amount_minor') ? parameters.amount_minor : undefined;
  if (minor === undefined) return null;
  const decimal = exact(minor);
  if (decimal === null || decimal.scale > 0) return { ok: false, reason: '"amount_minor" is not a whole number' };
  return { ok: true, decimal: { coefficient: decimal.coefficient, scale: digitsOf(currency) }, param: 'amount_minor' };
}

function majorAmount(parameters: JsonObject): EnvelopeAmount | null {
  const major = Object.hasOwn(parameters, 'amount') ? parameters.amount : undefined;
  if (major === undefined || major === null) return null;
  const decimal = exact(major);
  if (decimal === null) return { ok: false, reason: '"amount" is not a number or a decimal string' };
  return { ok: true, decimal, param: 'amount' };
}

/** The larger of the two where an envelope carries both: who carries it out may pay either. */
function amountOfBoth(parameters: JsonObject, currency: string): EnvelopeAmount | null {
  const minor = minorAmount(parameters, currency);
  const major = majorAmount(parameters);
  if (minor === null || major === null) return minor ?? major;
  const bad = [minor, major].find(({ ok }) => !ok);
  if (bad !== undefined || !minor.ok || !major.ok) return bad ?? null;
  return compareDecimals(major.decimal, minor.decimal) > 0 ? major : minor;
}

/**
 * The amount as what a principal said reads it (protocol, section 5.1): the largest one under any name for money, also where the
 * envelope carries an `amount` beside it.
 */
export function amountByWords(parameters: JsonObject, currency: string): EnvelopeAmount | null {
  const own = amountOfBoth(parameters, currency);
  if (own !== null && !own.ok) return own;
  const largest = largestOf(amountsIn(parameters, membersOf(parameters), null, currency));
  if (largest === null) return own;
  const decimal = { coefficient: largest.minor, scale: digitsOf(currency) };
  if (own !== null && compareDecimals(own.decimal, decimal) >= 0) return own;
  return { ok: true, decimal, param: largest.param, guessed: largest.guessed };
}

/** What the params say of their currency under any name, and in the amounts themselves; null where they say nothing else. */
export function otherByWords(
  parameters: JsonObject,
  currency: string,
): { readonly named: Json; readonly param: string } | null {
  const members = membersOf(parameters);
  const other = otherByName(parameters, members, currency, [null]);
  if (other !== null) return { named: other.value, param: other.path };
  const [first] = amountsIn(parameters, members, null, currency).foreign;
  return first === undefined ? null : { named: first.currency, param: first.param };
}

/** Integers beyond 2^53 arrive as long strings of digits. */
function exact(value: Json): Decimal | null {
  if (typeof value === 'string' && /^-?[1-9][0-9]{15,308}$/.test(value))
    return { coefficient: BigInt(value), scale: 0 };
  return decimalOf(value);
}

/** A positive decimal in minor units, up to the next whole one: what is spent is never counted short. */
export function countedMinor(decimal: Decimal, digits: number): bigint {
  const minor = ceilAt(decimal, digits);
  return minor < MAX_MINOR ? minor : MAX_MINOR;
}

/** A JSON number where its text is exactly the decimal, else the decimal as text. */
export function jsonOfDecimal(decimal: Decimal): number | string {
  const text = decimalText(decimal);
  return String(Number(text)) === text ? Number(text) : text;
}

/** The decimal as people write it. */
export function decimalText({ coefficient, scale }: Decimal): string {
  const sign = coefficient < 0n ? '-' : '';
  const digits = String(coefficient < 0n ? -coefficient : coefficient).padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
}
