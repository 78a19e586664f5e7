import type { AlertEvent } from '../../app/ports/monitor.js';
import type { Paint } from './terminal/paint.js';
import { clean } from './terminal/text.js';

/** One event on one line: when, what, how bad, who, why. */
export function renderAlert({ event, severity, agent_id, message, facts, time }: AlertEvent, paint: Paint): string {
  const word = event === 'resolved' ? 'resolved' : event === 'open' ? `still ${severity}` : severity.toUpperCase();
  const colour = event === 'resolved' ? paint.green : severity === 'warning' ? paint.yellow : paint.red;
  const reason = typeof facts['reason'] === 'string' ? ` (${clean(facts['reason'])})` : '';
  const at = `${time.slice(0, 10)} ${time.slice(11, 19)}`;
  return `${paint.dim(at)}  ${colour(word.padEnd(8))}  ${clean(agent_id)}: ${clean(message)}${reason}`;
}
