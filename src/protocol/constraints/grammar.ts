/**
 * The grammar of a passport's constraints (protocol, section 5). Strict: a name or a form that this version does not know is a problem
 * and never a constraint that is silently not enforced. Names starting `x-` are annotations.
 */
import { lazy } from '../lazy.js';
import {
  CONSTRAINT_ORDER,
  type ApprovalRule,
  type Approver,
  type Constraint,
  type Constraints,
  type RateRule,
  type Reads,
  type RateUnit,
  type Scalar,
} from './rules.js';
import { limitOf, parseMoney, type MoneyRules } from './money-grammar.js';
import { domainList, parsePattern } from './domains.js';
import { DEFAULT_TTL_MS } from '../approvals/approval.js';
import { formatPublicKey, parsePublicKey } from '../identity/keys.js';
import { MAX_LIST } from '../limits.js';
import { parseDuration } from '../time.js';
import { thingOf } from './counted-names.js';
import { nearest } from '../naming/nearest.js';
import { thingNamed, type Name } from '../naming/names.js';
import { isAction, writtenAs, type Refuse, type Written } from './scope.js';
import { ENVIRONMENT_WORDS, EXACT_CONSTRAINTS, INSTANCE_NAMES } from '../naming/vocabulary.js';
import { personNamed } from '../approvals/person.js';
import { foldedText, foldedValue } from './folded.js';
import { parseTimeWindow } from './time-windows.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';

export type { Constraint, Constraints } from './rules.js';

/** What is wrong with a constraint. */
export interface ConstraintProblem {
  /** Where, below `constraints`: `monetary_limit.currency`. */
  readonly path: string;
  readonly reason: string;
}

/** Constraints ready to be checked, or all that is wrong with them. */
export type ParsedConstraints =
  | { readonly ok: true; readonly constraints: Constraints }
  | { readonly ok: false; readonly problems: readonly ConstraintProblem[] };

/** Most constraints a passport may hold: a rate costs one question to the state per verification. */
const MAX_CONSTRAINTS = 128;
const WINDOW_MS: Readonly<Record<RateUnit, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const RATE = /^(0|[1-9][0-9]{0,8})\/(second|minute|hour|day)$/;
const COUNT_NAME = /^max_([A-Za-z0-9_]+)_per_(second|minute|hour|day)$/;
const LIST_NAME = /^(allowed|denied)_([A-Za-z0-9_.-]{1,120})$/;
const BOUND_NAME = /^(max|min)_([A-Za-z0-9_.-]{1,120})$/;
const REQUIRED_NAME = /^require_([A-Za-z0-9_.-]{1,120})$/;
const MONEY_NAMES = new Set(['monetary_limit', 'daily_limit', 'currency']);
const COUNTRY = /^[A-Z]{2}$/;

/** Names that the patterns would take for something weaker than what their author means. */
const MISLEADING: Readonly<Record<string, string>> = {
  allowed_domain: 'is spelled "allowed_domains"',
  denied_domain: 'is not a constraint: list what is allowed in "allowed_domains"',
  denied_domains: 'is not a constraint: list what is allowed in "allowed_domains"',
  allowed_action: 'belongs into the passport\'s "actions"',
  allowed_actions: 'belongs into the passport\'s "actions"',
  denied_action: 'belongs into the passport\'s "denied_actions"',
  denied_actions: 'belongs into the passport\'s "denied_actions"',
};
const MONEY_THINGS = new Set(['amount', 'money', 'spend', 'spending', 'spent', 'cost', 'dollar', 'usd', 'eur', 'cent']);

/** The constraints in `value`, compiled, or everything that is wrong with them. */
export function parseConstraints(value: JsonObject): ParsedConstraints {
  const problems: ConstraintProblem[] = [];
  const refuse: Refuse = (path, reason) => {
    problems.push({ path: path.slice(0, 128), reason });
    return null;
  };
  const names = Object.keys(value).filter((name) => !name.startsWith('x-'));
  if (names.length > MAX_CONSTRAINTS) refuse('constraints', `are more than ${MAX_CONSTRAINTS}`);
  const money = parseMoney(value, refuse);
  const all: Constraint[] = [...money.rules];
  for (const name of names.slice(0, MAX_CONSTRAINTS)) {
    if (MONEY_NAMES.has(name)) continue;
    const written = writtenAs(name, value[name]!, refuse);
    if (written !== null) all.push(...ruleOf(name, written, money, refuse));
  }
  if (problems.length > 0) return { ok: false, problems };
  all.sort((a, b) => CONSTRAINT_ORDER.indexOf(a.kind) - CONSTRAINT_ORDER.indexOf(b.kind));
  return { ok: true, constraints: { all, ...money.inCurrency, spends: money.spends } };
}

// The exact names come first: the patterns below would take `allowed_domains` for a list of values of the param `domain`.
function ruleOf(name: string, written: Written, money: MoneyRules, refuse: Refuse): readonly Constraint[] {
  if (name === 'allowed_domains') return domainsOf(written, refuse);
  if (Object.hasOwn(MISLEADING, name)) return none(refuse(name, MISLEADING[name]!));
  const list = LIST_NAME.exec(name);
  if (list !== null) return valuesOf(name, list[1] as 'allowed' | 'denied', list[2]!, written, refuse);
  const reads = ruleWithParams(name, written, refuse);
  if (reads !== null) return reads;
  if (written.params !== null) refuse(`${name}.params`, 'is not part of it: it reads no params');
  if (name === 'rate_limit') return ratesOf(written, refuse);
  if (name === 'require_approval') return approvalOf(written, money, refuse);
  if (name === 'time_window') return windowOf(written, refuse);
  if (name === 'geo_restriction') return countriesOf(written, refuse);
  const count = COUNT_NAME.exec(name);
  if (count !== null) return countOf(name, count[1]!, count[2] as RateUnit, written, refuse);
  const near = nearest(name, EXACT_CONSTRAINTS);
  const meant = near === null ? '' : ` (did you mean ${near}?)`;
  return none(refuse(name, `is not a constraint that this version knows${meant}`));
}

function ruleWithParams(name: string, written: Written, refuse: Refuse): readonly Constraint[] | null {
  const bound = COUNT_NAME.test(name) ? null : BOUND_NAME.exec(name);
  if (bound !== null) return boundOf(name, bound[1] as 'max' | 'min', bound[2]!, written, refuse);
  const required = name === 'require_approval' ? null : REQUIRED_NAME.exec(name);
  if (required === null) return null;
  if (written.value !== true) return none(refuse(name, 'can only be true'));
  return [{ kind: 'required', reads: readsOf(required[1]!, written.params), actions: written.actions }];
}

/** `environment`, `env` and `stage` are one name. */
function readsOf(thing: string, named: readonly Name[] | null, others: readonly string[] = []): Reads {
  const own = thingNamed(thing);
  const isEnvironment = ENVIRONMENT_WORDS.some((word) => own.keys.has(word));
  const names = [thing, ...others, ...(isEnvironment ? ENVIRONMENT_WORDS : [])];
  return { thing: names.length === 1 ? own : thingNamed(...names), named, shown: named?.[0]?.text ?? thing };
}

function none(_: null): readonly [] {
  return [];
}

function isList(value: Json, path: string, refuse: Refuse): value is readonly Json[] {
  if (!Array.isArray(value)) refuse(path, 'is not a list');
  else if (value.length > MAX_LIST) refuse(path, `has more than ${MAX_LIST} entries`);
  else return true;
  return false;
}

function domainsOf({ value, params, actions }: Written, refuse: Refuse): readonly Constraint[] {
  if (!isList(value, 'allowed_domains', refuse)) return [];
  const entries = value.flatMap((text, i) => {
    const pattern = typeof text === 'string' ? parsePattern(text) : null;
    if (pattern !== null) return [{ text: text as string, pattern }];
    return none(refuse(`allowed_domains[${i}]`, 'is not a domain name, nor "*." and a domain name'));
  });
  return [{ kind: 'allowed_domains', list: domainList(entries), params, actions }];
}

function ratesOf({ value, actions: scope }: Written, refuse: Refuse): readonly Constraint[] {
  if (!isObject(value)) return rateOf('rate_limit', null, value, refuse, scope);
  const actions = Object.keys(value);
  if (actions.length === 0) refuse('rate_limit', 'names no action');
  if (actions.length > MAX_CONSTRAINTS) return none(refuse('rate_limit', `names more than ${MAX_CONSTRAINTS} actions`));
  return actions.flatMap((action) => {
    if (isAction(action)) return rateOf(`rate_limit.${action}`, action, value[action]!, refuse, scope);
    return none(refuse('rate_limit', 'names something that is not an action'));
  });
}

function rateOf(
  name: string,
  action: string | null,
  value: Json,
  refuse: Refuse,
  actions: ReadonlySet<string> | null,
): readonly RateRule[] {
  const match = typeof value === 'string' ? RATE.exec(value) : null;
  if (match === null) return none(refuse(name, 'is not a rate like "10/hour" (second, minute, hour, day)'));
  const unit = match[2] as RateUnit;
  return [
    { kind: 'rate', name, action, thing: null, limit: Number(match[1]), unit, windowMs: WINDOW_MS[unit], actions },
  ];
}

function countOf(
  name: string,
  things: string,
  unit: RateUnit,
  { value, actions }: Written,
  refuse: Refuse,
): readonly Constraint[] {
  const thing = thingOf(things);
  if (thing === '') return none(refuse(name, 'does not say what is counted'));
  // It would count actions with such a word in their name, and limit no money at all.
  if (thing.split('_').some((word) => MONEY_THINGS.has(word)))
    return none(refuse(name, 'counts actions, not money: use "daily_limit"'));
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 999_999_999) {
    return none(refuse(name, 'is not an integer from 0 to 999999999'));
  }
  return [{ kind: 'rate', name, action: null, thing, limit: value, unit, windowMs: WINDOW_MS[unit], actions }];
}

function valuesOf(
  name: string,
  side: 'allowed' | 'denied',
  things: string,
  { value, params: named, actions }: Written,
  refuse: Refuse,
): readonly Constraint[] {
  if (!isList(value, name, refuse)) return [];
  const odd = value.findIndex((entry) => !isScalar(entry));
  if (odd !== -1) return none(refuse(`${name}[${odd}]`, 'is not a string, number or boolean'));
  // A deny-list that denies nothing is a mistake; an allow-list that allows nothing is a decision.
  if (side === 'denied' && value.length === 0) return none(refuse(name, 'is empty'));
  const reads = readsOf(things, named);
  const code = side === 'allowed' && reads.thing.keys.has('symbol') ? 'SYMBOL_NOT_ALLOWED' : 'VALUE_NOT_ALLOWED';
  const list = { name, reads, actions, written: value as readonly Scalar[], code } as const;
  if (side === 'allowed') return [{ kind: 'allowed_values', ...list, values: new Set(value) }];
  const spelled = (entry: Scalar): Scalar[] =>
    typeof entry === 'number' ? [foldedValue(entry), entry] : [foldedValue(entry)];
  return [{ kind: 'denied_values', ...list, values: new Set(list.written.flatMap(spelled)) }];
}

function isScalar(value: Json): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function boundOf(
  name: string,
  side: 'max' | 'min',
  param: string,
  { value, params: named, actions }: Written,
  refuse: Refuse,
): readonly Constraint[] {
  // `max_orders_per_week` looks like a rate and would be a bound on a param that never comes.
  if (named === null && /(?:^|_)per_/.test(param)) {
    return none(refuse(name, 'is not per second, minute, hour or day; for a param of that name write {value, param}'));
  }
  if (isObject(value) && ['param', 'params', 'actions'].some((member) => value[member] !== undefined))
    return none(refuse(`${name}.value`, 'is not a number'));
  if (typeof value !== 'number') return none(refuse(name, 'is not a number or {value, params, actions}'));
  const others = thingNamed(param).keys.has('instance') ? INSTANCE_NAMES : [];
  return [{ kind: 'bound', name, side, reads: readsOf(param, named, others), limit: value, actions }];
}

function approvalOf({ value, actions: scope }: Written, money: MoneyRules, refuse: Refuse): readonly Constraint[] {
  const path = 'require_approval';
  const rule: ApprovalRule = {
    kind: 'approval',
    always: value === true,
    triggers: new Set(),
    actions: scope,
    environments: new Set(),
    above: null,
    ...money.inCurrency,
    sources: money.sources,
    approvers: null,
    count: 1,
    ttlMs: DEFAULT_TTL_MS,
  };
  if (value === true) return [rule];
  if (!isObject(value)) return none(refuse(path, `is not true or {${APPROVAL_MEMBERS.join(', ')}}`));
  const members = Object.keys(value);
  if (members.length === 0) refuse(path, 'names nothing that needs approval');
  const stranger = members.find((member) => !APPROVAL_MEMBERS.includes(member));
  if (stranger !== undefined)
    refuse(`${path}.${stranger.slice(0, 64)}`, `is not part of {${APPROVAL_MEMBERS.join(', ')}}`);
  const actions = namesOf(value.actions, `${path}.actions`, refuse);
  const environments = namesOf(value.environments, `${path}.environments`, refuse);
  const above = value.above === undefined ? null : limitOf(value.above, rule.currency, `${path}.above`, refuse);
  return [
    {
      ...rule,
      // Approvers alone say who approves, and leave out nothing.
      always: !members.some((member) => TRIGGERS.includes(member)),
      triggers: new Set(actions),
      environments: new Set(environments.map(foldedText)),
      above,
      ...approversOf(value, path, refuse),
    },
  ];
}

const TRIGGERS: readonly string[] = ['actions', 'environments', 'above'];
const APPROVAL_MEMBERS: readonly string[] = [...TRIGGERS, 'approvers', 'count', 'ttl'];
const APPROVER = lazy(() => /^[^\p{C}\p{Z}#]{1,256}$/u);
/** A request that waits for less is over before a person has read it; one that waits for longer is forgotten. */
const TTL_MS = { least: 60_000, most: 30 * 86_400_000 } as const;

function approversOf(
  value: JsonObject,
  path: string,
  refuse: Refuse,
): Pick<ApprovalRule, 'approvers' | 'count' | 'ttlMs'> {
  const approvers = value.approvers === undefined ? null : approverList(value.approvers, `${path}.approvers`, refuse);
  // Two keys of one approver are one person.
  const people = approvers === null ? 1 : new Set(approvers.map(({ id }) => personNamed(id))).size;
  const { count = 1 } = value;
  const isCount = typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= people;
  if (!isCount && approvers?.length !== 0) refuse(`${path}.count`, `is not a whole number from 1 to ${people}`);
  const ttlMs =
    value.ttl === undefined ? DEFAULT_TTL_MS : typeof value.ttl === 'string' ? parseDuration(value.ttl) : null;
  const isTtl = ttlMs !== null && ttlMs >= TTL_MS.least && ttlMs <= TTL_MS.most;
  if (!isTtl) refuse(`${path}.ttl`, 'is not a duration from "1m" to "30d"');
  return { approvers, count: isCount ? count : 1, ttlMs: isTtl ? ttlMs : DEFAULT_TTL_MS };
}

function approverList(value: Json, path: string, refuse: Refuse): readonly Approver[] {
  if (!isList(value, path, refuse)) return [];
  if (value.length === 0) return none(refuse(path, 'is empty'));
  const keys = new Set<string>();
  return value.flatMap((each, i) => {
    const at = `${path}[${i}]`;
    const text =
      isObject(each) && Object.keys(each).length === 2 && typeof each.public_key === 'string' ? each.public_key : null;
    if (text === null || typeof (each as JsonObject).id !== 'string')
      return none(refuse(at, 'is not {id, public_key}'));
    const id = (each as JsonObject).id as string;
    if (!APPROVER().test(id))
      return none(refuse(`${at}.id`, 'is not an id of 1 to 256 visible characters without "#"'));
    const raw = parsePublicKey(text);
    if (raw === null) return none(refuse(`${at}.public_key`, 'is not ed25519: and 64 hex digits'));
    const publicKey = formatPublicKey(raw);
    // One key under two names would be one person who counts as two.
    if (keys.has(publicKey)) return none(refuse(`${at}.public_key`, 'is the key of another approver too'));
    keys.add(publicKey);
    return [{ id, publicKey }];
  });
}

function namesOf(value: Json | undefined, path: string, refuse: Refuse): readonly string[] {
  if (value === undefined || !isList(value, path, refuse)) return [];
  // A trigger that nothing can pull would read like a safeguard and be none.
  if (value.length === 0) return none(refuse(path, 'is empty'));
  return value.flatMap((name, i) => (isAction(name) ? [name] : none(refuse(`${path}[${i}]`, 'is not a name'))));
}

function windowOf({ value, actions }: Written, refuse: Refuse): readonly Constraint[] {
  if (!isObject(value)) return none(refuse('time_window', 'is not {start, end} or {days, from, to, tz}'));
  const window = parseTimeWindow(value, (member, reason) => refuse(`time_window.${member}`, reason));
  return window === null ? [] : [{ kind: 'time_window', window, written: value, actions }];
}

function countriesOf({ value, actions }: Written, refuse: Refuse): readonly Constraint[] {
  if (!isList(value, 'geo_restriction', refuse)) return [];
  const odd = value.findIndex((code) => typeof code !== 'string' || !COUNTRY.test(code));
  if (odd !== -1) return none(refuse(`geo_restriction[${odd}]`, 'is not an ISO 3166-1 country code like "US"'));
  const written = value as readonly string[];
  return [{ kind: 'geo_restriction', countries: new Set(written), written, actions }];
}
