/** A log held against everything that vouches for it. */
import type { TreeHead } from '../../../protocol/transparency/note.js';
import { Failure } from '../../failure.js';
import type { Clock } from '../../ports/state.js';
import { checkTree, readTreeCheckpoint, type TreeLog } from '../../proof/checkpoint.js';
import { checkSignatures, type SignatureAudit, type SignedLog } from '../../proof/signatures.js';
import { checkAgainstStatements, type ArchivedLog, type CheckpointVerdict } from '../checkpoint.js';
import { ErasureCheck } from '../erasures.js';

/** A log with its tree, what was signed of its entries, and what is rebuilt from them. */
export type AuditedLog = ArchivedLog &
  TreeLog &
  SignedLog & {
    /** What is kept beside the log and does not agree with it, as clauses for people. */
    derivedProblems(now: number): readonly string[];
  };

/** A checkpoint that was kept elsewhere: `name` says where, for people. */
export interface GivenCheckpoint {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a log is held against. */
export interface AuditOptions {
  /** Raw public keys whose statements are believed. */
  readonly keys: readonly Uint8Array[];
  /** Checkpoints kept elsewhere, of the chain or of the tree: each must be believed, and be of this log. */
  readonly given: readonly GivenCheckpoint[];
  /** What the mesh holds of the chain; null where that is nothing. */
  readonly meshChain: GivenCheckpoint | null;
  /** What the mesh has seen of the tree. */
  readonly meshTrees: readonly TreeHead[];
  /** True to check the signature of every accepted intent anew. */
  readonly signatures: boolean;
  readonly clock: Clock;
  /** Called between slices, for progress, and so that it can be stopped. */
  readonly pause: (checked: number) => Promise<void>;
}

/** What was found of a log. */
export interface LogAudit {
  readonly verdict: CheckpointVerdict;
  /** The last entry that a checkpoint of the tree is over; null without one. */
  readonly treeSeq: number | null;
  /** What does not agree with the log; null where it was not looked at. */
  readonly derived: readonly string[] | null;
  /** Null where they were not looked at. */
  readonly signatures: SignatureAudit | null;
  /** The public key, as text, that alone would explain what was taken from an entry. */
  readonly stranger: string | null;
}

/** True where every link, statement and signature holds, and what is rebuilt from the log agrees with it. */
export function isWhole({ verdict, derived }: LogAudit): boolean {
  return verdict.check.ok && (derived ?? []).length === 0;
}

/** True for a checkpoint of the tree, a C2SP note; one of the chain is JSON. */
export function isNote({ bytes }: GivenCheckpoint): boolean {
  return Buffer.from(bytes.subarray(0, 64)).toString('latin1').startsWith('aip.log/');
}

/**
 * A checkpoint of the tree, of the log with this id where that is known.
 * @throws Failure UNREADABLE, USAGE (another log's) and THRESHOLD (nobody trusted signed it)
 */
export function believedTreeHead(
  { name, bytes }: GivenCheckpoint,
  logId: string | null,
  keys: readonly Uint8Array[],
): TreeHead {
  const head = readTreeCheckpoint(bytes, name, logId, keys);
  if (head !== null) return head;
  throw new Failure('UNREADABLE', `${name} is not a checkpoint.`, { hint: 'aip logs checkpoint' });
}

/**
 * The chain against the signed statements, the tree against its checkpoints, what was taken against the erasures, signatures against pinned
 * keys, and what is rebuilt against the log. It ends at the first of these that finds a fault in the entries.
 * @throws Failure UNREADABLE, USAGE (another log's) and THRESHOLD (nobody trusted signed it) of a checkpoint
 */
export async function auditLog(log: AuditedLog, options: AuditOptions): Promise<LogAudit> {
  const { keys, given, meshChain, meshTrees, clock, pause } = options;
  const chain = given.filter((each) => !isNote(each));
  const named = meshChain === null ? chain : [...chain, meshChain];
  const verdict = await checkAgainstStatements(log, { keys, given: named, pause });
  if (!verdict.check.ok) return { verdict, treeSeq: null, derived: null, signatures: null, stranger: null };
  const notes = given.filter(isNote).map((each) => believedTreeHead(each, log.logId, keys));
  const heads = [...notes, ...meshTrees];
  const erasures = new ErasureCheck(keys);
  const tree = await checkTree(
    log,
    heads,
    () => pause(0),
    (record) => erasures.see(record),
  );
  const unexplained = tree.ok ? erasures.problem() : null;
  const fault = tree.ok ? unexplained : tree;
  const signatures = options.signatures && fault === null ? await checkSignatures(log, () => pause(0)) : null;
  const bad = fault ?? signatures?.bad ?? null;
  const { head } = verdict.check;
  const check =
    bad === null
      ? verdict.check
      : { ok: false as const, seq: bad.seq, reason: bad.reason, head, count: Math.max(0, bad.seq - 1) };
  const { after } = log.tree();
  const size = Math.max(0, ...heads.map((each) => each.size));
  return {
    verdict: { ...verdict, check },
    treeSeq: size === 0 ? null : after + size,
    // Of a log that is not whole nothing can be rebuilt.
    derived: check.ok ? log.derivedProblems(clock()) : null,
    signatures,
    stranger: unexplained?.by ?? null,
  };
}
