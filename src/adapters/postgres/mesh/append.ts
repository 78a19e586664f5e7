/** A batch of proposals judged by the facts of one moment, as what is to be written when those facts still hold. */
import type { PassportMark } from '../../../mesh/passports.js';
import { carryOutOnce, type OrderTables } from '../../../mesh/log/carry-out.js';
import type { Answer, EventRecord, Judge, Proposal } from '../../../mesh/ruling.js';
import type { Head } from '../../../mesh/log/head.js';
import type { OrderResult } from '../../../mesh/log/store.js';
import type { Standing, Status } from '../../../mesh/standing.js';

/** The row that every append locks. */
export interface MeshHeadRow {
  readonly version: number;
  readonly log_id: string;
  readonly term: number;
  readonly sealed_by: number | null;
  readonly mesh_key: string | null;
  readonly seq: number;
  readonly event_term: number;
  readonly hash: string;
  /** The hash of the event that was asked for; null where there is none. */
  readonly known?: string | null;
}

/** A standing as its table has it. */
export interface StandingRow {
  readonly subject: string;
  readonly status: string;
  readonly reason: string | null;
  readonly changed_at: number | string;
  readonly changed_by: string | null;
  readonly suspended_until: number | string | null;
  readonly version: number | string;
  readonly seq: number | string;
}

export interface MarkRow {
  readonly agent: string;
  readonly serial: number | string | null;
  readonly hash: string | null;
  readonly seq: number | string;
}

/** What a batch is judged by. */
export interface BatchFacts {
  readonly head: MeshHeadRow;
  readonly answers: Readonly<Record<string, readonly [digest: string, body: string]>>;
  readonly standings: readonly StandingRow[];
  readonly marks: readonly MarkRow[];
  readonly nonces: readonly string[];
}

/** What `append` is given. */
export interface Writes {
  readonly seq: number;
  readonly hash: string;
  readonly term: number;
  readonly nonces: readonly { readonly value: string; readonly keepUntil: number }[];
  readonly answers: readonly { readonly cmdId: string; readonly digest: string; readonly body: string }[];
  readonly events: readonly EventRecord[];
  readonly standings: readonly Standing[];
  readonly documents: readonly { readonly hash: string; readonly text: string }[];
  readonly marks: readonly PassportMark[];
}

export function headOf({ log_id, event_term, seq, hash }: MeshHeadRow): Head {
  return { logId: log_id, term: event_term, seq, hash };
}

export function standingOfRow(row: StandingRow): Standing {
  const { subject, status, reason, changed_by, suspended_until } = row;
  return {
    subject,
    status: status as Status,
    reason,
    changedAt: Number(row.changed_at),
    changedBy: changed_by,
    suspendedUntil: suspended_until === null ? null : Number(suspended_until),
    version: Number(row.version),
    seq: Number(row.seq),
  };
}

export function markFromRow({ agent, serial, hash, seq }: MarkRow): PassportMark {
  return { agent, serial: serial === null ? null : Number(serial), hash, seq: Number(seq) };
}

/** Judges the batch in order, each proposal after what those before it have changed. Null where nothing is to be written. */
export function planned(
  batch: readonly Proposal[],
  judge: Judge,
  facts: BatchFacts,
): { readonly outcomes: readonly OrderResult[]; readonly writes: Writes | null } {
  const { head } = facts;
  const standings = new Map(facts.standings.map((row) => [row.subject, standingOfRow(row)]));
  const marks = new Map(facts.marks.map((row) => [row.agent, markFromRow(row)]));
  const answers = new Map(Object.entries(facts.answers));
  const spent = new Set(facts.nonces);
  const nonces: Writes['nonces'][number][] = [];
  const events: EventRecord[] = [];
  const documents: Writes['documents'][number][] = [];
  const fresh: Writes['answers'][number][] = [];
  const [changed, marked] = [new Map<string, Standing>(), new Map<string, PassportMark>()];
  let at = headOf(head);
  const tables: OrderTables = {
    spend: (nonce) => {
      if (spent.has(nonce.value)) return false;
      spent.add(nonce.value);
      nonces.push(nonce);
      return true;
    },
    answered: (cmdId) => {
      const earlier = answers.get(cmdId);
      return earlier === undefined ? null : (JSON.parse(earlier[1]) as Answer);
    },
    judged: (proposal) => {
      const { subject } = proposal.command;
      return judge(proposal, at, head.term, standings.get(subject) ?? null, marks.get(subject) ?? null);
    },
    keep: (ruling) => {
      const { cmdId, digest } = ruling.answer;
      const body = JSON.stringify(ruling.answer);
      answers.set(cmdId, [digest, body]);
      fresh.push({ cmdId, digest, body });
      if (ruling.kind === 'same') return;
      const { record, standing, passport } = ruling;
      events.push(record);
      at = { logId: at.logId, term: record.term, seq: record.seq, hash: record.hash };
      if (standing !== null) {
        standings.set(standing.subject, standing);
        changed.set(standing.subject, standing);
      }
      if (passport === null) return;
      const { mark, document } = passport;
      marks.set(mark.agent, mark);
      marked.set(mark.agent, mark);
      if (document !== null && mark.hash !== null) documents.push({ hash: mark.hash, text: document });
    },
  };
  const outcomes = batch.map((proposal) => carryOutOnce(proposal, tables));
  const nothing = events.length + fresh.length + nonces.length === 0;
  const { seq, hash, term } = head;
  const lists = { nonces, answers: fresh, events, documents };
  const folds = { standings: [...changed.values()], marks: [...marked.values()] };
  return { outcomes, writes: nothing ? null : { seq, hash, term, ...lists, ...folds } };
}
