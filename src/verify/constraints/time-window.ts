import { formatTime } from '../../protocol/time.js';
import { isOpen } from '../../protocol/constraints/time-windows.js';
import { violation } from '../decision.js';
import { HOLDS, type ConstraintCheck } from './judged.js';

/** Now lies inside the window. */
export const timeWindow: ConstraintCheck<'time_window'> = ({ window, written }, { agentId, now }) =>
  isOpen(window, now)
    ? HOLDS
    : [
        violation('TIME_WINDOW_VIOLATION', `${formatTime(now)} is outside the time window of the passport.`, {
          now: formatTime(now),
          window: written,
          agent_id: agentId,
        }),
      ];
