/** What a follower is told and what it asks for. The adapter that owns sockets and timers carries it out. */
import type { MeshEvent } from '../log/event.js';
import type { Checkpoint } from '../log/checkpoint.js';
import type { Head } from '../log/head.js';
import type { SignatureCheck } from '../log/signing.js';
import type { Frame } from '../../protocol/framing/sse.js';
import type { PassportMark } from '../passports.js';
import type { Standing, Status } from '../standing.js';
import type { KeptDeny } from './copy.js';

/** Every input names the connection it belongs to; those of a connection that was given up are ignored. */
export type FollowInput =
  | { readonly type: 'start' }
  /** The server has answered with a stream. */
  | { readonly type: 'opened'; readonly conn: number }
  | { readonly type: 'frames'; readonly conn: number; readonly frames: readonly Frame[] }
  /** Bytes without a whole frame: the connection lives. */
  | { readonly type: 'noise'; readonly conn: number }
  | { readonly type: 'polled'; readonly conn: number; readonly body: string }
  | { readonly type: 'snapshot'; readonly conn: number; readonly body: string }
  /** The connection failed or ended. `status` is the HTTP status when there was an answer. */
  | { readonly type: 'ended'; readonly conn: number; readonly reason: string; readonly status: number | null }
  /** Another process has kept something else: it is taken up; null when nothing is whole. */
  | { readonly type: 'moved'; readonly copy: Kept | null }
  | { readonly type: 'tick' };

/** A copy as it was kept. */
export interface Kept {
  readonly position: Head;
  readonly standings: Iterable<Standing>;
  readonly kept: readonly KeptDeny[];
  /** False of a copy that an earlier version made, which was told of no passport: a snapshot is fetched first. */
  readonly knowsPassports: boolean;
}

/** How events arrive. */
export type Mode = 'stream' | 'poll';
/** How current a copy is. */
export type FollowState = 'syncing' | 'live' | 'stale' | 'expired';
/** What a client warns of. */
export type AlarmKind = 'fork' | 'forged' | 'malformed' | 'gap' | 'unauthorized' | 'refused';

/** What the state machine wants done. */
export type Effect =
  | {
      readonly type: 'open-stream';
      readonly conn: number;
      readonly endpoint: number;
      readonly after: string;
      readonly challenge: string;
      /** What this client knows of the highest term. */
      readonly proof: Checkpoint | null;
    }
  | {
      readonly type: 'poll';
      readonly conn: number;
      readonly endpoint: number;
      readonly after: string;
      readonly waitMs: number;
      /** What was applied. */
      readonly position: Head;
      readonly challenge: string;
      /** What this client knows of the highest term. */
      readonly proof: Checkpoint | null;
    }
  | { readonly type: 'fetch-snapshot'; readonly conn: number; readonly endpoint: number }
  /** Drop the connection. */
  | { readonly type: 'close' }
  | {
      readonly type: 'confirm';
      readonly conn: number;
      readonly endpoint: number;
      readonly stream: string;
      /** What was applied. */
      readonly position: Head;
      /** What the last drill asks every verifier to repeat; null when none did. */
      readonly challenge: string | null;
    }
  /** Keep these changes of the copy, all or none. */
  | {
      readonly type: 'keep';
      /** What was kept before. */
      readonly from: Head | null;
      readonly keptBefore: readonly KeptDeny[];
      readonly position: Head;
      /** True: these are all standings, others are gone. */
      readonly whole: boolean;
      readonly standings: readonly Standing[];
      /** Passports that the events, or the whole snapshot, put in force. */
      readonly passports: readonly PassportMark[];
      /** False where the mesh could tell of none, being of the first version. */
      readonly tellsPassports: boolean;
      /** The events that were applied, in order; none of a snapshot. */
      readonly events: readonly MeshEvent[];
      readonly kept: readonly KeptDeny[];
    }
  /** Keep that the copy was proven current at this time, in ms since the epoch. */
  | {
      readonly type: 'proven';
      readonly wall: number;
      readonly position: Head;
      /** How far this machine's clock is ahead of the mesh's, in ms; null where it is not known. */
      readonly aheadMs: number | null;
    }
  | { readonly type: 'alarm'; readonly kind: AlarmKind; readonly message: string }
  | { readonly type: 'state'; readonly from: FollowState; readonly to: FollowState; readonly endpoint: number }
  | { readonly type: 'waiting'; readonly reason: string; readonly ms: number };

/** How an agent stands as far as a copy of the mesh knows, and how current that is. */
export interface KnownStanding {
  /** `unknown` while there never was a copy. */
  readonly status: Status | 'unknown';
  /** What denies, when something does. */
  readonly denial: Standing | null;
  readonly state: FollowState;
  readonly ageMs: number | null;
}

/** What a follower is made with. */
export interface FollowerOptions {
  /** How many endpoints there are; they are tried in order. */
  readonly endpoints: number;
  /** Whether a signature is the mesh's, by its pinned key. */
  readonly check: SignatureCheck;
  /** In [0, 1), for the spread of reconnections. */
  readonly random: () => number;
  /** 32 random hex digits, another each time. */
  readonly challenge: () => string;
  /** How old the last proof may be, in ms, before the copy is `expired`. */
  readonly maxAgeMs: number;
  /** Whether the server is told what was applied. */
  readonly confirms: boolean;
  /** Asks by polls only, from the start: for one question, not for following. */
  readonly polls?: boolean;
}
