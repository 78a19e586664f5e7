import type { Reads } from '../../protocol/constraints/rules.js';
import { endsWith, isSameName, type Name } from '../../protocol/naming/names.js';
import type { Member } from './members.js';

/** True when the rule reads a param of this name. */
export function isRead(name: Name, { thing, named }: Reads): boolean {
  return named === null ? endsWith(name, thing) : named.some((each) => isSameName(each, name));
}

/** The members that the rule reads. */
export function readBy(members: readonly Member[], reads: Reads): readonly Member[] {
  return members.filter(({ name }) => isRead(name, reads));
}
