/** Reads the fleet's log from the mesh, a page at a time. */
import { partOf } from '../../mesh/document.js';
import type { Json } from '../../protocol/json/values.js';
import { malformed, positiveAnswer, understood, whySilent } from '../mesh/answers.js';
import type { MeshEndpoint } from '../ports/mesh.js';
import type { JsonRecord } from './foreign-records.js';
import type { LogFilter } from './tail.js';

/** A page of the fleet's log, or why there is none. */
export type FleetPage =
  | {
      readonly kind: 'page';
      readonly entries: readonly JsonRecord[];
      /** Where the next page continues. */
      readonly next: string;
      /** More match than fit: after these, or before them where the newest were asked for. */
      readonly more: boolean;
    }
  /** `after` is no place of the log that answers: it is another mesh's, or shorter than it was. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'unreachable'; readonly reason: string };

/** Which entries of the fleet's log are asked for. The mesh answers after `waitMs` at the latest when none match yet. */
export interface FleetQuery {
  readonly filter: LogFilter;
  /** Null begins at the oldest entry. */
  readonly after: string | null;
  /** The newest so many instead, at most 500. */
  readonly last?: number;
  readonly waitMs?: number;
}

/** Most entries that `last` may ask for. */
export const MAX_LAST = 500;
const TIMEOUT_MS = 10_000;

/** True when the mesh applies the whole filter; the rest of it is the caller's. */
export function isMeshs({ action, until, grep }: LogFilter): boolean {
  return action === undefined && until === undefined && grep === undefined;
}

/** Fails with NETWORK when the mesh refuses. */
export async function readFleet(
  line: MeshEndpoint,
  { filter, after, last, waitMs = 0 }: FleetQuery,
): Promise<FleetPage> {
  const { agentId, status, code, since } = filter;
  const query = new URLSearchParams({
    ...(agentId === undefined ? {} : { agent: agentId }),
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    ...(since === undefined ? {} : { since: String(Math.max(0, Math.floor(since))) }),
    ...(after === null ? {} : { after }),
    ...(last === undefined ? { limit: '500' } : { last: String(last) }),
    ...(waitMs === 0 ? {} : { wait: `${waitMs}ms` }),
  });
  const reply = await line.ask({ method: 'GET', target: `/v1/logs?${query}`, timeoutMs: TIMEOUT_MS + waitMs });
  if (reply.kind === 'unreachable') return reply;
  if (reply.status === 503) return { kind: 'unreachable', reason: whySilent(reply.body) };
  if (reply.status === 409) return { kind: 'elsewhere' };
  // A page is larger than a document may be, so it is read here; a refusal is read like any other.
  if (reply.status !== 200) throw malformed(line, String(positiveAnswer(line, reply.status, reply.body)));
  return pageOf(line, reply.body);
}

function pageOf(line: MeshEndpoint, body: string): FleetPage {
  let page: Json;
  try {
    page = JSON.parse(body) as Json;
  } catch {
    throw malformed(line, 'it is not JSON');
  }
  return { kind: 'page', ...understood(line, () => partOf('Entries', page, ['entries', 'next', 'more'])) };
}
