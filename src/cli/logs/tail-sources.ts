/** Where a tail's records come from: this machine's log, or lines that another program wrote. */
import { counted } from '../render/terminal/text.js';
import type { LocalState } from '../../workspace/state.js';
import { Failure } from '../../app/failure.js';
import { plainBytes } from '../../app/logs/encodings.js';
import { lineChunks } from '../../app/logs/foreign-lines.js';
import {
  foreignRecord,
  recordText,
  tellsOutcome,
  withStatus,
  type JsonRecord,
  type ShownRecord,
} from '../../app/logs/foreign-records.js';
import type { LogRecord as Recorded } from '../../protocol/log/entry.js';
import { matcher, type LogFilter } from '../../app/logs/tail.js';
import { Newest, type TailWriter } from './tail.js';
import { fileBytes, fileExists, isNamedPipe, pause } from '../../workspace/files.js';
import type { Notices } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Notices & Lifetime & Surroundings;

export interface TailRequest {
  readonly filter: LogFilter;
  /** The newest so many that match; null for all. */
  readonly last: number | null;
  readonly follow: boolean;
}

/** An entry committed now is shown within this time and what its query takes, ms. */
const POLL = 40;
/** Entries written out at once. */
const BATCH = 256;

/** Resolves to true when the exit condition was met. */
export async function tailLog(
  cli: Scene,
  state: LocalState,
  { filter, last, follow }: TailRequest,
  writer: TailWriter,
): Promise<boolean> {
  const { grep, ...rest } = filter;
  const query = { ...rest, type: filter.type ?? ('verification' as const) };
  const judge = matcher(grep === undefined ? {} : { grep });
  const matches = (record: JsonRecord): boolean => judge(record) === 'yes';
  let seen = state.bounds().head.seq;
  if (last !== 0) {
    const newest = grep !== undefined && last !== null ? new Newest<JsonRecord>(last) : null;
    let batch: JsonRecord[] = [];
    for (const entry of state.records(last === null || newest !== null ? query : { ...query, last })) {
      const record = recordOf(entry);
      seen = Math.max(seen, entry.seq);
      if (!matches(record)) continue;
      if (newest !== null) newest.add(record);
      else if (batch.push(record) === BATCH) {
        if (await writer.write(batch)) return true;
        batch = [];
      }
    }
    if (await writer.write(newest?.all() ?? batch)) return true;
  }
  if (!follow) return false;

  let over = false;
  cli.afterwards(() => void (over = true));
  cli.detail('live');
  while (!cli.io.signal.aborted && !over) {
    const { head, after } = state.bounds();
    if (after.seq > seen) {
      cli.warn(`A gap of ${counted(after.seq - seen, 'entry', 'entries')}: pruned before it could be shown.`, 'gap');
      seen = after.seq;
    }
    if (head.seq > seen) {
      const fresh: JsonRecord[] = [];
      for (const entry of state.records({ ...query, afterSeq: seen })) {
        seen = Math.max(seen, entry.seq);
        const record = recordOf(entry);
        if (matches(record)) fresh.push(record);
        if (fresh.length === BATCH) break;
      }
      // Those that the query left out are done with as well.
      if (fresh.length < BATCH) seen = Math.max(seen, head.seq);
      if (await writer.write(fresh)) return true;
      if (fresh.length === BATCH) continue;
    }
    await pause(POLL, cli.io.signal);
  }
  return false;
}

/** Lines of a file, or of stdin for `-`. Resolves to true when the exit condition was met. */
export async function tailFile(
  cli: Scene,
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
      ? (cli.io.stdin as AsyncIterable<Uint8Array>)
      : fileBytes(path, {
          follow,
          signal: cli.io.signal,
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

function recordOf(entry: Recorded): JsonRecord {
  return entry as unknown as JsonRecord;
}
