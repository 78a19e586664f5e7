/** Checks the chain of an exported log, which begins where the export does. */
import { believedCheckpoint, type CheckpointOptions, type CheckpointVerdict } from '../../app/logs/checkpoint.js';
import { lineChunks, looseObject } from '../../app/logs/foreign-lines.js';
import { plainBytes } from '../../app/logs/encodings.js';
import type { LogCheckpoint } from '../../app/logs/statements.js';
import { ErasureCheck } from '../../app/logs/erasures.js';
import { Failure } from '../../app/failure.js';
import { checkSelection, selectionStart, type SelectionCheck } from '../../app/proof/selection.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { START, verifyChain, type Link } from '../../protocol/log/chain.js';
import type { Entry } from '../../protocol/log/entry.js';
import { fileBytes } from '../../workspace/files.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import { openedWith } from '../../workspace/archives.js';

const BACKSLASH = 0x5c;
const COLON = 0x3a;
const QUOTE = 0x22;

/** What was found in an export, and the key that alone would explain what was taken from it. */
export interface ExportVerdict {
  readonly verdict: CheckpointVerdict;
  readonly stranger: string | null;
}

export async function verifyExport(
  cli: Notices & Surroundings & Pick<Setting, 'workspace'>,
  path: string,
  { keys, given, pause, identity }: CheckpointOptions & { readonly identity: string | null },
): Promise<ExportVerdict> {
  const erasures = new ErasureCheck(keys);
  // An export does not say of which log it is: a checkpoint of another one contradicts it.
  const checkpoints = given.map((each) => believedCheckpoint(each, null, keys));
  const newest = checkpoints.reduce<LogCheckpoint | null>((a, b) => (a === null || b.seq > a.seq ? b : a), null);
  const archive =
    path === '-'
      ? (cli.io.stdin as AsyncIterable<Uint8Array>)
      : fileBytes(path, { follow: false, signal: cli.io.signal });
  const bytes = openedWith(cli.workspace, identity, archive, path === '-' ? 'stdin' : path);
  let at: Link | null = null;
  let count = 0;
  let selection: SelectionCheck | null = null;
  const verdict = (check: CheckpointVerdict['check'], stranger: string | null = null): ExportVerdict => ({
    verdict: { check, checkpoint: newest, pruned: [], doubtful: 0 },
    stranger,
  });
  for await (const lines of lineChunks(plainBytes(bytes, path, 'logs verify'), 'refuse')) {
    const entries: Entry[] = [];
    let unreadable = false;
    for (const line of lines) {
      const started = selection === null && count === 0 && entries.length === 0 ? startIn(line) : null;
      if (started !== null) {
        selection = checkSelection(started, path === '-' ? 'stdin' : path, keys);
        if (selection === null) throw new Failure('UNREADABLE', 'The first line holds no checkpoint that can be read.');
        if (given.length > 0)
          throw new Failure('USAGE', 'A selection is held to the checkpoint in its first line, and to no other.', {
            hint: 'leave out --checkpoint, or check a whole export: aip logs export',
          });
      }
      if (selection !== null) {
        const problem = line === null ? 'it cannot be read' : line.trim() === '' ? null : selectedIn(line, selection);
        if (problem === null) continue;
        const seq = selection.last?.seq ?? 1;
        return verdict({
          ok: false,
          seq,
          reason: problem,
          head: selection.last ?? START,
          count: Math.max(0, selection.count - 1),
        });
      }
      const entry = line === null ? null : entryIn(line);
      if (entry !== null) entries.push(entry);
      else if (line === null || line.trim() !== '') {
        unreadable = true;
        break;
      }
    }
    if (selection !== null) {
      await pause(selection.count);
      continue;
    }
    const first = entries[0];
    if (first !== undefined) at ??= first.seq === 1 ? START : { seq: first.seq - 1, hash: first.prev_hash };
    const reached = (at?.seq ?? 0) + entries.length;
    const vouched = checkpoints.filter(({ seq }) => seq >= (at?.seq ?? 0) && seq <= reached);
    const report = verifyChain(entries, { after: at ?? START, checkpoints: vouched });
    const head: Link = report.ok ? report.head : (at ?? START);
    if (!report.ok) return verdict({ ...report, head, count: count + Math.max(0, report.seq - head.seq - 1) });
    for (const entry of entries) erasures.see(entry);
    count += report.count;
    if (unreadable) return verdict({ ok: false, seq: head.seq + 1, reason: 'it cannot be read', head, count });
    at = head;
    await pause(count);
  }
  if (selection !== null) return ofSelection(selection, cli, verdict);
  const head = at ?? START;
  const end = verifyChain([], { after: head, checkpoints: checkpoints.filter(({ seq }) => seq >= head.seq) });
  // `zcat missing.gz | aip logs verify --file -`: nothing to verify is never a yes.
  if (end.ok && count === 0) {
    throw new Failure('USAGE', `${path === '-' ? 'Stdin' : path} holds no entry. There is nothing to verify.`);
  }
  const first = head.seq - count + 1;
  const unexplained = end.ok ? erasures.problem() : null;
  if (unexplained !== null) {
    const { by, ...fault } = unexplained;
    return verdict({ ok: false, ...fault, head, count: Math.max(0, fault.seq - first) }, by);
  }
  // A part is no fault, and removing the beginning makes one.
  if (end.ok && first > 1) cli.warn(`It begins at entry ${first}: what came before was not checked.`, 'begins_later');
  return verdict(end.ok ? { ok: true, head, count } : { ...end, head, count });
}

function ofSelection(
  { count, last, unproven, erased }: SelectionCheck,
  cli: Notices,
  verdict: (check: CheckpointVerdict['check']) => ExportVerdict,
): ExportVerdict {
  if (count === 0) throw new Failure('USAGE', 'The selection holds no entry. There is nothing to verify.');
  if (unproven === count) {
    const reason = 'neither it nor another entry of the selection has a path to the checkpoint';
    return verdict({ ok: false, seq: last!.seq, reason, head: last!, count: 0 });
  }
  if (unproven > 0)
    cli.warn(
      `${unproven} entries are of the first version of the log, and prove themselves only as a whole chain.`,
      'unproven',
    );
  if (erased > 0)
    cli.warn(
      `From ${erased === 1 ? '1 entry' : `${erased} entries`} values were taken, and the erasures that would say by whom are in no selection: aip logs verify tells where the log is, or --file of a whole export.`,
      'erasures_unseen',
    );
  const each = unproven > 0 ? 'each other entry' : 'each entry';
  cli.note(`A selection: ${each} is in the log that the checkpoint names; what was left out cannot be seen.`);
  return verdict({ ok: true, head: last!, count });
}

/** The checkpoint of a selection, where the line holds one. */
function startIn(line: string | null): string | null {
  const object = line === null ? null : looseObject(line);
  return object === null ? null : selectionStart(object as unknown as JsonObject);
}

/** Why the entry in a line is not proved; null when it is. */
function selectedIn(line: string, selection: SelectionCheck): string | null {
  const object = looseObject(line);
  if (object === null || membersIn(line) !== membersOf(object)) return 'it cannot be read';
  return selection.add(object as unknown as JsonObject);
}

/**
 * The entry in a line; null for any other line, and where a member stands twice: another program may read the one that was added, while the
 * hash is of the other.
 */
function entryIn(line: string): Entry | null {
  const object = looseObject(line);
  if (object === null || !Number.isSafeInteger(object['seq'])) return null;
  return membersIn(line) === membersOf(object) ? (object as unknown as Entry) : null;
}

/** Outside of strings, valid JSON has a colon a member. */
function membersIn(line: string): number {
  let found = 0;
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (quoted && code === BACKSLASH) i += 1;
    else if (code === QUOTE) quoted = !quoted;
    else if (!quoted && code === COLON) found += 1;
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
