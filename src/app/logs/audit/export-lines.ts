/** What the lines of an exported log hold. */
import { looseObject } from '../foreign-lines.js';
import type { CheckpointVerdict } from '../checkpoint.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import type { Entry } from '../../../protocol/log/entry.js';
import { losesDigits } from '../../../protocol/json/decimals.js';
import { BACKSLASH, COLON, MINUS, NINE, QUOTE, ZERO } from '../../../protocol/json/punctuation.js';

/** A line of an export; null for one that is too long or not UTF-8. */
export type ExportLine = string | null;

/** A log that chosen entries were shown to be in, and how far the checkpoint that shows it reaches. */
export interface SelectedFrom {
  readonly logId: string;
  /** The last entry that the checkpoint is over. */
  readonly seq: number;
  /** Entries with a path to it. */
  readonly proven: number;
  /** Entries of the first version of the log, which have none. */
  readonly unproven: number;
  /** Entries from which values were taken: the erasures that say by whom are in no selection. */
  readonly erased: number;
}

/** What ends the check of an export. */
export interface ExportFinding {
  readonly check: CheckpointVerdict['check'];
  /** The public key, as text, that alone would explain what was taken from it. */
  readonly stranger: string | null;
  /** The first entry of a chain that is whole; else null. */
  readonly first: number | null;
  /** The last entry of a whole chain that a checkpoint of the tree is over; else null. */
  readonly treeSeq: number | null;
  /** Null for a chain, and where the check failed. */
  readonly selected: SelectedFrom | null;
}

/** The finding, of which most have nothing beside the check. */
export function exportFinding(check: ExportFinding['check'], beside: Partial<ExportFinding> = {}): ExportFinding {
  return { stranger: null, first: null, treeSeq: null, selected: null, ...beside, check };
}

/** Follows an export from its first line that is not blank to its end. */
export interface ExportCheck {
  /** Entries that were checked. */
  readonly count: number;
  /** The next lines, in order: what is wrong with them, or null. */
  take(lines: readonly ExportLine[]): ExportFinding | null;
  /** What was found, at the end. @throws Failure USAGE where there was nothing to verify */
  end(): ExportFinding;
}

/** True for a line that says nothing. */
export function isBlank(line: ExportLine): boolean {
  return line !== null && line.trim() === '';
}

/**
 * The entry in a line; null for any other line, and where a member stands twice or a number has more digits than a double keeps: another program
 * may read the member that was added, or the digits, while the hash is of the others.
 */
export function entryIn(line: ExportLine): Entry | null {
  const object = plainObjectIn(line);
  return object === null || !Number.isSafeInteger(object['seq']) ? null : (object as unknown as Entry);
}

/** The object in a line, each of whose members stands once and each of whose numbers is read as written; null for any other line. */
export function plainObjectIn(line: ExportLine): JsonObject | null {
  const object = line === null ? null : looseObject(line);
  return object !== null && membersIn(line!) === membersOf(object) ? (object as unknown as JsonObject) : null;
}

/** A number of JSON, from where it begins. */
const NUMBER = /[-+.\deE]+/y;

/** Outside of strings, valid JSON has a colon a member. NaN where a number loses digits. */
function membersIn(line: string): number {
  let found = 0;
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (quoted && code === BACKSLASH) i += 1;
    else if (code === QUOTE) quoted = !quoted;
    else if (!quoted && code === COLON) found += 1;
    else if (!quoted && (code === MINUS || (code >= ZERO && code <= NINE))) {
      NUMBER.lastIndex = i;
      const written = NUMBER.exec(line)![0];
      if (losesDigits(written, Number(written))) return NaN;
      i += written.length - 1;
    }
  }
  return found;
}

function membersOf(value: object): number {
  let found = 0;
  const left: object[] = [value];
  for (let each = left.pop(); each !== undefined; each = left.pop()) {
    const inside = Object.values(each) as unknown[];
    if (!Array.isArray(each)) found += inside.length;
    for (const one of inside) if (typeof one === 'object' && one !== null) left.push(one);
  }
  return found;
}
