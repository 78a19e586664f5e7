/** The check of an export that holds chosen entries, each with its path to a checkpoint. */
import { Failure } from '../../failure.js';
import { looseObject } from '../foreign-lines.js';
import { selectionStart, type SelectionCheck } from '../../proof/selection.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { START } from '../../../protocol/log/chain.js';
import { originOf } from '../../../protocol/transparency/note.js';
import {
  exportFinding,
  isBlank,
  plainObjectIn,
  type ExportCheck,
  type ExportFinding,
  type ExportLine,
} from './export-lines.js';

/** The checkpoint of a selection, where the line holds one. */
export function checkpointIn(line: ExportLine): string | null {
  const object = line === null ? null : looseObject(line);
  return object === null ? null : selectionStart(object as unknown as JsonObject);
}

/** Follows a selection from entry to entry. */
export class ExportedSelection implements ExportCheck {
  readonly #selection: SelectionCheck;

  constructor(selection: SelectionCheck) {
    this.#selection = selection;
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
    const logId = head.origin.slice(originOf('').length);
    const selected = { logId, seq: after + head.size, proven: count - unproven, unproven, erased };
    return exportFinding({ ok: true, head: last!, count }, { selected });
  }
}
