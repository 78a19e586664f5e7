/** Checks an exported log by itself: a chain, which begins where the export does, or a selection of entries. */
import { believedCheckpoint, type CheckpointOptions, type CheckpointVerdict } from '../../app/logs/checkpoint.js';
import { lineChunks } from '../../app/logs/foreign-lines.js';
import { plainBytes } from '../../app/logs/encodings.js';
import type { LogCheckpoint } from '../../app/logs/statements.js';
import { Failure } from '../../app/failure.js';
import { checkSelection } from '../../app/proof/selection.js';
import { fileBytes } from '../../workspace/files.js';
import type { Notices } from '../output.js';
import { stdinOnce, type Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import { openedWith } from '../../workspace/archives.js';
import { isBlank, type ExportCheck, type ExportFinding } from './export-lines.js';
import { ExportedChain } from './exported-chain.js';
import { checkpointIn, ExportedSelection } from './exported-selection.js';

/** What was found in an export. */
export interface ExportVerdict extends Omit<ExportFinding, 'check'> {
  readonly verdict: CheckpointVerdict;
}

/** @throws Failure of the file, USAGE where it holds nothing to verify, UNREADABLE and THRESHOLD of a checkpoint */
export async function verifyExport(
  cli: Notices & Surroundings & Pick<Setting, 'workspace'>,
  path: string,
  { keys, given, pause, identity }: CheckpointOptions & { readonly identity: string | null },
): Promise<ExportVerdict> {
  const source = path === '-' ? 'stdin' : path;
  // An export does not say of which log it is: a checkpoint of another one contradicts it.
  const checkpoints = given.map((each) => believedCheckpoint(each, null, keys));
  const newest = checkpoints.reduce<LogCheckpoint | null>((a, b) => (a === null || b.seq > a.seq ? b : a), null);
  const verdict = ({ check, ...beside }: ExportFinding): ExportVerdict => ({
    verdict: { check, checkpoint: newest, pruned: [], doubtful: 0 },
    ...beside,
  });
  const begun = (first: string | null): ExportCheck => {
    const checkpoint = checkpointIn(first);
    if (checkpoint === null) return new ExportedChain({ checkpoints, keys, source }, cli);
    const selection = checkSelection(checkpoint, source, keys);
    if (selection === null) throw new Failure('UNREADABLE', 'The first line holds no checkpoint that can be read.');
    if (given.length > 0)
      throw new Failure('USAGE', 'A selection is held to the checkpoint in its first line, and to no other.', {
        hint: 'leave out --checkpoint, or check a whole export: aip logs export',
      });
    return new ExportedSelection(selection, cli);
  };
  const archive =
    path === '-'
      ? (stdinOnce(cli.io) as AsyncIterable<Uint8Array>)
      : fileBytes(path, { follow: false, signal: cli.io.signal });
  const bytes = openedWith(cli.workspace, identity, archive, source);
  let check: ExportCheck | null = null;
  for await (const lines of lineChunks(plainBytes(bytes, path, 'logs verify'), 'refuse')) {
    const first = lines.find((line) => !isBlank(line));
    if (first === undefined) continue;
    check ??= begun(first);
    const wrong = check.take(lines);
    if (wrong !== null) return verdict(wrong);
    await pause(check.count);
  }
  return verdict((check ?? begun(null)).end());
}
