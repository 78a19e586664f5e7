/** The rows of protocol section 5, compiled: whatever can be worked out from the passport alone is worked out once. */
import type { DomainList } from './domains.js';
import type { Name, Thing } from '../naming/names.js';
import type { TimeWindow } from './time-windows.js';
import type { Json, JsonObject } from '../json/values.js';

/** What lists hold and are compared with: exactly, `1` and `"1"` are different. */
export type Scalar = string | number | boolean;

/** Which actions a constraint is for. */
export interface Scoped {
  /** Null for all. */
  readonly actions: ReadonlySet<string> | null;
}

/** The params that a limit on money reads; null where it names none, so that it looks for money by the words of names. */
export type MoneySource = readonly Name[] | null;

/** The currency of a passport's money, and where an intent says its own. */
export interface InCurrency {
  readonly currency: string;
  /** Params that say it beside `currency`, which always does; absent where none are named. */
  readonly currencyIn?: readonly Name[];
}

/** Which currency amounts are in, and that every amount can be read. Present whenever a passport limits money or names a currency. */
export interface CurrencyRule extends Scoped, InCurrency {
  readonly kind: 'currency';
  /** True when the passport names no currency, so that the default holds. */
  readonly assumed: boolean;
  /** What the limits on money read. */
  readonly sources: readonly MoneySource[];
  /** The limit for one action, in minor units, as a mismatch reports it. */
  readonly limit: bigint | null;
}

/** The most that one action, or all accepted actions of 24 hours, may amount to. */
export interface MoneyLimit<Kind extends 'monetary_limit' | 'daily_limit' = 'monetary_limit' | 'daily_limit'>
  extends Scoped, InCurrency {
  readonly kind: Kind;
  /** Minor units of `currency`. */
  readonly limit: bigint;
  readonly source: MoneySource;
  /** Of a daily limit: what was counted may be given back where the action did not happen (`release: true`). */
  readonly release?: boolean;
}

/** `allowed_domains`. */
export interface DomainRule extends Scoped {
  readonly kind: 'allowed_domains';
  /** The only params to read; null for every destination (`destinations.ts`). */
  readonly params: readonly Name[] | null;
  readonly list: DomainList;
}

/** The units of a rate. */
export type RateUnit = 'second' | 'minute' | 'hour' | 'day';

/** `rate_limit` or `max_<things>_per_<unit>`: how many accepted intents a sliding window holds. */
export interface RateRule extends Scoped {
  readonly kind: 'rate';
  /** As the passport writes it: `rate_limit`, `rate_limit.send_email`, `max_orders_per_hour`. */
  readonly name: string;
  /** Counts and limits this action only. */
  readonly action: string | null;
  /** Counts and limits actions that hold this thing (`holdsThing`). */
  readonly thing: string | null;
  readonly limit: number;
  readonly unit: RateUnit;
  readonly windowMs: number;
}

/** Which params a rule reads: those whose last words are the thing that it is named after, or those that it names. */
export interface Reads {
  readonly thing: Thing;
  readonly named: readonly Name[] | null;
  /** As messages name it. */
  readonly shown: string;
}

/** `allowed_<things>` or `denied_<things>`. */
export interface ValueRule<
  Kind extends 'allowed_values' | 'denied_values' = 'allowed_values' | 'denied_values',
> extends Scoped {
  readonly kind: Kind;
  readonly name: string;
  readonly reads: Reads;
  /** Of a deny-list folded, as `foldedValue` writes them, and beside them its numbers. */
  readonly values: ReadonlySet<Json>;
  /** As the passport writes them. */
  readonly written: readonly Scalar[];
  readonly code: 'SYMBOL_NOT_ALLOWED' | 'VALUE_NOT_ALLOWED';
}

/** `max_<name>` or `min_<name>`. */
export interface BoundRule extends Scoped {
  readonly kind: 'bound';
  readonly name: string;
  readonly side: 'max' | 'min';
  readonly reads: Reads;
  readonly limit: number;
}

/** `require_<name>`. */
export interface RequiredRule extends Scoped {
  readonly kind: 'required';
  readonly reads: Reads;
}

/** A param that has to be there, if only as null; written by no passport, and added by a shield for what a call leaves out. */
export interface GivenRule extends Scoped {
  readonly kind: 'given';
  readonly param: Name;
}

/** A person who may approve, with the key that they sign with. */
export interface Approver {
  readonly id: string;
  /** `ed25519:` and 64 lower-case hex digits. */
  readonly publicKey: string;
}

/** Any one of the triggers is enough. */
export interface ApprovalRule extends InCurrency {
  readonly kind: 'approval';
  readonly always: boolean;
  /** The actions that trigger it. */
  readonly triggers: ReadonlySet<string>;
  /** In lower case: a trigger must not be dodged by writing `Production`. */
  readonly environments: ReadonlySet<string>;
  /** Minor units of `currency`; null when no amount triggers. */
  readonly above: bigint | null;
  /** What the limits on money read. */
  readonly sources: readonly MoneySource[];
  /** Who may approve; null where the principal does. */
  readonly approvers: readonly Approver[] | null;
  /** How many different ones of them have to. */
  readonly count: number;
  /** How long a request waits, a denial stands, and an approval may count at most, in ms. */
  readonly ttlMs: number;
  readonly actions: ReadonlySet<string> | null;
}

/** `time_window`. */
export interface TimeRule extends Scoped {
  readonly kind: 'time_window';
  readonly window: TimeWindow;
  readonly written: JsonObject;
}

/** `geo_restriction`. */
export interface GeoRule extends Scoped {
  readonly kind: 'geo_restriction';
  readonly countries: ReadonlySet<string>;
  readonly written: readonly string[];
}

/** Every constraint, parsed. */
export type Constraint =
  | CurrencyRule
  | MoneyLimit<'monetary_limit'>
  | MoneyLimit<'daily_limit'>
  | DomainRule
  | RateRule
  | ValueRule<'allowed_values'>
  | ValueRule<'denied_values'>
  | BoundRule
  | RequiredRule
  | GivenRule
  | ApprovalRule
  | TimeRule
  | GeoRule;

/** The order of section 5, in which constraints are checked and violations reported. A rule of a kind that is not here does not compile. */
export const CONSTRAINT_ORDER = [
  'currency',
  'monetary_limit',
  'daily_limit',
  'allowed_domains',
  'rate',
  'allowed_values',
  'denied_values',
  'bound',
  'required',
  'given',
  'approval',
  'time_window',
  'geo_restriction',
] as const satisfies readonly Constraint['kind'][];

/** What kinds of constraints there are. */
export type ConstraintKind = (typeof CONSTRAINT_ORDER)[number];

/** A passport's constraints, in the order of section 5 and within a kind in the passport's order. */
export interface Constraints extends InCurrency {
  readonly all: readonly Constraint[];
  /** Where the amount is found that an accepted intent is recorded with. */
  readonly spends: MoneySource;
}
