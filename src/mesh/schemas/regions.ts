/** The documents of regions, which follow home. */
import { count, elapsed, flag, hash, list, nullable, object, ref, role, status, subject, text, time } from './parts.js';

/** What home and its regions ask and answer. */
export const REGION_SCHEMAS = {
  Regions: object({
    home: object({
      region: nullable(text),
      head: count,
      term: count,
      time,
      sealed_by_term: nullable(count),
    }),
    replication_mode: { enum: ['async', 'sync'] },
    max_propagation_time_ms: count,
    regions: list(
      object({
        region: text,
        state: { enum: ['following', 'absent', 'never-seen'] },
        last_seq: nullable(count),
        last_seen: nullable(time),
        behind: nullable(count),
      }),
    ),
  }),
  RegionLog: object(
    {
      events: list(ref('Event')),
      answers: list(
        object(
          {
            cmdId: text,
            digest: text,
            action: text,
            subject,
            keyId: text,
            status,
            seq: count,
            eventId: text,
            version: count,
            changed: flag,
            reason: nullable(text),
            time,
          },
          ['keyId'],
        ),
      ),
      documents: { type: 'object' },
      checkpoint: nullable(ref('Checkpoint')),
      reset: nullable(object({ reason: text })),
      tables: hash,
      roster: hash,
      approvals: object({ count, notices: list(text) }),
    },
    ['approvals', 'roster'],
  ),
  RegionProof: object({ checkpoint: nullable(ref('Checkpoint')) }),
  RegionTables: object({
    keys: list(
      object(
        {
          keyId: text,
          role,
          hash,
          label: nullable(text),
          publicKey: nullable(text),
          maxVerifiers: nullable(count),
          ephemeral: flag,
          createdAt: count,
          revokedAt: nullable(count),
        },
        ['maxVerifiers', 'ephemeral'],
      ),
    ),
    principals: list(object({ did: text, publicKey: text, addedAt: count, addedBy: text })),
  }),
  RegionRoster: object({
    members: list(
      object({
        verifier: text,
        label: text,
        keyId: text,
        program: nullable(text),
        onStale: nullable({ enum: ['last-known', 'deny'] }),
        maxAgeMs: nullable(count),
        seq: count,
        firstSeenAt: count,
        seenAt: count,
        ephemeral: flag,
      }),
    ),
  }),
  RegionReport: object({ verifiers: list({ type: 'object' }), present: list(text), gone: list(text) }),
  RegionReported: object({ refused: list(object({ verifier: text, code: text })), unknown: list(text) }),
  RegionTail: object({ events: list({ type: 'object' }) }),
  RegionTailed: object({
    events: list(object({ agent_id: subject, type: text, cmd_id: text, was_seq: count, seq: nullable(count) })),
  }),
  RegionReceipt: object({
    region: text,
    state: { enum: ['acknowledged', 'pending', 'late'] },
    ms: nullable(elapsed),
    last_seq: nullable(count),
    last_seen: nullable(time),
  }),
} as const;
