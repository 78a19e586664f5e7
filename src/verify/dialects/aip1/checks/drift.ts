import { failed, PASSED, type Verdict } from '../../../decision.js';
import { actionGroup, drifts } from '../action-groups.js';
import type { Aip1Context } from '../context.js';
import { aip1Violation } from '../violations.js';

/** E303: the action is of a kind with something that every list of allowed actions names. */
export function drift({ envelope, mandate, passport }: Aip1Context): Verdict {
  const { action, agentId: agent_id, boundaries } = envelope;
  const lists = [
    boundaries.allowed,
    mandate?.boundaries.allowed ?? [],
    passport === null ? [] : [...passport.actions.keys()],
  ];
  const strayed = lists.find((allowed) => drifts(action, allowed));
  if (strayed === undefined) return PASSED;
  const group = actionGroup(action);
  const allowed_groups = [...new Set(strayed.map(actionGroup).filter((each) => each !== null))];
  const message = `The action "${action}" is of another kind than anything the agent is allowed to do.`;
  return failed(aip1Violation('INTENT_DRIFT', message, { action, group, allowed_groups, agent_id }));
}
