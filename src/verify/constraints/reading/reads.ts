import { moneyNameOf } from '../../../protocol/constraints/money-names.js';
import { tierOf } from '../../../protocol/constraints/destinations.js';
import type { Constraint, MoneySource, Reads } from '../../../protocol/constraints/rules.js';
import { endsWith, isMeant, nameOf, type Name } from '../../../protocol/naming/names.js';
import type { NamedValue } from './members.js';

/** True when the rule reads a param of this name, at this path where one is known. */
export function isRead(name: Name, { thing, named }: Reads, path: string | null = null): boolean {
  return named === null ? endsWith(name, thing) : named.some((each) => isMeant(each, name, path));
}

/** True when a limit on money with this source reads a param of this name. */
export function readsMoney(source: MoneySource, name: Name): boolean {
  if (source === null) return moneyNameOf(name).money;
  return source.some((each) => isMeant(each, name) || isMeant(nameOf(`${each.text}_minor`), name));
}

/** The members that the rule reads. */
export function readBy(members: readonly NamedValue[], reads: Reads): readonly NamedValue[] {
  return members.filter(({ name, path }) => isRead(name, reads, path));
}

/** True for the names of params that the rule reads; null for one that goes by no names, or by more than names. */
export function namesRead(rule: Constraint): ((name: Name) => boolean) | null {
  switch (rule.kind) {
    case 'monetary_limit':
    case 'daily_limit':
      return (name) => readsMoney(rule.source, name);
    case 'allowed_domains':
      return (name) => (rule.params === null ? tierOf(name) !== null : rule.params.some((each) => isMeant(each, name)));
    case 'allowed_values':
    case 'denied_values':
    case 'bound':
    case 'required':
      return (name) => isRead(name, rule.reads);
    case 'currency':
    case 'rate':
    case 'given':
    case 'approval':
    case 'time_window':
    case 'geo_restriction':
      return null;
  }
}
