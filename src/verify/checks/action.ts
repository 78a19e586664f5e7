import { nearest } from '../../protocol/naming/nearest.js';
import { UNJUDGED } from '../../protocol/log/attribution.js';
import type { Passport } from '../../protocol/passport.js';
import type { Held } from '../context.js';
import { verdictOf, violation, type Verdict, type Violation } from '../decision.js';

/** A refusal stays cheap, whatever a passport declares. */
const MOST_COMPARED = 100;

/** The passport declares the action, does not deny it, and the params satisfy the action's schema; all that fails is collected. */
export function action({ intent, facts }: Held, passport: Passport): Verdict {
  const { agent_id, action, params } = intent.document;
  const violations: Violation[] = [];
  // A deny wins over a declaration, so it comes first.
  if (passport.deniedActions.has(action)) {
    violations.push(violation('ACTION_DENIED', `The passport denies the action "${action}".`, { action, agent_id }));
  }
  const schema = passport.actions.get(action);
  if (schema === undefined) {
    const declared = [...passport.actions.keys()];
    const near = nearest(action, declared.slice(0, MOST_COMPARED));
    const meant = near === null ? '' : `; the nearest that it declares is "${near}"`;
    const message = `The passport does not declare the action "${action}"${meant}.`;
    violations.push(violation('ACTION_NOT_DECLARED', message, { action, declared, agent_id }));
  } else if (schema !== null) {
    for (const { path, reason } of facts.schemaProblems(schema, params)) {
      const fault = reason.startsWith(UNJUDGED) ? reason : `do not fit its schema: ${path || 'params'} ${reason}`;
      const message = `The params of "${action}" ${fault}.`;
      violations.push(violation('PARAMS_INVALID', message, { param: path, reason, agent_id }));
    }
  }
  return verdictOf(violations);
}
