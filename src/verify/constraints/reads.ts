import { moneyNameOf } from '../../protocol/constraints/money-names.js';
import type { MoneySource, Reads } from '../../protocol/constraints/rules.js';
import { endsWith, isSameName, nameOf, type Name } from '../../protocol/naming/names.js';
import type { Member } from './members.js';

/** True when the rule reads a param of this name. */
export function isRead(name: Name, { thing, named }: Reads): boolean {
  return named === null ? endsWith(name, thing) : named.some((each) => isSameName(each, name));
}

/** True when a limit on money with this source reads a param of this name. */
export function readsMoney(source: MoneySource, name: Name): boolean {
  if (source === null) return moneyNameOf(name).money;
  return source.some((each) => isSameName(each, name) || isSameName(nameOf(`${each.text}_minor`), name));
}

/** The members that the rule reads. */
export function readBy(members: readonly Member[], reads: Reads): readonly Member[] {
  return members.filter(({ name }) => isRead(name, reads));
}
