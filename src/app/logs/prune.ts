import { isAttributable, isCounted } from '../../protocol/log/attribution.js';
import { verifyChain, type Link } from '../../protocol/log/chain.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import { formatTime } from '../../protocol/time.js';
import { statementIn, type ArchivedLog } from './checkpoint.js';
import { Failure } from '../failure.js';
import type { Aging } from '../ports/log.js';
import { isSignedBy, signStatement, type PruningSummary, type StatementKey } from './statements.js';

/** What a pruning removes: the entries behind `after` up to `until`, and what they say together. Times are RFC 3339. */
export interface Pruning {
  readonly after: Link;
  readonly until: Link;
  readonly count: number;
  readonly firstTime: string;
  readonly lastTime: string;
  readonly successful: number;
  readonly failed: number;
  readonly unattributed: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly agents: number;
}

const SLICE = 1000;

/** What pruning would remove. */
export interface PruningPlan {
  /** Null when it is nothing. */
  readonly plan: Pruning | null;
  /** Entries that are old enough, and stay because the mesh does not have them. */
  readonly unshipped: number;
}

/**
 * The oldest entries, as long as all are older than `aging.before`. Of a log that is shipped, none beyond what the mesh has countersigned:
 * it takes a log without holes only, and would never take the rest.
 */
export async function planPruning(
  log: ArchivedLog,
  aging: Aging,
  pause: (read: number) => Promise<void>,
  meshKey: Uint8Array | null,
  /** Entries at most; null for all that are old enough. */
  most: number | null,
): Promise<PruningPlan> {
  const oldest = log.archive.lastBefore(aging);
  if (oldest === null) return { plan: null, unshipped: 0 };
  const { after } = log.bounds();
  const held = meshKey === null ? null : countersigned(log, meshKey);
  const reached = held === null || held.seq >= oldest.seq ? oldest : held;
  const until = most === null || reached.seq - after.seq <= most ? reached : linkAt(log, after.seq + most);
  const unshipped = oldest.seq - Math.max(reached.seq, after.seq);
  if (until.seq <= after.seq) return { plan: null, unshipped };
  const agents = new Set<string>();
  const codes: Record<string, number> = Object.create(null) as Record<string, number>;
  const counts = { successful: 0, failed: 0, unattributed: 0 };
  let [firstTime, lastTime] = ['', ''];
  let at = after;
  // A broken chain is evidence: it is not cleared away.
  for (let slice: LogRecord[] = []; at.seq < until.seq;) {
    slice = firstOf(log.records({ afterSeq: at.seq }), Math.min(SLICE, until.seq - at.seq));
    const report = verifyChain(slice, { after: at });
    if (!report.ok || slice.length === 0) {
      const where = report.ok ? at.seq + 1 : report.seq;
      throw new Failure('THRESHOLD', `The chain is broken at entry ${where}. Nothing was removed.`, {
        hint: 'aip logs verify',
      });
    }
    for (const entry of slice) {
      agents.add(entry.agent_id);
      if (entry.type === 'verification' && isCounted(entry)) {
        counts[entry.status === 'success' ? 'successful' : isAttributable(entry) ? 'failed' : 'unattributed'] += 1;
        if (entry.error_code !== null) codes[entry.error_code] = (codes[entry.error_code] ?? 0) + 1;
      }
      if (firstTime === '') firstTime = entry.timestamp;
      lastTime = entry.timestamp;
    }
    at = report.head;
    await pause(at.seq - after.seq);
  }
  if (at.hash !== until.hash) {
    throw new Failure('THRESHOLD', `Entry ${until.seq} is not the one that the mesh holds. Nothing was removed.`, {
      hint: 'aip logs verify',
    });
  }
  const count = until.seq - after.seq;
  return { plan: { after, until, count, firstTime, lastTime, ...counts, codes, agents: agents.size }, unshipped };
}

function linkAt(log: ArchivedLog, seq: number): Link {
  for (const { hash, seq: found } of log.records({ afterSeq: seq - 1 })) if (found === seq) return { seq, hash };
  return log.bounds().after;
}

/** The newest place that the mesh with this key has countersigned; null when it never did. */
function countersigned(log: ArchivedLog, meshKey: Uint8Array): Link | null {
  for (const text of log.archive.statements('checkpoint').toReversed()) {
    const signed = statementIn(Buffer.from(text));
    if (signed?.statement.type !== 'log-checkpoint' || signed.statement.log_id !== log.logId) continue;
    if (isSignedBy(signed, [meshKey])) return { seq: signed.statement.seq, hash: signed.statement.hash };
  }
  return null;
}

/** Removes what was planned, and leaves a signed summary in its place so that the chain still verifies. Returns the summary. */
export async function pruneLog(
  log: ArchivedLog,
  plan: Pruning,
  key: StatementKey,
  now: number,
  pause: () => Promise<void>,
): Promise<string> {
  const { after, until, firstTime, lastTime, successful, failed, unattributed, codes, agents } = plan;
  const text = await signStatement<PruningSummary>(
    {
      type: 'log-pruning',
      log_id: log.logId,
      after,
      until,
      first_time: firstTime,
      last_time: lastTime,
      successful,
      failed,
      unattributed,
      codes,
      agents,
      time: formatTime(now),
    },
    key,
  );
  if (!log.archive.moveBase(after, until, text, log.archive.floors(until.seq))) {
    throw new Failure('STATE', 'The log changed while it was being pruned. Nothing was removed.', { retryable: true });
  }
  await sweepPruned(log, pause);
  return text;
}

/** Deletes what stands before the beginning of the log; what a pruning that was interrupted left there, too. Returns how many there were. */
export async function sweepPruned(
  { archive }: Pick<ArchivedLog, 'archive'>,
  pause: () => Promise<void>,
): Promise<number> {
  let swept = 0;
  for (let n = archive.sweep(); n > 0; n = archive.sweep()) {
    swept += n;
    await pause();
  }
  return swept;
}

function firstOf(entries: Iterable<LogRecord>, n: number): LogRecord[] {
  const found: LogRecord[] = [];
  for (const entry of entries) {
    found.push(entry);
    if (found.length === n) break;
  }
  return found;
}
