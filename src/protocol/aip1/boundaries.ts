import { MAX_ACTION_LENGTH, MAX_LIST, MAX_TEXT } from '../limits.js';
import { decimalOf, type Decimal } from '../constraints/money.js';
import { ShapeError } from '../json/shape.js';
import { requiredText, textsOf, requiredTime } from './encoding/members.js';
import type { Value, ValueObject } from './encoding/numbers.js';
import { filled, nested, REQUIRED, shape } from './encoding/shape-of.js';

/** What an agent may do, as envelopes, mandates and the reference's passports write it (RFC-001, section 4.3). */
export interface Boundaries {
  /** Every member present, as it is signed. */
  readonly document: ValueObject;
  /** Empty means any action. */
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  /** In major units; null means no cap, which documents write as 0. */
  readonly perTransaction: Decimal | null;
  /** In a rolling 24 hours. */
  readonly perDay: Decimal | null;
  /** Upper case. */
  readonly currency: string;
  /** Upper-case country codes; null means anywhere. */
  readonly geo: readonly string[] | null;
  /** ms since the epoch, both ends included. */
  readonly window: { readonly start: number; readonly end: number } | null;
}

const LIMIT = shape('"monetary_limit"', { per_transaction: 0, per_day: 0, currency: 'USD' });
const WINDOW = shape('"time_window"', { start: REQUIRED, end: REQUIRED });
/** The form of the member `boundaries`, with what the reference writes for absent members. */
export const BOUNDARIES = shape('"boundaries"', {
  allowed_actions: [],
  denied_actions: [],
  monetary_limit: nested(LIMIT, {}),
  data_access: [],
  geo_restriction: null,
  time_window: null,
});

/** The boundaries in an object of their shape. @throws ShapeError */
export function readBoundaries(object: ValueObject): Boundaries {
  const limit = object.monetary_limit as ValueObject;
  const allowed = textsOf(object, 'allowed_actions', MAX_LIST, MAX_ACTION_LENGTH);
  const denied = textsOf(object, 'denied_actions', MAX_LIST, MAX_ACTION_LENGTH);
  textsOf(object, 'data_access', MAX_LIST, MAX_TEXT);
  const geo = object.geo_restriction === null ? null : requiredText(object, 'geo_restriction', MAX_TEXT, 0);
  return {
    document: object,
    allowed,
    denied,
    perTransaction: capOf(limit, 'per_transaction'),
    perDay: capOf(limit, 'per_day'),
    currency: requiredText(limit, 'currency', 16).toUpperCase(),
    geo: geo === null || geo === '' ? null : geo.split(',').map((country) => country.trim().toUpperCase()),
    window: object.time_window === null ? null : windowOf(object.time_window!),
  };
}

function windowOf(value: Value): { start: number; end: number } {
  const object = filled(value, WINDOW);
  return { start: requiredTime(object, 'start'), end: requiredTime(object, 'end') };
}

function capOf(limit: ValueObject, name: string): Decimal | null {
  const value = limit[name]!;
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const decimal = typeof value === 'bigint' ? { coefficient: value, scale: 0 } : isNumber ? decimalOf(value) : null;
  if (decimal === null || decimal.coefficient < 0n) throw new ShapeError(`"${name}" is not a number of at least 0`);
  return decimal.coefficient === 0n ? null : decimal;
}
