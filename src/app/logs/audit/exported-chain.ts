/** The check of an export that holds a log from some entry on, without holes. */
import { Failure } from '../../failure.js';
import { ErasureCheck } from '../erasures.js';
import type { LogCheckpoint } from '../statements.js';
import { START, verifyChain, type Link } from '../../../protocol/log/chain.js';
import type { Entry } from '../../../protocol/log/entry.js';
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
  /** Raw public keys whose erasures count. */
  readonly keys: readonly Uint8Array[];
  readonly source: string;
}

/** Follows the chain from entry to entry, whatever the first one is. */
export class ExportedChain implements ExportCheck {
  count = 0;
  readonly #expected: ChainExpected;
  readonly #erasures: ErasureCheck;
  /** The last entry that was checked, or the one before the first; null until an entry was read. */
  #at: Link | null = null;

  constructor(expected: ChainExpected) {
    this.#expected = expected;
    this.#erasures = new ErasureCheck(expected.keys);
  }

  take(lines: readonly ExportLine[]): ExportFinding | null {
    const { entries, unreadable } = entriesIn(lines);
    const first = entries[0];
    if (first !== undefined) this.#at ??= first.seq === 1 ? START : { seq: first.seq - 1, hash: first.prev_hash };
    const after = this.#at ?? START;
    const reached = after.seq + entries.length;
    const checkpoints = this.#expected.checkpoints.filter(({ seq }) => seq >= after.seq && seq <= reached);
    const report = verifyChain(entries, { after, checkpoints });
    if (!report.ok)
      return exportFinding({ ...report, head: after, count: this.count + Math.max(0, report.seq - after.seq - 1) });
    for (const entry of entries) this.#erasures.see(entry);
    this.count += report.count;
    const { head } = report;
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
    return exportFinding({ ok: true, head, count }, { first });
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
