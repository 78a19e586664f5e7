/** What the cases of a passport have tried. */
import type { DialectName } from '../../protocol/dialects.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { codeOfLimit, limitKindOf, limitReads, thingLimited } from '../redteam/honest.js';
import { limitsOf, type Limit } from '../redteam/limits.js';
import { wordsIn } from '../redteam/scene.js';
import type { CaseResult } from './cases.js';

/** Which codes and which yes each action has seen. */
export interface Coverage {
  readonly action: string;
  readonly accepted: boolean;
  readonly refused: boolean;
}

/** For each action that a passport of the cases declares, and each constraint, whether a yes and a no were seen. */
export function coverageOf(results: readonly (CaseResult & { readonly passport: JsonObject })[]): {
  readonly actions: readonly Coverage[];
  readonly constraints: readonly {
    readonly constraint: string;
    readonly accepted: boolean;
    readonly refused: boolean;
  }[];
} {
  const actions = new Map<string, { accepted: boolean; refused: boolean }>();
  const constraints = new Map<string, { accepted: boolean; refused: boolean }>();
  const row = (table: typeof actions, name: string): { accepted: boolean; refused: boolean } => {
    const found = table.get(name) ?? { accepted: false, refused: false };
    table.set(name, found);
    return found;
  };
  for (const { passport, decision } of results) {
    const listed = Array.isArray(passport['actions']) ? (passport['actions'] as readonly Json[]) : [];
    for (const each of listed)
      row(actions, typeof each === 'string' ? each : isObject(each) ? String(each['name']) : '');
    for (const { name } of limitsOf(passport)) row(constraints, name);
    if (decision.action !== null) {
      const seen = row(actions, decision.action);
      if (decision.success) seen.accepted = true;
      else seen.refused = true;
    }
    // A yes passed every constraint; a no is of those that its violations tell of.
    for (const limit of limitsOf(passport)) {
      const seen = row(constraints, limit.name);
      if (decision.success) seen.accepted = true;
      else if (decision.violations.some((each) => isBy(limit, each, decision.dialect))) seen.refused = true;
    }
  }
  return {
    actions: [...actions].map(([action, seen]) => ({ action, ...seen })),
    constraints: [...constraints].map(([constraint, seen]) => ({ constraint, ...seen })),
  };
}

/** Counts of instances have names of their own. */
const INSTANCES = ['desired count', 'desired instance', 'replica'];

/** Where a dialect has another number for what a limit refuses with. */
const OTHER_CODE: Readonly<Record<DialectName, Readonly<Record<string, string>>>> = {
  native: {},
  'aip-1': {
    ...{ 'AIP-E203': 'AIP-E206', 'AIP-E204': 'AIP-E206', 'AIP-E212': 'AIP-E202' },
    ...{ 'AIP-E213': 'AIP-E203', 'AIP-E214': 'AIP-E204' },
  },
};

/** True where a violation is one of this limit: by its code, and by what its details tell of it. */
function isBy(
  limit: Limit,
  { error_code, details }: CaseResult['decision']['violations'][number],
  dialect: DialectName,
): boolean {
  const kind = limitKindOf(limit);
  const native = codeOfLimit(limit);
  const code = OTHER_CODE[dialect][native] ?? native;
  // Of an approval, one that holds for something else is refused by a code of its own.
  if (error_code !== code && !(kind === 'approval' && error_code === 'AIP-E216')) return false;
  if (code !== native) {
    // Two kinds of limit have one number there.
    if (kind === 'daily') return (details['window'] ?? null) !== null;
    if (kind === 'domains') return details['requested_domain'] !== undefined;
  }
  if (kind === 'money' && (details['window'] ?? null) !== null) return false;
  const { value, name } = limit;
  const param = typeof details['param'] === 'string' ? leafOf(details['param']) : '';
  switch (kind) {
    case 'money':
    case 'currency':
      return (wordsIn(param).join(' ') === 'currency' || isCurrency(details['requested'])) === (kind === 'currency');
    case 'rate': {
      const rates = isObject(value) ? Object.values(value) : [value];
      return rates.includes(`${String(details['limit'])}/${String(details['window'])}`);
    }
    case 'count':
      return details['limit'] === value && name.endsWith(`_per_${String(details['window'])}`);
    case 'max':
    case 'min':
      if (details['limit'] !== value) return false;
      return (
        limitReads(limit, param) ||
        (thingLimited(limit) === 'instances' && INSTANCES.includes(wordsIn(param).join(' ')))
      );
    case 'allowed':
    case 'denied':
    case 'require':
      return limitReads(limit, param);
    default:
      return true;
  }
}

/** True for what was asked where it is a currency, and no amount. */
function isCurrency(requested: Json | undefined): boolean {
  return typeof requested === 'string' && !/^\d+(?:\.\d+)?$/.test(requested);
}

/** The name at the end of a path: `instances` of `config.instances[0]`. */
function leafOf(path: string): string {
  return path
    .replace(/\[\d+\]/g, '')
    .split('.')
    .at(-1)!;
}
