/** The check of an export that holds a log from some entry on, without holes. */
import { Failure } from '../../failure.js';
import { ErasureCheck } from '../erasures.js';
import type { LogCheckpoint } from '../statements.js';
import { HeldTree, OTHER_ENTRIES } from '../../proof/checkpoint.js';
import { START, verifyChain, type Link } from '../../../protocol/log/chain.js';
import type { Entry } from '../../../protocol/log/entry.js';
import { leafText } from '../../../protocol/log/leaf.js';
import type { TreeHead } from '../../../protocol/transparency/note.js';
import { leafHash } from '../../../protocol/transparency/tree.js';
import {
  entryIn,
  exportFinding,
  isBlank,
  type ExportCheck,
  type ExportFinding,
  type ExportLine,
} from './export-lines.js';

/** What a chain is held to, and `source`, the export as people call it. */
export interface ChainExpected {
  readonly checkpoints: readonly LogCheckpoint[];
  /** Checkpoints of the tree. */
  readonly trees: readonly TreeHead[];
  /** Raw public keys whose erasures count. */
  readonly keys: readonly Uint8Array[];
  readonly source: string;
}

/** Follows the chain from entry to entry, whatever the first one is. */
export class ExportedChain implements ExportCheck {
  count = 0;
  readonly #expected: ChainExpected;
  readonly #erasures: ErasureCheck;
  readonly #tree: HeldTree;
  /** The last entry before the tree; null until its first leaf was read. */
  #beforeTree: number | null = null;
  /** The last entry that was checked, or the one before the first; null until an entry was read. */
  #at: Link | null = null;

  constructor(expected: ChainExpected) {
    this.#expected = expected;
    this.#erasures = new ErasureCheck(expected.keys);
    this.#tree = new HeldTree(expected.trees);
  }

  take(lines: readonly ExportLine[]): ExportFinding | null {
    const { entries, unreadable } = entriesIn(lines);
    const first = entries[0];
    if (first !== undefined && this.#at === null) {
      this.#at = first.seq === 1 ? START : { seq: first.seq - 1, hash: first.prev_hash };
      this.#requireReach(first);
    }
    const after = this.#at ?? START;
    const reached = after.seq + entries.length;
    const checkpoints = this.#expected.checkpoints.filter(({ seq }) => seq >= after.seq && seq <= reached);
    const report = verifyChain(entries, { after, checkpoints });
    if (!report.ok)
      return exportFinding({ ...report, head: after, count: this.count + Math.max(0, report.seq - after.seq - 1) });
    for (const entry of entries) this.#erasures.see(entry);
    const { head } = report;
    const other = this.#otherTree(entries);
    if (other !== null) {
      const before = this.count + other - after.seq - 1;
      return exportFinding({ ok: false, seq: other, reason: OTHER_ENTRIES, head, count: before });
    }
    this.count += report.count;
    if (unreadable)
      return exportFinding({ ok: false, seq: head.seq + 1, reason: 'it cannot be read', head, count: this.count });
    if (first !== undefined) this.#at = head;
    return null;
  }

  end(): ExportFinding {
    const { count } = this;
    const head = this.#at ?? START;
    const checkpoints = this.#expected.checkpoints.filter(({ seq }) => seq >= head.seq);
    const end = verifyChain([], { after: head, checkpoints });
    if (!end.ok) return exportFinding({ ...end, head, count });
    const size = Math.max(0, ...this.#expected.trees.map((each) => each.size));
    const treeSeq = size === 0 ? null : (this.#beforeTree ?? head.seq) + size;
    if (count > 0 && treeSeq !== null && treeSeq > head.seq) {
      const reason = `it and the entries up to ${treeSeq} are missing: a checkpoint is of a longer log`;
      return exportFinding({ ok: false, seq: head.seq + 1, reason, head, count });
    }
    // `zcat missing.gz | aip logs verify --file -`: nothing to verify is never a yes.
    if (count === 0) {
      const { source } = this.#expected;
      const name = source === 'stdin' ? 'Stdin' : source;
      throw new Failure('USAGE', `${name} holds no entry. There is nothing to verify.`);
    }
    const first = head.seq - count + 1;
    const unexplained = this.#erasures.problem();
    if (unexplained !== null) {
      const { by, ...fault } = unexplained;
      return exportFinding({ ok: false, ...fault, head, count: Math.max(0, fault.seq - first) }, { stranger: by });
    }
    return exportFinding({ ok: true, head, count }, { first, treeSeq });
  }

  /** What a checkpoint says of entries before the first, these cannot be held to. @throws Failure USAGE */
  #requireReach({ seq, salts }: Entry): void {
    const { checkpoints, trees } = this.#expected;
    const earlier = checkpoints.find((each) => each.seq < seq - 1);
    if (earlier === undefined && (trees.length === 0 || seq === 1 || salts === null)) return;
    const problem =
      earlier === undefined
        ? 'a checkpoint of the tree is over the entries before it as well'
        : `a checkpoint is of entry ${earlier.seq}`;
    throw new Failure('USAGE', `The export begins at entry ${seq}, and ${problem}: it cannot be held to that.`, {
      hint: 'a checkpoint of the chain that was made later, an export that was made before the log was pruned, or leave out --checkpoint',
    });
  }

  /** Adds what was verified to the tree: the first entry at which a checkpoint names another tree; null where none does. */
  #otherTree(entries: readonly Entry[]): number | null {
    if (this.#expected.trees.length === 0) return null;
    for (const entry of entries) {
      // What the first version wrote stands before the tree.
      if (entry.salts === null || entry.salts === undefined) continue;
      this.#tree.add(leafHash(leafText(entry)!));
      this.#beforeTree ??= entry.seq - 1;
      if (this.#tree.differs()) return entry.seq;
    }
    return null;
  }
}

/** The entries of `lines` up to the first that holds none. */
function entriesIn(lines: readonly ExportLine[]): { readonly entries: Entry[]; readonly unreadable: boolean } {
  const entries: Entry[] = [];
  for (const line of lines) {
    const entry = entryIn(line);
    if (entry !== null) entries.push(entry);
    else if (!isBlank(line)) return { entries, unreadable: true };
  }
  return { entries, unreadable: false };
}
