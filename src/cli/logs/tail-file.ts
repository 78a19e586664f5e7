/** A tail of lines that another program wrote: of a file, or of stdin. */
import { Failure } from '../../app/failure.js';
import { plainBytes } from '../../app/logs/encodings.js';
import { lineChunks } from '../../app/logs/foreign-lines.js';
import {
  foreignRecord,
  recordText,
  tellsOutcome,
  withStatus,
  type ShownRecord,
} from '../../app/logs/foreign-records.js';
import { matcher } from '../../app/logs/tail.js';
import { fileBytes, fileExists, isNamedPipe } from '../../workspace/files.js';
import { stdinOnce, type Surroundings } from '../io.js';
import type { Notices } from '../output.js';
import { Newest, type TailRequest, type TailWriter } from './tail.js';

/** Lines of a file, or of stdin for `-`. Resolves to true when the exit condition was met. */
export async function tailFile(
  cli: Notices & Surroundings,
  path: string,
  { filter, last, follow }: TailRequest,
  writer: TailWriter,
): Promise<boolean> {
  const judge = matcher(filter);
  // Opening one waits for a writer in a thread that no signal ends; a shell can be stopped.
  if (path !== '-' && (await fileExists(path)) && (await isNamedPipe(path)))
    throw new Failure('UNREADABLE', `${path} is a named pipe.`, { hint: `aip logs tail --file - < ${path}` });
  let newest = last === null ? null : new Newest<ShownRecord>(last);
  let number = 0;
  const bytes =
    path === '-'
      ? (stdinOnce(cli.io) as AsyncIterable<Uint8Array>)
      : fileBytes(path, {
          follow,
          signal: cli.io.interruption.signal,
          onRestart: (why) => cli.warn(`${path} was ${why}; reading it from its start.`, 'restarted'),
        });
  for await (const lines of lineChunks(plainBytes(bytes, path, 'logs tail'), 'replace')) {
    const shown: ShownRecord[] = [];
    for (const line of lines) {
      number += 1;
      const read = line === null ? null : foreignRecord(line);
      if (line === null || read === null) {
        if (line === null || !isBlank(line)) writer.unreadable(number, line, follow);
        continue;
      }
      const record = withStatus(read);
      writer.read(tellsOutcome(record));
      const match = judge(record, line);
      if (match === 'timeless') writer.timeless(number);
      else if (match === 'yes') {
        const one = { record, text: recordText(line, record) };
        if (newest === null) shown.push(one);
        else newest.add(one);
      }
    }
    if (shown.length > 0 && (await writer.writeShown(shown))) return true;
    // No lines: all that was there at first has been read.
    if (lines.length === 0 && newest !== null) {
      if (await writer.writeShown(newest.all())) return true;
      newest = null;
    }
  }
  return newest !== null && (await writer.writeShown(newest.all()));
}

/** Blanks, and what writers leave between records: a mark at the start, a hole, a separator. */
function isBlank(line: string): boolean {
  return /^[\ufeff\0\x1e\s]*$/.test(line);
}
