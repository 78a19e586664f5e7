/** The documents of the reference's client. */
import { count, flag, nullable, object, status, subject, text, time } from './parts.js';

/** What the reference's client asks, and is answered. */
export const REFERENCE_SCHEMAS = {
  ReferenceRevoke: object(
    { agent_id: subject, reason: nullable(text), scope: nullable(text), revoked_by: nullable(text) },
    ['reason', 'scope', 'revoked_by'],
  ),
  ReferenceSuspend: object(
    {
      agent_id: subject,
      duration_seconds: { type: 'integer', minimum: 1 },
      reason: nullable(text),
      revoked_by: nullable(text),
    },
    ['reason', 'revoked_by'],
  ),
  ReferenceAgent: { type: 'object', required: ['agent_id'], properties: { agent_id: subject } },
  ReferenceAnswer: object({
    id: text,
    agent_id: subject,
    action: text,
    reason: nullable(text),
    propagated_to: count,
    propagation_ms: { type: 'number' },
    timestamp: time,
  }),
  ReferenceStatus: object({
    agent_id: subject,
    status,
    reason: nullable(text),
    revoked_at: nullable(time),
    suspended_until: nullable(time),
  }),
  ReferenceRegistered: object({ agent_id: subject, registered: flag, status }),
  ReferenceUsage: object({ events: count, connected: count }),
} as const;
