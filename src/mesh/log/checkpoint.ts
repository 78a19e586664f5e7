/** The mesh's signed word on how far its log goes: the heartbeat, and the proof that a client's copy is current. */
import { parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { parseTime } from '../../protocol/time.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { isHash, isLogId, type Head } from './head.js';
import { SIGNATURE_HEX } from './signing.js';
import { schemaMembers } from '../schemas.js';

/** The head of the log, signed with the time at which it was known to be current. */
export interface Checkpoint {
  readonly type: 'checkpoint';
  readonly log_id: string;
  readonly term: number;
  /** seq of the last event; 0 while there is none. */
  readonly head: number;
  readonly hash: string;
  /** RFC 3339, by the server's clock. */
  readonly time: string;
  /**
   * Milliseconds since that server started, by a clock that never jumps. Two of them tell a client how much later the second
   * was made, so that a proxy which delays everything cannot pass old proofs for new ones.
   */
  readonly up_ms: number;
  /** Names the server process: `up_ms` of two processes say nothing together. */
  readonly boot: string;
  /** What the request asked to see repeated, so that an old answer cannot stand in for a new one; null in heartbeats. */
  readonly challenge: string | null;
  readonly signature: string;
}

const MEMBERS = schemaMembers('Checkpoint');

/** A moment by both clocks of the server. */
export interface ServerMoment {
  /** RFC 3339. */
  readonly time: string;
  readonly upMs: number;
  readonly boot: string;
}

/** What is signed of the head. */
export function unsignedCheckpoint(head: Head, at: ServerMoment, challenge: string | null) {
  return {
    type: 'checkpoint',
    log_id: head.logId,
    term: head.term,
    head: head.seq,
    hash: head.hash,
    time: at.time,
    up_ms: at.upMs,
    boot: at.boot,
    challenge,
  } as const;
}

/** The checkpoint in `text`. Throws JsonError or ShapeError; says nothing about its signature. */
export function parseCheckpoint(text: string): Checkpoint {
  return readCheckpoint(parseJsonText(text));
}

/** Reads a checkpoint; its signature is a separate question. @throws ShapeError */
export function readCheckpoint(value: Json | undefined): Checkpoint {
  const object: JsonObject = objectOf(value, 'the checkpoint', ...MEMBERS);
  const { type, log_id, term, head, hash, time, up_ms, boot, challenge, signature } = object;
  const whole = (n: Json | undefined): boolean => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;
  const sound =
    type === 'checkpoint' &&
    typeof log_id === 'string' &&
    isLogId(log_id) &&
    whole(term) &&
    whole(head) &&
    whole(up_ms) &&
    typeof boot === 'string' &&
    (challenge === null || typeof challenge === 'string') &&
    typeof hash === 'string' &&
    isHash(hash) &&
    typeof time === 'string' &&
    parseTime(time) !== null &&
    typeof signature === 'string' &&
    SIGNATURE_HEX.test(signature);
  if (!sound) throw new ShapeError('the checkpoint is not whole');
  return object as unknown as Checkpoint;
}
