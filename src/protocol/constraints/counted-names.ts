/**
 * The things that constraints are named after. `allowed_symbols` reads the params `symbol` and `symbols`, `max_orders_per_hour` counts
 * actions that hold the word `order`. Everyone who counts actions by word has to use `holdsThing`, so that a limit counts the same
 * actions that it applies to.
 */
import { wordsOf } from '../name-words.js';

/** `orders` and `order` are one thing: the key under which they are counted. */
export function thingOf(name: string): string {
  return wordsOf(name).map(singular).join('_');
}

// Both numbers of a word fold to one key, which need not be a word itself: cache and caches are `cach`.
function singular(word: string): string {
  if (word.length < 3) return word;
  const one = /[^sui]s$/.test(word) ? word.slice(0, -1) : word;
  if (one.endsWith('ie')) return `${one.slice(0, -2)}y`;
  return /(?:s|x|z|ch|sh)e$/.test(one) ? one.slice(0, -1) : one;
}

/** True when `thing`, as `thingOf` writes it, is among the words of the action: `order` is in `place_order`, `placeOrders` and `order.place`. */
export function holdsThing(action: string, thing: string): boolean {
  return `_${thingOf(action)}_`.includes(`_${thing}_`);
}

/** The params that a list named after `things` reads: the name itself, its singular forms, and its plural when it is one thing. */
export function paramNamesOf(things: string): string[] {
  const names = [things];
  if (things.endsWith('ies')) names.unshift(`${things.slice(0, -3)}y`);
  else if (/(?:s|x|z|ch|sh)es$/.test(things)) names.unshift(things.slice(0, -2), things.slice(0, -1));
  else if (things.endsWith('s') && !things.endsWith('ss')) names.unshift(things.slice(0, -1));
  else names.push(`${things}s`);
  return names;
}
