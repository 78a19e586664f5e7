/**
 * The documents of the mesh as JSON Schemas, by name. The OpenAPI document shows them, readers of requests take from them which members a
 * document has, those who ask read answers by them (`document.ts`), and the tests hold every answer to them.
 */
import { ROLES } from './access/roles.js';
import { MAX_ACTOR, MAX_REASON } from './limits.js';

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const subject = { type: 'string', description: 'An agent id, a principal id, or `*` for the whole mesh.' } as const;
const status = { enum: ['active', 'suspended', 'revoked'] } as const;
const role = { enum: ROLES } as const;

function orNull<const T extends object>(schema: T) {
  return { anyOf: [schema, { type: 'null' }] } as const;
}

function object<const Members extends Readonly<Record<string, object>>, const Optional extends string = never>(
  properties: Members,
  optional: readonly Optional[] = [],
) {
  const given = Object.keys(properties) as (keyof Members & string)[];
  const isRequired = (name: string): name is Exclude<keyof Members & string, Optional> =>
    !(optional as readonly string[]).includes(name);
  return {
    type: 'object' as const,
    required: given.filter(isRequired),
    properties,
    additionalProperties: false as const,
  };
}

function list<const T extends object>(items: T) {
  return { type: 'array', items } as const;
}

function ref(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}

const standing = {
  agent_id: subject,
  status,
  reason: orNull(text),
  revoked_by: orNull(text),
  changed_at: orNull(time),
  suspended_until: orNull(time),
  version: count,
};

const keyView = {
  key_id: text,
  role,
  label: orNull(text),
  public_key: orNull(text),
  max_verifiers: orNull(count),
  ephemeral: flag,
  created_at: time,
  revoked_at: orNull(time),
};

/** The documents of the mesh as JSON Schema. */
export const SCHEMAS = {
  Any: { type: 'object' },
  Health: { type: 'object', required: ['status'], properties: { status: text, head: count } },
  Refusal: object({
    code: text,
    message: text,
    details: orNull({ type: 'object' }),
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
      reason: orNull(text),
      revoked_by: orNull(text),
      scope: { enum: ['agent', 'principal', 'key', 'mesh'] },
      suspended_until: orNull(time),
      version: count,
      cmd_id: text,
      operator: { type: 'object' },
      prev_hash: hash,
      hash,
      signature: text,
      serial: orNull(count),
      passport_hash: orNull(text),
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
    challenge: orNull(text),
    signature: text,
  }),
  Events: object({
    events: list(ref('Event')),
    checkpoint: orNull(ref('Checkpoint')),
    received_up_ms: orNull(count),
    reset: orNull({ type: 'object' }),
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
    seq: orNull(count),
    version: count,
    cmd_id: text,
    key_id: orNull(text),
    durable: flag,
    propagated_to: count,
    connected: count,
    reporting: count,
    roster: count,
    applied: count,
    unsettled: count,
    complete: flag,
    late: list({ type: 'object' }),
    absent: list({ type: 'object' }),
    absent_more: count,
    propagation_ms: orNull({ type: 'number' }),
    regions: list(
      object({
        region: text,
        state: { enum: ['acknowledged', 'pending', 'late'] },
        ms: orNull({ type: 'number' }),
        last_seq: orNull(count),
        last_seen: orNull(time),
      }),
    ),
    changed: flag,
  }),
  SubjectStatus: object({ ...standing, above: list(object(standing)), known: flag, head: count }),
  MeshStatus: object({
    log_id: text,
    term: count,
    head: count,
    hash,
    time,
    up_ms: count,
    mesh_public_key: text,
    require_signed_commands: flag,
    connected: count,
    verifiers: list({ type: 'object' }),
    more: count,
    roster: count,
    absent: list({ type: 'object' }),
    absent_total: count,
    older: list({ type: 'object' }),
    last_drill: orNull({ type: 'object' }),
    last_confirmed: list({ type: 'object' }),
    sealed_by_term: orNull(count),
    follows: orNull(object({ home: text, heard: orNull(time) })),
    checkpoint: orNull(ref('Checkpoint')),
  }),
  KeyOrder: object({ role, label: orNull(text), public_key: orNull(text), max_verifiers: count, ephemeral: flag }, [
    'label',
    'public_key',
    'max_verifiers',
    'ephemeral',
  ]),
  NewKey: object({
    key: text,
    key_id: text,
    role,
    label: orNull(text),
    public_key: orNull(text),
    max_verifiers: count,
    ephemeral: flag,
  }),
  Regions: object({
    home: object({
      region: orNull(text),
      head: count,
      term: count,
      time,
      sealed_by_term: orNull(count),
    }),
    replication_mode: { enum: ['async', 'sync'] },
    max_propagation_time_ms: count,
    regions: list(
      object({
        region: text,
        state: { enum: ['following', 'absent', 'never-seen'] },
        last_seq: orNull(count),
        last_seen: orNull(time),
        behind: orNull(count),
      }),
    ),
  }),
  RegionLog: object({
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
          reason: orNull(text),
          time,
        },
        ['keyId'],
      ),
    ),
    documents: { type: 'object' },
    checkpoint: orNull(ref('Checkpoint')),
    reset: orNull(object({ reason: text })),
    tables: hash,
  }),
  RegionProof: object({ checkpoint: orNull(ref('Checkpoint')) }),
  RegionTables: object({
    keys: list(
      object(
        {
          keyId: text,
          role,
          hash,
          label: orNull(text),
          publicKey: orNull(text),
          maxVerifiers: orNull(count),
          ephemeral: flag,
          createdAt: count,
          revokedAt: orNull(count),
        },
        ['maxVerifiers', 'ephemeral'],
      ),
    ),
    principals: list(object({ did: text, publicKey: text, addedAt: count, addedBy: text })),
  }),
  RegionReport: object({ verifiers: list({ type: 'object' }), present: list(text), gone: list(text) }),
  RegionReported: object({ refused: list(object({ verifier: text, code: text })), unknown: list(text) }),
  RegionTail: object({ events: list({ type: 'object' }) }),
  RegionTailed: object({
    events: list(object({ agent_id: subject, type: text, cmd_id: text, was_seq: count, seq: orNull(count) })),
  }),
  Roster: object({ verifiers: list({ type: 'object' }), next: orNull(text) }),
  Publication: object({ cmd_id: text, passport: { type: 'object' }, force: flag }, ['force']),
  Withdrawal: object({ cmd_id: text, agent_id: subject }),
  Published: { type: 'object' },
  PassportInForce: object({ agent_id: subject, serial: orNull(count), passport_hash: orNull(text) }),
  PrincipalKey: object({ did: text, public_key: text }),
  ApprovalRequest: { type: 'object' },
  Approval: { type: 'object' },
  ApprovalEnd: object({ status: text, intent_hash: orNull(text) }, ['intent_hash']),
  ApprovalState: { type: 'object' },
  ApprovalStates: object({ requests: list({ type: 'object' }), next: orNull(text), mark: text }),
  ApprovalAnswers: object({ request_id: text, status: text, version: count, answers: list({ type: 'object' }) }),
  Drill: object({
    p50_ms: orNull({ type: 'number', minimum: 0 }),
    p99_ms: orNull({ type: 'number', minimum: 0 }),
    can_halt: { enum: ['yes', 'no', 'unknown'] },
    ok: flag,
    rounds: count,
    verifiers: count,
    absent: count,
  }),
  DrillKept: { type: 'object' },
  Leaving: object({
    type: { const: 'mesh-left' },
    version: { const: 1 },
    public_key: text,
    key_id: text,
    signature: text,
  }),
  Left: object({ left: flag }),
  Forgotten: object({ verifier: text, label: text, forgotten: flag }),
  Keys: object({ keys: list(object(keyView)), next: orNull(text) }),
  KeyRevoked: object({ key_id: text, revoked: flag, changed: flag }),
  Shipment: object({ log_id: text, verifier: text, entries: list({ type: 'object' }) }),
  Shipped: object({ accepted: count, checkpoint: orNull({ type: 'object' }) }),
  Erasure: object({ agent_id: subject, param: text, before: time, log_id: text, seq: count }, [
    'agent_id',
    'param',
    'before',
    'log_id',
    'seq',
  ]),
  Erased: object({ erased: count, entries: count, overwritten: flag, statement: { type: 'object' } }),
  Entries: object({ entries: list({ type: 'object' }), next: text, more: flag, head: count }),
  Fleet: object({
    agents: list({ type: 'object' }),
    more: count,
    above: list({ type: 'object' }),
    logs: list({ type: 'object' }),
    counted: flag,
    entries: count,
    time,
  }),
  ReferenceRevoke: object({ agent_id: subject, reason: orNull(text), scope: orNull(text), revoked_by: orNull(text) }, [
    'reason',
    'scope',
    'revoked_by',
  ]),
  ReferenceSuspend: object(
    {
      agent_id: subject,
      duration_seconds: { type: 'integer', minimum: 1 },
      reason: orNull(text),
      revoked_by: orNull(text),
    },
    ['reason', 'revoked_by'],
  ),
  ReferenceAgent: { type: 'object', required: ['agent_id'], properties: { agent_id: subject } },
  ReferenceAnswer: object({
    id: text,
    agent_id: subject,
    action: text,
    reason: orNull(text),
    propagated_to: count,
    propagation_ms: { type: 'number' },
    timestamp: time,
  }),
  ReferenceStatus: object({
    agent_id: subject,
    status,
    reason: orNull(text),
    revoked_at: orNull(time),
    suspended_until: orNull(time),
  }),
  ReferenceRegistered: object({ agent_id: subject, registered: flag, status }),
  ReferenceUsage: object({ events: count, connected: count }),
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
