/** What a passport may be narrowed to without a refusal of anything that its log shows as accepted. */
import { minorDigits } from '../../protocol/constraints/currencies.js';
import { formatMinor, jsonOfMinor, MAX_MINOR } from '../../protocol/constraints/money.js';
import { parsePattern } from '../../protocol/constraints/domains.js';
import type { Constraint, MoneyLimit, RateRule } from '../../protocol/constraints/rules.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { emptyObject, isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { MAX_DOCUMENT_BYTES, MAX_LIST } from '../../protocol/limits.js';
import type { Passport } from '../../protocol/passport.js';
import { writtenName } from '../passports/lint/measures.js';
import type { Policy } from '../../verify/context.js';
import type { Judged } from '../../verify/constraints/judged.js';
import { required } from '../../verify/constraints/required.js';
import type { ActionSeen, UsageEvidence, Need } from './evidence.js';

/** One member of a passport that would be another. */
export interface Narrowed {
  /** As `policy diff` writes it: `actions.deploy`, `constraints.monetary_limit`. */
  readonly path: string;
  /** Null where there was nothing, and where nothing is left. */
  readonly before: Json;
  readonly after: Json;
  readonly why: string;
}

/** One member that stays as it is. */
export interface KeptMember {
  readonly path: string;
  readonly why: string;
}

/** What a passport is, and what is to be known of it here. */
export interface Today {
  readonly json: JsonObject;
  readonly passport: Passport;
  readonly unmeasured: Policy['unmeasured'];
  /** What is wrong with a JSON Schema, as words that follow its name, or null. */
  readonly schemaProblem: (schema: JsonObject) => string | null;
}

/** The whole answer: every action and constraint is in one of the two lists. */
export interface Narrowing {
  readonly narrower: readonly Narrowed[];
  readonly kept: readonly KeptMember[];
}

/** Names of params that change from call to call are data, and no interface. */
const MOST_PARAMS = 64;
const NOT_SHOWN = 'the log does not show all that it reads';

/** The least that the passport has to allow. */
export function narrowingOf(today: Today, evidence: UsageEvidence): Narrowing {
  const found = [...actionsNarrowed(today, evidence), ...constraintsNarrowed(today, evidence)];
  return {
    narrower: found.filter((each): each is Narrowed => 'after' in each),
    kept: found.filter((each): each is KeptMember => !('after' in each)),
  };
}

/** The document with these changes. */
export function narrowed(json: JsonObject, narrower: readonly Narrowed[]): JsonObject {
  const after = new Map(narrower.map((each) => [each.path, each.after]));
  const actions = listOf(json['actions']).flatMap((each) => {
    const path = `actions.${actionName(each)}`;
    const value = after.has(path) ? after.get(path)! : each;
    return value === null ? [] : [value];
  });
  const constraints = Object.fromEntries(Object.entries(constraintsIn(json)));
  for (const [path, value] of after) {
    if (path.startsWith('constraints.')) constraints[path.slice('constraints.'.length)] = value;
  }
  return { ...json, actions, constraints };
}

/** Room for the signature in a passport's file. */
const SIGNED_BYTES = 256;

/** The same without what would make a passport that is too large to be read: the longest goes first. */
export function readable({ json }: Today, { narrower, kept }: Narrowing): Narrowing {
  const bytesOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value, null, 2));
  const fitting = narrower.toSorted((a, b) => bytesOf(a.after) - bytesOf(b.after));
  const left = new Set<Narrowed>();
  while (fitting.length > 0 && bytesOf(narrowed(json, fitting)) + SIGNED_BYTES > MAX_DOCUMENT_BYTES)
    left.add(fitting.pop()!);
  const why = `the passport would be larger than ${MAX_DOCUMENT_BYTES / 1024} KiB`;
  return {
    narrower: narrower.filter((each) => !left.has(each)),
    kept: [...kept, ...[...left].map(({ path }) => ({ path, why }))],
  };
}

function actionsNarrowed(today: Today, { actions: seen }: UsageEvidence): (Narrowed | KeptMember)[] {
  const { all } = today.passport.constraints;
  // Taken out of a limit, it would be without one in a passport that declares it again.
  const namedBy = (action: string): string => {
    const names = all.filter((rule) => rule.kind !== 'currency' && isNamedIn(rule, action)).map(writtenName);
    return names.length === 0 ? '' : `; still named in ${[...new Set(names)].join(', ')}`;
  };
  return listOf(today.json['actions']).map((before) => {
    const name = actionName(before);
    const path = `actions.${name}`;
    const used = seen.get(name);
    if (used === undefined) return { path, before, after: null, why: `never accepted in that time${namedBy(name)}` };
    if (today.passport.actions.get(name) !== null) return { path, why: 'it has a schema' };
    const schema = schemaSeen(used);
    const why = whyNoSchema(today, name, used, schema);
    if (why !== null) return { path, why };
    const after = { ...(isObject(before) ? before : { name }), params: schema };
    return { path, before, after, why: `accepted ${used.count} times, with no other params` };
  });
}

/**
 * The same with limits on money that no passport of this agent had yet, for a second reading of the evidence: so high that they refuse nothing. Null
 * where there are some, no money was read, or the currency is not one alone.
 */
export function withMoneyLimits({ json, passport }: Today, { money, currencies }: UsageEvidence): JsonObject | null {
  const constraints = constraintsIn(json);
  const { all, currency: own } = passport.constraints;
  if (!money || constraints['monetary_limit'] !== undefined || constraints['daily_limit'] !== undefined) return null;
  const [said = own, another] = constraints['currency'] === undefined ? currencies : [own];
  if (another !== undefined || minorDigits(said) === null) return null;
  // Amounts that a person was asked about as another currency's would be within what needs none.
  if (said !== own && all.some((rule) => rule.kind === 'approval' && rule.above !== null)) return null;
  const limit = jsonOfMinor(MAX_MINOR, said);
  const currency = constraints['currency'] ?? said;
  return { ...json, constraints: { ...constraints, monetary_limit: limit, daily_limit: limit, currency } };
}

/** What of that is narrower than no limit; in an answer to the passport as it is. */
export function moneyLimitsFound({ json }: Today, augmented: JsonObject, { needs }: UsageEvidence): Narrowing {
  const paths = ['constraints.monetary_limit', 'constraints.daily_limit'];
  const why = (text: string): Narrowing => ({ narrower: [], kept: paths.map((path) => ({ path, why: text })) });
  const limits = [...needs].filter(([{ kind }]) => kind === 'monetary_limit' || kind === 'daily_limit');
  if (limits.some(([, { unknown }]) => unknown)) return why(`there is none, and ${NOT_SHOWN}`);
  if (limits.some(([, { guessed }]) => guessed)) return why('there is none, and what was read as money may be none');
  const found = limits.flatMap(([rule, need]): Narrowed[] => {
    const path = `constraints.${rule.kind}`;
    const least = moneyNarrowed(rule as MoneyLimit, need, null);
    return typeof least === 'string' ? [] : [{ path, before: null, ...least }];
  });
  if (found.length < limits.length) return { narrower: [], kept: [] };
  if (constraintsIn(json)['currency'] !== undefined) return { narrower: found, kept: [] };
  const after = constraintsIn(augmented)['currency']!;
  const currency = { path: 'constraints.currency', before: null, after, why: 'the limits on money are in it' };
  return { narrower: [...found, currency], kept: [] };
}

function isNamedIn(rule: Constraint, action: string): boolean {
  if (rule.actions?.has(action) === true) return true;
  return rule.kind === 'rate' ? rule.action === action : rule.kind === 'approval' && rule.triggers.has(action);
}

/** Closed at the top: what stands inside of an object is not looked at. */
function schemaSeen({ count, params }: ActionSeen): JsonObject {
  const properties = [...params].map(([name, { types }]): [string, Json] => {
    const all = [...types].sort();
    return [name, { type: all.length === 1 ? all[0]! : all }];
  });
  return {
    type: 'object',
    properties: Object.assign(emptyObject(), Object.fromEntries(properties)),
    required: [...params].filter(([, each]) => each.count === count).map(([name]) => name),
    additionalProperties: false,
  };
}

/** Null where the schema can only refuse more. Some rules ask more of an action that has none. */
function whyNoSchema(today: Today, action: string, seen: ActionSeen, schema: JsonObject): string | null {
  const { passport, unmeasured, schemaProblem } = today;
  if (seen.hidden) return 'the log does not show all params of what was accepted';
  if (seen.params.size > MOST_PARAMS) return `its params have more than ${MOST_PARAMS} names`;
  if (unmeasured === 'deny') return 'verify.unmeasured: deny asks more of an action without a schema';
  const rules = passport.constraints.all.filter(({ actions }) => actions === null || actions.has(action));
  if (
    rules.some(
      (rule) => rule.kind === 'approval' && !rule.always && (rule.environments.size > 0 || rule.above !== null),
    )
  )
    return 'require_approval asks more of an action without a schema';
  if (rules.some((rule) => rule.kind === 'required' && isRequired(rule, null) && !isRequired(rule, schema)))
    return 'a required param would not be asked for any more';
  return schemaProblem(schema) === null ? null : 'its params make no schema that can be used';

  function isRequired(rule: Extract<Constraint, { kind: 'required' }>, own: JsonObject | null): boolean {
    const empty = { agentId: '', action, params: emptyObject(), members: [], schema: own };
    return required(rule, empty as unknown as Judged).length > 0;
  }
}

function constraintsNarrowed({ json, passport }: Today, { needs }: UsageEvidence): (Narrowed | KeptMember)[] {
  const constraints = constraintsIn(json);
  const { all } = passport.constraints;
  return Object.entries(constraints).flatMap(([name, before]): (Narrowed | KeptMember)[] => {
    if (name.startsWith('x-')) return [];
    const path = `constraints.${name}`;
    const rules = all.filter((rule) => needs.has(rule) && writtenName(rule) === name);
    const [rule] = rules;
    if (rule === undefined) return [{ path, why: 'a log does not tell how narrow it may be' }];
    const need = needs.get(rule)!;
    const found =
      rule.kind === 'rate'
        ? ratesNarrowed(
            rules.filter((each) => each.kind === 'rate'),
            needs,
            before,
          )
        : need.unknown
          ? NOT_SHOWN
          : rule.kind === 'allowed_domains'
            ? domainsNarrowed(need, before)
            : moneyNarrowed(rule as MoneyLimit, need, before);
    if (typeof found === 'string') return [{ path, why: found }];
    if (canonicalize(found.after) === canonicalize(before)) return [{ path, why: found.why }];
    return [{ path, before, ...found }];
  });
}

type Found = Pick<Narrowed, 'after' | 'why'> | string;

function moneyNarrowed({ kind, limit, currency }: MoneyLimit, { minor }: Need, before: Json): Found {
  if (minor === null) return 'no money was read in what was accepted';
  const least = roundedUp(minor);
  const shown = formatMinor(minor, currency);
  const why = kind === 'daily_limit' ? `at most ${shown} in 24 hours` : `at most ${shown} in one action`;
  if (least === 0n || least >= limit) return why;
  const after = jsonOfMinor(least, currency);
  if (!isObject(before)) return { after, why };
  return { after: { ...before, [before['limit'] === undefined ? 'value' : 'limit']: after }, why };
}

/** Up to the next number of two leading digits, in minor units. */
export function roundedUp(minor: bigint): bigint {
  const unit = 10n ** BigInt(Math.max(0, String(minor).length - 2));
  return ((minor + unit - 1n) / unit) * unit;
}

function ratesNarrowed(rules: readonly RateRule[], needs: UsageEvidence['needs'], before: Json): Found {
  const counts: string[] = [];
  let inner = valueOf(before);
  for (const rule of rules) {
    const { count } = needs.get(rule)!;
    const { action, limit, unit, thing } = rule;
    if (count === 0) continue;
    counts.push(`at most ${count} in ${unit === 'hour' ? 'an' : 'a'} ${unit}${action === null ? '' : ` of ${action}`}`);
    const least = Math.min(limit, count);
    const after = thing === null ? `${least}/${unit}` : least;
    inner = action === null ? after : { ...(inner as JsonObject), [action]: after };
  }
  if (counts.length === 0) return 'nothing that it counts was accepted';
  return { after: withValue(before, inner), why: counts.join(', ') };
}

/** The hosts, in the words of the list where it names them. */
function domainsNarrowed({ hosts }: Need, before: Json): Found {
  if (hosts.size === 0) return 'no destination was read in what was accepted';
  if (hosts.size > MAX_LIST) return `more than ${MAX_LIST} destinations were used`;
  const listed = listOf(valueOf(before)).filter((each): each is string => typeof each === 'string');
  const exact = listed.filter((text) => {
    const pattern = parsePattern(text);
    return pattern?.kind === 'exact' && hosts.has(pattern.domain);
  });
  const named = new Set(exact.map((text) => parsePattern(text)!.domain));
  const others = [...hosts].filter((host) => !named.has(host)).sort();
  const why = `only ${hosts.size === 1 ? 'this destination was' : `these ${hosts.size} destinations were`} used`;
  return { after: withValue(before, [...exact, ...others]), why };
}

function valueOf(written: Json): Json {
  return isObject(written) && Object.hasOwn(written, 'value') ? written['value']! : written;
}

function withValue(written: Json, value: Json): Json {
  return isObject(written) && Object.hasOwn(written, 'value') ? { ...written, value } : value;
}

function actionName(action: Json): string {
  return isObject(action) ? String(action['name']) : String(action);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The constraints of a passport; none where it has none. */
export function constraintsIn({ constraints }: JsonObject): JsonObject {
  return constraints !== undefined && isObject(constraints) ? constraints : {};
}
