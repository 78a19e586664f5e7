import { acceptableKey } from '../../../protocol/ed25519/acceptance.js';
import { DOCUMENT_BOUNDS } from '../../../protocol/json/bounds.js';
import { parseJson } from '../../../protocol/json/parse.js';
import type { Json } from '../../../protocol/json/values.js';
import { formatPublicKey, parsePublicKey } from '../../../protocol/identity/keys.js';
import { objectOf, ShapeError } from '../../../protocol/json/shape.js';
import { isRole, ROLES, type Role } from '../../access/roles.js';
import type { RequestedReplication } from '../regions/registry.js';
import type { Request } from './exchange.js';
import { schemaMembers } from '../../schemas.js';

/** The request's JSON body of at most so many bytes. Throws JsonError. */
export function jsonBody(request: Request, bytes = DOCUMENT_BOUNDS.bytes): Json {
  return parseJson(request.body, null, { ...DOCUMENT_BOUNDS, bytes });
}

/** `wait=20s`, `wait=250ms` or `wait=2000` (ms), at most `max`. */
export function waitOf(request: Request, fallback: number, max: number): number {
  const text = request.query.get('wait');
  if (text === null) return fallback;
  const match = /^(\d{1,6})(ms|s)?$/.exec(text);
  if (match === null) throw new ShapeError('"wait" is not a duration like 20s');
  return Math.min(max, Number(match[1]) * (match[2] === 's' ? 1000 : 1));
}

const VERIFIER = /^[A-Za-z0-9._-]{1,64}$/;

/** The name under which a verifier reports in, or null when it does not. */
export function verifierOf(request: Request): string | null {
  const name = request.query.get('verifier');
  if (name !== null && !VERIFIER.test(name))
    throw new ShapeError('"verifier" is not 1 to 64 letters, digits, ".", "_" or "-"');
  return name;
}

/** The place a stream or poll asks to continue from; the header is what an EventSource sends by itself. */
export function resumePlace(request: Request): string | null {
  return request.headers['last-event-id'] || request.query.get('after');
}

/** The newest of the mesh's documents that a client speaks: 1, or what `v=` says. */
export function versionOf(request: Request): 1 | 2 {
  const text = request.query.get('v');
  if (text === null || text === '1') return 1;
  if (text === '2') return 2;
  throw new ShapeError('"v" is not 1 or 2');
}

/** A checkpoint of the highest term that the client knows, base64url. */
export function proofOf(request: Request): string | null {
  const text = request.headers['aip-proof'] ?? null;
  return text === null || text.length > 4_096 ? null : text;
}

const CHALLENGE = /^[0-9a-f]{32}$/;

/** What the first checkpoint of the answer must repeat; null when the client does not ask for that. */
export function challengeOf(request: Request): string | null {
  const text = request.query.get('challenge');
  if (text !== null && !CHALLENGE.test(text)) throw new ShapeError('"challenge" is not 32 hex digits');
  return text;
}

/** Most regions that one command names. */
const MAX_REGIONS = 64;

/**
 * What the giver of a command wants of the regions (`replication`, `within`, and `region` with its `endpoint` once each); null where
 * it says nothing of them. `own`: the name of this server's region, which is not waited for; nor is the endpoint that the request itself came to.
 */
export function requestedReplication(request: Request, own: string | null): RequestedReplication | null {
  const { query, headers } = request;
  const mode = query.get('replication');
  if (mode === null) return null;
  if (mode !== 'async' && mode !== 'sync') throw new ShapeError('"replication" is not async or sync');
  const within = /^(\d{1,6})ms$/.exec(query.get('within') ?? '500ms');
  if (within === null) throw new ShapeError('"within" is not a duration like 500ms');
  const [named, endpoints] = [query.getAll('region'), query.getAll('endpoint')];
  if (named.length > MAX_REGIONS || named.length !== endpoints.length || named.some((name) => !REGION.test(name)))
    throw new ShapeError('"region" is not a name with its "endpoint"');
  const names = named.filter((name, i) => name !== own && hostOf(endpoints[i]!) !== headers.host);
  return { mode, withinMs: Number(within[1]), names };
}

const REGION = /^[\x20-\x7e]{1,100}$/;

/** Host and port as a request's header names them. */
function hostOf(endpoint: string): string | null {
  return URL.canParse(endpoint) ? new URL(endpoint).host : null;
}

/** What a new API key is to be. */
export interface KeyOrder {
  readonly role: Role;
  readonly maxVerifiers: number;
  readonly ephemeral: boolean;
  readonly label: string | null;
  readonly publicKey: string | null;
}

/** Reads the request for a key. @throws ShapeError */
export function readKeyOrder(value: Json): KeyOrder {
  const { role, label, public_key, max_verifiers, ephemeral } = objectOf(
    value,
    'the request',
    ...schemaMembers('KeyOrder'),
  );
  if (typeof role !== 'string' || !isRole(role)) throw new ShapeError(`"role" is not one of ${ROLES.join(', ')}`);
  if (label != null && (typeof label !== 'string' || !/^[\x20-\x7e]{1,100}$/.test(label))) {
    throw new ShapeError('"label" is not 1 to 100 printable ASCII characters');
  }
  if (ephemeral !== undefined && typeof ephemeral !== 'boolean')
    throw new ShapeError('"ephemeral" is not true or false');
  const max = max_verifiers ?? (ephemeral === true ? 100 : 1);
  if (typeof max !== 'number' || !Number.isSafeInteger(max) || max < 1 || max > 100_000)
    throw new ShapeError('"max_verifiers" is not a number from 1 to 100000');
  const key = typeof public_key === 'string' ? parsePublicKey(public_key) : null;
  // No signature is ever believed under a small-order key.
  if (public_key != null && (key === null || !acceptableKey(key)))
    throw new ShapeError('"public_key" is not an acceptable Ed25519 public key');
  return {
    role,
    label: label ?? null,
    publicKey: key === null ? null : formatPublicKey(key),
    maxVerifiers: max,
    ephemeral: ephemeral === true,
  };
}

/** `applied`: the signed confirmation, not verified yet; undefined from a verifier of the first version. */
export function readAck(value: Json): {
  readonly stream: string;
  readonly seq: number;
  readonly applied: Json | undefined;
} {
  const { stream, seq, applied } = objectOf(value, 'the request', ...schemaMembers('Ack'));
  if (typeof stream !== 'string' || stream.length > 64) throw new ShapeError('"stream" is not a stream id');
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0)
    throw new ShapeError('"seq" is not a sequence number');
  return { stream, seq, applied };
}
