/** A tail of the fleet's log: what every verifier shipped, in the order in which it arrived at the mesh. */
import { isMeshs, MAX_LAST, readFleet, type FleetPage, type FleetQuery } from '../../app/logs/fleet.js';
import { unreachable } from '../../app/mesh/answers.js';
import type { MeshEndpoint } from '../../app/ports/mesh.js';
import type { JsonRecord } from '../../app/logs/foreign-records.js';
import { matcher } from '../../app/logs/tail.js';
import { reconnectDelay } from '../../mesh/client/reconnect.js';
import { clean } from '../render/terminal/text.js';
import { Newest, type TailRequest, type TailWriter } from './tail.js';
import { pause } from '../../workspace/files.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

const WAIT_MS = 20_000;

/** Resolves to true when the exit condition was met. */
export async function tailMesh(
  cli: Notices & Surroundings,
  line: MeshEndpoint,
  { filter: given, last, follow }: TailRequest,
  writer: TailWriter,
): Promise<boolean> {
  const filter = { ...given, type: given.type ?? ('verification' as const) };
  const judge = matcher(filter);
  const matches = (record: JsonRecord): boolean => judge(record) === 'yes';
  let after: string | null = null;

  // The mesh finds the newest by itself as far as it knows the filter; else everything is read.
  if (last !== null && last <= MAX_LAST && isMeshs(filter)) {
    const page = await demanded(line, { filter, after: null, last });
    if (page.more) cli.warn('Older entries are left out: together they are too large for one answer.', 'gap');
    if (await writer.write(page.entries.filter(matches))) return true;
    after = page.next;
  } else {
    const newest = last === null ? null : new Newest<JsonRecord>(last);
    for (let more = true; more;) {
      const page: Page = await demanded(line, { filter, after });
      const records = page.entries.filter(matches);
      if (newest !== null) for (const record of records) newest.add(record);
      else if (await writer.write(records)) return true;
      ({ next: after, more } = page);
    }
    if (newest !== null && (await writer.write(newest.all()))) return true;
  }
  if (!follow) return false;

  cli.detail('live');
  let said = false;
  for (let failures = 0; cli.io.interruption.reason === null;) {
    const page = await stoppable(readFleet(line, { filter, after, waitMs: WAIT_MS }), cli.io.interruption.signal);
    if (page === null) return false;
    if (page.kind === 'page') {
      if (said) cli.note('live again; nothing was missed');
      [said, failures] = [false, 0];
      after = page.next;
      if (await writer.write(page.entries.filter(matches))) return true;
    } else if (page.kind === 'elsewhere') {
      cli.warn('A gap: the log of the mesh is another one than before, or shorter. Going on from its end.', 'gap');
      after = (await demanded(line, { filter, after: null, last: 0 })).next;
    } else {
      const ms = reconnectDelay(failures++, Math.random());
      if (!said && failures > 1) cli.note(`reconnecting: ${clean(page.reason)}; the place in the log is kept`);
      said ||= failures > 1;
      await pause(ms, cli.io.interruption.signal);
    }
  }
  return false;
}

type Page = Extract<FleetPage, { kind: 'page' }>;

async function demanded(line: MeshEndpoint, query: FleetQuery): Promise<Page> {
  const page = await readFleet(line, query);
  if (page.kind === 'unreachable') throw unreachable(line, page.reason);
  if (page.kind === 'page') return page;
  // The log changed between two pages: what was read of it does not belong together.
  throw unreachable(line, 'its log was replaced while it was read');
}

/** Null as soon as the signal says so: a long poll must not hold up Ctrl-C. */
function stoppable<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(null);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
