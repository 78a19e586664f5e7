/** Commands as they arrive, parsed once into a form that cannot be half valid. */
import { canonicalize } from '../protocol/json/canonical.js';
import { objectOf, ShapeError } from '../protocol/json/shape.js';
import { parseTime } from '../protocol/time.js';
import type { Json, JsonObject } from '../protocol/json/values.js';
import { sha256Hex } from '../protocol/hash.js';
import { isLogId } from './log/head.js';
import { MAX_ACTOR, MAX_REASON, MAX_SUSPENSION_MS } from './limits.js';
import type { Role } from './access/roles.js';
import { schemaMembers } from './schemas.js';
import { canonicalSubject, isNamedKey, orderSubject, scopeOf } from './subject.js';

/** What can be ordered. */
export type Action = 'revoke' | 'suspend' | 'reinstate';

/** The least role that may give a command. */
export const NEEDED_ROLE: Readonly<Record<Action, Role>> = {
  revoke: 'operator',
  suspend: 'operator',
  reinstate: 'admin',
};

/** An order, read and bounded. */
export interface Command {
  /** Chosen by who gives it: the same id twice is one command. */
  readonly cmdId: string;
  readonly action: Action;
  readonly subject: string;
  readonly reason: string | null;
  readonly by: string | null;
  /** Where the subject is the id of a key: its text, as far as the one who gives the order knows it. */
  readonly keyText?: string | null;
  /** Where a key was named by its id and is stopped by its text: the id. */
  readonly keyId?: string;
  /** Only of `suspend`. */
  readonly durationMs: number | null;
  /** Only of `reinstate`: the version it undoes; null undoes whatever stands. */
  readonly version: number | null;
  /** The log it is meant for; null means any. */
  readonly logId: string | null;
  /** ms since the epoch after which it must not be carried out; null means never. */
  readonly expiresAt: number | null;
}

const CMD_ID = /^[A-Za-z0-9_-]{8,64}$/;
// Control characters, line separators and bidirectional overrides can make a terminal or a page show another text.
// eslint-disable-next-line no-control-regex
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** The command in a native request. Throws ShapeError. */
export function readCommand(value: Json): Command {
  const object = objectOf(value, 'the command', ...schemaMembers('Command'));
  const { cmd_id, action, expires_at, log_id, version, duration_seconds } = object;
  if (typeof cmd_id !== 'string' || !CMD_ID.test(cmd_id)) {
    throw new ShapeError('"cmd_id" is not 8 to 64 letters, digits, "-" or "_"');
  }
  if (action !== 'revoke' && action !== 'suspend' && action !== 'reinstate') {
    throw new ShapeError('"action" is not revoke, suspend or reinstate');
  }
  const expiresAt = typeof expires_at === 'string' ? parseTime(expires_at) : null;
  if (expires_at !== undefined && expiresAt === null) throw new ShapeError('"expires_at" is not an RFC 3339 time');
  if (log_id !== undefined && (typeof log_id !== 'string' || !isLogId(log_id))) {
    throw new ShapeError('"log_id" is not a log id');
  }
  if (action !== 'reinstate' && version !== undefined) throw new ShapeError('only a reinstatement names a "version"');
  if (action === 'reinstate' && (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0)) {
    throw new ShapeError('a reinstatement names the "version" it undoes');
  }
  if ((action === 'suspend') !== (duration_seconds !== undefined)) {
    throw new ShapeError('a suspension, and nothing else, has "duration_seconds"');
  }
  return {
    cmdId: cmd_id,
    action,
    subject: subjectOf(object),
    reason: reasonOf(object, action !== 'reinstate'),
    by: showable(object, 'revoked_by', MAX_ACTOR),
    keyText: keyTextIn(object),
    durationMs: action === 'suspend' ? durationOf(duration_seconds) : null,
    version: action === 'reinstate' ? (version as number) : null,
    logId: log_id ?? null,
    expiresAt,
  };
}

const REFERENCE_MEMBERS: Readonly<Record<Action, readonly string[]>> = {
  revoke: ['reason', 'scope', 'revoked_by'],
  suspend: ['duration_seconds', 'reason', 'revoked_by'],
  reinstate: ['reason', 'revoked_by'],
};

/** The command in a request of the reference's client, which names no `cmd_id` and no version. Throws ShapeError. */
export function readReferenceCommand(action: Action, value: Json, cmdId: string): Command {
  const object = objectOf(value, 'the command', ['agent_id'], REFERENCE_MEMBERS[action]);
  const { scope } = object;
  if (scope != null && (typeof scope !== 'string' || scope.length > 64))
    throw new ShapeError('"scope" is not a short text');
  return {
    cmdId,
    action,
    subject: subjectOf(object),
    reason: reasonOf(object, false),
    by: showable(object, 'revoked_by', MAX_ACTOR),
    durationMs: action === 'suspend' ? durationOf(object.duration_seconds) : null,
    version: null,
    logId: null,
    expiresAt: null,
  };
}

/** The request body of a command. */
export function writeCommand(command: Command): JsonObject {
  const { cmdId, action, subject, reason, by, durationMs, version, logId, keyText = null } = command;
  return {
    cmd_id: cmdId,
    action,
    agent_id: subject,
    ...(reason === null ? {} : { reason }),
    ...(by === null ? {} : { revoked_by: by }),
    ...(keyText === null ? {} : { key_text: keyText }),
    ...(durationMs === null ? {} : { duration_seconds: durationMs / 1000 }),
    ...(version === null ? {} : { version }),
    ...(logId === null ? {} : { log_id: logId }),
  };
}

/** Tells two commands apart that claim the same `cmd_id`. */
export function commandDigest(command: Command): string {
  const { action, subject, reason, by, durationMs, version } = command;
  return sha256Hex(canonicalize({ action, subject, reason, by, durationMs, version }));
}

function subjectOf(object: JsonObject): string {
  const { agent_id } = object;
  const subject = typeof agent_id === 'string' ? orderSubject(agent_id) : null;
  if (subject === null) throw new ShapeError('"agent_id" is not an agent, a principal, a key or "*"');
  return subject;
}

function keyTextIn({ agent_id, key_text }: JsonObject): string | null {
  if (key_text === undefined) return null;
  const named = typeof agent_id === 'string' ? canonicalSubject(agent_id) : null;
  if (named === null || !isNamedKey(named)) throw new ShapeError('"key_text" belongs to the id of a key');
  const text = typeof key_text === 'string' ? canonicalSubject(key_text) : null;
  if (text === null || scopeOf(text) !== 'key' || isNamedKey(text))
    throw new ShapeError('"key_text" is not a public key');
  return text;
}

function reasonOf(object: JsonObject, needed: boolean): string | null {
  const reason = showable(object, 'reason', MAX_REASON);
  if (reason === null && needed)
    throw new ShapeError('"reason" is missing: those who find the agent stopped must learn why');
  return reason;
}

function showable(object: JsonObject, name: string, max: number): string | null {
  const value = object[name];
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string' || value.length > max)
    throw new ShapeError(`"${name}" is not a text of up to ${max} characters`);
  if (UNSHOWABLE.test(value)) throw new ShapeError(`"${name}" holds control characters`);
  return value;
}

function durationOf(seconds: Json | undefined): number {
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 1) {
    throw new ShapeError('"duration_seconds" is not a whole number of seconds');
  }
  if (seconds * 1000 > MAX_SUSPENSION_MS) throw new ShapeError('a suspension lasts 366 days at most; revoke instead');
  return seconds * 1000;
}
