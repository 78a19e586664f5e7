/** What outlives one exchange with a server. */
import { Continuations } from './continuations.js';
import { ToolListing } from './listing.js';
import type { SessionPorts } from './ports.js';

/** What sessions with one server may share: its list of tools, and the calls that it lets go on. */
export interface SessionMemory {
  readonly listing: ToolListing;
  readonly continuations: Continuations;
}

/** @returns the memory of one session, or of several */
export function sessionMemory({
  pins,
  requirePins,
  note,
  server,
}: Pick<SessionPorts, 'pins' | 'requirePins' | 'note' | 'server'>): SessionMemory {
  const said = (count: number): void =>
    note(
      count === 1
        ? `pinned the one tool of ${server} as it is now`
        : `pinned the ${count} tools of ${server} as they are now`,
    );
  return { listing: new ToolListing(pins, requirePins, said), continuations: new Continuations() };
}
