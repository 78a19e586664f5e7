/** Whether a database holds the log that it held before. */
import { Failure } from '../../../app/failure.js';
import type { Head } from '../../../mesh/log/head.js';
import type { MeshHeadRow } from './append.js';

/** An event by its place. */
export type KnownEvent = Pick<Head, 'seq' | 'hash'>;

/**
 * A database that holds another log, or lost events of this one, is no hiccup: a server must not go on over it. `known`: the last event that
 * was known before the question was sent; one that was learned since may be younger than the answer.
 */
export function requireSameLog(head: MeshHeadRow | undefined, logId: string, known: KnownEvent): MeshHeadRow {
  if (head === undefined || head.log_id !== logId)
    throw new Failure('STATE', 'The database holds another mesh than before.', {
      hint: 'check where --store leads, then start again',
    });
  const hint = 'a standby without what was acknowledged was promoted, or a backup restored: see aip help growing';
  if (head.seq < known.seq)
    throw new Failure('STATE', `The log in the database ends at event ${head.seq}, and ${known.seq} was there.`, {
      hint,
    });
  // What was lost may have been written over by another server.
  if ((head.known ?? known.hash) !== known.hash)
    throw new Failure('STATE', `Event ${known.seq} of the log in the database is not the one that was there.`, {
      hint,
    });
  return head;
}
