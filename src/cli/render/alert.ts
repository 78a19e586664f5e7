import type { AlertEvent } from '../../app/ports/monitor.js';
import { agentName } from './agent-name.js';
import { briefTime, NARROW_COLUMNS } from './entry.js';
import type { Paint } from './terminal/paint.js';
import { clean, wrapped } from './terminal/text.js';

/** One event: when, how bad, who, why. `width`: columns it is broken at, null where it is no terminal. */
export function renderAlert(
  { event, severity, agent_id, message, facts, time }: AlertEvent,
  paint: Paint,
  width: number | null,
): string {
  const word = event === 'resolved' ? 'resolved' : event === 'open' ? `still ${severity}` : severity.toUpperCase();
  const colour = event === 'resolved' ? paint.green : severity === 'warning' ? paint.yellow : paint.red;
  const reason = typeof facts['reason'] === 'string' ? ` (${clean(facts['reason'])})` : '';
  const narrow = width !== null && width < NARROW_COLUMNS;
  const at = narrow ? briefTime(time) : `${time.slice(0, 10)} ${time.slice(11, 19)}`;
  const who = agent_id === '*' ? 'every agent' : (agentName(agent_id) ?? clean(agent_id));
  return wrapped(`${paint.dim(at)}  ${colour(word.padEnd(8))}  ${who}: ${clean(message)}${reason}`, width);
}
