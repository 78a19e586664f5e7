import { usage } from '../../app/failure.js';
import { plainParams } from '../../app/verification/plain-json.js';
import { parseConstraints, type Constraints } from '../../protocol/constraints/grammar.js';
import { moneyNameOf } from '../../protocol/constraints/money-names.js';
import { nameOf } from '../../protocol/naming/names.js';
import { readsName } from '../../verify/limits/hidden.js';
import type { Passport } from '../../protocol/passport.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { AgentPassport } from '../agent-passport.js';
import { APPROVAL_OPTION_NAMES, checkApprovalOptions, type ApprovalOptions } from '../calls/persons.js';
import { checkOutcomeOptions, OUTCOME_OPTION_NAMES, type OutcomeOptions } from '../calls/outcomes.js';
import { listOption, onlyKnown } from './given.js';
import { KEY_OPTION_NAMES, type KeyOptions } from './keys.js';
import { CALL_VERIFY_OPTIONS, type CallVerifyOptions } from './verification.js';

/** How arguments become params: their names in order, or a function of them. */
export type ParamMap<Args extends readonly unknown[]> = readonly string[] | ((...args: Args) => object);

/** Arguments of a tool that is not known any closer. */
export type AnyArgs = readonly any[];

/** Whose tool it is, which actions it performs, and what narrows them. */
export interface ShieldOptions<Args extends readonly unknown[] = AnyArgs>
  extends KeyOptions, ApprovalOptions, OutcomeOptions {
  /** Whose tool this is: a passport, the path of its file, or the id or name of an agent known here. */
  readonly passport: AgentPassport | string;
  /**
   * The actions that the tool performs; each must be declared by the passport as well. With one action, every method
   * performs it; with several, a method performs the one it is named after (`placeOrder`: `place_order`).
   */
  readonly actions: readonly string[];
  /**
   * Most money in one action, in whole units of the passport's currency, read from `amount` and from every number under a name for money
   * (`aip help constraints`). A call without any is warned of (`unmeasured`); `constraints: { require_amount: true }` refuses it.
   */
  readonly limit?: number | string;
  /** Where addresses, URLs and hosts in the params may lead; `*.acme.com` for subdomains only. */
  readonly allowedDomains?: readonly string[];
  /** Any other constraint (`aip help constraints`). All of these hold beside the passport's: they narrow and never widen it. */
  readonly constraints?: object;
  /**
   * How the arguments become the intent's params. Default: a single plain object is the params. What is left out here is
   * not verified.
   */
  readonly params?: ParamMap<Args>;
  /**
   * For single methods of an object or class, by name or by path (`refunds.create`): the action, the action with its params, or null for what
   * is no action. Null for an object that it holds leaves that as it is.
   */
  readonly methods?: Readonly<
    Record<string, string | null | { readonly action?: string; readonly params?: ParamMap<AnyArgs> }>
  >;
  /** How to verify. */
  readonly verify?: CallVerifyOptions;
}

const OPTIONS: ReadonlySet<string> = new Set([
  ...['passport', 'actions', 'limit', 'allowedDomains', 'constraints', 'params', 'methods', 'verify'],
  ...KEY_OPTION_NAMES,
  ...APPROVAL_OPTION_NAMES,
  ...OUTCOME_OPTION_NAMES,
]);
const METHOD: ReadonlySet<string> = new Set(['action', 'params']);

/** Fails at once on what could not work at the first call. */
export function checkShield(options: ShieldOptions): void {
  onlyKnown(options, OPTIONS, 'shield');
  onlyKnown(options.verify ?? {}, CALL_VERIFY_OPTIONS, 'shield, under verify,');
  const { passport, actions, methods = {} } = options;
  if (passport === undefined) throw usage('shield needs the passport of the agent that uses the tool.');
  if (!Array.isArray(actions) || actions.length === 0 || actions.some((action) => typeof action !== 'string'))
    throw usage('shield needs the actions that the tool performs.', "actions: ['send_email']");
  checkApprovalOptions(options);
  checkOutcomeOptions(options);
  checkParams(options.params, 'params');
  if (typeof methods !== 'object' || methods === null) throw usage('"methods" is not an object.');
  for (const [name, method] of Object.entries(methods)) {
    if (typeof method === 'object' && method !== null) {
      onlyKnown(method, METHOD, `The method ${name}`);
      checkParams(method.params, `params of the method ${name}`);
    }
    const action = typeof method === 'object' ? method?.action : method;
    if (action !== undefined && !actions.includes(action))
      throw usage(`The method ${name} performs "${action}", which is not among the shield's actions.`);
  }
}

function checkParams(map: unknown, what: string): void {
  if (map === undefined || typeof map === 'function') return;
  if (!Array.isArray(map) || map.some((name) => typeof name !== 'string'))
    throw usage(`The ${what} are neither a list of names nor a function.`, "params: ['order_id', 'amount']");
}

/** What a shield's limit reads, as that of a passport does: an amount, or a price that is multiplied. */
function readsMoney(names: readonly string[]): boolean {
  return names.some((name) => moneyNameOf(nameOf(name)).money);
}

/** What the shield does not do though it looks as if it did; null when nothing stands out. */
export function shieldWarning({ limit, params, methods = {} }: ShieldOptions): string | null {
  if (limit === undefined) return null;
  const own = Object.values(methods).map((method) => (typeof method === 'object' ? method?.params : undefined));
  const maps = [params, ...own].filter((map) => map !== undefined);
  const named = maps.filter((map) => Array.isArray(map)) as (readonly string[])[];
  if (maps.length === 0 || named.length < maps.length) return null;
  if (named.some((names) => readsMoney(names))) return null;
  return 'A shield has a limit on money, and none of its params is named so that it holds any ("amount"): it limits nothing.';
}

/** The shield's own limits; undefined when there are none. */
export function withinOf(options: ShieldOptions, passport: Passport): Constraints | undefined {
  const { limit, allowedDomains } = options;
  const given = plainParams(options.constraints ?? {}, 'constraints');
  const own: JsonObject = {
    ...(limit === undefined ? {} : { monetary_limit: limit }),
    ...(allowedDomains === undefined ? {} : { allowed_domains: [...listOption(allowedDomains, 'allowedDomains')] }),
  };
  const twice = Object.keys(own).find((name) => Object.hasOwn(given, name));
  if (twice !== undefined) throw usage(`The shield's ${twice} is given twice.`);
  const all = { ...given, ...own };
  if (Object.keys(all).length === 0) return undefined;
  const { currency } = passport.constraints;
  const parsed = parseConstraints(namesCurrency(all) ? all : { ...all, currency });
  if (parsed.ok) return parsed.constraints;
  const [first] = parsed.problems;
  throw usage(`The shield's constraint "${first?.path}" ${first?.reason}.`, 'aip help constraints');
}

/** Without a currency of their own, limits are in the passport's: two currencies could not both hold. */
function namesCurrency(constraints: JsonObject): boolean {
  const limits = [constraints.monetary_limit, constraints.daily_limit] as JsonObject[];
  const money = limits.some((limit) => limit !== undefined);
  return !money || constraints.currency !== undefined || limits.some((limit) => limit?.currency !== undefined);
}

/** The action that a function or method of this name performs, or null when that cannot be told. */
export function actionNamed(actions: readonly string[], name: string): string | null {
  if (actions.length === 1) return actions[0]!;
  if (actions.includes(name)) return name;
  const snake = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
  return actions.includes(snake) ? snake : null;
}

/** The params of a call. */
export function paramsFrom(map: ParamMap<AnyArgs> | undefined, args: AnyArgs): JsonObject {
  if (typeof map === 'function') return plainParams(map(...args));
  if (map !== undefined) {
    // An argument without a name would reach the tool without having been looked at.
    if (args.length > map.length)
      throw usage(`The tool was called with ${args.length} arguments; ${map.length} have names.`);
    return plainParams(Object.fromEntries(map.map((name, i) => [name, args[i] as unknown])));
  }
  if (args.length === 0) return {};
  const [only] = args as readonly unknown[];
  if (args.length > 1 || typeof only !== 'object' || only === null)
    throw usage('How these arguments become params is not known.', "params: ['order_id', 'amount']");
  return plainParams(only);
}

/** The arguments of the tool as the params hold them: a plain copy, which the caller cannot change afterwards. A function of them stays as it was called. */
export function argsFrom(map: ParamMap<AnyArgs> | undefined, args: AnyArgs, params: JsonObject): AnyArgs {
  if (typeof map === 'function') return args;
  if (map === undefined) return args.length === 0 ? [] : [params];
  return map.slice(0, args.length).map((name) => (Object.hasOwn(params, name) ? params[name] : undefined));
}

/** The params that a list of names gives and the call leaves undefined. */
export function leftOut(map: ParamMap<AnyArgs> | undefined, args: AnyArgs): readonly string[] {
  if (map === undefined || typeof map === 'function') return [];
  return map.filter((_, i) => args[i] === undefined);
}

/**
 * The shield's limits, and that every param left out is given where a limit reads it: the tool would fill in a value that no limit has
 * seen. Null says that there is none.
 */
export function withRequired(
  within: Constraints | undefined,
  { constraints }: Passport,
  action: string,
  names: readonly string[],
): Constraints | undefined {
  const read = names.filter((name) =>
    [constraints, within].some((each) => each?.all.some((rule) => reads(rule, action, name))),
  );
  if (read.length === 0) return within;
  const { all, currency, spends } = within ?? { ...constraints, all: [] };
  const required = read.map((name): Constraints['all'][number] => ({
    kind: 'given',
    param: nameOf(name),
    actions: new Set([action]),
  }));
  return { all: [...all, ...required], currency, spends };
}

function reads(rule: Constraints['all'][number], action: string, name: string): boolean {
  return (rule.actions === null || rule.actions.has(action)) && readsName(rule, nameOf(name));
}
