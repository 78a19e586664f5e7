/** Checks the chain of an exported log, which begins where the export does. */
import { fileBytes } from '../adapters/follow-file.js';
import type { CheckpointOptions, CheckpointVerdict } from '../app/checkpoint.js';
import { lineChunks } from '../app/foreign-lines.js';
import { isSignedBy, readStatement, type LogCheckpoint } from '../app/log-statements.js';
import { Failure } from '../app/failure.js';
import { foreignRecord } from '../app/tail-logs.js';
import { START, verifyChain, type Link } from '../protocol/chain.js';
import type { Entry } from '../protocol/entry.js';
import type { Cli } from './cli.js';

export async function verifyExport(
  cli: Cli,
  path: string,
  { keys, given, pause }: CheckpointOptions,
): Promise<CheckpointVerdict> {
  const checkpoints = given.map(({ name, bytes }) => {
    const signed = readStatement(bytes);
    if (signed.statement.type !== 'log-checkpoint' || !isSignedBy(signed, keys)) {
      throw new Failure('THRESHOLD', `${name} is not a checkpoint that a trusted key signed.`);
    }
    return signed.statement;
  });
  const newest = checkpoints.reduce<LogCheckpoint | null>((a, b) => (a === null || b.seq > a.seq ? b : a), null);
  const bytes =
    path === '-'
      ? (cli.io.stdin as AsyncIterable<Uint8Array>)
      : fileBytes(path, { follow: false, signal: cli.io.signal });
  let at: Link | null = null;
  let count = 0;
  const verdict = (check: CheckpointVerdict['check']): CheckpointVerdict => ({
    check,
    checkpoint: newest,
    pruned: [],
    doubtful: 0,
  });
  for await (const lines of lineChunks(bytes)) {
    const entries: Entry[] = [];
    let unreadable = false;
    for (const line of lines) {
      const record = line === null ? null : foreignRecord(line);
      if (record !== null && Number.isSafeInteger(record['seq'])) entries.push(record as unknown as Entry);
      else if (line === null || line.trim() !== '') {
        unreadable = true;
        break;
      }
    }
    const first = entries[0];
    if (first !== undefined) at ??= first.seq === 1 ? START : { seq: first.seq - 1, hash: first.prev_hash };
    const reached = (at?.seq ?? 0) + entries.length;
    const vouched = checkpoints.filter(({ seq }) => seq >= (at?.seq ?? 0) && seq <= reached);
    const report = verifyChain(entries, { after: at ?? START, checkpoints: vouched });
    const head: Link = report.ok ? report.head : (at ?? START);
    if (!report.ok) return verdict({ ...report, head, count: count + Math.max(0, report.seq - head.seq - 1) });
    count += report.count;
    if (unreadable) return verdict({ ok: false, seq: head.seq + 1, reason: 'it cannot be read', head, count });
    at = head;
    await pause(count);
  }
  const head = at ?? START;
  const end = verifyChain([], { after: head, checkpoints: checkpoints.filter(({ seq }) => seq >= head.seq) });
  // `zcat missing.gz | aip logs verify --file -`: nothing to verify is never a yes.
  if (end.ok && count === 0) {
    throw new Failure('USAGE', `${path === '-' ? 'Stdin' : path} holds no entry. There is nothing to verify.`);
  }
  const first = head.seq - count + 1;
  // A part is no fault, and removing the beginning makes one.
  if (end.ok && first > 1) cli.warn(`It begins at entry ${first}: what came before was not checked.`, 'begins_later');
  return verdict(end.ok ? { ok: true, head, count } : { ...end, head, count });
}
