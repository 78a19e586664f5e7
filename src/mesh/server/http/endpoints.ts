/** Every endpoint once: routing, roles, body limits and the OpenAPI document all come from this table. */
import { MAX_PASSPORT_REQUEST_BYTES, MAX_SHIPMENT_BYTES } from '../../limits.js';
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
import { acknowledge, longPoll, nativeStream, referenceStream, snapshot } from '../feed/following.js';
import { forget, leave } from '../feed/leaving.js';
import { addApiKey, listKeys, revokeKey } from '../keys.js';
import { fleet } from './dashboard.js';
import { LOG_ENDPOINTS } from './log-endpoints.js';
import { addPrincipal, document, inForce, listPrincipals, publish, removePrincipal, withdraw } from '../passports.js';
import { metrics } from '../metrics.js';
import {
  regionLog,
  regionProof,
  regionReport,
  regionRoster,
  regionsTable,
  regionTables,
  regionTail,
} from '../regions/feeding.js';
import {
  AFTER,
  CHALLENGE,
  CONFIRMED,
  json,
  jsonOnce,
  deletedRow,
  postedRow,
  readRow,
  referenceRow,
  REPLICATION,
  SPEAKS,
  SSE,
  VERIFIER,
  type Endpoint,
} from './endpoint.js';

export type { Endpoint } from './endpoint.js';

/** Every endpoint; the router and the OpenAPI document are made of it. */
export const ENDPOINTS: readonly Endpoint[] = [
  readRow('/v1/mesh/snapshot', 'observer', 'mesh', 'All standings at one place of the log, signed', {
    handle: snapshot,
    query: { v: SPEAKS },
    answer: { type: 'application/x-ndjson' },
  }),
  readRow('/v1/mesh/stream', 'observer', 'mesh', 'Follow the log: events, heartbeats, resets', {
    handle: nativeStream,
    query: { after: AFTER, verifier: VERIFIER, challenge: CHALLENGE, v: SPEAKS },
    answer: SSE,
  }),
  readRow('/v1/mesh/events', 'observer', 'mesh', 'Follow the log by long polling', {
    handle: longPoll,
    query: {
      after: AFTER,
      wait: 'How long to wait for an event, e.g. `20s`.',
      once: '`1`: the verifier decides from the answer and does not listen: it is absent until it asks again.',
      verifier: VERIFIER,
      challenge: CHALLENGE,
      v: SPEAKS,
    },
    answer: json('Events'),
  }),
  readRow('/v1/mesh/roster', 'observer', 'mesh', 'Every verifier that should listen', {
    handle: rosterPage,
    query: { after: 'Only those after this one (`next` of the last page).' },
    answer: json('Roster'),
  }),
  postedRow('/v1/mesh/drill', 'operator', 'mesh', 'Keep what a drill found', {
    handle: keepDrill,
    body: 'Drill',
    answer: json('DrillKept'),
  }),
  postedRow('/v1/mesh/leave', 'verifier', 'mesh', 'Stop listening, for good', {
    handle: leave,
    body: 'Leaving',
    answer: json('Left'),
  }),
  deletedRow('/v1/mesh/verifiers/{verifier}', 'admin', 'mesh', 'Take a verifier off the roster', {
    handle: forget,
    answer: json('Forgotten'),
  }),
  postedRow('/v1/mesh/acks', 'verifier', 'mesh', 'Confirm what was applied', {
    handle: acknowledge,
    body: 'Ack',
    answer: json('Acknowledged'),
  }),
  postedRow('/v1/mesh/commands', 'operator', 'mesh', 'Revoke, suspend or reinstate', {
    handle: nativeCommand,
    body: 'Command',
    query: CONFIRMED,
    answer: json('CommandAnswer'),
  }),
  readRow('/v1/mesh/regions', 'observer', 'regions', 'Every region, and how far it has stored the log', {
    handle: regionsTable,
    answer: json('Regions'),
  }),
  readRow('/v1/mesh/region/log', 'region', 'regions', 'Copy the log; asking says what is stored', {
    handle: regionLog,
    query: {
      after: AFTER,
      wait: 'How long to wait for an event, e.g. `2s`.',
      notices: 'How many notices of requests for approval the region has heard of.',
    },
    answer: json('RegionLog'),
  }),
  readRow('/v1/mesh/region/proof', 'region', 'regions', "Home's signed head of now", {
    handle: regionProof,
    query: { challenge: CHALLENGE },
    answer: json('RegionProof'),
  }),
  readRow('/v1/mesh/region/tables', 'region', 'regions', 'Hashes of the API keys, and principals', {
    handle: regionTables,
    answer: json('RegionTables'),
  }),
  readRow('/v1/mesh/region/roster', 'region', 'regions', 'Who should listen, for when home is lost', {
    handle: regionRoster,
    answer: json('RegionRoster'),
  }),
  postedRow('/v1/mesh/region/report', 'region', 'regions', 'Who listens at a region, in their own signed words', {
    handle: regionReport,
    body: 'RegionReport',
    answer: json('RegionReported'),
    maxBody: MAX_SHIPMENT_BYTES,
    changes: false,
  }),
  postedRow(
    '/v1/mesh/region/tail',
    'region',
    'regions',
    'What a server holds beyond the fork: denies are given again',
    { handle: regionTail, body: 'RegionTail', answer: json('RegionTailed'), maxBody: MAX_SHIPMENT_BYTES },
  ),
  readRow('/v1/mesh/status', 'observer', 'mesh', 'The mesh: head, connected verifiers', {
    handle: meshStatus,
    answer: json('MeshStatus'),
  }),
  readRow('/v1/mesh/status/{agent}', 'observer', 'mesh', 'The standing of an agent, a principal or `*`', {
    handle: subjectStatus,
    answer: json('SubjectStatus'),
  }),
  postedRow('/v1/mesh/passports', 'operator', 'passports', 'Publish a passport', {
    handle: publish,
    body: 'Publication',
    query: CONFIRMED,
    answer: json('Published'),
    maxBody: MAX_PASSPORT_REQUEST_BYTES,
  }),
  postedRow(
    '/v1/mesh/passports/withdraw',
    'admin',
    'passports',
    'Demand nothing of the passport of an agent any more',
    { handle: withdraw, body: 'Withdrawal', query: CONFIRMED, answer: json('Published') },
  ),
  readRow('/v1/mesh/passports', 'observer', 'passports', 'The serial in force of an agent', {
    handle: inForce,
    query: { agent: 'The agent.' },
    answer: json('PassportInForce'),
  }),
  readRow('/v1/mesh/passports/{hash}', 'observer', 'passports', 'A passport by its hash', {
    handle: document,
    answer: json('Any'),
  }),
  postedRow('/v1/mesh/principals', 'admin', 'passports', 'Take the passports that a key signs', {
    handle: addPrincipal,
    body: 'PrincipalKey',
    answer: json('PrincipalKept', 201),
  }),
  readRow('/v1/mesh/principals', 'observer', 'passports', 'Principals whose passports are taken', {
    handle: listPrincipals,
    answer: json('Principals'),
  }),
  deletedRow('/v1/mesh/principals/{did}', 'admin', 'passports', 'Take no passports of a principal, or of a key of it', {
    handle: removePrincipal,
    query: { key: 'Only this key.' },
    answer: json('PrincipalRemoved'),
  }),
  postedRow('/v1/mesh/approvals', 'verifier', 'approvals', 'Ask persons elsewhere for their approval', {
    handle: handInRequest,
    body: 'ApprovalRequest',
    answer: jsonOnce('ApprovalState'),
    maxBody: MAX_APPROVAL_REQUEST_BYTES,
  }),
  readRow('/v1/mesh/approvals', 'observer', 'approvals', 'Requests for approval that the caller may read', {
    handle: listRequests,
    query: {
      status: '`open` (default) or `all`.',
      verifier: 'Only those that this verifier raised, by its public key.',
      from: 'Only those after this one (`next` of the last page).',
      after: 'The `mark` of an earlier answer: with `wait`, the answer comes when something has changed since.',
      wait: 'How long to wait for a change, e.g. `20s`.',
    },
    answer: json('ApprovalStates'),
  }),
  readRow('/v1/mesh/approvals/{request_id}', 'approver', 'approvals', 'A request with its params', {
    handle: readRequest,
    answer: json('ApprovalRequest'),
  }),
  readRow('/v1/mesh/approvals/{request_id}/answers', 'observer', 'approvals', 'The answers to a request', {
    handle: readAnswers,
    query: { after: 'The `version` of an earlier answer.', wait: 'How long to wait for another, e.g. `20s`.' },
    answer: json('ApprovalAnswers'),
  }),
  postedRow(
    '/v1/mesh/approvals/{request_id}/answers',
    'approver',
    'approvals',
    'Answer a request, signed by the approver',
    { handle: handInAnswer, body: 'Approval', answer: jsonOnce('ApprovalState') },
  ),
  postedRow('/v1/mesh/approvals/{request_id}/end', 'verifier', 'approvals', 'Its verifier says how a request ended', {
    handle: endRequest,
    body: 'ApprovalEnd',
    answer: json('ApprovalState'),
  }),
  postedRow('/v1/mesh/keys', 'admin', 'keys', 'Make an API key', {
    handle: addApiKey,
    body: 'KeyOrder',
    answer: json('NewKey', 201),
  }),
  readRow('/v1/mesh/keys', 'admin', 'keys', 'List the API keys', {
    handle: listKeys,
    query: { after: 'Only keys made after the one with this id (`next` of the last page).' },
    answer: json('Keys'),
  }),
  deletedRow('/v1/mesh/keys/{key_id}', 'admin', 'keys', 'Revoke an API key and close its streams', {
    handle: revokeKey,
    answer: json('KeyRevoked'),
  }),
  ...LOG_ENDPOINTS,
  readRow('/v1/mesh/fleet', 'observer', 'mesh', 'Agents with standing, trust and failure rate; the logs behind them', {
    handle: fleet,
    query: { find: 'Only agents whose id contains this.' },
    answer: json('Fleet'),
  }),
  readRow('/metrics', 'observer', 'operations', 'Numbers for Prometheus', {
    handle: metrics,
    answer: { type: 'text/plain' },
  }),
  referenceRow('/mesh/revoke', 'operator', 'Revoke', {
    handle: referenceCommand('revoke'),
    body: 'ReferenceRevoke',
    query: REPLICATION,
    answer: 'ReferenceAnswer',
  }),
  referenceRow('/mesh/suspend', 'operator', 'Suspend', {
    handle: referenceCommand('suspend'),
    body: 'ReferenceSuspend',
    query: REPLICATION,
    answer: 'ReferenceAnswer',
  }),
  referenceRow('/mesh/reinstate', 'admin', 'Reinstate', {
    handle: referenceCommand('reinstate'),
    body: 'ReferenceAgent',
    query: REPLICATION,
    answer: 'ReferenceAnswer',
  }),
  referenceRow('/mesh/status', 'observer', 'Standing', {
    handle: referenceStatus,
    body: 'ReferenceAgent',
    answer: 'ReferenceStatus',
  }),
  referenceRow('/mesh/agents/register', 'observer', 'Register', {
    handle: referenceRegister,
    body: 'ReferenceAgent',
    answer: 'ReferenceRegistered',
  }),
  readRow('/mesh/usage', 'observer', 'reference', 'Usage', { handle: referenceUsage, answer: json('ReferenceUsage') }),
  readRow('/mesh/events', 'observer', 'reference', 'Follow the events', { handle: referenceStream, answer: SSE }),
];
