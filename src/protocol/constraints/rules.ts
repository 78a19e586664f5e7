/** The rows of protocol section 5, compiled: whatever can be worked out from the passport alone is worked out once. */
import type { DomainList } from './domains.js';
import type { TimeWindow } from './time-windows.js';
import type { Json, JsonObject } from '../json/values.js';

/** What lists hold and are compared with: exactly, `1` and `"1"` are different. */
export type Scalar = string | number | boolean;

/** Which currency amounts are in, and that every amount can be read. Present whenever a passport limits money or names a currency. */
export interface CurrencyRule {
  readonly kind: 'currency';
  readonly currency: string;
  /** True when the passport names no currency, so that the default holds. */
  readonly assumed: boolean;
  /** The params that hold amounts. */
  readonly params: readonly string[];
  /** The limit for one action, in minor units, as a mismatch reports it. */
  readonly limit: bigint | null;
}

/** The most that one action, or all accepted actions of 24 hours, may amount to. */
export interface MoneyLimit<Kind extends 'monetary_limit' | 'daily_limit' = 'monetary_limit' | 'daily_limit'> {
  readonly kind: Kind;
  /** Minor units of `currency`. */
  readonly limit: bigint;
  readonly currency: string;
  readonly param: string;
}

export interface DomainRule {
  readonly kind: 'allowed_domains';
  readonly list: DomainList;
}

export type RateUnit = 'second' | 'minute' | 'hour' | 'day';

export interface RateRule {
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

export interface ValueRule<Kind extends 'allowed_values' | 'denied_values' = 'allowed_values' | 'denied_values'> {
  readonly kind: Kind;
  readonly name: string;
  readonly params: readonly string[];
  readonly values: ReadonlySet<Json>;
  /** As the passport writes them. */
  readonly written: readonly Scalar[];
  readonly code: 'SYMBOL_NOT_ALLOWED' | 'VALUE_NOT_ALLOWED';
}

export interface BoundRule {
  readonly kind: 'bound';
  readonly name: string;
  readonly side: 'max' | 'min';
  readonly param: string;
  readonly limit: number;
}

export interface RequiredRule {
  readonly kind: 'required';
  readonly param: string;
}

/** Any one of the triggers is enough. */
export interface ApprovalRule {
  readonly kind: 'approval';
  readonly always: boolean;
  readonly actions: ReadonlySet<string>;
  /** In lower case: a trigger must not be dodged by writing `Production`. */
  readonly environments: ReadonlySet<string>;
  /** Minor units of `currency`; null when no amount triggers. */
  readonly above: bigint | null;
  readonly currency: string;
  /** Every param that the limits on money read. */
  readonly params: readonly string[];
}

export interface TimeRule {
  readonly kind: 'time_window';
  readonly window: TimeWindow;
  readonly written: JsonObject;
}

export interface GeoRule {
  readonly kind: 'geo_restriction';
  readonly countries: ReadonlySet<string>;
  readonly written: readonly string[];
}

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
  | ApprovalRule
  | TimeRule
  | GeoRule;

export type ConstraintKind = Constraint['kind'];

/** The order of section 5, in which constraints are checked and violations reported. */
export const CONSTRAINT_ORDER: readonly ConstraintKind[] = [
  'currency',
  'monetary_limit',
  'daily_limit',
  'allowed_domains',
  'rate',
  'allowed_values',
  'denied_values',
  'bound',
  'required',
  'approval',
  'time_window',
  'geo_restriction',
];

/** A passport's constraints, in the order of section 5 and within a kind in the passport's order. */
export interface Constraints {
  readonly all: readonly Constraint[];
  /** The currency of every limit; the default when none is named. */
  readonly currency: string;
  /** The param whose amount an accepted intent is recorded with. */
  readonly amountParam: string;
}
