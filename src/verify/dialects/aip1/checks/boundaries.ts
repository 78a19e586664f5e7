import { action } from '../../../checks/action.js';
import { constraints } from '../../../checks/constraints.js';
import { verdictOf, type Verdict, type Violation } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { unclearCurrency } from '../spending.js';
import { inAip1 } from '../violations.js';
import { brokenBounds } from './bounds.js';

/** Where a document breaks several bounds, what the reference would say comes first. */
const ORDER = ['AIP-E103', 'AIP-E201', 'AIP-E200', 'AIP-E202', 'AIP-E203', 'AIP-E204'];

/**
 * E200 to E204, and E103 for an amount that cannot be read. An agent signs its envelope's boundaries itself, so they only ever
 * narrow what a mandate, the passport and the caller allow: the intent must lie within all of them.
 */
export function boundaries(context: Aip1Context): Verdict {
  const { envelope, mandate, passport } = context;
  const violations = brokenBounds(context, envelope.boundaries, 'envelope');
  if (mandate !== null) violations.push(...brokenBounds(context, mandate.boundaries, 'mandate'));
  violations.push(...unclearCurrency(context));
  const shared = passport === null ? [constraints(context)] : [action(context, passport), constraints(context)];
  for (const verdict of shared) {
    if (verdict.status === 'failed')
      violations.push(...verdict.violations.map((found) => boundBy(passport === null ? 'caller' : 'passport', found)));
  }
  return verdictOf(violations.sort((a, b) => rank(a) - rank(b)));
}

function boundBy(bound: string, found: Violation): Violation {
  const known = inAip1(found);
  return { ...known, details: { bound, ...known.details } };
}

function rank({ entry }: Violation): number {
  const place = ORDER.indexOf(entry.code);
  return place === -1 ? ORDER.length : place;
}
