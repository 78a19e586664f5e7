/** Lets entries go that are older than they are to be kept (`log.retention`), a part at a time. */
import type { Aging } from '../ports/log.js';
import type { ArchivedLog } from './checkpoint.js';
import { planPruning, pruneLog, sweepPruned } from './prune.js';
import type { StatementKey } from './statements.js';

/** How long entries are kept, and by which clock. */
export interface Retention {
  /** ms. */
  readonly keepMs: number;
  /** This machine's clock, ms since the epoch. */
  readonly now: number;
  /** How far that clock is ahead of the mesh's, in ms; null where a mesh has not told its time yet. 0 without a mesh. */
  readonly aheadMs: number | null;
  /** The mesh's key, raw: what it does not have yet stays. Null without a mesh. */
  readonly meshKey: Uint8Array | null;
}

/** Of what is kept, at most this part goes in one run: a clock that jumped must not take the log with it. */
const PART = 10;
/** Entries at most in one run, so that nobody waits for long. */
const MOST = 5000;

/**
 * Old by the earlier of this machine's clock and the mesh's, never younger than the retention by the mesh's time; and dated ahead only where it is
 * ahead of the later one. Null where the mesh's time is not known.
 */
export function agingOf({ keepMs, now, aheadMs }: Retention): Aging | null {
  return aheadMs === null ? null : { before: now - Math.max(0, aheadMs) - keepMs, now: now - Math.min(0, aheadMs) };
}

/** True when there may be something to let go: two cheap looks at the index. */
export function isDue(log: Pick<ArchivedLog, 'archive'>, retention: Retention): boolean {
  const aging = agingOf(retention);
  return aging !== null && log.archive.lastBefore(aging) !== null;
}

/** Lets go at most a tenth of the log, and leaves a signed summary; how many entries went. */
export async function keepWithin(
  log: ArchivedLog,
  retention: Retention,
  key: StatementKey,
  pause: () => Promise<void>,
): Promise<number> {
  const aging = agingOf(retention);
  if (aging === null || log.archive.lastBefore(aging) === null) return 0;
  const { after, head } = log.bounds();
  const most = Math.min(MOST, Math.floor((head.seq - after.seq) / PART));
  if (most === 0) return 0;
  await sweepPruned(log, pause);
  const { plan } = await planPruning(log, aging, pause, retention.meshKey, most);
  if (plan === null) return 0;
  await pruneLog(log, plan, key, retention.now, pause);
  return plan.count;
}
