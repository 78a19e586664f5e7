/** Prices and how many of each there are, in one object (protocol, section 5.1): their product is what is paid. */
import { compareDecimals, plus, times, type Decimal } from '../../../protocol/constraints/money.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import type { NamedValue } from './members.js';

/** The quantities of one object in lists of one length, by their places the largest. */
interface Quantities {
  readonly each: readonly Decimal[];
  readonly total: Decimal;
  readonly largest: Decimal;
}

/** A price, and the most that it comes to with a quantity of its object. */
export interface Product {
  readonly member: NamedValue;
  readonly amount: Decimal;
}

/** Gathers prices and quantities. Products are as many as prices, whatever stands beside them: an intent may hold thousands of both. */
export class Products {
  /** By the length of their lists. */
  readonly #quantities = new Map<JsonObject, Map<number, Quantities>>();
  readonly #prices: {
    readonly member: NamedValue;
    readonly numbers: readonly Decimal[];
    readonly owner: JsonObject;
  }[] = [];

  /** The numbers of one member of `owner` that says how many. */
  quantity(owner: JsonObject, numbers: readonly Decimal[]): void {
    if (numbers.length === 0) return;
    let ofOwner = this.#quantities.get(owner);
    if (ofOwner === undefined) this.#quantities.set(owner, (ofOwner = new Map<number, Quantities>()));
    const before = ofOwner.get(numbers.length)?.each;
    const each = before === undefined ? numbers : numbers.map((number, i) => larger(number, before[i]!));
    ofOwner.set(numbers.length, { each, total: each.reduce(plus), largest: each.reduce(larger) });
  }

  /** The numbers of one member that says a price of what `owner` counts. */
  price(member: NamedValue, numbers: readonly Decimal[], owner: JsonObject): void {
    if (numbers.length > 0) this.#prices.push({ member, numbers, owner });
  }

  *all(): Generator<Product> {
    for (const { member, numbers, owner } of this.#prices) {
      const quantities = this.#quantities.get(owner);
      if (quantities === undefined) continue;
      const total = numbers.reduce(plus);
      const amounts = [...quantities.values()].map((each) => productOf(numbers, total, each));
      yield { member, amount: amounts.reduce(larger) };
    }
  }
}

/** Lists of one length belong together place by place; of others nobody can tell which belongs to which, so it is the most that it may be. */
function productOf(prices: readonly Decimal[], total: Decimal, { each, total: count, largest }: Quantities): Decimal {
  if (prices.length === 1) return times(total, count);
  if (prices.length !== each.length) return times(total, largest);
  return prices.map((price, i) => times(price, each[i]!)).reduce(plus);
}

function larger(a: Decimal, b: Decimal): Decimal {
  return compareDecimals(a, b) < 0 ? b : a;
}
