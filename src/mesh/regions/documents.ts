/** What home tells a following server, written by one side and read strictly by the other. */
import { parseJsonText } from '../../protocol/json/parse.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { sha256Hex } from '../../protocol/hash.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { ApiKeyRecord } from '../access/api-key.js';
import { documentOf } from '../document.js';
import { readCheckpoint, type Checkpoint } from '../log/checkpoint.js';
import { readEvent } from '../log/event.js';
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

/** Reads a page. @throws JsonError, ShapeError */
export function readLogPage(text: string): LogPage {
  const page = documentOf('RegionLog', parseJsonText(text));
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
  };
}
