/** A tail of this machine's own log. */
import { counted } from '../render/terminal/text.js';
import type { JsonRecord } from '../../app/logs/foreign-records.js';
import { matcher } from '../../app/logs/tail.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import { pause } from '../../workspace/files.js';
import type { LocalState } from '../../workspace/state.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';
import type { Notices } from '../output.js';
import { Newest, type TailRequest, type TailWriter } from './tail.js';

/** An entry committed now is shown within this time and what its query takes, ms. */
const POLL = 40;
/** Entries written out at once. */
const BATCH = 256;

/** Resolves to true when the exit condition was met. */
export async function tailLog(
  cli: Notices & Lifetime & Surroundings,
  state: LocalState,
  request: TailRequest,
  writer: TailWriter,
): Promise<boolean> {
  const from = state.bounds().head.seq;
  const { done, seen } = request.last === 0 ? { done: false, seen: from } : await past(state, request, writer);
  if (done || !request.follow) return done;
  let over = false;
  cli.afterwards(() => void (over = true));
  cli.detail('live');
  return fresh(cli, state, request, writer, Math.max(from, seen), () => cli.io.interruption.reason !== null || over);
}

/** Shows what is in the log; `seen` is its last entry that was looked at. */
async function past(
  state: LocalState,
  { filter, last }: TailRequest,
  writer: TailWriter,
): Promise<{ readonly done: boolean; readonly seen: number }> {
  const { query, isMatch } = searching(filter);
  const newest = filter.grep !== undefined && last !== null ? new Newest<JsonRecord>(last) : null;
  let seen = 0;
  let batch: JsonRecord[] = [];
  for (const entry of state.records(last === null || newest !== null ? query : { ...query, last })) {
    const record = recordOf(entry);
    seen = Math.max(seen, entry.seq);
    if (!isMatch(record)) continue;
    if (newest !== null) newest.add(record);
    else if (batch.push(record) === BATCH) {
      if (await writer.write(batch)) return { done: true, seen };
      batch = [];
    }
  }
  return { done: await writer.write(newest?.all() ?? batch), seen };
}

/** Shows what comes after entry `seen`, until `isOver`. */
async function fresh(
  cli: Notices & Surroundings,
  state: LocalState,
  { filter }: TailRequest,
  writer: TailWriter,
  seen: number,
  isOver: () => boolean,
): Promise<boolean> {
  const { query, isMatch } = searching(filter);
  while (!isOver()) {
    const { head, after } = state.bounds();
    if (after.seq > seen) {
      cli.warn(`A gap of ${counted(after.seq - seen, 'entry', 'entries')}: pruned before it could be shown.`, 'gap');
      seen = after.seq;
    }
    if (head.seq > seen) {
      const batch: JsonRecord[] = [];
      for (const entry of state.records({ ...query, afterSeq: seen })) {
        seen = Math.max(seen, entry.seq);
        const record = recordOf(entry);
        if (isMatch(record)) batch.push(record);
        if (batch.length === BATCH) break;
      }
      // Those that the query left out are done with as well.
      if (batch.length < BATCH) seen = Math.max(seen, head.seq);
      if (await writer.write(batch)) return true;
      if (batch.length === BATCH) continue;
    }
    await pause(POLL, cli.io.interruption.signal);
  }
  return false;
}

/** What the log's query finds by itself, and the rest of the filter. */
function searching({ grep, ...rest }: TailRequest['filter']) {
  const judge = matcher(grep === undefined ? {} : { grep });
  return {
    query: { ...rest, type: rest.type ?? ('verification' as const) },
    isMatch: (record: JsonRecord): boolean => judge(record) === 'yes',
  };
}

function recordOf(entry: LogRecord): JsonRecord {
  return entry as unknown as JsonRecord;
}
