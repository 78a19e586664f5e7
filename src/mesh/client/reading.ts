/** What a server says, read strictly. Everything here throws JsonError or ShapeError on what is not whole. */
import { parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { documentOf } from '../document.js';
import { schemaMembers } from '../schemas.js';
import { readCheckpoint, type Checkpoint } from '../log/checkpoint.js';
import { hashOf, readEvent, type MeshEvent } from '../log/event.js';
import { isCanary } from '../subject.js';
import { signatureHolds, type SignatureCheck } from '../log/signing.js';

/** Longest spread that a server may ask for before clients come back, in ms. */
const MAX_SPREAD_MS = 60_000;

/** The first frame of a stream. */
export interface Greeting {
  /** The id under which applied events are confirmed. */
  readonly stream: string;
  /** Null from a server that cannot prove anything now. */
  readonly checkpoint: Checkpoint | null;
}

/** Reads the greeting. @throws JsonError, ShapeError */
export function readGreeting(text: string): Greeting {
  const { stream, checkpoint } = objectOf(parseJsonText(text), 'the greeting', ['stream', 'checkpoint']);
  if (typeof stream !== 'string') throw new ShapeError('the stream has no id');
  return { stream, checkpoint: checkpoint === null ? null : readCheckpoint(checkpoint) };
}

/** Over how many ms clients come back after a goodbye. */
export function readSpread(text: string): number {
  const { spread_ms } = objectOf(parseJsonText(text), 'the goodbye', ['spread_ms']);
  return typeof spread_ms === 'number' ? Math.min(MAX_SPREAD_MS, Math.max(0, spread_ms)) : 0;
}

/** The answer to a long poll. */
export interface PollAnswer {
  /** True: the place asked for is gone, a snapshot is needed. */
  readonly reset: boolean;
  readonly events: readonly MeshEvent[];
  readonly checkpoint: Checkpoint | null;
  /** The server's `up` clock when it received the request. */
  readonly receivedUpMs: number | null;
}

/** Reads the answer to a long poll. @throws JsonError, ShapeError */
export function readPollAnswer(text: string): PollAnswer {
  const answer = documentOf('Events', objectOf(parseJsonText(text), 'the answer', ...schemaMembers('Events')));
  return {
    reset: answer.reset !== null,
    events: answer.events.map(readEvent),
    checkpoint: answer.checkpoint === null ? null : readCheckpoint(answer.checkpoint),
    receivedUpMs: answer.received_up_ms,
  };
}

/** True when the event is what its hash says and the mesh signed it. */
export function isGenuine(event: MeshEvent, check: SignatureCheck): boolean {
  return hashOf(event) === event.hash && signatureHolds(event as unknown as JsonObject, check);
}

const DRILL = /^drill ([0-9a-f]{32,128})$/;

/** What a drill asks every verifier to repeat: it travels as the reason of the canary's revocation. */
export function challengeIn({ agent_id, reason }: MeshEvent): string | null {
  return isCanary(agent_id) ? (DRILL.exec(reason ?? '')?.[1] ?? null) : null;
}
