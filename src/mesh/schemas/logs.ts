/** The documents of the mesh about verification logs, as JSON Schemas: a part of the table in `schemas.ts`. */
import { MAX_CHECKPOINT, MAX_PROOF_HASHES } from '../limits.js';
import { count, ed25519Key, flag, list, nullable, object, subject, text, time } from './parts.js';

/** What verifiers ship and have cosigned, and what is read and erased of it. */
export const LOG_SCHEMAS = {
  Shipment: object({ log_id: text, verifier: text, entries: list({ type: 'object' }) }),
  Shipped: object({ accepted: count, checkpoint: nullable({ type: 'object' }) }),
  Erasure: object({ agent_id: subject, param: text, before: time, log_id: text, seq: count }, [
    'agent_id',
    'param',
    'before',
    'log_id',
    'seq',
  ]),
  Erased: object({ erased: count, entries: count, overwritten: flag, statement: { type: 'object' } }),
  LogDrop: object({ log_id: text, verifier: text, reason: text }, ['log_id', 'verifier']),
  LogDropped: object({ log_id: text, verifier: text, key_id: text, entries: count, statement: { type: 'object' } }),
  Entries: object({ entries: list({ type: 'object' }), next: text, more: flag, head: count }),
  WitnessedTree: object({
    public_key: ed25519Key,
    old: count,
    proof: { ...list({ type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$' }), maxItems: MAX_PROOF_HASHES },
    checkpoint: { type: 'string', maxLength: MAX_CHECKPOINT },
  }),
  SeenTree: object({ checkpoint: nullable(text) }),
} as const;
