/** Attacks on limits of money. */
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { isMoneyName, limitKindOf, limitReads } from './honest.js';
import { decimal, exact, isFor, minorUnit, ONE, type ActionView, type Limit } from './limits.js';
import type { Dice } from './scene.js';

/** An action with params that its passport allows. */
export interface Honest {
  readonly action: ActionView;
  readonly params: JsonObject;
  readonly limits: readonly Limit[];
}

/** Longest history of one attack. */
export const MOST_BEFORE = 64;

/** The params without one of them. */
export function withoutParam(params: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(params).filter(([each]) => each !== name));
}

/** Amounts past the limit, at and one minor unit past it, in many spellings and places. */
export function tooMuch(
  limit: Limit,
  { action, params, limits }: Honest,
  dice: Dice,
): (readonly [string, JsonObject])[] {
  const most = exact(limit.value) ?? 0n;
  const unit = minorUnit(limit.currency);
  const past = decimal(most + unit);
  const far = decimal(most + unit * BigInt(2 + dice.number(1_000_000)));
  const names = Object.keys(params).filter((each) => limitReads(limit, each));
  const name = names[0] ?? limit.params?.[0] ?? 'amount';
  const whole = past.split('.')[0]!;
  const grouped = `${whole.replace(/\B(?=(?:\d{3})+$)/g, ',')}${past.includes('.') ? `.${past.split('.')[1]}` : ''}`;
  const digits = (zero: number): string => past.replace(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
  const at = (value: Json): JsonObject => ({ ...params, [name]: value });
  const found: (readonly [string, JsonObject])[] = [
    ['one minor unit past, as a number', at(Number(past))],
    ['one minor unit past, as text', at(past)],
    ['far past', at(Number(far))],
    ['far past, as text', at(far)],
    ['an exponent', at(`${past}e1`)],
    ['an exponent in a number', at(Number(`${Number(past)}e2`))],
    ['a sign', at(`+${past}`)],
    ['a negative amount', at(-Number(far))],
    ['grouped digits', at(grouped)],
    ['a currency sign', at(`$${past}`)],
    ['Arabic digits', at(digits(0x660))],
    ['full-width digits', at(digits(0xff10))],
    ['white space around it', at(` ${past} `)],
    ['finer than the currency', at(`${past}1`)],
    ['in a list', at([1, Number(far)])],
    ['in an object', at({ amount: Number(far), value: Number(far) })],
    ['beside an honest one', { ...params, [other(name)]: Number(far) }],
    ['zero and more', at(`00${far}`)],
  ];
  if (limit.params === null) {
    const nested: JsonObject = { amount: Number(far) };
    const code = limit.currency;
    found.push(
      ...[
        'Amount',
        'AMOUNT',
        'total',
        'refundAmount',
        'unit_price',
        'payments',
        'totalCost',
        'charge',
        'fee',
        'deposit_value',
      ].map((each) => [`under ${each}`, { ...withoutParam(params, name), [each]: Number(far) }] as const),
      ['nested', { ...withoutParam(params, name), order: nested }],
      ['nested in a list', { ...withoutParam(params, name), items: [nested, nested] }],
      [
        'a list by its sum',
        { ...withoutParam(params, name), items: [1, 2, 3].map(() => ({ amount: Number(decimal(most / 2n + unit)) })) },
      ],
      [
        'price times quantity',
        { ...withoutParam(params, name), items: [{ price: Number(decimal(most / 2n + unit)), quantity: 3 }] },
      ],
      ['in minor units', { ...withoutParam(params, name), amount_minor: Number((most + unit) / unit) }],
      ['in cents', { ...withoutParam(params, name), amount_cents: Number((most + unit) / unit) }],
      ...[`${code} ${past}`, `${past} ${code}`, `${code}${grouped}`, `${code} $${grouped}`, `${grouped}$`].map(
        (each) => [`written ${each}`, { ...withoutParam(params, name), price: each }] as const,
      ),
      [
        'in units and billionths',
        {
          ...withoutParam(params, name),
          price: { currency_code: code, units: String(most / ONE), nanos: 990_000_000 },
        },
      ],
    );
  }
  // Another limit on money would stop it all the same, and nothing would be learnt of this one.
  const [least] = limits
    .filter((each) => each !== limit && limitKindOf(each) === 'money' && isFor(each, action.name))
    .map(({ value }) => exact(value) ?? 0n)
    .sort((a, b) => (a < b ? -1 : 1));
  return limitKindOf(limit) === 'daily' && least !== undefined && least < most ? [] : found;
}

function other(name: string): string {
  return isMoneyName(name) && name !== 'amount' ? 'amount' : 'total';
}

/** Payments that are each within the limit of one, and together are not. */
export function split(
  limit: Limit,
  { action, params, limits }: Honest,
): { kind: string; params: JsonObject; count: number }[] {
  const most = exact(limit.value) ?? 0n;
  const unit = minorUnit(limit.currency);
  const single = limits
    .filter((each) => limitKindOf(each) === 'money' && isFor(each, action.name))
    .map(({ value }) => exact(value) ?? 0n)
    .reduce((least, each) => (each < least ? each : least), most);
  const name = Object.keys(params).find((each) => limitReads(limit, each)) ?? limit.params?.[0] ?? 'amount';
  const parts: { kind: string; params: JsonObject; count: number }[] = [];
  for (const [kind, amount] of [
    ['split into the largest payments', single],
    ['split in two', most / 2n + unit],
    ['split in ten', most / 10n + unit],
  ] as const) {
    // Whole minor units alone are money.
    const each = amount - (amount % unit);
    if (each <= 0n || each > single) continue;
    const count = Number(most / each);
    if (count > 0 && count <= MOST_BEFORE)
      parts.push({ kind, params: { ...params, [name]: Number(decimal(each)) }, count });
  }
  return parts;
}
