import { usage } from '../app/failure.js';
import { canonicalize } from '../protocol/json/canonical.js';
import type { Constraints } from '../protocol/constraints/rules.js';
import type { Passport } from '../protocol/passport.js';
import type { Decision } from '../verify/decision.js';
import { parsedOf, type AgentPassport } from './agent-passport.js';
import type { Desk } from '../app/guarding/desk.js';
import { deskFor, type DeskParts } from './calls/desk.js';
import type { OutcomeWriter } from './calls/outcomes.js';
import type { Persons } from './calls/persons.js';
import type { Besides, UnderWay } from './calls/under-way.js';
import type { Passports } from './passports.js';
import {
  actionNamed,
  checkShield,
  argsFrom,
  leftOut,
  paramsFrom,
  shieldWarning,
  withinOf,
  withRequired,
  type AnyArgs,
  type ParamMap,
  type ShieldOptions,
} from './options/shield.js';
import { VerificationError } from './verification-error.js';

type AnyFunction = (...args: any[]) => unknown;
type AnyClass = new (...args: any[]) => object;

/** The function behind a shield: the same arguments, and a promise of the result. */
export type ShieldedFunction<F extends AnyFunction> = (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;
/** The object behind a shield: every method a shielded function, in the objects that it holds as well. */
export type ShieldedObject<T> = { readonly [K in keyof T]: ShieldedMember<T[K]> };
type ShieldedMember<M> = M extends AnyFunction
  ? ShieldedFunction<M>
  : M extends Whole
    ? M
    : M extends object
      ? ShieldedObject<M>
      : M;
/** Data, which is handed out as it is. */
type Whole = readonly unknown[] | Date | Error | PromiseLike<unknown> | { readonly [Symbol.toStringTag]: string };

/**
 * Before each call an intent is signed for the tool's action, with params made of the arguments, and verified; only then
 * the tool runs. A refused call throws VerificationError and never reaches the tool; a failing world (no key, no disk)
 * throws Failure, and does not either. An action that needs a person's approval is refused with AIP-E209, whose details name the
 * request (`request_id`); once a person has approved it, `guardCall` with `approval: <request_id>` lets exactly this call through, once. With
 * `waitForApproval` the call waits for that itself, and with `approve` a function of yours brings the request to a person: then an
 * intent is signed afresh under the request, and the tool runs.
 *
 * An object's methods are found by name when they are called, so methods of subclasses and function-valued fields are
 * shielded as well, and so are those of the objects that it holds (`client.refunds.create`, under the name `refunds.create`). Members under
 * symbols, static members of a class and what collections hold are left as they are.
 */
export interface Shield {
  <F extends AnyFunction>(options: ShieldOptions<Parameters<F>>, tool: F): ShieldedFunction<F>;
  <C extends AnyClass>(
    options: ShieldOptions,
    tool: C,
  ): new (...args: ConstructorParameters<C>) => ShieldedObject<InstanceType<C>>;
  <T extends object>(options: ShieldOptions, tool: T): ShieldedObject<T>;
}

interface Parts extends DeskParts {
  readonly passports: Passports;
  readonly outcomes: OutcomeWriter;
  readonly persons: Persons;
  readonly underWay: UnderWay;
  /** Told what people should hear. */
  readonly notice: (notice: string) => void;
}

/** Makes `shield` of a workspace. */
export function shieldWith(parts: Parts): Shield {
  return ((options: ShieldOptions, tool: AnyFunction | AnyClass | object) => {
    checkShield(options);
    // Its "then" would be shielded as a tool: `await` of the shield would never end.
    if (typeof tool === 'object' && typeof (tool as { then?: unknown } | null)?.then === 'function')
      throw usage('A shield wraps a tool, not the promise of one.', 'await it first');
    const warning = shieldWarning(options);
    if (warning !== null) parts.notice(warning);
    const guard = new Guard(parts, options);
    if (typeof tool === 'object' && tool !== null) return guard.object(tool);
    if (typeof tool !== 'function') throw usage('A shield wraps a function, an object or a class.');
    if (isClass(tool)) return guard.class(tool);
    const action = actionNamed(options.actions, tool.name);
    if (action === null)
      throw usage(`Which of its actions does the function "${tool.name}" perform?`, 'give it one action');
    return guard.function(tool, action, options.params);
  }) as Shield;
}

/** True for an object that is no data: an instance of a class of the program, or one with a function in it, at any depth. */
function holdsMethods(value: unknown, seen = new Set<unknown>()): value is object {
  if (Object.prototype.toString.call(value) !== '[object Object]' || seen.has(value)) return false;
  seen.add(value);
  const object = value as { readonly then?: unknown };
  // Of what is awaited, "then" is called with functions.
  if (typeof object.then === 'function') return false;
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)) return true;
  const own = Object.values(Object.getOwnPropertyDescriptors(object));
  return own.some(
    ({ get, value: each }) => get !== undefined || typeof each === 'function' || holdsMethods(each, seen),
  );
}

function isClass(tool: object): tool is AnyClass {
  return /^class\b/.test(Function.prototype.toString.call(tool));
}

interface Agent {
  readonly passport: AgentPassport;
  readonly parsed: Passport;
  readonly within: Constraints | undefined;
}

/** A call that may go on, and the yes that its outcome is reported under. */
interface Admitted {
  readonly args: AnyArgs;
  readonly decision: Decision;
}

/** One shield: whose it is, and how it stands before a call. */
class Guard {
  readonly #parts: Parts;
  readonly #options: ShieldOptions;
  readonly #desk: Desk;
  #agent: Promise<Agent> | null = null;

  constructor(parts: Parts, options: ShieldOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#desk = deskFor(parts, {
      approved: (asked) => parts.persons.approved(asked),
      passport: async () => (await this.#own()).passport,
      forget: () => void (this.#agent = null),
      keys: options,
      verify: options.verify,
    });
    if (typeof options.passport !== 'string') agentOf(options.passport, options);
  }

  function(tool: AnyFunction, action: string, map: ParamMap<AnyArgs> | undefined): AnyFunction {
    const { outcomes, underWay } = this.#parts;
    const admit = (args: AnyArgs): Promise<Admitted> =>
      underWay.during((besides) => this.#admit(action, map, args, besides));
    const ends = this.#options;
    const shielded = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const { args: verified, decision } = await admit(args);
      return outcomes.of(decision, () => tool.apply(this, [...verified]), ends);
    };
    return Object.defineProperty(shielded, 'name', { value: tool.name, configurable: true });
  }

  class(tool: AnyClass): AnyClass {
    const shielded: AnyClass = new Proxy(tool, {
      construct: (made, args, newTarget) =>
        this.object(Reflect.construct(made, args, newTarget === shielded ? made : newTarget) as object),
    });
    return shielded;
  }

  /** The stand-in has no properties of its own, so that a frozen tool can be shielded too. */
  object(tool: object, path = ''): object {
    const known = new Map<string, { value: unknown; shielded: unknown }>();
    const member = (name: string | symbol): unknown => {
      const value: unknown = Reflect.get(tool, name, tool);
      if (typeof name === 'symbol' || name in Object.prototype) return value;
      const found = known.get(name);
      if (found !== undefined && found.value === value) return found.shielded;
      const shielded = this.#member(tool, path + name, value);
      if (shielded !== value) known.set(name, { value, shielded });
      return shielded;
    };
    return new Proxy(
      {},
      {
        get: (_, name) => member(name),
        // Tools that are read from the object one by one are shielded as well.
        ownKeys: () => Reflect.ownKeys(tool),
        getOwnPropertyDescriptor: (_, name) => {
          const own = Reflect.getOwnPropertyDescriptor(tool, name);
          if (own === undefined) return undefined;
          return { value: member(name), enumerable: own.enumerable === true, writable: true, configurable: true };
        },
        // Freezing would freeze the stand-in, whose keys are not those it shows.
        preventExtensions: () => false,
        set: (_, name, value) => Reflect.set(tool, name, value, tool),
        has: (_, name) => Reflect.has(tool, name),
        getPrototypeOf: () => Reflect.getPrototypeOf(tool),
      },
    );
  }

  #member(tool: object, path: string, value: unknown): unknown {
    if (typeof value === 'function') return this.#method(tool, path, value as AnyFunction);
    const { methods = {} } = this.#options;
    const isNone = Object.hasOwn(methods, path) && methods[path] === null;
    return isNone || !holdsMethods(value) ? value : this.object(value, `${path}.`);
  }

  #method(tool: object, name: string, method: AnyFunction): AnyFunction {
    const { actions, methods = {}, params } = this.#options;
    const own = Object.hasOwn(methods, name) ? methods[name] : undefined;
    const bound: AnyFunction = (...args) => method.apply(tool, args);
    if (own === null) return bound;
    const said = typeof own === 'object' ? own : { action: own };
    const action = said.action ?? actionNamed(actions, name);
    if (action !== null) return this.function(bound, action, said.params ?? params);
    return async () => {
      throw usage(
        `The method "${name}" is named after none of the shield's actions, so it was not run.`,
        `methods: { ${name.includes('.') ? `'${name}'` : name}: '<action>' }, or null for what is no action`,
      );
    };
  }

  /** The arguments to run with, copied as they were verified. Throws unless the agent may do this now. */
  async #admit(action: string, map: ParamMap<AnyArgs> | undefined, args: AnyArgs, besides: Besides): Promise<Admitted> {
    const params = paramsFrom(map, args);
    const { parsed, within } = await this.#own();
    const asked = withRequired(within, parsed, action, leftOut(map, args));
    const call = { action, params, target: null, ...(asked === undefined ? {} : { within: asked }) };
    const { decision } = await this.#parts.persons.decide(this.#desk, call, this.#options, besides);
    if (!decision.success) throw new VerificationError(decision);
    // What runs must be what was verified, though others may have held the arguments in the meantime.
    if (canonicalize(paramsFrom(map, args)) !== canonicalize(params))
      throw usage('The arguments changed while they were verified; the tool was not run.');
    return { args: argsFrom(map, args, params), decision };
  }

  #own(): Promise<Agent> {
    const { passport } = this.#options;
    this.#agent ??= (async () =>
      agentOf(typeof passport === 'string' ? await this.#parts.passports.load(passport) : passport, this.#options))();
    this.#agent.catch(() => (this.#agent = null));
    return this.#agent;
  }
}

function agentOf(passport: AgentPassport, options: ShieldOptions): Agent {
  const parsed = parsedOf(passport);
  return { passport, parsed, within: withinOf(options, parsed) };
}
