import { verifyChain, type ChainReport, type Link } from '../../protocol/log/chain.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import { Failure } from '../failure.js';
import type { State } from '../ports/state.js';

/** A log whose chain can be checked: its entries, and the links between which they must stand. */
export interface ChainedLog extends Pick<State, 'records'> {
  /** The link before the oldest entry kept, and the newest entry. */
  bounds(): { readonly after: Link; readonly head: Link };
}

/** How much of a log is checked, and what it is held against. */
export interface LogCheckOptions {
  /** Checks the newest so many entries; null for all. */
  readonly newest: number | null;
  /** Links vouched for elsewhere; those of entries that were pruned are passed over. */
  readonly checkpoints?: readonly Link[];
  /** Called between slices, for progress, and so that it can be stopped. */
  readonly pause: (checked: number) => Promise<void>;
}

/** What the check of a log found, the newest link, and how many entries were looked at. */
export type LogCheck = ChainReport & { readonly head: Link; readonly count: number };

const SLICE = 1000;
/** A log may grow, or be pruned, while it is read. */
const ROUNDS = 100;
const RESTARTS = 3;

/**
 * Walks the hash chain from its oldest entry to its head, in slices and without holding up those who write. What they add
 * meanwhile is checked as well; an entry beyond a head that did not move is not theirs.
 */
export async function checkLog(log: ChainedLog, options: LogCheckOptions): Promise<LogCheck> {
  for (let attempt = 1; ; attempt++) {
    const { after } = log.bounds();
    const report = await walk(log, options);
    // Pruning moves the oldest link, and takes entries away under a reader.
    if (report.ok || attempt === RESTARTS || log.bounds().after.seq === after.seq) return report;
  }
}

async function walk(log: ChainedLog, { newest, pause, checkpoints = [] }: LogCheckOptions): Promise<LogCheck> {
  let { after, head } = log.bounds();
  let at = newest === null || head.seq - after.seq <= newest ? after : startOf(log, head.seq - newest);
  let count = 0;
  for (let round = 0; ;) {
    const due = Math.min(SLICE, head.seq - at.seq);
    const entries = due <= 0 ? [] : slice(log, at.seq, due);
    const unreadable = entries.some((entry) => 'unreadable' in entry);
    const last = !unreadable && (entries.length < due || at.seq + due >= head.seq);
    const reached = entries.length === 0 ? at.seq : at.seq + entries.length;
    const vouched = checkpoints.filter(({ seq }) => seq >= at.seq && (last || seq <= reached));
    const report = verifyChain(readable(entries), { after: at, checkpoints: vouched, ...(last ? { head } : {}) });
    if (!report.ok) return { ...report, head, count: count + Math.max(0, report.seq - at.seq - 1) };
    if (unreadable) {
      return { ok: false, seq: report.head.seq + 1, reason: 'it cannot be read', head, count: count + report.count };
    }
    count += report.count;
    at = report.head;
    await pause(count);
    if (!last) continue;
    const [beyond] = slice(log, head.seq, 1);
    const now = log.bounds().head;
    if (beyond === undefined || (now.seq > head.seq && ++round === ROUNDS)) return { ok: true, head, count };
    if (now.seq === head.seq) {
      return {
        ok: false,
        seq: head.seq + 1,
        reason: 'it was added after the head that the log remembers',
        head,
        count,
      };
    }
    head = now;
  }
}

/**
 * What is read of a log from its oldest entry on. Fails with STATE where the log is pruned under its reader: what that one has would have a
 * hole, or end too early, as after a deletion.
 */
export function* readUnpruned<R extends LogRecord>(
  log: Pick<ChainedLog, 'bounds'>,
  records: Iterable<R>,
): Generator<R> {
  let due = 0;
  const requireUnpruned = (): void => {
    if (due > 0 && log.bounds().after.seq >= due)
      throw new Failure('STATE', 'The log was pruned while it was read.', { hint: 'run it again', retryable: true });
  };
  for (const record of records) {
    if (record.seq > due) requireUnpruned();
    due = record.seq + 1;
    yield record;
  }
  // Of a log that was pruned up to its head nothing comes any more.
  requireUnpruned();
}

/** A row that holds no entry: the reader gives up on it, and the chain breaks there. */
interface Unreadable {
  readonly unreadable: true;
}

function slice(log: ChainedLog, afterSeq: number, size: number): (LogRecord | Unreadable)[] {
  const found: (LogRecord | Unreadable)[] = [];
  try {
    for (const entry of log.records({ afterSeq })) {
      found.push(entry);
      if (found.length === size) break;
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'STATE' || error.retryable) throw error;
    found.push({ unreadable: true });
  }
  return found;
}

function readable(entries: readonly (LogRecord | Unreadable)[]): LogRecord[] {
  return entries.filter((entry): entry is LogRecord => !('unreadable' in entry));
}

/** Where a partial check begins: what the entry there says of itself is taken for the start of the chain. */
function startOf(log: ChainedLog, seq: number): Link {
  const [entry] = slice(log, seq - 1, 1);
  return entry !== undefined && 'hash' in entry && entry.seq === seq ? { seq, hash: entry.hash } : log.bounds().after;
}
