/**
 * The whole state at one place of the log, as lines of JSON so that neither side holds a second copy of it: a header, a line a
 * subject, and a signed trailer with the digest of everything before it.
 */
import { canonicalize } from '../protocol/canonical.js';
import { sha256Hex } from '../protocol/hash.js';
import { parseJsonText } from '../protocol/json.js';
import { objectOf, ShapeError } from '../protocol/shape.js';
import { formatTime, parseTime } from '../protocol/time.js';
import type { Json, JsonObject } from '../protocol/values.js';
import { isHash, isLogId, type Head } from './head.js';
import { signatureHolds, type SignatureCheck, type Signer } from './signing.js';
import type { Standing, Status } from './standing.js';
import { scopeOf } from './subject.js';

export interface Snapshot {
  readonly head: Head;
  /** When it was made, RFC 3339. */
  readonly time: string;
  readonly standings: readonly Standing[];
}

/** The snapshot as text: every line ends with a line feed. */
export function writeSnapshot(snapshot: Snapshot, sign: Signer): string {
  const { head, time, standings } = snapshot;
  const header = canonicalize({
    type: 'snapshot',
    v: 1,
    log_id: head.logId,
    term: head.term,
    seq: head.seq,
    hash: head.hash,
    time,
    count: standings.length,
  });
  let body = `${header}\n`;
  for (const standing of standings) body += `${lineOf(standing)}\n`;
  const trailer = { type: 'snapshot-end', log_id: head.logId, seq: head.seq, digest: sha256Hex(body) };
  return `${body}${canonicalize({ ...trailer, signature: sign(canonicalize(trailer)) })}\n`;
}

const SUBJECT_MEMBERS = [
  'id',
  'status',
  'reason',
  'changed_at',
  'changed_by',
  'suspended_until',
  'version',
  'seq',
] as const;
const HEADER_MEMBERS = ['type', 'v', 'log_id', 'term', 'seq', 'hash', 'time', 'count'] as const;
const TRAILER_MEMBERS = ['type', 'log_id', 'seq', 'digest', 'signature'] as const;

/** The snapshot in `text`, whole and signed by the mesh. Throws JsonError or ShapeError. */
export function readSnapshot(text: string, check: SignatureCheck): Snapshot {
  if (!text.endsWith('\n')) throw new ShapeError('the snapshot is cut off');
  const lastLine = text.lastIndexOf('\n', text.length - 2) + 1;
  const trailer = objectOf(parseJsonText(text.slice(lastLine, -1)), 'the end of the snapshot', TRAILER_MEMBERS);
  // The signature first: nothing before it is looked at unless the mesh wrote it.
  if (!signatureHolds(trailer, check)) throw new ShapeError('the snapshot is not signed by this mesh');
  if (trailer.type !== 'snapshot-end' || trailer.digest !== sha256Hex(text.slice(0, lastLine))) {
    throw new ShapeError('the snapshot is not the one that was signed');
  }
  let at = text.indexOf('\n') + 1;
  const header = objectOf(parseJsonText(text.slice(0, at - 1)), 'the snapshot', HEADER_MEMBERS);
  const head = headOf(header);
  if (trailer.log_id !== head.logId || trailer.seq !== head.seq) throw new ShapeError('the snapshot mixes two logs');
  const standings: Standing[] = [];
  while (at < lastLine) {
    const end = text.indexOf('\n', at);
    standings.push(standingOf(parseJsonText(text.slice(at, end))));
    at = end + 1;
  }
  if (header.count !== standings.length) throw new ShapeError('the snapshot does not hold as many subjects as it says');
  return { head, time: header.time as string, standings };
}

function lineOf(standing: Standing): string {
  const { subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq } = standing;
  return canonicalize({
    id: subject,
    status,
    reason,
    changed_at: formatTime(changedAt),
    changed_by: changedBy,
    suspended_until: suspendedUntil === null ? null : formatTime(suspendedUntil),
    version,
    seq,
  });
}

function headOf(header: JsonObject): Head {
  const { type, v, log_id, term, seq, hash, time } = header;
  const sound =
    type === 'snapshot' &&
    v === 1 &&
    typeof log_id === 'string' &&
    isLogId(log_id) &&
    isCount(term) &&
    isCount(seq) &&
    typeof hash === 'string' &&
    isHash(hash) &&
    typeof time === 'string' &&
    parseTime(time) !== null;
  if (!sound) throw new ShapeError('the snapshot has no valid header');
  return { logId: log_id as string, term: term as number, seq: seq as number, hash: hash as string };
}

function standingOf(value: Json): Standing {
  const line = objectOf(value, 'a subject', SUBJECT_MEMBERS);
  const { id, status, reason, changed_at, changed_by, suspended_until, version, seq } = line;
  const changedAt = typeof changed_at === 'string' ? parseTime(changed_at) : null;
  const until = typeof suspended_until === 'string' ? parseTime(suspended_until) : null;
  const sound =
    typeof id === 'string' &&
    scopeOf(id) !== null &&
    (status === 'active' || status === 'suspended' || status === 'revoked') &&
    (reason === null || typeof reason === 'string') &&
    (changed_by === null || typeof changed_by === 'string') &&
    changedAt !== null &&
    (status === 'suspended' ? until !== null : suspended_until === null) &&
    isCount(version) &&
    isCount(seq);
  if (!sound) throw new ShapeError('a subject of the snapshot is not whole');
  return {
    subject: id,
    status: status as Status,
    reason,
    changedAt,
    changedBy: changed_by,
    suspendedUntil: until,
    version: version as number,
    seq: seq as number,
  };
}

function isCount(value: Json | undefined): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
