/** The passport as the red team reads it: its own reader, beside the verifier's. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** One constraint, in every form that a passport may write it. */
export interface Limit {
  /** As the passport names it. */
  readonly name: string;
  readonly value: Json;
  /** The params that it names; null where it goes by its own name. */
  readonly params: readonly string[] | null;
  /** The actions that it is for; null for all. */
  readonly actions: readonly string[] | null;
  readonly currency: string;
}

/** An action, with its schema where there is one. */
export interface ActionView {
  readonly name: string;
  readonly schema: JsonObject | null;
}

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const texts = (value: Json | undefined): readonly string[] =>
  list(value).filter((each): each is string => typeof each === 'string');

/** What the passport declares and does not deny. */
export function allowedActions(passport: JsonObject): ActionView[] {
  const denied = texts(passport['denied_actions']);
  return list(passport['actions'])
    .map((each) =>
      isObject(each)
        ? {
            name: String(each['name']),
            schema: isObject(each['params'] ?? null) ? (each['params'] as JsonObject) : null,
          }
        : { name: String(each), schema: null },
    )
    .filter(({ name }) => !denied.includes(name));
}

/** Every constraint of it. */
export function limitsOf(passport: JsonObject): Limit[] {
  const all = isObject(passport['constraints'] ?? null) ? (passport['constraints'] as JsonObject) : {};
  const own = all['currency'];
  const shared = typeof own === 'string' ? own : isObject(own ?? null) ? String((own as JsonObject)['value']) : null;
  const named = ['monetary_limit', 'daily_limit']
    .map((name) => all[name])
    .map((value) => (isObject(value ?? null) ? (value as JsonObject)['currency'] : undefined))
    .find((value) => typeof value === 'string');
  const currency = shared ?? (typeof named === 'string' ? named : 'USD');
  return Object.entries(all)
    .filter(([name]) => !name.startsWith('x-'))
    .map(([name, written]) => limitOf(name, written, currency));
}

function limitOf(name: string, written: Json, currency: string): Limit {
  const plain = { name, value: written, params: null, actions: null, currency };
  if (!isObject(written) || ['require_approval', 'time_window', 'rate_limit'].includes(name)) {
    if (!isObject(written) || !Object.hasOwn(written, 'value')) return plain;
  }
  const { value, limit, params, param, actions, currency: own } = written;
  return {
    name,
    value: value ?? limit ?? null,
    params: params === undefined ? (typeof param === 'string' ? [param] : null) : texts(params),
    actions: actions === undefined ? null : texts(actions),
    currency: typeof own === 'string' ? own : currency,
  };
}

/** True where the limit is for the action. */
export function isFor({ actions }: Limit, action: string): boolean {
  return actions === null || actions.includes(action);
}

/** What a schema says of each top-level param. */
export function propertiesOf(schema: JsonObject | null): Readonly<Record<string, JsonObject>> {
  const properties = schema?.['properties'];
  if (properties === undefined || !isObject(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).filter((entry): entry is [string, JsonObject] => isObject(entry[1])),
  );
}

/** Names that the schema makes mandatory. */
export function requiredOf(schema: JsonObject | null): readonly string[] {
  return texts(schema?.['required']);
}

/** True where the schema takes no param that it does not declare. */
export function isClosed(schema: JsonObject | null): boolean {
  return schema !== null && (schema['additionalProperties'] === false || schema['unevaluatedProperties'] === false);
}

/** Thousandths of a cent would be no money: amounts as exact multiples of 10^-12. */
const SCALE = 12;
/** One major unit, in 10^-12. */
export const ONE = 10n ** BigInt(SCALE);

/** An amount as a text of digits, with sign, fraction and exponent; null for what is no amount. In units of 10^-12. */
export function exact(value: Json): bigint | null {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? plain(value) : null;
  const match = text === null ? null : /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (match === null || (match[2] === '' && match[3] === '')) return null;
  const [, sign, whole, fraction, exponent = '0'] = match as unknown as [string, string, string, string, string?];
  const shift = SCALE - fraction.length + Number(exponent);
  const digits = BigInt(`${whole}${fraction}`);
  const scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return sign === '-' ? -scaled : scaled;
}

/** Other digits, signs and codes of currencies and grouping, as people write amounts. */
function plain(text: string): string {
  const ascii = text
    .normalize('NFKC')
    .replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
    .replace(/\u2212/g, '-')
    .replace(/^[^\d+.-]*\p{Sc}\s*|^[A-Z]{3}(?=\s*[\d+.-])|\s*(?:\p{Sc}|(?<=\d\s*)[A-Z]{3})$/gu, '')
    .trim();
  return /^[+-]?\d{1,3}(?:[,_' ]\d{3})+(?:\.\d+)?$/.test(ascii) ? ascii.replace(/[,_' ]/g, '') : ascii;
}

function digitValue(digit: string): number {
  const code = digit.codePointAt(0)!;
  // Digits of a script stand in one run of ten, and the run begins at a zero.
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (code - zero) % 10;
}

/** Decimal places of a currency's minor unit. */
function minorPlaces(currency: string): number {
  if (['JPY', 'KRW', 'CLP', 'VND', 'ISK'].includes(currency)) return 0;
  return ['BHD', 'KWD', 'OMR', 'TND', 'JOD'].includes(currency) ? 3 : 2;
}

/** A decimal text of a number of 10^-12. */
export function decimal(scaled: bigint): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(SCALE + 1, '0');
  const fraction = digits.slice(-SCALE).replace(/0+$/, '');
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -SCALE)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The smallest amount of a currency, in 10^-12. */
export function minorUnit(currency: string): bigint {
  return 10n ** BigInt(SCALE - minorPlaces(currency));
}
