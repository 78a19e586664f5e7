/** The check of an export that holds chosen entries, each with its path to a checkpoint. */
import { Failure } from '../../app/failure.js';
import { looseObject } from '../../app/logs/foreign-lines.js';
import { selectionStart, type SelectionCheck } from '../../app/proof/selection.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { START } from '../../protocol/log/chain.js';
import { originOf } from '../../protocol/transparency/note.js';
import type { Notices } from '../output.js';
import {
  exportFinding,
  isBlank,
  plainObjectIn,
  type ExportCheck,
  type ExportFinding,
  type ExportLine,
} from './export-lines.js';
import { counted } from '../render/terminal/text.js';

/** The checkpoint of a selection, where the line holds one. */
export function checkpointIn(line: ExportLine): string | null {
  const object = line === null ? null : looseObject(line);
  return object === null ? null : selectionStart(object as unknown as JsonObject);
}

/** Follows a selection from entry to entry. */
export class ExportedSelection implements ExportCheck {
  readonly #selection: SelectionCheck;
  readonly #cli: Notices;

  constructor(selection: SelectionCheck, cli: Notices) {
    this.#selection = selection;
    this.#cli = cli;
  }

  get count(): number {
    return this.#selection.count;
  }

  take(lines: readonly ExportLine[]): ExportFinding | null {
    for (const line of lines) {
      if (isBlank(line)) continue;
      const entry = plainObjectIn(line);
      const reason = entry === null ? 'it cannot be read' : this.#selection.add(entry);
      if (reason === null) continue;
      const { last, count } = this.#selection;
      return exportFinding({
        ok: false,
        seq: last?.seq ?? 1,
        reason,
        head: last ?? START,
        count: Math.max(0, count - 1),
      });
    }
    return null;
  }

  end(): ExportFinding {
    const { count, last, unproven, erased, head, after } = this.#selection;
    if (count === 0) throw new Failure('USAGE', 'The selection holds no entry. There is nothing to verify.');
    if (unproven === count) {
      const reason = 'neither it nor another entry of the selection has a path to the checkpoint';
      return exportFinding({ ok: false, seq: last!.seq, reason, head: last!, count: 0 });
    }
    if (unproven > 0)
      this.#cli.warn(
        `${unproven} entries are of the first version of the log, and prove themselves only as a whole chain.`,
        'unproven',
      );
    if (erased > 0)
      this.#cli.warn(
        `From ${counted(erased, 'entry', 'entries')} values were taken, and the erasures that would say by whom are in no selection: aip logs verify tells where the log is, or --file of a whole export.`,
        'erasures_unseen',
      );
    const each = unproven > 0 ? 'each other entry' : 'each entry';
    this.#cli.note(`A selection: ${each} is in the log that the checkpoint names; what was left out cannot be seen.`);
    const logId = head.origin.slice(originOf('').length);
    const selected = { logId, seq: after + head.size, proven: count - unproven };
    return exportFinding({ ok: true, head: last!, count }, { selected });
  }
}
