/**
 * Signed statements about a log: how far it went (a checkpoint), and what was taken from its beginning (a summary of pruning). They are
 * signed with a principal's key, so that write access to the log's file is not enough to make one.
 */
import { canonicalizeWithout } from '../../protocol/json/canonical.js';
import type { Link } from '../../protocol/log/chain.js';
import { verifyKeyOf, verifySignature } from '../../protocol/ed25519/verify.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { parseJson } from '../../protocol/json/parse.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { parseTime } from '../../protocol/time.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { HeldKey } from '../keys/keyring.js';

/** A signed word on how far a log went at a moment, and on all before it through the hash. */
export interface LogCheckpoint {
  readonly type: 'log-checkpoint';
  readonly log_id: string;
  /** The newest entry then. */
  readonly seq: number;
  readonly hash: string;
  /** RFC 3339. */
  readonly time: string;
  /** Null in the mesh's countersignature. */
  readonly key_id: string | null;
  readonly public_key: string;
}

/** A signed word on entries that were removed: what they were, and the links on both sides. */
export interface PruningSummary {
  readonly type: 'log-pruning';
  readonly log_id: string;
  /** The link before the first entry removed, and the last entry removed. */
  readonly after: Link;
  readonly until: Link;
  readonly first_time: string;
  readonly last_time: string;
  readonly successful: number;
  readonly failed: number;
  readonly unattributed: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly agents: number;
  readonly time: string;
  readonly key_id: string;
  readonly public_key: string;
}

/** What may be signed about a log. */
export type LogStatement = LogCheckpoint | PruningSummary;

/** A statement with the JSON it was signed as; what it says is believed only after `isSignedBy`. */
export interface SignedStatement<S extends LogStatement = LogStatement> {
  readonly statement: S;
  readonly text: string;
}

/** Who signs statements: a principal's key, or this machine's own. */
export type StatementKey = Pick<HeldKey, 'keyId' | 'publicKey' | 'sign'>;

/** The statement's JSON text, signed: Ed25519 over its RFC 8785 bytes without `signature`. */
export async function signStatement<S extends LogStatement>(
  body: Omit<S, 'key_id' | 'public_key'>,
  key: StatementKey,
): Promise<string> {
  const unsigned = { ...body, key_id: key.keyId, public_key: formatPublicKey(key.publicKey) };
  const bytes = canonicalizeWithout(unsigned, 'signature');
  return JSON.stringify({ ...unsigned, signature: toHex(await key.sign(Buffer.from(bytes))) });
}

/** Reads a statement strictly. Throws JsonError or ShapeError; says nothing about its signature. */
export function readStatement(bytes: Uint8Array): SignedStatement {
  const value = parseJson(bytes);
  const type = isObject(value) ? value['type'] : undefined;
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (type === 'log-checkpoint') return { statement: checkpoint(value), text };
  if (type === 'log-pruning') return { statement: pruning(value), text };
  throw new ShapeError('it is neither a checkpoint nor a summary of pruning');
}

/** True when one of the keys signed it. The key that a statement names proves nothing by itself. */
export function isSignedBy({ statement, text }: SignedStatement, keys: readonly Uint8Array[]): boolean {
  const named = parsePublicKey(statement.public_key);
  if (named === null || !keys.some((key) => toHex(key) === toHex(named))) return false;
  const document = parseJson(Buffer.from(text)) as JsonObject;
  const signature = fromHex(document['signature'] as string);
  const key = verifyKeyOf(named);
  if (key === null || signature === null) return false;
  return verifySignature(key, Buffer.from(canonicalizeWithout(document, 'signature')), signature);
}

function checkpoint(value: Json): LogCheckpoint {
  const own = isObject(value) && value['mesh_public_key'] === undefined;
  const keys = own ? ['key_id', 'public_key'] : ['mesh_public_key'];
  const object = objectOf(value, 'the checkpoint', ['type', 'log_id', 'seq', 'hash', 'time', 'signature', ...keys]);
  const { type, log_id, time, key_id, signature } = object;
  const public_key = own ? object['public_key'] : object['mesh_public_key'];
  const link = linkOf({ seq: object['seq'], hash: object['hash'] } as JsonObject);
  const sound =
    isText(log_id) && isTime(time) && isText(public_key) && isSignature(signature) && (!own || isText(key_id));
  if (!sound || type !== 'log-checkpoint') throw new ShapeError('the checkpoint is not whole');
  return { type, log_id, ...link, time, key_id: own ? (key_id as string) : null, public_key };
}

const PRUNING = [
  ...['type', 'log_id', 'after', 'until', 'first_time', 'last_time', 'successful', 'failed', 'unattributed', 'codes'],
  ...['agents', 'time', 'key_id', 'public_key', 'signature'],
];

function pruning(value: Json): PruningSummary {
  const object = objectOf(value, 'the summary', PRUNING);
  const { log_id, time, first_time, last_time, key_id, public_key, signature, codes } = object;
  const counts = [object['successful'], object['failed'], object['unattributed'], object['agents']];
  const sound =
    isText(log_id) &&
    [time, first_time, last_time].every(isTime) &&
    isText(key_id) &&
    isText(public_key) &&
    isSignature(signature) &&
    counts.every(isCount) &&
    isObject(codes) &&
    Object.values(codes).every(isCount);
  if (!sound) throw new ShapeError('the summary is not whole');
  const links = { after: linkOf(object['after']), until: linkOf(object['until']) };
  return { ...(object as unknown as PruningSummary), ...links };
}

function linkOf(value: Json | undefined): Link {
  const { seq, hash } = objectOf(value, 'the link', ['seq', 'hash']);
  if (!isCount(seq) || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))
    throw new ShapeError('the link is not whole');
  return { seq, hash };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 300;
}

function isTime(value: Json | undefined): value is string {
  return typeof value === 'string' && parseTime(value) !== null;
}

function isSignature(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[0-9a-f]{128}$/.test(value);
}
