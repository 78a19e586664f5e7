import { action } from '../../checks/action.js';
import { constraints } from '../../checks/constraints.js';
import { verdictOf, type Verdict, type Violation } from '../../decision.js';
import type { Aip1Context } from '../context.js';
import { nativeView } from '../native-view.js';
import { inAip1 } from '../violations.js';
import { brokenBounds } from './bounds.js';

/** Where a document breaks several bounds, what the reference would say comes first. */
const ORDER = ['AIP-E103', 'AIP-E201', 'AIP-E200', 'AIP-E202', 'AIP-E203', 'AIP-E204'];

/**
 * E200 to E204, and E103 for an amount that cannot be read. An agent signs its envelope's boundaries itself, so they only ever
 * narrow what a mandate and the passport allow: the intent must lie within all of them.
 */
export function boundaries(context: Aip1Context): Verdict {
  const { envelope, mandate, passport } = context;
  const violations = brokenBounds(context, envelope.boundaries, 'envelope');
  if (mandate !== null) violations.push(...brokenBounds(context, mandate.boundaries, 'mandate'));
  if (passport !== null) {
    const view = nativeView(context, passport);
    for (const verdict of [action(view), constraints(view)]) {
      if (verdict.status === 'failed') violations.push(...verdict.violations.map(boundByPassport));
    }
  }
  return verdictOf(violations.sort((a, b) => rank(a) - rank(b)));
}

function boundByPassport(found: Violation): Violation {
  const { entry, message, details } = inAip1(found);
  return { entry, message, details: { ...details, bound: 'passport' } };
}

function rank({ entry }: Violation): number {
  const place = ORDER.indexOf(entry.code);
  return place === -1 ? ORDER.length : place;
}
