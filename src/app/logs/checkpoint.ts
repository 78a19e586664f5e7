import type { Link } from '../../protocol/log/chain.js';
import { readOrNull } from '../../protocol/json/shape.js';
import { formatTime } from '../../protocol/time.js';
import { checkLog, type ChainedLog, type LogCheck } from './check.js';
import { Failure } from '../failure.js';
import type { HeldKey } from '../keys/keyring.js';
import type { LogArchive } from '../ports/log.js';
import {
  isSignedBy,
  readStatement,
  signStatement,
  type LogCheckpoint,
  type PruningSummary,
  type SignedStatement,
} from './statements.js';

/** A log with the statements that are kept beside it. */
export interface ArchivedLog extends ChainedLog {
  readonly logId: string;
  readonly archive: LogArchive;
}

/** A log held against the statements about it. */
export interface CheckpointVerdict {
  readonly check: LogCheck;
  /** The newest checkpoint that was believed. */
  readonly checkpoint: LogCheckpoint | null;
  /** Summaries of what was pruned, oldest first. */
  readonly pruned: readonly PruningSummary[];
  /** Statements kept here without a trusted signature. */
  readonly doubtful: number;
}

/** Whose statements are believed, and which are brought along. */
export interface CheckpointOptions {
  /** Public keys whose statements are believed. */
  readonly keys: readonly Uint8Array[];
  /** Checkpoints kept elsewhere: each must be believed, and be of this log. */
  readonly given: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly pause: (checked: number) => Promise<void>;
}

/** Signs where the log ends now, and keeps the checkpoint; the log must be whole. */
export async function signLogCheckpoint(log: ArchivedLog, key: HeldKey, now: number): Promise<string> {
  const { head } = log.bounds();
  if (head.seq === 0) throw new Failure('USAGE', 'The log is empty: there is nothing to sign.');
  const text = await signStatement<LogCheckpoint>(
    { type: 'log-checkpoint', log_id: log.logId, seq: head.seq, hash: head.hash, time: formatTime(now) },
    key,
  );
  log.archive.addCheckpoint(head.seq, text);
  return text;
}

/** Checks the chain between what signed statements say of its beginning and its end. */
export async function checkAgainstStatements(log: ArchivedLog, options: CheckpointOptions): Promise<CheckpointVerdict> {
  const { keys, given, pause } = options;
  // First: the summary of what is pruned from now on stands beside those that are needed.
  const { after, head } = log.bounds();
  let doubtful = 0;
  const kept = (kind: 'checkpoint' | 'pruning'): SignedStatement[] =>
    log.archive.statements(kind).flatMap((text) => {
      const signed = statementIn(Buffer.from(text));
      if (signed !== null && signed.statement.log_id === log.logId && isSignedBy(signed, keys)) return [signed];
      doubtful += 1;
      return [];
    });
  const named = given.map((each) => believedCheckpoint(each, log.logId, keys));
  const own = kept('checkpoint').flatMap(({ statement }) => (statement.type === 'log-checkpoint' ? [statement] : []));
  const checkpoints = [...own, ...named];
  const summaries = kept('pruning').flatMap(({ statement }) => (statement.type === 'log-pruning' ? [statement] : []));
  const newest = checkpoints.reduce<LogCheckpoint | null>((a, b) => (a === null || b.seq > a.seq ? b : a), null);

  const pruned = summariesUpTo(after, summaries);
  if (pruned === null) {
    const reason = `it and the entries up to ${after.seq} are missing, and no signed summary says that they were pruned`;
    return { check: { ok: false, seq: 1, reason, head, count: 0 }, checkpoint: newest, pruned: [], doubtful };
  }
  const check = await checkLog(log, { newest: null, pause, checkpoints });
  return { check, checkpoint: newest, pruned, doubtful };
}

/** The unbroken row of summaries from the first entry to `link`; null when there is none. */
function summariesUpTo(link: Link, summaries: readonly PruningSummary[]): PruningSummary[] | null {
  const row: PruningSummary[] = [];
  for (let at = link; at.seq > 0;) {
    const summary = summaries.find(({ until }) => until.seq === at.seq && until.hash === at.hash);
    if (summary === undefined || summary.after.seq >= at.seq) return null;
    row.unshift(summary);
    at = summary.after;
  }
  return row;
}

/** A checkpoint that was kept elsewhere, of the log with this id where that is known. Fails when it cannot be believed. */
export function believedCheckpoint(
  { name, bytes }: CheckpointOptions['given'][number],
  logId: string | null,
  keys: readonly Uint8Array[],
): LogCheckpoint {
  const signed = statementIn(bytes);
  if (signed?.statement.type !== 'log-checkpoint') throw new Failure('UNREADABLE', `${name} is not a checkpoint.`);
  const { statement } = signed;
  if (logId !== null && statement.log_id !== logId) {
    throw new Failure('USAGE', `${name} is of another log, ${statement.log_id}; this one is ${logId}.`);
  }
  if (isSignedBy(signed, keys)) return statement;
  throw new Failure('THRESHOLD', `${name} is not signed by a key that this machine trusts.`, {
    hint: 'pin its signer (aip principal add), or name its key: --public-key ed25519:...',
  });
}

/** The statement in these bytes, its signature not judged yet; null where they hold none. */
export function statementIn(bytes: Uint8Array): SignedStatement | null {
  return readOrNull(() => readStatement(bytes));
}
