/** The documents of the fleet: agents with what is said and counted of them, and the logs that verifiers ship. */
import { count, elapsed, flag, list, nullable, object, ref, subject, text, time, word } from './parts.js';

const standing = word('active', 'suspended', 'revoked');

/** What is asked and answered about the agents of a fleet and its log. */
export const FLEET_SCHEMAS = {
  Fleet: object(
    {
      agents: list(ref('FleetAgent')),
      more: count,
      totals: object({ agents: count, stopped: count, accepted: count, refused: count }),
      above: list(object({ subject, key_of: nullable(text), status: standing, reason: nullable(text) }, ['key_of'])),
      logs: list(object({ verifier: text, label: text, key_id: text, seq: count, last_shipped_ms: elapsed })),
      counted: flag,
      entries: count,
      time,
    },
    // Servers of earlier versions do not send it, nor `key_of`.
    ['totals'],
  ),
  FleetAgent: object({
    agent_id: text,
    revocable: flag,
    status: standing,
    reason: nullable(text),
    status_of: text,
    serial: nullable(count),
    successful: count,
    failed: count,
    unattributed: count,
    outcomes: object({ ok: count, error: count, unknown: count }),
    failure_rate: nullable({ type: 'number' }),
    trust_score: nullable({ type: 'number' }),
    trust_meaningful: flag,
    last_at: nullable(time),
    hours: list(list(count)),
  }),
} as const;
