/**
 * The documents of the mesh as JSON Schemas, by name. The OpenAPI document shows them, readers of requests take from them which members a
 * document has, those who ask read answers by them (`document.ts`), and the tests hold every answer to them.
 */
import { ROLES } from './access/roles.js';
import { MAX_ACTOR, MAX_REASON } from './limits.js';
import { APPROVAL_SCHEMAS } from './schemas/approvals.js';
import { FLEET_SCHEMAS } from './schemas/fleet.js';
import { LOG_SCHEMAS } from './schemas/logs.js';
import {
  count,
  elapsed,
  flag,
  hash,
  list,
  object,
  nullable,
  ref,
  role,
  status,
  subject,
  text,
  time,
  word,
} from './schemas/parts.js';
import { REFERENCE_SCHEMAS } from './schemas/reference.js';
import { REGION_SCHEMAS } from './schemas/regions.js';
import { VERIFIER_SCHEMAS } from './schemas/verifiers.js';

const standing = {
  agent_id: subject,
  status,
  reason: nullable(text),
  revoked_by: nullable(text),
  changed_at: nullable(time),
  suspended_until: nullable(time),
  version: count,
};

/** How an event fares with those who should have it. */
const propagation = {
  propagated_to: count,
  connected: count,
  reporting: count,
  roster: count,
  applied: count,
  unsettled: count,
  complete: flag,
  late: list(object({ verifier: text, label: text })),
  absent: list(ref('AbsentVerifier')),
  absent_more: count,
  propagation_ms: nullable(elapsed),
  regions: list(ref('RegionReceipt')),
};

const principalKey = { did: text, public_key: text };

/** The documents of the mesh as JSON Schema. */
export const SCHEMAS = {
  Any: { type: 'object' },
  Health: { type: 'object', required: ['status'], properties: { status: text, head: count } },
  Refusal: object({
    code: text,
    message: text,
    details: nullable({ type: 'object' }),
    retryable: flag,
  }),
  Event: object(
    {
      v: { enum: [1, 2] },
      log_id: text,
      term: count,
      seq: count,
      time,
      type: { enum: ['revocation', 'suspension', 'reinstatement', 'passport'] },
      id: text,
      agent_id: subject,
      reason: nullable(text),
      revoked_by: nullable(text),
      scope: { enum: ['agent', 'principal', 'key', 'mesh'] },
      suspended_until: nullable(time),
      version: count,
      cmd_id: text,
      operator: { type: 'object' },
      prev_hash: hash,
      hash,
      signature: text,
      serial: nullable(count),
      passport_hash: nullable(text),
      key_id: text,
    },
    ['serial', 'passport_hash', 'key_id'],
  ),
  Checkpoint: object({
    type: { const: 'checkpoint' },
    log_id: text,
    term: count,
    head: count,
    hash,
    time,
    up_ms: count,
    boot: text,
    challenge: nullable(text),
    signature: text,
  }),
  Events: object({
    events: list(ref('Event')),
    checkpoint: nullable(ref('Checkpoint')),
    received_up_ms: nullable(count),
    reset: nullable({ type: 'object' }),
  }),
  Ack: object({ stream: text, seq: count, applied: { type: 'object' } }, ['applied']),
  Acknowledged: object({ acknowledged: count }),
  Command: object(
    {
      cmd_id: { type: 'string', pattern: '^[A-Za-z0-9_-]{8,64}$' },
      action: { enum: ['revoke', 'suspend', 'reinstate'] },
      agent_id: subject,
      reason: { type: 'string', maxLength: MAX_REASON },
      revoked_by: { type: 'string', maxLength: MAX_ACTOR },
      key_text: text,
      duration_seconds: { type: 'integer', minimum: 1 },
      version: count,
      log_id: text,
      expires_at: time,
    },
    ['reason', 'revoked_by', 'key_text', 'duration_seconds', 'version', 'log_id', 'expires_at'],
  ),
  CommandAnswer: object({
    agent_id: subject,
    status,
    seq: count,
    version: count,
    cmd_id: text,
    key_id: nullable(text),
    durable: flag,
    ...propagation,
    changed: flag,
  }),
  SubjectStatus: object({
    ...standing,
    above: list(object(standing)),
    stopped_keys: list(object({ key_id: text, status })),
    known: flag,
    age_ms: nullable(count),
    head: count,
  }),
  KeyOrder: object({ role, label: nullable(text), public_key: nullable(text), max_verifiers: count, ephemeral: flag }, [
    'label',
    'public_key',
    'max_verifiers',
    'ephemeral',
  ]),
  NewKey: object({
    key: text,
    key_id: text,
    role,
    label: nullable(text),
    public_key: nullable(text),
    max_verifiers: count,
    ephemeral: flag,
  }),
  Publication: object({ cmd_id: text, passport: { type: 'object' }, force: flag }, ['force']),
  Withdrawal: object({ cmd_id: text, agent_id: subject }),
  Published: object({
    agent_id: subject,
    serial: nullable(count),
    passport_hash: nullable(text),
    seq: count,
    cmd_id: text,
    durable: flag,
    ...propagation,
    changed: flag,
  }),
  PassportInForce: object({ agent_id: subject, serial: nullable(count), passport_hash: nullable(text) }),
  PrincipalKey: object(principalKey),
  PrincipalKept: object({ ...principalKey, changed: flag }),
  PrincipalRemoved: object({ did: text, removed: count }),
  Principals: object({ principals: list(object({ ...principalKey, added_at: time, added_by: text })), more: count }),
  Leaving: object({
    type: { const: 'mesh-left' },
    version: { const: 1 },
    public_key: text,
    key_id: text,
    signature: text,
  }),
  Left: object({ left: flag }),
  Forgotten: object({ verifier: text, label: text, forgotten: flag }),
  Keys: object({ keys: list(ref('ApiKey')), next: nullable(text) }),
  ApiKey: object({
    key_id: text,
    role: word(...ROLES),
    label: nullable(text),
    public_key: nullable(text),
    max_verifiers: nullable(count),
    ephemeral: flag,
    created_at: time,
    revoked_at: nullable(time),
  }),
  KeyRevoked: object({ key_id: text, revoked: flag, changed: flag }),
  ...LOG_SCHEMAS,
  ...VERIFIER_SCHEMAS,
  ...FLEET_SCHEMAS,
  ...REGION_SCHEMAS,
  ...APPROVAL_SCHEMAS,
  ...REFERENCE_SCHEMAS,
} as const;

/** The members that a document of the mesh has to hold, and those that it may hold beside, as `objectOf` takes them. */
export function schemaMembers(name: DocumentName): readonly [required: readonly string[], optional: readonly string[]] {
  const { required, properties }: { readonly required: readonly string[]; readonly properties: object } = SCHEMAS[name];
  return [required, Object.keys(properties).filter((member) => !required.includes(member))];
}

/** The documents whose members are all known. */
export type DocumentName = {
  [Name in keyof typeof SCHEMAS]: (typeof SCHEMAS)[Name] extends { readonly additionalProperties: false }
    ? Name
    : never;
}[keyof typeof SCHEMAS];
