/** What a command does to the log: decided from the head and the subject's standing inside the transaction that writes it. */
import { formatTime } from '../protocol/time.js';
import type { Action, Command } from './command.js';
import { sealEvent, type EventFields, type EventType, type OperatorMark } from './log/event.js';
import { formatEventId, type Head } from './log/head.js';
import { succession, type PassportCommand, type PassportMark } from './passports.js';
import { refusal, type MeshRefusal } from './refusal.js';
import type { Signer } from './log/signing.js';
import { nextStanding, statusAt, type Standing, type Status } from './standing.js';
import { scopeOf } from './subject.js';

/** A command with what the store needs to carry it out exactly once. */
export interface Proposal {
  readonly command: Command | PassportCommand;
  readonly digest: string;
  readonly operator: OperatorMark;
  /** The nonce of the operator's signature; spent in the same transaction. */
  readonly nonce: { readonly value: string; readonly keepUntil: number } | null;
}

/** What an operator is told; kept under the `cmd_id`, so that asking again gives the same answer. */
export interface Answer {
  readonly cmdId: string;
  readonly digest: string;
  readonly action: Action | PassportCommand['action'];
  readonly subject: string;
  /** The id by which the key was named that is stopped by its text. */
  readonly keyId?: string;
  readonly status: Status;
  readonly seq: number;
  readonly eventId: string;
  readonly version: number;
  /** False when the subject was in that state already. */
  readonly changed: boolean;
  readonly reason: string | null;
  /** RFC 3339. */
  readonly time: string;
}

/** An event as the log keeps it. */
export interface EventRecord {
  readonly seq: number;
  readonly term: number;
  readonly hash: string;
  /** The canonical text. */
  readonly text: string;
}

/** What the log makes of an order: the event to write, if it changes something, and the answer. */
export type Ruling =
  | {
      readonly kind: 'append';
      readonly record: EventRecord;
      /** What the event makes of its subject; null where it leaves it as it is. */
      readonly standing: Standing | null;
      /** The passport that is in force from then on, with its document; null of other events. */
      readonly passport: { readonly mark: PassportMark; readonly document: string | null } | null;
      readonly answer: Answer;
    }
  /** Nothing is written: it is so already. */
  | { readonly kind: 'same'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly refusal: MeshRefusal };

/**
 * Decides one proposal. Stores call it between reading the head and writing, in one transaction. `term`: the history that is written to at
 * that moment, which is that of the head or a later one.
 */
export type Judge = (
  proposal: Proposal,
  head: Head,
  term: number,
  standing: Standing | null,
  passport: PassportMark | null,
) => Ruling;

const TYPE_OF: Readonly<Record<Action, EventType>> = {
  revoke: 'revocation',
  suspend: 'suspension',
  reinstate: 'reinstatement',
};

/** The judge of a server: `now` is the time of the batch. */
export function judgeWith(now: number, sign: Signer): Judge {
  return (proposal, head, term, standing, passport) => {
    const { command, digest, operator } = proposal;
    if ('document' in command) return rulePassport(command, proposal, head, { term, now, sign, standing, passport });
    const { action, subject } = command;
    if (command.logId !== null && command.logId !== head.logId) {
      return refused(refusal('WRONG_MESH', 'The command is meant for another mesh.', { log_id: head.logId }));
    }
    if (command.expiresAt !== null && now > command.expiresAt) {
      return refused(refusal('COMMAND_EXPIRED', 'The command arrived after it expired.'));
    }
    const time = formatTime(now);
    const before = statusAt(standing, now);
    const version = standing?.version ?? 0;
    const named = command.keyId === undefined ? {} : { keyId: command.keyId };
    const answer = { cmdId: command.cmdId, digest, action, subject, ...named, reason: command.reason, time };
    // A reinstatement of an active subject is written like any other: a verifier may still hold a deny of a lost history.
    if (action === 'reinstate' && command.version !== null && command.version !== version) {
      const message = `${subject} is at version ${version} now, not ${command.version}: look again before reinstating.`;
      return refused(refusal('VERSION_CONFLICT', message, { version, status: before }));
    }
    const until = command.durationMs === null ? null : now + command.durationMs;
    const fields: EventFields = {
      type: TYPE_OF[action],
      agent_id: subject,
      reason: command.reason,
      revoked_by: command.by,
      scope: scopeOf(subject)!,
      suspended_until: until === null ? null : formatTime(Math.max(until, laterEnd(standing))),
      version: version + 1,
      cmd_id: command.cmdId,
      operator,
      ...(command.keyId === undefined ? {} : { key_id: command.keyId }),
    };
    const sealed = sealEvent(head, term, fields, time, sign);
    if (sealed === null)
      return refused(refusal('TOO_LARGE', 'The event would be larger than 4 KiB: shorten the reason.'));
    const { event, text } = sealed;
    const next = nextStanding(standing, event);
    return {
      kind: 'append',
      record: { seq: event.seq, term, hash: event.hash, text },
      standing: next,
      passport: null,
      answer: {
        ...answer,
        status: next.status,
        seq: event.seq,
        eventId: event.id,
        version: next.version,
        changed: before !== next.status,
      },
    };
  };
}

function rulePassport(
  command: PassportCommand,
  { digest, operator }: Proposal,
  head: Head,
  at: {
    readonly term: number;
    readonly now: number;
    readonly sign: Signer;
    readonly standing: Standing | null;
    readonly passport: PassportMark | null;
  },
): Ruling {
  const follows = succession(command, at.passport);
  if (follows !== null && follows !== 'same') return refused(follows);
  const { cmdId, action, subject, serial, hash, by } = command;
  const time = formatTime(at.now);
  const version = at.standing?.version ?? 0;
  const answer = { cmdId, digest, action, subject, reason: null, time, status: statusAt(at.standing, at.now), version };
  if (follows === 'same') {
    const seq = at.passport?.seq ?? head.seq;
    return {
      kind: 'same',
      answer: { ...answer, seq, eventId: formatEventId(head.logId, head.term, seq), changed: false },
    };
  }
  const fields: EventFields = {
    type: 'passport',
    agent_id: subject,
    reason: null,
    revoked_by: by,
    scope: scopeOf(subject)!,
    suspended_until: null,
    // Of the passport, not of the standing: it is no version that a reinstatement could name.
    version: Math.max(1, serial ?? 1),
    cmd_id: cmdId,
    operator,
    serial,
    passport_hash: hash,
  };
  const sealed = sealEvent(head, at.term, fields, time, at.sign);
  if (sealed === null) return refused(refusal('TOO_LARGE', 'The event would be larger than 4 KiB.'));
  const { event, text } = sealed;
  return {
    kind: 'append',
    record: { seq: event.seq, term: at.term, hash: event.hash, text },
    standing: null,
    passport: { mark: { agent: subject, serial, hash, seq: event.seq }, document: command.document },
    answer: { ...answer, seq: event.seq, eventId: event.id, changed: true },
  };
}

function laterEnd(standing: Standing | null): number {
  return standing?.status === 'suspended' ? (standing.suspendedUntil ?? 0) : 0;
}

function refused(why: MeshRefusal): Ruling {
  return { kind: 'refused', refusal: why };
}
