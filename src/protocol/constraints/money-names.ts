/** What the names of params say about money (protocol, section 5.1). */
import { lazy } from '../lazy.js';
import { heldBy, lastWords, singular, vocabularyOf, type Name } from '../naming/names.js';
import {
  MINOR_WORDS,
  MONEY_MEMBERS,
  MONEY_WORDS,
  NO_MONEY_WORDS,
  PRICE_WORDS,
  QUANTITY_WORDS,
  WHOLE_WORDS,
} from '../naming/vocabulary.js';
import { currenciesOfSign, isCurrencyWord, minorDigits } from './currencies.js';

const MONEY = vocabularyOf(MONEY_WORDS);
const NO_MONEY: ReadonlySet<string> = new Set(NO_MONEY_WORDS.map(singular));
const MINOR = vocabularyOf(MINOR_WORDS);
const PRICE = vocabularyOf(PRICE_WORDS);
const QUANTITY = vocabularyOf(QUANTITY_WORDS);
const WHOLE = vocabularyOf(WHOLE_WORDS);
const MEMBER: ReadonlySet<string> = new Set(MONEY_MEMBERS);
const ASCII = /^[\x00-\x7f]*$/;
const ASCII_DIGITS = /^[0-9]+$/;
const DIGITS = lazy(() => /^\p{N}+$/u);

/** What a name says about money. */
export interface MoneyName {
  readonly money: boolean;
  /** Its numbers are minor units. */
  readonly minor: boolean;
  /** The price of one unit. */
  readonly price: boolean;
  /** The price of all units. */
  readonly whole: boolean;
  readonly quantity: boolean;
}

/** By the name and not its text: one as long as a document is read once, however many members it holds. */
const moneyNames = new WeakMap<Name, MoneyName>();

/** What the name says about money. */
export function moneyNameOf(name: Name): MoneyName {
  let found = moneyNames.get(name);
  if (found !== undefined) return found;
  const money = !isDigits(name.words.at(-1) ?? '') && heldBy(name, MONEY).length > 0 && !isNoMoney(name);
  const whole = money && heldBy(name, WHOLE).length > 0;
  // A `price_per_unit` and a `unit_amount` are prices, and no numbers of units.
  const each = name.words.includes('per') || name.words.includes('unit');
  const price = money && !whole && (each || heldBy(withoutUnit(name), PRICE).some(({ last }) => last));
  found = {
    money,
    minor: heldBy(name, MINOR).length > 0,
    price,
    whole,
    quantity: !price && heldBy(name, QUANTITY).some(({ last }) => last),
  };
  moneyNames.set(name, found);
  return found;
}

/** At the end of a name they say that it is money, and no more: `price_amount`, `base_price_money`, `priceSet`. */
const MONEY_ALONE: ReadonlySet<string> = new Set(['amount', 'value', 'money', 'set']);

/** Without what it says at its end of how it counts (`price_usd_cents`); units are also a quantity. */
function withoutUnit(name: Name): Name {
  const counts = (word: string): boolean => MEMBER.has(word) || MONEY_ALONE.has(word) || isCurrencyWord(word);
  const last = name.words.findLastIndex((word) => word === 'units' || !counts(word));
  return { ...name, words: name.words.slice(0, last + 1) };
}

/** True for a name that says nothing but that money is in it, and no price: `shopMoney` within a `priceSet`. */
export function saysMoneyAlone(name: Name): boolean {
  return MONEY_ALONE.has(name.words.at(-1) ?? '') && !moneyNameOf(name).price;
}

function isNoMoney(name: Name): boolean {
  return lastWords(name, MONEY).some((word) => NO_MONEY.has(word) || isDigits(word));
}

function isDigits(word: string): boolean {
  return ASCII.test(word) ? ASCII_DIGITS.test(word) : DIGITS().test(word);
}

/** `{"total": {"usd": 5}}`, `{"total": {"usd_cents": 500}}`: what holds the number of an object under a name for money. */
export function isMoneyMember({ words }: Name): boolean {
  return words.length > 0 && words.every((word) => MEMBER.has(word) || minorDigits(word.toUpperCase()) !== null);
}

/** Codes that are short for something else beside other words: `svc_fee`, `php_cost`, `crc_value`. */
const SHORT: ReadonlySet<string> = new Set('btn cdf crc cve dop irr mnt php sar sdg ssp svc'.split(' '));
/** Words for currencies that measure nothing else, as pounds do. A `euro_pallet_cost` and a `dollar_amount` say none. */
const CURRENCY_WORD = /^(?:euro|dollar)s?$/;

/** The currencies that the name of an amount may say at either end (`{"total": {"eur": 5}}`, `price_eur_cents`), or by a word at its last (`amount_dollars`). */
export function currenciesNamed({ words }: Name): readonly string[] {
  const [first, ...others] = words.filter((word) => !MINOR.words.has(singular(word)));
  const last = others.at(-1) ?? first;
  if (last === undefined) return [];
  if (CURRENCY_WORD.test(last)) return currenciesOfSign(last);
  const ends = others.length === 0 ? [last] : [first!, last].filter((word) => !SHORT.has(word));
  const said = ends.find(isCurrencyWord);
  return said === undefined ? [] : [said.toUpperCase()];
}
