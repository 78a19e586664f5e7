import type { Constraint, ConstraintKind } from '../../protocol/constraints/rules.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { Approving } from '../approvals/approving.js';
import type { Violation } from '../decision.js';
import type { Meter, MeterReading } from '../meters.js';
import type { NamedValue } from './reading/members.js';

/** What constraints are held against: one intent, and what is known at the moment of the check. */
export interface Judged {
  readonly agentId: string;
  readonly action: string;
  readonly params: JsonObject;
  /** The params, member by member (`membersOf`). */
  readonly members: readonly NamedValue[];
  /** The schema that the passport gives the action's params; null where it gives none. */
  readonly schema: JsonObject | null;
  readonly target: string | null;
  /** ms since the epoch. */
  readonly now: number;
  /** Country of the request, ISO 3166-1 alpha-2, or null when it was not given. */
  readonly geo: string | null;
  /** What persons have approved of it. */
  readonly approving: () => Approving;
  readonly intentHash: string;
  /** Asks the state, inside the transaction of the decision. */
  read(meter: Meter): MeterReading;
}

/** One row of section 5: everything about the intent that breaks the constraint. */
export type ConstraintCheck<Kind extends ConstraintKind> = (
  constraint: Extract<Constraint, { kind: Kind }>,
  judged: Judged,
) => readonly Violation[];

/** The finding of a constraint that holds. */
export const HOLDS: readonly Violation[] = [];

/** The param as the intent carries it, undefined when it does not; `toString` and the like are ordinary names. */
export function paramOf(params: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(params, name) ? params[name] : undefined;
}

/** What one check lists in a decision at most; the intent is refused anyway. */
export const MAX_REPORTED = 16;
const SHOWN_TEXT = 256;
const SHOWN_ENTRIES = 16;

/** A value from an intent as details show it: an intent may be 64 KiB, and details are logged. */
export function shown(value: Json): Json {
  if (typeof value === 'string') return value.length > SHOWN_TEXT ? `${value.slice(0, SHOWN_TEXT)}…` : value;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : value;
}

/** One value by itself, several as a bounded list. */
export function shownAll(values: readonly Json[]): Json {
  return values.length === 1 ? shown(values[0]!) : values.slice(0, SHOWN_ENTRIES).map(shown);
}

/** A value in a sentence. */
export function said(value: Json): string {
  return typeof value === 'string' ? JSON.stringify(shown(value)) : String(shown(value));
}
