/** What outlives one exchange with a server. */
import { Continuations } from './continuations.js';
import { ToolListing } from './listing.js';
import { RunningTasks } from './open-requests.js';
import type { SessionPorts } from './ports.js';

/** What sessions with one server may share: its list of tools, the calls that it lets go on, and the tasks that they began. */
export interface SessionMemory {
  readonly listing: ToolListing;
  readonly continuations: Continuations;
  readonly tasks: RunningTasks;
  /** Told of each page how many tools it holds, whether one may be offered, and whether more follow. A whole list without one is said once. */
  readonly listed: (tools: number, isOffered: boolean, more: boolean) => void;
}

const MOST_NAMED = 8;

/** @returns the memory of one session, or of several */
export function sessionMemory({
  pins,
  requirePins,
  note,
  server,
  ticks,
  maxTtlMs,
}: Pick<SessionPorts, 'pins' | 'requirePins' | 'note' | 'server' | 'ticks' | 'maxTtlMs'>): SessionMemory {
  const pinned = (count: number): void =>
    note(
      count === 1
        ? `pinned the one tool of ${server} as it is now`
        : `pinned the ${count} tools of ${server} as they are now`,
    );
  const hidden = (tools: readonly string[]): void => {
    const more = tools.length > MOST_NAMED ? ` and ${tools.length - MOST_NAMED} more` : '';
    note(
      `hidden of ${server}, not as pinned: ${tools.slice(0, MOST_NAMED).join(', ')}${more}; aip mcp diff -- <command> shows what changed, aip mcp pin --accept -- <command> takes it`,
    );
  };
  let held = 0;
  let silent = false;
  const listed = (tools: number, isOffered: boolean, more: boolean): void => {
    held += tools;
    silent ||= isOffered;
    if (silent || more || held === 0) return;
    silent = true;
    note(
      `the list is empty: the passport declares no tool of ${server}, neither as ${server}.<tool> nor by its own name; --name <server> is the server's name in the passport`,
    );
  };
  const listing = new ToolListing(pins, requirePins, { pinned, hidden }, { ticks, maxTtlMs });
  return { listing, continuations: new Continuations(), tasks: new RunningTasks(), listed };
}
