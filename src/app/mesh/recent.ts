/** The newest events of a mesh, and a copy that stands where they end, from which a watcher goes on without a hole. */
import type { MeshEvent } from '../../mesh/log/event.js';
import { NO_HASH, type Head } from '../../mesh/log/head.js';
import type { SignatureCheck } from '../../mesh/log/signing.js';
import { askMesh, malformed } from './answers.js';
import { eventsIn, meshOverview } from './overview.js';
import type { MeshCopy, MeshEndpoint } from '../ports/mesh.js';

/** The newest events of a mesh, oldest first. */
export interface Recent {
  readonly events: readonly MeshEvent[];
  /** The place of the last of them. */
  readonly end: Head;
}

const TIMEOUT_MS = 5_000;

/** The newest `count` events, each signed by the mesh's key. @throws Failure NETWORK */
export async function recentEvents(line: MeshEndpoint, check: SignatureCheck, count: number): Promise<Recent> {
  const { head, logId } = await meshOverview(line, check);
  if (head === 0) return { events: [], end: { logId, term: 0, seq: 0, hash: NO_HASH } };
  const events: MeshEvent[] = [];
  // One event more than is shown: its hash is where following begins when none is.
  let after = Math.max(0, head - Math.max(1, count));
  while (after < head) {
    const target = `/v1/mesh/events?after=${after}&wait=0s&v=2`;
    const call = { method: 'GET', target, timeoutMs: TIMEOUT_MS } as const;
    const page = await askMesh(line, call, (answer) => eventsIn(line, answer, check));
    if (page.length === 0) break;
    events.push(...page);
    after = page.at(-1)!.seq;
  }
  const last = events.at(-1);
  if (last === undefined) throw malformed(line, `the log ends at ${head}, and its events are not there`);
  events.reduce((before, event) => {
    if (event.seq !== before.seq + 1 || event.prev_hash !== before.hash)
      throw malformed(line, `event ${event.seq} does not follow event ${before.seq}`);
    return event;
  });
  const end = { logId: last.log_id, term: last.term, seq: last.seq, hash: last.hash };
  return { events: count === 0 ? [] : events.slice(-count), end };
}

/** A copy in memory that is at `end` and keeps nothing. */
export function standsAt(end: Head): MeshCopy {
  return {
    load: () => ({ position: end, standings: [], kept: [], knowsPassports: true }),
    save: () => 'here',
    prove: (_wall, position) => position,
    provenAt: () => null,
    stopped: () => [],
    setLocal: () => undefined,
    local: () => null,
    kept: () => null,
    anticipate: () => undefined,
    standing: () => null,
    passportMarks: () => [],
    note: () => null,
    setNote: () => undefined,
    close: () => undefined,
  };
}
