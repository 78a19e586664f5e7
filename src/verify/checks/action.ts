import type { Identified } from '../context.js';
import { failed, PASSED, verdictOf, violation, type Verdict } from '../decision.js';

/** Step 5: the passport declares the action, does not deny it, and the params satisfy the action's schema. */
export function action({ intent, passport, facts }: Identified): Verdict {
  const { agent_id, action, params } = intent.document;
  // A deny wins over a declaration, so it is asked first.
  if (passport.deniedActions.has(action)) {
    return failed(violation('ACTION_DENIED', `The passport denies the action "${action}".`, { action, agent_id }));
  }
  const schema = passport.actions.get(action);
  if (schema === undefined) {
    const declared = [...passport.actions.keys()];
    const message = `The passport does not declare the action "${action}".`;
    return failed(violation('ACTION_NOT_DECLARED', message, { action, declared, agent_id }));
  }
  if (schema === null) return PASSED;
  return verdictOf(
    facts.schemaProblems(schema, params).map(({ path, reason }) =>
      violation('PARAMS_INVALID', `The params of "${action}" do not fit its schema: ${path || 'params'} ${reason}.`, {
        param: path,
        reason,
        agent_id,
      }),
    ),
  );
}
