/** What to do about a refusal, as a command that can be pasted. */
import { scopeOf } from '../../mesh/subject.js';
import { isActionName } from '../../protocol/passport.js';
import type { Decision } from '../../verify/decision.js';
import { shellWord } from '../failure.js';

/** The remedy with the agent and the action of the decision in their places; what could be more than a word in a shell leaves its place as it is. */
export function withNames(remedy: string, { agent_id, action }: Pick<Decision, 'agent_id' | 'action'>): string {
  let filled = remedy;
  if (agent_id != null && scopeOf(agent_id) === 'agent') filled = filled.replaceAll('<agent>', () => agent_id);
  if (action != null && isActionName(action)) filled = filled.replaceAll('<name>', () => shellWord(action));
  return filled;
}
