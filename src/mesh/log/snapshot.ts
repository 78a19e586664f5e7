/**
 * The whole state at one place of the log, as lines of JSON so that neither side holds a second copy of it: a header, a line a
 * subject, and a signed trailer with the digest of everything before it.
 */
import { createHash } from 'node:crypto';
import { canonicalize } from '../../protocol/json/canonical.js';
import { sha256Hex } from '../../protocol/hash.js';
import { parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { isHash, isLogId, type Head } from './head.js';
import { signatureHolds, type MeshSigner, type SignatureCheck } from './signing.js';
import type { PassportMark } from '../passports.js';
import type { Standing } from '../standing.js';
import { canonicalSubject } from '../subject.js';

/** All standings at one place of the log. */
export interface Snapshot {
  readonly head: Head;
  /** When it was made, RFC 3339. */
  readonly time: string;
  readonly standings: readonly Standing[];
  /** Null where it was made for the first version, and tells of none. */
  readonly passports: readonly PassportMark[] | null;
}

/** What stands around the lines of a snapshot: its header, and the signed trailer once every line was seen. */
export class SnapshotFrame {
  readonly header: Uint8Array;
  readonly #head: Head;
  readonly #hash = createHash('sha256');

  /** `time`: RFC 3339. `count`: how many lines of standings there will be; `passports`: how many of passports, null for the first version. */
  constructor(head: Head, time: string, count: number, passports: number | null = null) {
    const { logId, term, seq, hash } = head;
    const header = canonicalize({
      type: 'snapshot',
      v: passports === null ? 1 : 2,
      log_id: logId,
      term,
      seq,
      hash,
      time,
      count,
      ...(passports === null ? {} : { passports }),
    });
    this.header = Buffer.from(`${header}\n`);
    this.#head = head;
    this.#hash.update(this.header);
  }

  /** The next lines, each with its line feed. */
  add(lines: Uint8Array): void {
    this.#hash.update(lines);
  }

  async trailer(sign: MeshSigner): Promise<Uint8Array> {
    const { logId, seq } = this.#head;
    const trailer = { type: 'snapshot-end', log_id: logId, seq, digest: this.#hash.digest('hex') };
    return Buffer.from(`${canonicalize({ ...trailer, signature: await sign(canonicalize(trailer)) })}\n`);
  }
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

/** Where a snapshot's lines stand in its text. */
interface Framed {
  readonly head: Head;
  readonly header: JsonObject;
  /** The first line after the header, and the trailer. */
  readonly at: number;
  readonly lastLine: number;
}

/** The place in the log that a snapshot tells, when the mesh signed it whole; its lines are not read. Throws JsonError or ShapeError. */
export function snapshotHead(text: string, check: SignatureCheck): Head {
  return framed(text, check).head;
}

function framed(text: string, check: SignatureCheck): Framed {
  if (!text.endsWith('\n')) throw new ShapeError('the snapshot is cut off');
  const lastLine = text.lastIndexOf('\n', text.length - 2) + 1;
  const trailer = objectOf(parseJsonText(text.slice(lastLine, -1)), 'the end of the snapshot', TRAILER_MEMBERS);
  // The signature first: nothing before it is looked at unless the mesh wrote it.
  if (!signatureHolds(trailer, check)) throw new ShapeError('the snapshot is not signed by this mesh');
  if (trailer.type !== 'snapshot-end' || trailer.digest !== sha256Hex(text.slice(0, lastLine))) {
    throw new ShapeError('the snapshot is not the one that was signed');
  }
  const at = text.indexOf('\n') + 1;
  const header = objectOf(parseJsonText(text.slice(0, at - 1)), 'the snapshot', HEADER_MEMBERS, ['passports']);
  const head = headOf(header);
  if (trailer.log_id !== head.logId || trailer.seq !== head.seq) throw new ShapeError('the snapshot mixes two logs');
  return { head, header, at, lastLine };
}

/** The snapshot in `text`, whole and signed by the mesh. Throws JsonError or ShapeError. */
export function readSnapshot(text: string, check: SignatureCheck): Snapshot {
  const { head, header, at, lastLine } = framed(text, check);
  const total = header.v === 2 ? header.passports : 0;
  if (!isCount(total)) throw new ShapeError('the snapshot does not say how many passports it holds');
  const from = startOfLast(text, at, lastLine, total);
  const standings = readSnapshotLines(text, at, from);
  const passports = header.v === 2 ? readPassportLines(text, from, lastLine) : null;
  if (header.count !== standings.length || (passports !== null && passports.length !== total))
    throw new ShapeError('the snapshot does not hold as many subjects as it says');
  return { head, time: header.time as string, standings, passports };
}

/** A subject's line with its line feed. */
export function snapshotLine(standing: Standing): string {
  const { subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq } = standing;
  const line = canonicalize({
    id: subject,
    status,
    reason,
    changed_at: formatTime(changedAt),
    changed_by: changedBy,
    suspended_until: suspendedUntil === null ? null : formatTime(suspendedUntil),
    version,
    seq,
  });
  return `${line}\n`;
}

/** The standings that the lines of `text` from `start` to `end` hold. Throws JsonError or ShapeError. */
export function readSnapshotLines(text: string, start: number, end: number): Standing[] {
  const standings: Standing[] = [];
  for (let at = start; at < end;) {
    const next = text.indexOf('\n', at);
    standings.push(standingOf(parseJsonText(text.slice(at, next))));
    at = next + 1;
  }
  return standings;
}

/** A passport's line with its line feed. */
export function passportLine({ agent, serial, hash, seq }: PassportMark): string {
  return `${canonicalize({ agent, serial, passport_hash: hash, seq })}\n`;
}

function readPassportLines(text: string, start: number, end: number): PassportMark[] {
  const marks: PassportMark[] = [];
  for (let at = start; at < end;) {
    const next = text.indexOf('\n', at);
    const line = objectOf(parseJsonText(text.slice(at, next)), 'a passport', [
      'agent',
      'serial',
      'passport_hash',
      'seq',
    ]);
    const { agent, serial, passport_hash: hash, seq } = line;
    const withdrawn = serial === null && hash === null;
    const sound =
      typeof agent === 'string' && isCount(seq) && (withdrawn || (isCount(serial) && typeof hash === 'string'));
    if (!sound) throw new ShapeError('a passport of the snapshot is not whole');
    marks.push({
      agent,
      serial,
      hash,
      seq,
    });
    at = next + 1;
  }
  return marks;
}

/** Where the last `count` lines before `end` begin. */
function startOfLast(text: string, start: number, end: number, count: number): number {
  let at = end;
  for (let i = 0; i < count && at > start; i++) at = text.lastIndexOf('\n', at - 2) + 1;
  return Math.max(at, start);
}

function headOf(header: JsonObject): Head {
  const { type, v, log_id, term, seq, hash, time } = header;
  const sound =
    type === 'snapshot' &&
    (v === 1 || v === 2) &&
    typeof log_id === 'string' &&
    isLogId(log_id) &&
    isCount(term) &&
    isCount(seq) &&
    typeof hash === 'string' &&
    isHash(hash) &&
    typeof time === 'string' &&
    parseTime(time) !== null;
  if (!sound) throw new ShapeError('the snapshot has no valid header');
  return { logId: log_id, term, seq, hash };
}

function standingOf(value: Json): Standing {
  const line = objectOf(value, 'a subject', SUBJECT_MEMBERS);
  const { id, status, reason, changed_at, changed_by, suspended_until, version, seq } = line;
  const changedAt = typeof changed_at === 'string' ? parseTime(changed_at) : null;
  const until = typeof suspended_until === 'string' ? parseTime(suspended_until) : null;
  const sound =
    typeof id === 'string' &&
    canonicalSubject(id) === id &&
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
    status,
    reason,
    changedAt,
    changedBy: changed_by,
    suspendedUntil: until,
    version,
    seq,
  };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
