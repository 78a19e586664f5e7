import type { Boundaries } from '../../../../protocol/aip1/boundaries.js';
import { formatTime } from '../../../../protocol/time.js';
import type { Violation } from '../../../decision.js';
import type { Aip1Context, Bound } from '../context.js';
import { aip1Violation } from '../violations.js';
import { brokenCaps } from './caps.js';

/** Everything about the intent that lies outside `bounds` (RFC-001, section 6.2, step 6). */
export function brokenBounds(context: Aip1Context, bounds: Boundaries, bound: Bound): Violation[] {
  const { envelope, facts } = context;
  const { now } = facts;
  const { action, agentId: agent_id } = envelope;
  const { allowed, denied, window, geo } = bounds;
  const violations: Violation[] = [];
  if (denied.includes(action)) {
    violations.push(
      aip1Violation('ACTION_DENIED', `The ${bound} denies the action "${action}".`, { action, bound, agent_id }),
    );
  }
  if (allowed.length > 0 && !allowed.includes(action)) {
    const message = `The ${bound} does not allow the action "${action}".`;
    violations.push(aip1Violation('ACTION_NOT_ALLOWED', message, { action, allowed, bound, agent_id }));
  }
  violations.push(...brokenCaps(context, bounds, bound));
  if (window !== null && (now < window.start || now > window.end)) {
    const span = { start: formatTime(window.start), end: formatTime(window.end) };
    const message = `The ${bound} allows actions from ${span.start} to ${span.end} only.`;
    const details = { now: formatTime(now), window: span, bound, agent_id };
    violations.push(aip1Violation('TIME_WINDOW_VIOLATION', message, details));
  }
  // AIP-1 judges the country only where the verifier knows it.
  if (geo !== null && facts.geo !== null && !geo.includes(facts.geo.toUpperCase())) {
    const requested = facts.geo.toUpperCase();
    const message = `The ${bound} does not allow requests from ${requested}.`;
    violations.push(aip1Violation('GEO_RESTRICTION', message, { requested, allowed: geo, bound, agent_id }));
  }
  return violations;
}
