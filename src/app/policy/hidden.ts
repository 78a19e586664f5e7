/** What an entry of the log does not show of its intent, and which limits could have read it. */
import type { Constraint, InCurrency } from '../../protocol/constraints/rules.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Entry } from '../../protocol/log/entry.js';
import { MASK } from '../../protocol/log/secrets.js';
import { endsWith, isMeant, nameOf, thingNamed } from '../../protocol/naming/names.js';
import { ENVIRONMENT_WORDS } from '../../protocol/naming/vocabulary.js';
import { namesCurrency } from '../../verify/constraints/reading/currency.js';
import { isRead, namesRead, readsMoney } from '../../verify/constraints/reading/reads.js';

/** Why a value is not in the log. */
export type HiddenReason = 'params_masked' | 'params_dropped' | 'params_erased';

/** The part of an intent that the log does not show. */
export interface Hidden {
  readonly reason: HiddenReason;
  /** Names of top-level params; null where not even these are known. */
  readonly params: readonly string[] | null;
  readonly target: boolean;
}

/** Null where all of it is there. */
export function hiddenOf(entry: Entry): Hidden | null {
  const { params, withheld, erased, salts } = entry;
  const gone = erased === null ? [] : Object.keys(erased);
  const names = gone.flatMap((slot) => /^(?:params|sent)\.(.*)$/s.exec(slot)?.[1] ?? []);
  const erasedTarget = gone.includes('target');
  const target = erasedTarget || (entry.target?.includes(MASK) ?? false);
  if (names.length > 0 || erasedTarget) {
    return { reason: 'params_erased', params: [...new Set([...names, ...Object.keys(withheld ?? {})])], target };
  }
  // The first version of the log does not say what it left out.
  if (salts === null) {
    if (params === null) return { reason: 'params_dropped', params: null, target: false };
    const masked = Object.keys(params).filter((name) => JSON.stringify(params[name]).includes(MASK));
    return masked.length === 0 ? null : { reason: 'params_masked', params: masked, target: false };
  }
  if (withheld === null && !target) return null;
  const reason = params === null ? 'params_dropped' : 'params_masked';
  return { reason, params: Object.keys(withheld ?? {}), target };
}

const ENVIRONMENT = thingNamed(...ENVIRONMENT_WORDS);

/**
 * True when the rule could have read what is hidden. `schema` is one that the params are known to have passed: by it a hidden value may be known to
 * hold no other names.
 */
export function couldRead(rule: Constraint, hidden: Hidden, schema: JsonObject | null): boolean {
  if (rule.kind === 'rate' || rule.kind === 'time_window' || rule.kind === 'geo_restriction') return false;
  const { params, target } = hidden;
  if (target && (rule.kind === 'allowed_domains' || rule.kind === 'approval')) return true;
  if (rule.kind === 'approval' && rule.always) return false;
  if (params === null) return true;
  return params.some((name): boolean => {
    const types = typesOf(name, schema);
    // An object or a list may hold any name.
    if (types === null || types.some((type) => type === 'object' || type === 'array')) return true;
    const texts = types.includes('string');
    switch (rule.kind) {
      case 'allowed_domains':
        return (texts && rule.params === null) || namesRead(rule)!(nameOf(name));
      case 'currency':
        return mayBeCurrency(name, rule) || rule.sources.some((source) => readsMoney(source, nameOf(name)));
      case 'approval':
        return (
          (rule.environments.size > 0 && endsWith(nameOf(name), ENVIRONMENT)) ||
          (rule.above !== null &&
            (mayBeCurrency(name, rule) || rule.sources.some((source) => readsMoney(source, nameOf(name)))))
        );
      case 'given':
        return true;
      case 'monetary_limit':
      case 'daily_limit':
        return readsMoney(rule.source, nameOf(name)) || mayBeCurrency(name, rule);
      case 'allowed_values':
      case 'denied_values':
      case 'bound':
      case 'required':
        return isRead(nameOf(name), rule.reads);
    }
  });
}

function mayBeCurrency(name: string, { currencyIn }: InCurrency): boolean {
  if (currencyIn === undefined) return namesCurrency(nameOf(name));
  return [nameOf('currency'), ...currencyIn].some((each) => isMeant(each, nameOf(name)));
}

/** What a schema says a top-level param is; null where it does not. */
function typesOf(name: string, schema: JsonObject | null): readonly Json[] | null {
  const properties = schema?.['properties'];
  if (properties === undefined || !isObject(properties) || !Object.hasOwn(properties, name)) return null;
  const property = properties[name]!;
  if (!isObject(property)) return null;
  const { type } = property;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? (type as readonly Json[]) : null;
}
