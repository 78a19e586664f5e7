/**
 * Money is exact: an amount is a decimal as it was written, and becomes an integer count of the currency's minor unit.
 * No arithmetic ever happens in binary floats.
 */
import { minorDigits } from './currencies.js';
import type { Json } from '../json/values.js';

/** The number `coefficient / 10 ** scale`; `scale` is not negative and the coefficient has no trailing zero that it could drop. */
export interface Decimal {
  readonly coefficient: bigint;
  readonly scale: number;
}

/** Largest limit, in minor units: still an exact integer for every JSON reader. */
export const MAX_MINOR = BigInt(Number.MAX_SAFE_INTEGER);

// No plus sign, no leading zero (some readers take 0100 for octal), no bare point, no exponent, no space.
const DECIMAL_TEXT = /^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?$/;
const NUMBER_TEXT = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]{1,3}))?$/;

/**
 * The exact value of a JSON number, by the text that ECMAScript (and so RFC 8785, which is what gets signed) writes for it, or of a
 * decimal string like `"50.00"`. Null for everything else.
 */
export function decimalOf(value: Json | undefined): Decimal | null {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { coefficient: BigInt(value), scale: 0 };
    // A double's exponent is at most 308 either way, which bounds the digits.
    return Number.isFinite(value) ? decimalFrom(String(value)) : null;
  }
  return typeof value === 'string' && DECIMAL_TEXT.test(value) ? decimalFrom(value) : null;
}

function decimalFrom(text: string): Decimal | null {
  const match = NUMBER_TEXT.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  let digits = whole! + fraction;
  let scale = fraction.length - Number(exponent);
  if (scale < 0) {
    digits += '0'.repeat(-scale);
    scale = 0;
  }
  while (scale > 0 && digits.endsWith('0')) {
    digits = digits.slice(0, -1);
    scale--;
  }
  const magnitude = BigInt(digits === '' ? '0' : digits);
  return { coefficient: sign === '-' ? -magnitude : magnitude, scale };
}

/** No currency has more than four digits after the point (ISO 4217). */
const POWERS = [1n, 10n, 100n, 1000n, 10_000n];

/** The decimal in minor units of `currency`; null when it is negative or finer than the currency allows, or the code is unknown. */
export function toMinor(decimal: Decimal, currency: string): bigint | null {
  const digits = minorDigits(currency);
  if (digits === null || decimal.coefficient < 0n || decimal.scale > digits) return null;
  return decimal.coefficient * POWERS[digits - decimal.scale]!;
}

/** The coefficient of the same decimal at a scale that is no smaller than its own. */
export function coefficientAt({ coefficient, scale: own }: Decimal, scale: number): bigint {
  return coefficient * tenTo(scale - own);
}

/** The sum of two decimals, exactly. */
export function plus(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { coefficient: coefficientAt(a, scale) + coefficientAt(b, scale), scale };
}

/** Negative when a < b, 0 when equal, positive when a > b. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const difference = coefficientAt(a, scale) - coefficientAt(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The product of two decimals, exactly. */
export function times(a: Decimal, b: Decimal): Decimal {
  return { coefficient: a.coefficient * b.coefficient, scale: a.scale + b.scale };
}

/** The decimal in minor units of `currency`, up to the next whole one: what is spent is never counted short. */
export function ceilMinor(decimal: Decimal, currency: string): bigint {
  return ceilAt(decimal, minorDigits(currency) ?? 2);
}

/** A decimal that is not negative in units of `digits` digits after the point, up to the next whole one. */
export function ceilAt(decimal: Decimal, digits: number): bigint {
  const { coefficient, scale } = decimal;
  // With as many digits as asked for, the division by one gives the same.
  if (scale <= digits) return coefficientAt(decimal, digits);
  const divisor = tenTo(scale - digits);
  return (coefficient + divisor - 1n) / divisor;
}

/** The same, down to the last whole one. */
export function floorAt(decimal: Decimal, digits: number): bigint {
  const { coefficient, scale } = decimal;
  return scale <= digits ? coefficientAt(decimal, digits) : coefficient / tenTo(scale - digits);
}

function tenTo(digits: number): bigint {
  return POWERS[digits] ?? 10n ** BigInt(digits);
}

/** A whole number of minor units from a JSON integer or a string of digits; null for everything else. */
export function minorOf(value: Json | undefined): bigint | null {
  const decimal = decimalOf(value);
  return decimal === null || decimal.scale > 0 || decimal.coefficient < 0n ? null : decimal.coefficient;
}

const SYMBOLS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£' };

/** For people: `$10,000.00`, `€5.00`, `JPY 1,200`. */
export function formatMinor(minor: bigint, currency: string): string {
  const [whole, fraction] = plainMinor(minor < 0n ? -minor : minor, currency).split('.') as [string, string?];
  const grouped = whole.replace(/\B(?=(?:[0-9]{3})+$)/g, ',');
  const sign = minor < 0n ? '-' : '';
  return `${sign}${SYMBOLS[currency] ?? `${currency} `}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** For machines: a JSON number where its text is exactly the amount (`100`, `99.95`), else a decimal string. */
export function jsonOfMinor(minor: bigint, currency: string): number | string {
  const text = plainMinor(minor, currency);
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  const number = Number(short);
  return String(number) === short ? number : short;
}

function plainMinor(minor: bigint, currency: string): string {
  const digits = minorDigits(currency) ?? 0;
  const magnitude = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
  const sign = minor < 0n ? '-' : '';
  return digits === 0 ? sign + magnitude : `${sign}${magnitude.slice(0, -digits)}.${magnitude.slice(-digits)}`;
}
