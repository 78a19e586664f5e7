/** Events of the log: their form, their links, and the mesh's signature over them. */
import { canonicalize, canonicalizeWithout } from '../../protocol/json/canonical.js';
import { sha256Hex } from '../../protocol/hash.js';
import { parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { parseTime } from '../../protocol/time.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { MAX_SERIAL } from '../../protocol/passport.js';
import { formatEventId, isHash, isLogId, type Head } from './head.js';
import { MAX_ACTOR, MAX_EVENT_BYTES, MAX_REASON } from '../limits.js';
import { SIGNATURE_HEX, type Signer } from './signing.js';
import { schemaMembers } from '../schemas.js';
import { canonicalSubject, isNamedKey, readByFirstVersion, scopeOf, type Scope } from '../subject.js';

/** 1: what stops and lets act again, of subjects that the first version reads. 2: what only later versions know. */
const VERSIONS: readonly unknown[] = [1, 2];
/** What an event tells. */
export type EventType = 'revocation' | 'suspension' | 'reinstatement' | 'passport';
const TYPES: readonly string[] = ['revocation', 'suspension', 'reinstatement'];

/** Who gave the command: the API key, and the operator's own signature when there was one. */
export interface OperatorMark {
  /** Id of the API key. */
  readonly key_id: string;
  readonly signed: SignedMark | null;
}

/** What is needed to check the operator's signature again (RFC 9421, section 2.5). */
export interface SignedMark {
  /** `ed25519:<64 hex>`. */
  readonly public_key: string;
  readonly method: string;
  readonly path: string;
  readonly content_digest: string;
  /** The signature parameters as they were sent. */
  readonly params: string;
  /** 128 hex digits. */
  readonly signature: string;
}

/** What an order says, before it has its place in the log. */
export interface EventFields {
  readonly type: EventType;
  /** The subject: an agent, a principal, or `*`. */
  readonly agent_id: string;
  readonly reason: string | null;
  readonly revoked_by: string | null;
  readonly scope: Scope;
  /** RFC 3339; only of suspensions. */
  readonly suspended_until: string | null;
  /** The subject's version after this event. */
  readonly version: number;
  readonly cmd_id: string;
  readonly operator: OperatorMark;
  /** Only of a key that was named by its id, and is stopped by its text: the id. */
  readonly key_id?: string;
  /** Only of `passport`: its serial, and its hash `sha256:<64 hex>`; both null where it was withdrawn. */
  readonly serial?: number | null;
  readonly passport_hash?: string | null;
}

/** An event of the log (mesh contract, "Data"). */
export interface MeshEvent extends Omit<EventFields, 'type'> {
  readonly v: number;
  readonly log_id: string;
  readonly term: number;
  readonly seq: number;
  /** RFC 3339, by the clock of the server that committed it. */
  readonly time: string;
  /** One of EventType; another text is an event of a later version, which denies. */
  readonly type: string;
  /** `<log_id>.<term>.<seq>`, which is also its id on the stream. */
  readonly id: string;
  readonly prev_hash: string;
  readonly hash: string;
  /** The mesh's own key over the canonical bytes without this member. */
  readonly signature: string;
}

const MEMBERS = schemaMembers('Event');
const PASSPORT_HASH = /^sha256:[0-9a-f]{64}$/;
const SIGNED_MEMBERS = ['public_key', 'method', 'path', 'content_digest', 'params', 'signature'] as const;

/** The event that follows `head`, linked and signed; null when it would be larger than an event may be. */
export function sealEvent(
  head: Head,
  term: number,
  fields: EventFields,
  now: string,
  sign: Signer,
): { readonly event: MeshEvent; readonly text: string } | null {
  const seq = head.seq + 1;
  const body = {
    ...fields,
    // A program of the first version would stop at a subject that it cannot read.
    v: fields.type === 'passport' || !readByFirstVersion(fields.agent_id) ? 2 : 1,
    log_id: head.logId,
    term,
    seq,
    time: now,
    id: formatEventId(head.logId, term, seq),
    prev_hash: head.hash,
  };
  const hash = sha256Hex(canonicalize(body as unknown as JsonObject));
  const signed = { ...body, hash };
  const signature = sign(canonicalize(signed as unknown as JsonObject));
  const event: MeshEvent = { ...signed, signature };
  const text = canonicalize(event as unknown as JsonObject);
  return Buffer.byteLength(text) > MAX_EVENT_BYTES ? null : { event, text };
}

/** What the event's `hash` must be: over everything but the hash itself and the signature. */
export function hashOf(event: MeshEvent): string {
  const { signature: _, ...rest } = event;
  return sha256Hex(canonicalizeWithout(rest as unknown as JsonObject, 'hash'));
}

/** The event in `text`. Throws JsonError or ShapeError; says nothing about its signature or its place. */
export function parseEvent(text: string): MeshEvent {
  if (Buffer.byteLength(text) > MAX_EVENT_BYTES)
    throw new ShapeError(`the event is larger than ${MAX_EVENT_BYTES} bytes`);
  return readEvent(parseJsonText(text));
}

/** True of an event that stops a subject or lets it act again. */
export function isOfStanding({ type }: Pick<MeshEvent, 'type'>): boolean {
  return TYPES.includes(type);
}

/** Reads an event; its signature and place are separate questions. @throws ShapeError */
export function readEvent(value: Json): MeshEvent {
  const event = objectOf(value, 'the event', ...MEMBERS);
  if (!VERSIONS.includes(event.v)) throw new ShapeError('"v" is not a version that this program knows');
  const text = (name: string, max: number): string => {
    const member = event[name];
    if (typeof member !== 'string' || member.length === 0 || member.length > max) throw bad(name);
    return member;
  };
  const count = (name: string): number => {
    const member = event[name];
    if (typeof member !== 'number' || !Number.isSafeInteger(member) || member < 1) throw bad(name);
    return member;
  };
  const logId = text('log_id', 32);
  if (!isLogId(logId)) throw bad('log_id');
  const subject = text('agent_id', 512);
  // A second spelling of a subject would be a second standing.
  if (canonicalSubject(subject) !== subject) throw bad('agent_id');
  if (event.scope !== scopeOf(subject)) throw bad('scope');
  for (const name of ['hash', 'prev_hash']) if (!isHash(text(name, 64))) throw bad(name);
  if (!SIGNATURE_HEX.test(text('signature', 128))) throw bad('signature');
  if (parseTime(text('time', 40)) === null) throw bad('time');
  if (event.id !== formatEventId(logId, count('term'), count('seq'))) throw bad('id');
  if (event.reason !== null) text('reason', MAX_REASON);
  if (event.revoked_by !== null) text('revoked_by', MAX_ACTOR);
  const until = event.suspended_until;
  if (until !== null && (typeof until !== 'string' || parseTime(until) === null)) throw bad('suspended_until');
  if ((event.type === 'suspension') !== (until !== null) && TYPES.includes(text('type', 32)))
    throw bad('suspended_until');
  text('type', 32);
  readPassportMembers(event);
  readKeyId(event);
  count('version');
  text('cmd_id', 64);
  readMark(event.operator);
  return event as unknown as MeshEvent;
}

function readPassportMembers(event: JsonObject): void {
  const { v, type, serial, passport_hash } = event;
  const is = type === 'passport';
  if (is ? v !== 2 : v === 2 && readByFirstVersion(event.agent_id as string)) throw bad('v');
  if (!is) {
    if (serial !== undefined || passport_hash !== undefined) throw bad('serial');
    return;
  }
  if (serial === null && passport_hash === null) return;
  if (typeof serial !== 'number' || !Number.isSafeInteger(serial) || serial < 1 || serial > MAX_SERIAL)
    throw bad('serial');
  if (typeof passport_hash !== 'string' || !PASSPORT_HASH.test(passport_hash)) throw bad('passport_hash');
}

function readKeyId({ v, scope, agent_id, key_id }: JsonObject): void {
  if (key_id === undefined) return;
  const isText = v === 2 && scope === 'key' && !isNamedKey(agent_id as string);
  if (!isText || typeof key_id !== 'string' || canonicalSubject(key_id) !== key_id || !isNamedKey(key_id))
    throw bad('key_id');
}

function readMark(value: Json | undefined): void {
  const mark = objectOf(value, '"operator"', ['key_id', 'signed']);
  if (typeof mark.key_id !== 'string' || mark.key_id.length > 64) throw bad('operator');
  if (mark.signed === null) return;
  const signed = objectOf(mark.signed, '"signed"', SIGNED_MEMBERS);
  for (const name of SIGNED_MEMBERS) {
    const member = signed[name];
    if (typeof member !== 'string' || member.length > 512) throw bad(name);
  }
}

function bad(name: string): ShapeError {
  return new ShapeError(`"${name}" is not what an event holds`);
}

/**
 * The event as the reference's mesh client reads it (one JSON object, one line). That client knows no fold, the last event is all it
 * keeps of an agent: the suspension of one that stays `revoked` reaches it as a revocation, or it would let the agent act again.
 */
export function referenceForm(event: MeshEvent, revoked: boolean): string {
  const { id, agent_id, reason, revoked_by, scope, time } = event;
  const stays = revoked && event.type === 'suspension';
  const [type, suspended_until] = stays ? ['revocation', null] : [event.type, event.suspended_until];
  return JSON.stringify({ type, id, agent_id, reason, revoked_by, scope, suspended_until, timestamp: time });
}
