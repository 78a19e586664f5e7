/** What home tells a following server, written by one side and read strictly by the other. */
import { DOCUMENT_BOUNDS } from '../../protocol/json/bounds.js';
import { parseJsonText } from '../../protocol/json/parse.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { sha256Hex } from '../../protocol/hash.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { ApiKeyRecord } from '../access/api-key.js';
import { documentOf } from '../document.js';
import { readCheckpoint, type Checkpoint } from '../log/checkpoint.js';
import { readEvent } from '../log/event.js';
import { MAX_HOME_ANSWER_BYTES } from '../limits.js';
import type { RegisteredKey } from '../passports.js';
import type { Answer } from '../ruling.js';
import type { Copied } from './adoption.js';

/** A page of home's log for a region. */
export interface LogPage {
  readonly copied: readonly Copied[];
  readonly checkpoint: Checkpoint | null;
  /** The checkpoint as home signed it, canonical; what the region serves. */
  readonly proof: string | null;
  readonly reset: string | null;
  /** Digest of the tables that go with the log: another one means that they are to be fetched. */
  readonly tables: string;
  /** Digest of the roster; null of a home of an earlier version, which does not tell it. */
  readonly roster: string | null;
  /** Notices of requests for approval that are new, JSON texts of which nothing is believed, and the count of all. */
  readonly approvals: { readonly count: number; readonly notices: readonly string[] };
}

/** What a region needs beside the log: who is let in, and whose passports are taken. */
export interface Tables {
  readonly keys: readonly ApiKeyRecord[];
  readonly principals: readonly RegisteredKey[];
}

/** Names the content of the tables. */
export function tablesDigest({ keys, principals }: Tables): string {
  return sha256Hex(canonicalize({ keys, principals } as unknown as JsonObject));
}

/** The value in what home answers. Who asked has bounded its size before. @throws JsonError */
export function homeJson(text: string): Json {
  return parseJsonText(text, null, { ...DOCUMENT_BOUNDS, bytes: MAX_HOME_ANSWER_BYTES });
}

/** Reads a page. @throws JsonError, ShapeError */
export function readLogPage(text: string): LogPage {
  const page = documentOf('RegionLog', homeJson(text));
  const answers = new Map(page.answers.map((answer) => [answer.cmdId, answer as Answer]));
  const copied = page.events.map((value): Copied => {
    const event = readEvent(value);
    const document = event.passport_hash == null ? undefined : page.documents[event.passport_hash];
    return {
      event,
      text: canonicalize(value),
      answer: answers.get(event.cmd_id) ?? null,
      document: typeof document === 'string' ? document : null,
    };
  });
  const proof = page.checkpoint === null ? null : readCheckpoint(page.checkpoint);
  return {
    copied,
    checkpoint: proof,
    proof: proof === null ? null : JSON.stringify(page.checkpoint),
    reset: page.reset?.reason ?? null,
    tables: page.tables,
    roster: page.roster ?? null,
    approvals: requireNotices(page.approvals),
  };
}

/** Home of the first version tells of none. */
function requireNotices(told: LogPage['approvals'] = { count: 0, notices: [] }): LogPage['approvals'] {
  const { notices } = told;
  const sound =
    notices.length <= MOST_NOTICES &&
    notices.every((each) => each.length <= MAX_NOTICE && isObject(parseJsonText(each)));
  if (!sound) throw new ShapeError('the notices of requests for approval are not whole');
  return told;
}

const MOST_NOTICES = 256;
/** In characters. */
const MAX_NOTICE = 4096;
