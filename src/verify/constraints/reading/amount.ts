/** The money in the params (protocol, section 5.1), in every reading. */
import { minorDigits } from '../../../protocol/constraints/currencies.js';
import { ceilMinor, decimalOf, minorOf, plus, toMinor, type Decimal } from '../../../protocol/constraints/money.js';
import { otherCurrencyIn, numberIn } from '../../../protocol/constraints/number-text.js';
import type { MoneySource } from '../../../protocol/constraints/rules.js';
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';
import { isMeant, isSameName, nameOf, type Name } from '../../../protocol/naming/names.js';
import {
  currenciesNamed,
  isMoneyMember,
  moneyNameOf,
  saysMoneyAlone,
} from '../../../protocol/constraints/money-names.js';
import { paramOf } from '../judged.js';
import { foreignAmountsIn, type ForeignAmounts } from './currency.js';
import type { NamedValue } from './members.js';
import { Products } from './products.js';

/** One reading of what an intent asks for. */
export interface Amount {
  /** Minor units. */
  readonly minor: bigint;
  /** The param it was read from; `items[].price` for the sum over a list. */
  readonly param: string;
  /** Found by a word in the name, and not by the name. */
  readonly guessed: boolean;
}

/** A param that should hold an amount, and whose value cannot be read as one. */
export interface Unreadable {
  readonly param: string;
  readonly reason: string;
}

/** A param whose own text or name says that its amount is in another currency. */
export interface Foreign {
  readonly param: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Found by a word in the name, and not by the name. */
  readonly guessed: boolean;
}

/** The money that was found in params. */
export interface Amounts {
  readonly readings: readonly Amount[];
  readonly unreadable: readonly Unreadable[];
  /** Read as numbers of the limit's currency as well. */
  readonly foreign: readonly Foreign[];
}

/** The largest reading; null where there is no money. Of two that are equal the one that was not guessed. */
export function largestOf({ readings }: Pick<Amounts, 'readings'>): Amount | null {
  return readings.reduce<Amount | null>((most, each) => {
    if (most === null || each.minor > most.minor) return each;
    return each.minor === most.minor && most.guessed ? each : most;
  }, null);
}

/** True where all money that was found is read, in the currency of the limit. */
export function isCertain({ unreadable, foreign }: Amounts): boolean {
  return unreadable.length === 0 && foreign.length === 0;
}

/** The reading to report of those above a limit: one that was not guessed before all others, then the largest. */
export function worstAbove(amounts: Amounts, limit: bigint): Amount | null {
  const above = amounts.readings.filter(({ minor }) => minor > limit);
  const certain = above.filter(({ guessed }) => !guessed);
  return largestOf({ readings: certain.length > 0 ? certain : above });
}

const AMOUNT = nameOf('amount');
const AMOUNT_MINOR = nameOf('amount_minor');

/** Several limits read the same money of one intent. */
interface Known {
  readonly source: MoneySource;
  readonly currency: string;
  readonly amounts: Amounts;
}
/** Of the members that were read last. */
let last: { readonly members: readonly NamedValue[]; readonly known: Known[] } | null = null;

/** All the money in the params that `source` reads, in minor units of `currency`. `members` are those of `params`. */
export function amountsIn(
  params: JsonObject,
  members: readonly NamedValue[],
  source: MoneySource,
  currency: string,
): Amounts {
  if (last?.members !== members) last = { members, known: [] };
  const { known } = last;
  for (const each of known) if (each.source === source && each.currency === currency) return each.amounts;
  const amounts = readAll(params, members, source, currency);
  known.push({ source, currency, amounts });
  return amounts;
}

function readAll(params: JsonObject, members: readonly NamedValue[], source: MoneySource, currency: string): Amounts {
  const found = new Readings(currency);
  if (source === null) {
    found.exact(params, 'amount');
    for (const member of members) found.guess(member, params);
    found.multiply();
  } else {
    for (const name of source) {
      found.exact(params, name.text);
      for (const member of members) found.named(member, name, params);
    }
  }
  found.addUp();
  return found;
}

class Readings implements Amounts {
  readonly readings: Amount[] = [];
  readonly unreadable: Unreadable[] = [];
  readonly foreign: Foreign[] = [];
  readonly #currency: string;
  readonly #digits: number;
  /** Of members of one name in a list of objects. */
  #sums: Map<string, { total: Decimal; count: number; param: string; guessed: boolean }> | null = null;
  #products: Products | null = null;
  #foreignOwners: Map<JsonObject, ForeignAmounts> | null = null;

  constructor(currency: string) {
    this.#currency = currency;
    this.#digits = minorDigits(currency) ?? 2;
  }

  /** The param of exactly this name at the top, which has to be an amount where it is there. */
  exact(params: JsonObject, param: string): void {
    const reading = readAmount(params, param, this.#currency);
    if (reading === null) return;
    if (reading.ok) this.readings.push({ minor: reading.minor, param: reading.param, guessed: false });
    else this.unreadable.push({ param: reading.param, reason: reading.reason });
  }

  guess(member: NamedValue, params: JsonObject): void {
    const { name, value, owner, parent } = member;
    if (typeof value === 'boolean' || value === null) return;
    const kind = moneyNameOf(name);
    if (kind.quantity) this.#quantity(owner, value);
    // `{"quantity": {"value": 50, "unit": "EA"}}`
    else if (parent !== null && isObject(parent.value) && moneyNameOf(parent.name).quantity)
      this.#quantity(parent.owner, value);
    const held = kind.money || parent === null || !isMoneyMember(name) ? null : moneyNameOf(parent.name);
    if (!kind.money && held?.money !== true) return;
    if (owner === params && (name.text === 'amount' || name.text === 'amount_minor')) return;
    const guessed = !isSameName(name, AMOUNT) && !isSameName(name, AMOUNT_MINOR);
    const numbers = this.#collect(member, kind.minor || held?.minor === true, guessed);
    const [named] = numbers.length === 0 ? [] : currenciesNamed(name);
    if (named !== undefined && this.#foreignIn(owner)[kind.money ? 'named' : 'members'])
      this.foreign.push({ param: member.path, currency: named, guessed });
    if (!kind.whole) this.#price(member, numbers, kind.price);
  }

  #quantity(owner: JsonObject, value: Json): void {
    (this.#products ??= new Products()).quantity(owner, numbersIn(value));
  }

  /** `{"price": {"usd": 5}, "quantity": 2}`: what a price holds is one of what stands beside it, as in `priceSet.shopMoney.amount`. */
  #price(member: NamedValue, numbers: readonly Decimal[], price: boolean): void {
    const products = (this.#products ??= new Products());
    if (price) products.price(member, numbers, member.owner);
    for (let { parent } = member; parent !== null; { parent } = parent) {
      const outer = moneyNameOf(parent.name);
      if (price ? outer.money : outer.price) products.price(member, numbers, parent.owner);
      if (!saysMoneyAlone(parent.name)) return;
    }
  }

  named(member: NamedValue, meant: Name, params: JsonObject): void {
    const { name, path, owner, parent } = member;
    const { text } = meant;
    const minor = nameOf(`${text}_minor`);
    const reads = (read: Name, at: string): boolean => isMeant(meant, read, at) || isMeant(minor, read, at);
    if (owner === params && (name.text === text || name.text === `${text}_minor`)) return;
    if (reads(name, path)) return void this.#collect(member, isMeant(minor, name, path), false);
    // `{"total": {"value": 50}}`, where the total is what is named.
    if (parent === null || !(moneyNameOf(name).money || isMoneyMember(name))) return;
    const at = path.slice(0, -name.text.length - 1);
    if (reads(parent.name, at))
      this.#collect(member, moneyNameOf(name).minor || isMeant(minor, parent.name, at), false);
  }

  #collect(member: NamedValue, isMinor: boolean, guessed: boolean): readonly Decimal[] {
    const numbers = wholeNumbersIn(member).map((each) => (isMinor ? shifted(each, this.#digits) : each));
    if (numbers.length === 0) return numbers;
    const other = otherIn(member.value, this.#currency);
    if (other !== null) this.foreign.push({ param: member.path, currency: other, guessed });
    for (const each of numbers) this.#add(each, member.path, guessed);
    const total = numbers.reduce(plus);
    if (numbers.length > 1) this.#add(total, `${member.path}[]`, guessed);
    if (member.group !== null) this.#sum(member.group, total, member.path, guessed);
    return numbers;
  }

  #add(amount: Decimal, param: string, guessed: boolean): void {
    this.readings.push({ minor: ceilMinor(amount, this.#currency), param, guessed });
  }

  #sum(group: string, amount: Decimal, path: string, guessed: boolean): void {
    this.#sums ??= new Map();
    const sum = this.#sums.get(group);
    if (sum === undefined) {
      this.#sums.set(group, { total: amount, count: 1, param: path, guessed });
      return;
    }
    sum.total = plus(sum.total, amount);
    sum.count += 1;
    sum.guessed &&= guessed;
  }

  /** Asked for each member of an object, and worked out once. */
  #foreignIn(owner: JsonObject): ForeignAmounts {
    this.#foreignOwners ??= new Map();
    let found = this.#foreignOwners.get(owner);
    if (found === undefined) this.#foreignOwners.set(owner, (found = foreignAmountsIn(owner, this.#currency)));
    return found;
  }

  /** A price and a quantity in one object. */
  multiply(): void {
    if (this.#products === null) return;
    for (const { member, amount } of this.#products.all()) {
      this.#add(amount, member.path, true);
      if (member.group !== null) this.#sum(`${member.group} *`, amount, member.path, true);
    }
  }

  addUp(): void {
    if (this.#sums === null) return;
    for (const { total, count, param, guessed } of this.#sums.values()) {
      if (count > 1) this.#add(total, param.replace(/\[[0-9]+\]/g, '[]'), guessed);
    }
  }
}

/** Digits after the point of `nanos`, which stand beside `units` (google.type.Money) and without them below one. */
const NANO_DIGITS = 9;

function wholeNumbersIn({ name, value, owner }: NamedValue): readonly Decimal[] {
  const numbers = numbersIn(value);
  const member = name.text.toLowerCase();
  if (member === 'nanos') return numbers.map((each) => shifted(each, NANO_DIGITS));
  const beside = Object.keys(owner).find((each) => member === 'units' && each.toLowerCase() === 'nanos');
  const nanos = beside === undefined ? [] : numbersIn(owner[beside]!);
  return nanos.length === 0 ? numbers : numbers.map((each) => plus(each, shifted(nanos[0]!, NANO_DIGITS)));
}

function shifted({ coefficient, scale }: Decimal, digits: number): Decimal {
  return { coefficient, scale: scale + digits };
}

/** The absolute values of the numbers, and of the texts that are numbers, in a value or list. */
function numbersIn(value: Json): readonly Decimal[] {
  if (typeof value === 'number') {
    const decimal = decimalOf(value);
    return decimal === null
      ? []
      : [decimal.coefficient < 0n ? { ...decimal, coefficient: -decimal.coefficient } : decimal];
  }
  if (typeof value === 'string') {
    const decimal = numberIn(value);
    return decimal === null ? [] : [decimal];
  }
  return Array.isArray(value) ? (value as readonly Json[]).flatMap(numbersIn) : [];
}

/** The first other currency that the numbers in a value or list say; null for none. */
function otherIn(value: Json, own: string): string | null {
  if (typeof value === 'string') return otherCurrencyIn(value, own);
  if (!Array.isArray(value)) return null;
  return (value as readonly Json[]).reduce<string | null>((found, each) => found ?? otherIn(each, own), null);
}

/** The amount under one name, as an intent has always been read. */
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
function readAmount(params: JsonObject, param: string, currency: string): AmountReading | null {
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
