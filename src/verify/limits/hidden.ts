/** Characters that no limit can see, in what limits read. */
import { destinationsIn, tierOf } from '../../protocol/constraints/destinations.js';
import type { Constraint, Constraints, MoneySource } from '../../protocol/constraints/rules.js';
import { isObject, type Json } from '../../protocol/json/values.js';
import { BOUND } from '../../protocol/log/attribution.js';
import { hidesCharacter } from '../../protocol/naming/hidden.js';
import { endsWith, isMeant, nameOf, thingNamed, type Name } from '../../protocol/naming/names.js';
import { ENVIRONMENT_WORDS } from '../../protocol/naming/vocabulary.js';
import { violation, type Violation } from '../decision.js';
import { moneyNameOf } from '../../protocol/constraints/money-names.js';
import { MAX_REPORTED, shown, type Judged } from '../constraints/judged.js';
import type { NamedValue } from '../constraints/reading/members.js';
import { namesCurrency } from '../constraints/reading/currency.js';
import { isRead } from '../constraints/reading/reads.js';

/**
 * Invisible characters in the name of any param, and in a value under a name that one of the constraints reads: what a limit sees must
 * be what an executor uses and a person is shown. Judged before the constraints, and alone.
 */
export function hiddenCharacters(limits: readonly Constraints[], judged: Judged): Violation[] {
  const found: Violation[] = [];
  for (const member of judged.members) {
    const param = shown(member.path);
    if (member.name.hidden) {
      // The protocol's own rule, and no constraint's: the agent is not held to it.
      found.push(hidden(param, 'its name holds an invisible character', judged.agentId, { [BOUND]: 'protocol' }));
    } else if (hides(member.value) && limits.some((each) => isReadBy(each, member, judged))) {
      found.push(hidden(param, 'it holds an invisible character', judged.agentId, {}));
    }
    if (found.length === MAX_REPORTED) break;
  }
  return found;
}

function hidden(param: Json, reason: string, agentId: string, more: { readonly [BOUND]?: string }): Violation {
  return violation('PARAMS_INVALID', `"${visible(param)}" is refused: ${reason}.`, {
    param,
    reason,
    ...more,
    agent_id: agentId,
  });
}

/** A message shows where a name hides something. */
function visible(param: Json): string {
  return JSON.stringify(param)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/gu, (each) => `\\u{${each.codePointAt(0)!.toString(16)}}`);
}

/** Any text of the value; the members of an object are members themselves. */
function hides(value: Json): boolean {
  if (typeof value === 'string') return hidesCharacter(value);
  if (Array.isArray(value)) return (value as readonly Json[]).some(hides);
  return isObject(value) && Object.values(value).some(hides);
}

function isReadBy({ all }: Constraints, member: NamedValue, { action }: Judged): boolean {
  return all.some((rule) => (rule.actions === null || rule.actions.has(action)) && reads(rule, member));
}

const ENVIRONMENT = thingNamed(...ENVIRONMENT_WORDS);
const CURRENCY = nameOf('currency');

function reads(rule: Constraint, { name, value, path }: NamedValue): boolean {
  if (readsName(rule, name, path)) return true;
  if (rule.kind !== 'allowed_domains' || rule.params !== null || tierOf(name) !== 'weak') return false;
  return typeof value === 'string' && destinationsIn(value, true).length > 0;
}

/** True when the rule reads whatever stands under the name, at this path where one is known. */
export function readsName(rule: Constraint, name: Name, path: string | null = null): boolean {
  switch (rule.kind) {
    case 'currency':
      return (
        (rule.currencyIn === undefined ? namesCurrency(name) : isMeantBy([CURRENCY, ...rule.currencyIn])) ||
        rule.sources.some(isMoney)
      );
    case 'monetary_limit':
    case 'daily_limit':
      return isMoney(rule.source);
    case 'allowed_domains': {
      if (rule.params !== null) return isMeantBy(rule.params);
      const tier = tierOf(name);
      return tier === 'first' || tier === 'strong';
    }
    case 'allowed_values':
    case 'denied_values':
    case 'bound':
    case 'required':
      return isRead(name, rule.reads, path);
    case 'approval':
      return rule.environments.size > 0 && endsWith(name, ENVIRONMENT);
    case 'rate':
    case 'given':
    case 'time_window':
    case 'geo_restriction':
      return false;
  }

  function isMoney(source: MoneySource): boolean {
    return source === null ? moneyNameOf(name).money : isMeantBy(source);
  }

  function isMeantBy(named: readonly Name[]): boolean {
    return named.some((each) => isMeant(each, name, path));
  }
}
