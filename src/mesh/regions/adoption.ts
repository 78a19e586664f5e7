/** A following server takes over what home has written: the same events byte for byte, under the same answers. */
import { formatEventId, type Head } from '../log/head.js';
import type { MeshEvent } from '../log/event.js';
import { commandDigest, type Command } from '../command.js';
import { markOf } from '../passports.js';
import type { Answer, Judge, Proposal } from '../ruling.js';
import { parseTime } from '../../protocol/time.js';
import { nextStanding } from '../standing.js';

/** An event of home with what home keeps beside it. */
export interface Copied {
  readonly event: MeshEvent;
  /** The canonical text. */
  readonly text: string;
  /** What its command was answered; null where home does not have it any more. */
  readonly answer: Answer | null;
  /** The passport that it put in force, canonical; null of other events. */
  readonly document: string | null;
}

/** Why events cannot follow the head of a copy; null when they do. Signatures are a separate question. */
export function breakAfter(head: Head, events: readonly MeshEvent[]): string | null {
  let { seq, term, hash } = head;
  for (const event of events) {
    if (event.log_id !== head.logId) return `event ${event.seq} is of another log`;
    if (event.seq !== seq + 1) return `event ${event.seq} came after ${seq}`;
    if (event.prev_hash !== hash) return `event ${event.seq} does not follow the one that is held`;
    if (event.term < term) return `event ${event.seq} is of an earlier term`;
    ({ seq, term, hash } = event);
  }
  return null;
}

/** What has a store write the events as they are: proposals whose judge knows the outcome. */
export function adoption(copied: readonly Copied[]): { readonly batch: readonly Proposal[]; readonly judge: Judge } {
  const outcomes = new Map<Proposal, Copied>();
  const batch = copied.map((each) => {
    const answer = each.answer ?? answerTo(each.event);
    const proposal: Proposal = {
      command: commandOf(each.event),
      digest: answer.digest,
      operator: each.event.operator,
      nonce: null,
    };
    outcomes.set(proposal, { ...each, answer });
    return proposal;
  });
  const judge: Judge = (proposal, head, _term, standing) => {
    const { event, text, answer, document } = outcomes.get(proposal)!;
    const broken = breakAfter(head, [event]);
    if (broken !== null) throw new Error(`the copy of the log breaks: ${broken}`);
    const mark = markOf(event);
    return {
      kind: 'append',
      record: { seq: event.seq, term: event.term, hash: event.hash, text },
      standing: mark === null ? nextStanding(standing, event) : null,
      passport: mark === null ? null : { mark, document },
      answer: answer!,
    };
  };
  return { batch, judge };
}

/** The command that an event came from, as far as the event tells it. */
export function commandOf(event: MeshEvent): Command {
  const { type, agent_id, cmd_id, reason, revoked_by, suspended_until, time, version } = event;
  const until = suspended_until === null ? null : (parseTime(suspended_until) ?? 0) - (parseTime(time) ?? 0);
  return {
    cmdId: cmd_id,
    action: type === 'reinstatement' ? 'reinstate' : type === 'suspension' ? 'suspend' : 'revoke',
    subject: agent_id,
    reason,
    by: revoked_by,
    durationMs: until === null ? null : Math.max(1_000, Math.ceil(until / 1000) * 1000),
    version: type === 'reinstatement' ? version - 1 : null,
    logId: null,
    expiresAt: null,
  };
}

function answerTo(event: MeshEvent): Answer {
  const command = commandOf(event);
  const { term, seq, version, reason, time, type } = event;
  return {
    cmdId: command.cmdId,
    digest: commandDigest(command),
    action: command.action,
    subject: command.subject,
    status: type === 'reinstatement' ? 'active' : type === 'suspension' ? 'suspended' : 'revoked',
    seq,
    eventId: formatEventId(event.log_id, term, seq),
    version,
    changed: true,
    reason,
    time,
  };
}
