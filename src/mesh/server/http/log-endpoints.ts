/** The endpoints of verification logs: a part of the table in `endpoints.ts`. */
import { MAX_SHIPMENT_BYTES } from '../../limits.js';
import { dropShipped, eraseShipped } from '../erasing.js';
import { readLogs, streamLogs, takeLogs } from '../logs.js';
import { readTree, witnessTree } from '../witness/trees.js';
import { json, postedRow, readRow, SSE, type Endpoint } from './endpoint.js';

/** Every endpoint below `/v1/logs`. */
export const LOG_ENDPOINTS: readonly Endpoint[] = [
  postedRow('/v1/logs', 'verifier', 'logs', 'Ship verification log entries', {
    handle: takeLogs,
    body: 'Shipment',
    answer: json('Shipped'),
    maxBody: MAX_SHIPMENT_BYTES,
    changes: false,
  }),
  postedRow(
    '/v1/logs/tree',
    'verifier',
    'logs',
    "Have the mesh cosign a checkpoint of a verifier's tree, as C2SP tlog-witness does",
    { handle: witnessTree, body: 'WitnessedTree', answer: json('SeenTree') },
  ),
  readRow('/v1/logs/tree', 'verifier', 'logs', 'The last checkpoint of a tree that the mesh has seen', {
    handle: readTree,
    query: { log: 'The id of the log.' },
    answer: json('SeenTree'),
  }),
  readRow('/v1/logs', 'observer', 'logs', 'Read shipped verification log entries', {
    handle: readLogs,
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
  postedRow('/v1/logs/erase', 'admin', 'logs', 'Take values out of shipped entries for good, signed by the admin', {
    handle: eraseShipped,
    body: 'Erasure',
    answer: json('Erased'),
  }),
  postedRow('/v1/logs/drop', 'admin', 'logs', 'Let a shipped log go whole, signed by the admin', {
    handle: dropShipped,
    body: 'LogDrop',
    answer: json('LogDropped'),
  }),
  readRow('/v1/logs/stream', 'observer', 'logs', 'Follow the entries as they arrive', {
    handle: streamLogs,
    query: { after: 'Place to continue after; `Last-Event-ID` does the same.' },
    answer: SSE,
  }),
];
