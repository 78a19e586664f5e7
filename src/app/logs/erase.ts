/**
 * Takes a value out of the log for good, with all that confirms a guess of it. What stands in the chain and in the tree is a commitment with a salt of
 * its own, so value and salt can go and every proof still holds; a signed entry says that it was done.
 */
import type { JsonObject } from '../../protocol/json/values.js';
import type { Entry, ErasureDraft, LogRecord } from '../../protocol/log/entry.js';
import { decisionWithout, outcomeWithout, slotsTo } from '../../protocol/log/erased.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import { Failure } from '../failure.js';
import type { LogArchive, ProvableLog } from '../ports/log.js';
import type { State } from '../ports/state.js';
import type { NoteSigner } from '../proof/checkpoint.js';
import { erasureText } from './erasures.js';

/** What is to be erased: a param of an agent's entries, or of one entry, or all params of one entry. */
export type ErasureWish =
  | {
      readonly agentId: string;
      readonly param: string;
      /** Exclusive, ms since the epoch; null for all. */ readonly before: number | null;
    }
  | { readonly entry: number; readonly param: string | null };

/** What erasing changes. */
export interface ErasurePlan {
  readonly wish: ErasureWish;
  /** The decisions, ascending. */
  readonly entries: readonly number[];
  /** Entries that hold the value and cannot give it up: the first version hashed it as it is. */
  readonly fixed: readonly number[];
}

/** What was done. */
export interface ErasureReport {
  readonly entries: number;
  readonly requests: number;
  /** False where another process still reads what was written before, so that it holds the values until that one ends. */
  readonly emptied: boolean;
}

/** The log, as it is erased from. */
export type ErasableLog = Pick<State, 'records'> &
  Pick<ProvableLog, 'outcomesOf' | 'decision'> & { readonly archive: LogArchive };

/** Entries of one statement. */
const AT_ONCE = 500;

/** Which entries hold it. Fails with NOT_FOUND where a named entry is no verification. */
export function planErasure(log: ErasableLog, wish: ErasureWish): ErasurePlan {
  const plan = { wish, entries: [] as number[], fixed: [] as number[] };
  const take = (entry: Entry): void => {
    if (slotsTo(entry, wish.param).length === 0) return;
    (entry.salts === null ? plan.fixed : plan.entries).push(entry.seq);
  };
  if ('entry' in wish) {
    const found = log.decision(wish.entry);
    if (found === null) {
      throw new Failure('NOT_FOUND', `The log holds no verification with the number ${wish.entry}.`, {
        hint: 'aip logs tail --json: seq',
      });
    }
    take(found.entry);
    return plan;
  }
  const { agentId, before } = wish;
  const until = before === null ? {} : { until: before };
  for (const record of log.records({ agentId, type: 'verification', ...until })) take(record as Entry);
  return plan;
}

/** Erases what was planned, in transactions of a bounded size. `now` in ms since the epoch. */
export async function eraseEntries(
  log: ErasableLog,
  { wish, entries }: ErasurePlan,
  key: NoteSigner,
  now: number,
  pause: () => Promise<void>,
): Promise<ErasureReport> {
  const done = { entries: 0, requests: 0 };
  for (let from = 0; from < entries.length; from += AT_ONCE) {
    const known = decisionsOf(log, entries.slice(from, from + AT_ONCE));
    if (known[0] === undefined) continue;
    const seqs = known.map(({ seq }) => seq);
    const requests = new Set<string>();
    let erased = 0;
    // Between the reading and the writing another process may have erased from the same entries.
    const changed = (): LogRecord[] => {
      const decisions = decisionsOf(log, seqs);
      erased = decisions.length;
      for (const { approval_request: request } of decisions) if (request !== null) requests.add(request);
      return decisions.flatMap((entry) => withoutIt(log, entry, wish.param));
    };
    const statement = signedErasure(
      {
        timestamp: formatTime(now),
        agent_id: known[0].agent_id,
        entries: seqs,
        param: wish.param,
        by: key.publicKey,
      },
      key,
    );
    const { requests: forgotten } = log.archive.erase(changed, statement, (text) => isAsked(text, wish, requests));
    done.entries += erased;
    done.requests += forgotten;
    await pause();
  }
  return { ...done, emptied: log.archive.overwriteErased() };
}

function decisionsOf(log: ErasableLog, seqs: readonly number[]): Entry[] {
  return seqs.flatMap((seq) => log.decision(seq)?.entry ?? []);
}

/** What is left of a decision and its outcomes, as they stand now. */
function withoutIt(log: ErasableLog, entry: Entry, param: string | null): LogRecord[] {
  const outcomes = log.outcomesOf(entry.seq).flatMap((seq) => recordAt(log, seq) ?? []);
  return [decisionWithout(entry, param), ...outcomes.map(outcomeWithout)].filter((left) => left !== null);
}

function signedErasure(draft: Omit<ErasureDraft, 'signature'>, key: NoteSigner): ErasureDraft {
  return { ...draft, signature: key.sign(erasureText(draft)) };
}

/** True for a request for approval that shows the value. */
function isAsked(text: string, wish: ErasureWish, requests: ReadonlySet<string>): boolean {
  const { request_id, agent_id, params, requested_at } = JSON.parse(text) as JsonObject;
  if (typeof request_id === 'string' && requests.has(request_id)) return true;
  if ('entry' in wish || agent_id !== wish.agentId) return false;
  const at = typeof requested_at === 'string' ? parseTime(requested_at) : null;
  if (wish.before !== null && at !== null && at >= wish.before) return false;
  return typeof params === 'object' && params !== null && Object.hasOwn(params, wish.param);
}

function recordAt(log: ErasableLog, seq: number): LogRecord | null {
  for (const record of log.records({ afterSeq: seq - 1 })) return record.seq === seq ? record : null;
  return null;
}
