/** A row of the table of endpoints, and how one is written. */
import { MAX_REQUEST_BYTES } from '../../limits.js';
import type { Role } from '../../access/roles.js';
import type { Caller, Reply, Request } from './exchange.js';
import type { MeshServer } from '../mesh-server.js';

type Handler = (server: MeshServer, request: Request, caller: Caller, params: readonly string[]) => Promise<Reply>;

interface Answering {
  readonly type: string;
  readonly schema?: string;
  readonly status?: number;
  /** 200 instead where nothing was new: the request had been handed in before. */
  readonly repeats?: true;
}

/** One row of the table of endpoints. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` where a parameter stands. */
  readonly path: string;
  /** The least role that may ask. Commands ask for more by what they do. */
  readonly role: Role;
  readonly summary: string;
  readonly tag: 'mesh' | 'regions' | 'passports' | 'approvals' | 'logs' | 'keys' | 'reference' | 'operations';
  /** Query parameters. */
  readonly query?: Readonly<Record<string, string>>;
  /** Name of the request body's schema. */
  readonly body?: string;
  /** Content type of the answer and, for JSON, the name of its schema. */
  readonly answer: Answering;
  readonly maxBody: number;
  /** True of what a sealed server refuses: it would write into a history that has gone on elsewhere. */
  readonly changes: boolean;
  /** Where it is answered at a server that follows another one. */
  readonly answeredBy: 'here' | 'home';
  readonly handle: Handler;
}

const JSON_TYPE = 'application/json';
/** The answer that goes on. */
export const SSE = { type: 'text/event-stream' };
/** The answer in JSON with this schema. */
export const json = (schema: string, status = 200) => ({ type: JSON_TYPE, schema, status });
/** The same: 201 where something was new, else 200. */
export const jsonOnce = (schema: string): Answering => ({ type: JSON_TYPE, schema, status: 201, repeats: true });

/** What the parameter `after` is. */
export const AFTER =
  'Event id `<log_id>.<term>.<seq>`, or a bare seq, to continue after; `Last-Event-ID` does the same.';
/** What the parameter `challenge` is. */
export const CHALLENGE = '32 hex digits that the signed checkpoint of the answer repeats.';
/** What the parameter `verifier` is. */
export const VERIFIER = 'Name under which this verifier reports what it has applied.';

/** What the parameter `v` is. */
export const SPEAKS =
  '`2`: also events and frames that the first version has not, such as passports and approvals. `1` (default): revocations, suspensions and reinstatements alone, with the hashes of what is skipped.';
/** What is wanted of the regions, in the query of a command. */
export const REPLICATION = {
  replication:
    '`sync`: answer when every region has stored it; `async`: after the commit. Left to home where it is not said.',
  within: 'How long `sync` waits for the regions, e.g. `500ms` (default).',
  region: 'Name of a region that is waited for; several times for several.',
  endpoint: 'Where that region is, in the same order: the one that is asked is not waited for.',
};
/** How long the giver of a command waits, and for whom. */
export const CONFIRMED = {
  wait: 'How long to wait for the verifiers to confirm, e.g. `1000ms`.',
  ...REPLICATION,
};

/** What is posted and changes nothing of the log. */
const HARMLESS: readonly string[] = ['/v1/mesh/acks', '/v1/mesh/leave', '/mesh/status', '/mesh/agents/register'];
/** What is posted about this server's own streams, or asks for what each server has. */
const POSTED_HERE: readonly string[] = ['/v1/mesh/acks', '/mesh/status', '/mesh/agents/register'];
/** What only home holds. */
const READ_AT_HOME: readonly string[] = [
  '/v1/mesh/keys',
  '/v1/mesh/regions',
  '/v1/mesh/roster',
  '/v1/mesh/approvals',
  '/v1/logs',
  '/v1/mesh/fleet',
];

/** What a row says beside its path, who may ask, and what for. */
type RowRest = Pick<Endpoint, 'handle' | 'answer' | 'query'>;

/** A row that is read. */
export function readRow(path: string, role: Role, tag: Endpoint['tag'], summary: string, rest: RowRest): Endpoint {
  const answeredBy = READ_AT_HOME.some((start) => path.startsWith(start)) ? 'home' : 'here';
  return { method: 'GET', path, role, tag, summary, maxBody: 0, changes: false, answeredBy, ...rest };
}

/** A row that is posted; `rest` may say another bound of the body, and that it writes nothing into the log. */
export function postedRow(
  path: string,
  role: Role,
  tag: Endpoint['tag'],
  summary: string,
  rest: RowRest & Pick<Endpoint, 'body'> & Partial<Pick<Endpoint, 'maxBody' | 'changes'>>,
): Endpoint {
  const changes = !HARMLESS.includes(path);
  const answeredBy = POSTED_HERE.includes(path) ? 'here' : 'home';
  return { method: 'POST', path, role, tag, summary, maxBody: MAX_REQUEST_BYTES, changes, answeredBy, ...rest };
}

/** A row that takes something away. */
export function deletedRow(path: string, role: Role, tag: Endpoint['tag'], summary: string, rest: RowRest): Endpoint {
  return { method: 'DELETE', path, role, tag, summary, maxBody: 0, changes: true, answeredBy: 'home', ...rest };
}

/** A row of the reference's client; `answer` is the name of a schema. */
export function referenceRow(
  path: string,
  role: Role,
  summary: string,
  { answer, ...rest }: Pick<Endpoint, 'handle' | 'body' | 'query'> & { readonly answer: string },
): Endpoint {
  const asked = `${summary}, as the reference's client asks`;
  return postedRow(path, role, 'reference', asked, { ...rest, answer: json(answer) });
}
