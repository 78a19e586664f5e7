/** Every endpoint once: routing, roles, body limits and the OpenAPI document all come from this table. */
import { MAX_PASSPORT_REQUEST_BYTES, MAX_REQUEST_BYTES, MAX_SHIPMENT_BYTES } from '../../limits.js';
import type { Role } from '../../access/roles.js';
import {
  keepDrill,
  meshStatus,
  rosterPage,
  referenceRegister,
  referenceStatus,
  referenceUsage,
  subjectStatus,
} from '../asking.js';
import {
  endRequest,
  handInAnswer,
  handInRequest,
  listRequests,
  readAnswers,
  readRequest,
} from '../approvals/endpoints.js';
import { MAX_APPROVAL_REQUEST_BYTES } from '../../approvals/kept.js';
import { nativeCommand, referenceCommand } from '../commanding.js';
import type { Caller, Reply, Request } from './exchange.js';
import { acknowledge, forget, leave, longPoll, nativeStream, referenceStream, snapshot } from '../feed/following.js';
import { addApiKey, listKeys, revokeKey } from '../keys.js';
import { fleet } from './dashboard.js';
import { readLogs, takeLogs, streamLogs } from '../logs.js';
import { addPrincipal, document, inForce, listPrincipals, publish, removePrincipal, withdraw } from '../passports.js';
import type { MeshServer } from '../mesh-server.js';
import { metrics } from '../metrics.js';

type Handler = (server: MeshServer, request: Request, caller: Caller, params: readonly string[]) => Promise<Reply>;

/** One row of the table of endpoints. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` where a parameter stands. */
  readonly path: string;
  /** The least role that may ask. Commands ask for more by what they do. */
  readonly role: Role;
  readonly summary: string;
  readonly tag: 'mesh' | 'passports' | 'approvals' | 'logs' | 'keys' | 'reference' | 'operations';
  /** Query parameters. */
  readonly query?: Readonly<Record<string, string>>;
  /** Name of the request body's schema. */
  readonly body?: string;
  /** Content type of the answer and, for JSON, the name of its schema. */
  readonly answer: { readonly type: string; readonly schema?: string; readonly status?: number };
  readonly maxBody: number;
  /** True of what a sealed server refuses: it would write into a history that has gone on elsewhere. */
  readonly changes: boolean;
  readonly handle: Handler;
}

const JSON_TYPE = 'application/json';
const SSE = { type: 'text/event-stream' };
const json = (schema: string, status = 200) => ({ type: JSON_TYPE, schema, status });

const AFTER = 'Event id `<log_id>.<term>.<seq>`, or a bare seq, to continue after; `Last-Event-ID` does the same.';
const CHALLENGE = '32 hex digits that the signed checkpoint of the answer repeats.';
const VERIFIER = 'Name under which this verifier reports what it has applied.';

/** What is posted and changes nothing of the log. */
const HARMLESS: readonly string[] = ['/v1/mesh/acks', '/v1/mesh/leave', '/mesh/status', '/mesh/agents/register'];

/** Every endpoint; the router and the OpenAPI document are made of it. */
export const ENDPOINTS: readonly Endpoint[] = [
  get('/v1/mesh/snapshot', 'observer', 'mesh', 'All standings at one place of the log, signed', snapshot, {
    answer: { type: 'application/x-ndjson' },
  }),
  get('/v1/mesh/stream', 'observer', 'mesh', 'Follow the log: events, heartbeats, resets', nativeStream, {
    query: { after: AFTER, verifier: VERIFIER, challenge: CHALLENGE },
    answer: SSE,
  }),
  get('/v1/mesh/events', 'observer', 'mesh', 'Follow the log by long polling', longPoll, {
    query: {
      after: AFTER,
      wait: 'How long to wait for an event, e.g. `20s`.',
      verifier: VERIFIER,
      challenge: CHALLENGE,
    },
    answer: json('Events'),
  }),
  get('/v1/mesh/roster', 'observer', 'mesh', 'Every verifier that should listen', rosterPage, {
    query: { after: 'Only those after this one (`next` of the last page).' },
    answer: json('Roster'),
  }),
  post('/v1/mesh/drill', 'operator', 'mesh', 'Keep what a drill found', keepDrill, 'Drill', json('Drill')),
  post('/v1/mesh/leave', 'verifier', 'mesh', 'Stop listening, for good', leave, 'Leaving', json('Left')),
  {
    ...get('/v1/mesh/verifiers/{verifier}', 'admin', 'mesh', 'Take a verifier off the roster', forget, {
      answer: json('Forgotten'),
    }),
    method: 'DELETE',
    changes: true,
  },
  post('/v1/mesh/acks', 'verifier', 'mesh', 'Confirm what was applied', acknowledge, 'Ack', json('Acknowledged')),
  post(
    '/v1/mesh/commands',
    'operator',
    'mesh',
    'Revoke, suspend or reinstate',
    nativeCommand,
    'Command',
    json('CommandAnswer'),
    {
      wait: 'How long to wait for the verifiers to confirm, e.g. `1000ms`.',
    },
  ),
  get('/v1/mesh/status', 'observer', 'mesh', 'The mesh: head, connected verifiers', meshStatus, {
    answer: json('MeshStatus'),
  }),
  get('/v1/mesh/status/{agent}', 'observer', 'mesh', 'The standing of an agent, a principal or `*`', subjectStatus, {
    answer: json('SubjectStatus'),
  }),
  {
    ...post(
      '/v1/mesh/passports',
      'operator',
      'passports',
      'Publish a passport',
      publish,
      'Publication',
      json('Published'),
      {
        wait: 'How long to wait for the verifiers to confirm, e.g. `1000ms`.',
      },
    ),
    maxBody: MAX_PASSPORT_REQUEST_BYTES,
  },
  post(
    '/v1/mesh/passports/withdraw',
    'admin',
    'passports',
    'Demand nothing of the passport of an agent any more',
    withdraw,
    'Withdrawal',
    json('Published'),
  ),
  get('/v1/mesh/passports', 'observer', 'passports', 'The serial in force of an agent', inForce, {
    query: { agent: 'The agent.' },
    answer: json('PassportInForce'),
  }),
  get('/v1/mesh/passports/{hash}', 'observer', 'passports', 'A passport by its hash', document, {
    answer: json('Any'),
  }),
  post(
    '/v1/mesh/principals',
    'admin',
    'passports',
    'Take the passports that a key signs',
    addPrincipal,
    'PrincipalKey',
    json('Any', 201),
  ),
  get('/v1/mesh/principals', 'observer', 'passports', 'Principals whose passports are taken', listPrincipals, {
    answer: json('Any'),
  }),
  {
    ...get(
      '/v1/mesh/principals/{did}',
      'admin',
      'passports',
      'Take no passports of a principal, or of a key of it',
      removePrincipal,
      {
        query: { key: 'Only this key.' },
        answer: json('Any'),
      },
    ),
    method: 'DELETE',
    changes: true,
  },
  {
    ...post(
      '/v1/mesh/approvals',
      'verifier',
      'approvals',
      'Ask persons elsewhere for their approval',
      handInRequest,
      'ApprovalRequest',
      json('ApprovalState', 201),
    ),
    maxBody: MAX_APPROVAL_REQUEST_BYTES,
  },
  get('/v1/mesh/approvals', 'observer', 'approvals', 'Requests for approval that the caller may read', listRequests, {
    query: {
      status: '`open` (default) or `all`.',
      verifier: 'Only those that this verifier raised, by its public key.',
      from: 'Only those after this one (`next` of the last page).',
      after: 'The `mark` of an earlier answer: with `wait`, the answer comes when something has changed since.',
      wait: 'How long to wait for a change, e.g. `20s`.',
    },
    answer: json('ApprovalStates'),
  }),
  get('/v1/mesh/approvals/{request_id}', 'approver', 'approvals', 'A request with its params', readRequest, {
    answer: json('ApprovalRequest'),
  }),
  get('/v1/mesh/approvals/{request_id}/answers', 'observer', 'approvals', 'The answers to a request', readAnswers, {
    query: { after: 'The `version` of an earlier answer.', wait: 'How long to wait for another, e.g. `20s`.' },
    answer: json('ApprovalAnswers'),
  }),
  post(
    '/v1/mesh/approvals/{request_id}/answers',
    'approver',
    'approvals',
    'Answer a request, signed by the approver',
    handInAnswer,
    'Approval',
    json('ApprovalState', 201),
  ),
  post(
    '/v1/mesh/approvals/{request_id}/end',
    'verifier',
    'approvals',
    'Its verifier says how a request ended',
    endRequest,
    'ApprovalEnd',
    json('ApprovalState'),
  ),
  post('/v1/mesh/keys', 'admin', 'keys', 'Make an API key', addApiKey, 'KeyOrder', json('NewKey', 201)),
  get('/v1/mesh/keys', 'admin', 'keys', 'List the API keys', listKeys, {
    query: { after: 'Only keys made after the one with this id (`next` of the last page).' },
    answer: json('Keys'),
  }),
  {
    ...get('/v1/mesh/keys/{key_id}', 'admin', 'keys', 'Revoke an API key and close its streams', revokeKey, {
      answer: json('KeyRevoked'),
    }),
    method: 'DELETE',
    changes: true,
  },
  {
    ...post('/v1/logs', 'verifier', 'logs', 'Ship verification log entries', takeLogs, 'Shipment', json('Shipped')),
    maxBody: MAX_SHIPMENT_BYTES,
    changes: false,
  },
  get('/v1/logs', 'observer', 'logs', 'Read shipped verification log entries', readLogs, {
    query: {
      agent: 'Only entries of this agent.',
      status: 'Only `success` or `failed`.',
      code: 'Only entries with this error code.',
      since: 'Only entries at or after this time: RFC 3339, or ms since the epoch.',
      after: 'Only entries that arrived after this place (`next` of the last page).',
      wait: 'How long to wait for an entry, e.g. `20s`.',
      limit: 'At most this many, up to 500.',
      last: 'The newest so many that match, up to 500.',
    },
    answer: json('Entries'),
  }),
  get('/v1/logs/stream', 'observer', 'logs', 'Follow the entries as they arrive', streamLogs, {
    query: { after: 'Place to continue after; `Last-Event-ID` does the same.' },
    answer: SSE,
  }),
  get(
    '/v1/mesh/fleet',
    'observer',
    'mesh',
    'Agents with standing, trust and failure rate; the logs behind them',
    fleet,
    {
      query: { find: 'Only agents whose id contains this.' },
      answer: json('Fleet'),
    },
  ),
  get('/metrics', 'observer', 'operations', 'Numbers for Prometheus', metrics, { answer: { type: 'text/plain' } }),
  reference('/mesh/revoke', 'operator', 'Revoke', referenceCommand('revoke'), 'ReferenceRevoke', 'ReferenceAnswer'),
  reference('/mesh/suspend', 'operator', 'Suspend', referenceCommand('suspend'), 'ReferenceSuspend', 'ReferenceAnswer'),
  reference(
    '/mesh/reinstate',
    'admin',
    'Reinstate',
    referenceCommand('reinstate'),
    'ReferenceAgent',
    'ReferenceAnswer',
  ),
  reference('/mesh/status', 'observer', 'Standing', referenceStatus, 'ReferenceAgent', 'ReferenceStatus'),
  reference(
    '/mesh/agents/register',
    'observer',
    'Register',
    referenceRegister,
    'ReferenceAgent',
    'ReferenceRegistered',
  ),
  get('/mesh/usage', 'observer', 'reference', 'Usage', referenceUsage, { answer: json('ReferenceUsage') }),
  get('/mesh/events', 'observer', 'reference', 'Follow the events', referenceStream, { answer: SSE }),
];

function get(
  path: string,
  role: Role,
  tag: Endpoint['tag'],
  summary: string,
  handle: Handler,
  rest: Pick<Endpoint, 'answer' | 'query'>,
): Endpoint {
  return { method: 'GET', path, role, tag, summary, handle, maxBody: 0, changes: false, ...rest };
}

function post(
  path: string,
  role: Role,
  tag: Endpoint['tag'],
  summary: string,
  handle: Handler,
  body: string,
  answer: Endpoint['answer'],
  query: Endpoint['query'] = {},
): Endpoint {
  const changes = !HARMLESS.includes(path);
  return { method: 'POST', path, role, tag, summary, handle, body, answer, query, maxBody: MAX_REQUEST_BYTES, changes };
}

function reference(path: string, role: Role, summary: string, handle: Handler, body: string, answer: string): Endpoint {
  return post(path, role, 'reference', `${summary}, as the reference's client asks`, handle, body, json(answer));
}
