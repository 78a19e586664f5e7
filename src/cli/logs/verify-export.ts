/** Checks an exported log by itself: a chain, which begins where the export does, or a selection of entries. */
import { believedTreeHead, isNote, type AuditOptions, type LogAudit } from '../../app/logs/audit/audit.js';
import { ExportedChain } from '../../app/logs/audit/exported-chain.js';
import { checkpointIn, ExportedSelection } from '../../app/logs/audit/exported-selection.js';
import { isBlank, type ExportCheck, type ExportFinding, type SelectedFrom } from '../../app/logs/audit/export-lines.js';
import { believedCheckpoint } from '../../app/logs/checkpoint.js';
import { lineChunks } from '../../app/logs/foreign-lines.js';
import { plainBytes } from '../../app/logs/encodings.js';
import type { LogCheckpoint } from '../../app/logs/statements.js';
import { Failure } from '../../app/failure.js';
import { checkSelection } from '../../app/proof/selection.js';
import { fileBytes } from '../../workspace/files.js';
import type { Notices } from '../output.js';
import { counted } from '../render/terminal/text.js';
import { stdinOnce, type Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import { openedWith } from '../../workspace/archives.js';

/** What was found in an export. */
export interface ExportAudit extends LogAudit {
  /** Null for a chain, and where the check failed. */
  readonly selected: SelectedFrom | null;
}

/** @throws Failure of the file, USAGE where it holds nothing to verify, UNREADABLE and THRESHOLD of a checkpoint */
export async function verifyExport(
  cli: Notices & Surroundings & Pick<Setting, 'workspace'>,
  path: string,
  {
    keys,
    given,
    pause,
    identity,
  }: Pick<AuditOptions, 'keys' | 'given' | 'pause'> & { readonly identity: string | null },
): Promise<ExportAudit> {
  const source = path === '-' ? 'stdin' : path;
  // An export does not say of which log it is: a checkpoint of another one contradicts it.
  const checkpoints = given.filter((each) => !isNote(each)).map((each) => believedCheckpoint(each, null, keys));
  const trees = given.filter(isNote).map((each) => believedTreeHead(each, null, keys));
  const newest = checkpoints.reduce<LogCheckpoint | null>((a, b) => (a === null || b.seq > a.seq ? b : a), null);
  const audited = ({ check, stranger, first, treeSeq, selected }: ExportFinding): ExportAudit => {
    // A part is no fault, and removing the beginning makes one.
    if (first !== null && first > 1)
      cli.warn(`It begins at entry ${first}: what came before was not checked.`, 'begins_later');
    if (selected !== null) tellOfSelection(cli, selected);
    const verdict = { check, checkpoint: newest, pruned: [], doubtful: 0 };
    return { verdict, treeSeq: selected?.seq ?? treeSeq, derived: null, signatures: null, stranger, selected };
  };
  const begun = (first: string | null): ExportCheck => {
    const checkpoint = checkpointIn(first);
    if (checkpoint === null) return new ExportedChain({ checkpoints, trees, keys, source });
    const selection = checkSelection(checkpoint, source, keys);
    if (selection === null) throw new Failure('UNREADABLE', 'The first line holds no checkpoint that can be read.');
    if (given.length > 0)
      throw new Failure('USAGE', 'A selection is held to the checkpoint in its first line, and to no other.', {
        hint: 'leave out --checkpoint, or check a whole export: aip logs export',
      });
    return new ExportedSelection(selection);
  };
  const archive =
    path === '-'
      ? (stdinOnce(cli.io) as AsyncIterable<Uint8Array>)
      : fileBytes(path, { follow: false, signal: cli.io.interruption.signal });
  const bytes = openedWith(cli.workspace, identity, archive, source);
  let check: ExportCheck | null = null;
  for await (const lines of lineChunks(plainBytes(bytes, path, 'logs verify'), 'refuse')) {
    const first = lines.find((line) => !isBlank(line));
    if (first === undefined) continue;
    check ??= begun(first);
    const wrong = check.take(lines);
    if (wrong !== null) return audited(wrong);
    await pause(check.count);
  }
  return audited((check ?? begun(null)).end());
}

function tellOfSelection(cli: Notices, { unproven, erased }: SelectedFrom): void {
  if (unproven > 0)
    cli.warn(
      `${unproven} entries are of the first version of the log, and prove themselves only as a whole chain.`,
      'unproven',
    );
  if (erased > 0)
    cli.warn(
      `From ${counted(erased, 'entry', 'entries')} values were taken, and the erasures that would say by whom are in no selection: aip logs verify tells where the log is, or --file of a whole export.`,
      'erasures_unseen',
    );
  const each = unproven > 0 ? 'each other entry' : 'each entry';
  cli.note(`A selection: ${each} is in the log that the checkpoint names; what was left out cannot be seen.`);
}
