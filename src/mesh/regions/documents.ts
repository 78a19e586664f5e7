/** What home tells a following server, written by one side and read strictly by the other. */
import { parseJsonText } from '../../protocol/json/parse.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { sha256Hex } from '../../protocol/hash.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { ApiKeyRecord } from '../access/api-key.js';
import { isRole } from '../access/roles.js';
import { readCheckpoint, type Checkpoint } from '../log/checkpoint.js';
import { readEvent } from '../log/event.js';
import type { RegisteredKey } from '../passports.js';
import type { Answer } from '../ruling.js';
import type { Copied } from './adoption.js';

/** A page of home's log for a region. */
export interface LogPage {
  readonly copied: readonly Copied[];
  readonly checkpoint: Checkpoint | null;
  /** The checkpoint as home signed it, canonical; what the region serves. */
  readonly proof: string | null;
  readonly reset: string | null;
  /** Digest of the tables that go with the log: another one means that they are to be fetched. */
  readonly tables: string;
}

/** What a region needs beside the log: who is let in, and whose passports are taken. */
export interface Tables {
  readonly keys: readonly ApiKeyRecord[];
  readonly principals: readonly RegisteredKey[];
}

/** Names the content of the tables. */
export function tablesDigest({ keys, principals }: Tables): string {
  return sha256Hex(canonicalize({ keys, principals } as unknown as JsonObject));
}

/** Reads a page. @throws JsonError, ShapeError */
export function readLogPage(text: string): LogPage {
  // Home is upgraded first: what a later version adds is left alone.
  const page = asObject(parseJsonText(text));
  if (!Array.isArray(page.events) || !Array.isArray(page.answers)) throw new ShapeError('the page has no events');
  const answers = new Map((page.answers as readonly Json[]).map(readAnswer).map((answer) => [answer.cmdId, answer]));
  const documents = asObject(page.documents);
  const copied = (page.events as readonly Json[]).map((value): Copied => {
    const event = readEvent(value);
    const document = event.passport_hash == null ? undefined : documents[event.passport_hash];
    return {
      event,
      text: canonicalize(value as JsonObject),
      answer: answers.get(event.cmd_id) ?? null,
      document: typeof document === 'string' ? document : null,
    };
  });
  const reset = page.reset === null ? null : asObject(page.reset).reason;
  if (reset !== null && typeof reset !== 'string') throw new ShapeError('the reset has no reason');
  if (typeof page.tables !== 'string') throw new ShapeError('the page does not name its tables');
  const proof = page.checkpoint === null ? null : readCheckpoint(page.checkpoint);
  return {
    copied,
    checkpoint: proof,
    proof: proof === null ? null : JSON.stringify(page.checkpoint),
    reset,
    tables: page.tables,
  };
}

/** Reads the tables. @throws JsonError, ShapeError */
export function readTables(text: string): Tables {
  const { keys, principals } = asObject(parseJsonText(text));
  if (!Array.isArray(keys) || !Array.isArray(principals)) throw new ShapeError('the tables are not whole');
  return { keys: (keys as Json[]).map(readKey), principals: (principals as Json[]).map(readPrincipal) };
}

function readKey(value: Json): ApiKeyRecord {
  const key = asObject(value);
  const { keyId, role, hash, label, publicKey, createdAt, revokedAt } = key;
  const sound =
    typeof keyId === 'string' &&
    typeof role === 'string' &&
    isRole(role) &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    textOrNull(label) &&
    textOrNull(publicKey) &&
    typeof createdAt === 'number' &&
    (revokedAt === null || typeof revokedAt === 'number');
  if (!sound) throw new ShapeError('a key of the tables is not whole');
  return key as unknown as ApiKeyRecord;
}

function readPrincipal(value: Json): RegisteredKey {
  const key = asObject(value);
  const { did, publicKey, addedAt, addedBy } = key;
  const sound = [did, publicKey, addedBy].every((each) => typeof each === 'string') && typeof addedAt === 'number';
  if (!sound) throw new ShapeError('a principal of the tables is not whole');
  return key as unknown as RegisteredKey;
}

/** Reads what a command was answered. @throws ShapeError */
function readAnswer(value: Json): Answer {
  const answer = asObject(value);
  const { seq, version, changed, reason, status } = answer;
  const texts = [answer.cmdId, answer.digest, answer.action, answer.subject, answer.eventId, answer.time];
  const sound =
    texts.every((each) => typeof each === 'string') &&
    (status === 'active' || status === 'suspended' || status === 'revoked') &&
    typeof seq === 'number' &&
    typeof version === 'number' &&
    typeof changed === 'boolean' &&
    textOrNull(reason);
  if (!sound) throw new ShapeError('an answer is not whole');
  return answer as unknown as Answer;
}

function textOrNull(value: Json | undefined): boolean {
  return value === null || typeof value === 'string';
}

function asObject(value: Json | undefined): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ShapeError('it is no object');
  return value as JsonObject;
}
