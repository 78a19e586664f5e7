/** What an intent says of the currency of its money. */
import { numberIn } from '../../../protocol/constraints/number-text.js';
import { lazy } from '../../../protocol/lazy.js';
import { currenciesNamed, isMoneyMember, moneyNameOf } from '../../../protocol/constraints/money-names.js';
import type { InCurrency, MoneySource } from '../../../protocol/constraints/rules.js';
import type { Json, JsonObject } from '../../../protocol/json/values.js';
import { isMeant, isSameName, keyOf, nameOf, type Name } from '../../../protocol/naming/names.js';
import { CURRENCY_NAMES } from '../../../protocol/naming/vocabulary.js';
import type { NamedValue } from './members.js';
import { readsMoney } from './reads.js';

const CURRENCY = nameOf('currency');
const OTHER_NAMES: ReadonlySet<string> = new Set(CURRENCY_NAMES.map(keyOf));

/** What an intent says of its currency, and where. */
export interface SaidCurrency {
  readonly value: Json;
  readonly path: string;
  /** Found by what a currency is called elsewhere, and not by the name that the passport means. */
  readonly guessed: boolean;
}

/** What the intent says of its currency that is not the passport's; null when it says nothing else. `sources`: of the amounts. */
export function otherCurrency(
  params: JsonObject,
  members: readonly NamedValue[],
  { currency, currencyIn }: InCurrency,
  sources: readonly MoneySource[],
): SaidCurrency | null {
  const other = members.find((each) => each.value !== currency && saysCurrency(each, params, currencyIn));
  if (other !== undefined) return { value: other.value, path: other.path, guessed: false };
  // Where the passport names what says the currency, nothing else is taken for it.
  return currencyIn === undefined ? otherByName(params, members, currency, sources) : null;
}

/** Below the top a currency that nobody names counts where money stands beside it. */
export function saysCurrency(
  { name, path, owner }: NamedValue,
  params: JsonObject,
  named: InCurrency['currencyIn'],
): boolean {
  if (isSameName(name, CURRENCY) && (owner === params || holdsMoney(owner))) return true;
  return named?.some((each) => isMeant(each, name, path)) === true;
}

/** The same under every name that the currency of money goes by, beside an amount or in its object, whatever the case of the code. */
export function otherByName(
  params: JsonObject,
  members: readonly NamedValue[],
  currency: string,
  sources: readonly MoneySource[],
): SaidCurrency | null {
  const isMoney = (name: Name | undefined): boolean =>
    name !== undefined && sources.some((source) => readsMoney(source, name));
  const holdsAmount = ({ name, value, parent }: NamedValue): boolean =>
    (isMoney(name) || ((isMoneyMember(name) || moneyNameOf(name).money) && isMoney(parent?.name))) &&
    holdsNumber(value);
  const owners = lazy(() => new Set(members.filter(holdsAmount).map(({ owner }) => owner)));
  const isBesideAmount = ({ owner, parent }: NamedValue): boolean =>
    owner === params || isMoney(parent?.name) ? owners().size > 0 : owners().has(owner);
  const other = members.find(
    (each) => namesCurrency(each.name) && isOther(each.value, currency) && isBesideAmount(each),
  );
  return other === undefined ? null : { value: other.value, path: other.path, guessed: true };
}

function holdsNumber(value: Json): boolean {
  if (Array.isArray(value)) return (value as readonly Json[]).some(holdsNumber);
  return typeof value === 'number' || (typeof value === 'string' && numberIn(value) !== null);
}

/** True for a name that the currency of money goes by. */
export function namesCurrency(name: Name): boolean {
  return isSameName(name, CURRENCY) || OTHER_NAMES.has(name.key);
}

function isOther(value: Json, currency: string): boolean {
  if (Array.isArray(value)) return (value as readonly Json[]).some((each) => isOther(each, currency));
  const text = typeof value === 'string' ? value.trim() : value;
  return text !== null && text !== '' && (typeof text !== 'string' || text.toUpperCase() !== currency);
}

/** An object may say its currency under thousands of spellings of one name. */
const holders = new WeakMap<JsonObject, boolean>();

function holdsMoney(owner: JsonObject): boolean {
  let holds = holders.get(owner);
  if (holds === undefined) {
    holds = Object.keys(owner).some((text) => moneyNameOf(nameOf(text)).money);
    holders.set(owner, holds);
  }
  return holds;
}

/** Which names of an object that say another currency say one of what is asked. */
export interface ForeignAmounts {
  /** Names that are a currency alone: `{"total": {"eur": 5}}`. */
  readonly members: boolean;
  /** Names that hold a word for money as well: `amount_eur`. */
  readonly named: boolean;
}

/** None where the object says its amount in `currency`, too: any other is a conversion. */
export function foreignAmountsIn(owner: JsonObject, currency: string): ForeignAmounts {
  const members = Object.entries(owner).map(([text, value]) => ({ name: nameOf(text), value }));
  if (members.some(({ name }) => currenciesNamed(name).includes(currency))) return { members: false, named: false };
  return {
    members: members.every(({ name }) => isMoneyMember(name) || moneyNameOf(name).money || namesCurrency(name)),
    named: !members.some(({ name, value }) => namesCurrency(name) && value === currency),
  };
}
