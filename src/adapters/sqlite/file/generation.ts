/**
 * How far the log of a state has come, kept outside of the state: an older copy that is put back has forgotten nonces that were spent
 * since, and nothing in it says so.
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Link } from '../../../protocol/log/chain.js';
import { isObject } from '../../../protocol/json/values.js';
import { JsonError, parseJsonText } from '../../../protocol/json/parse.js';
import { makeFolder } from '../../files/folders.js';
import { writeAll } from '../../files/secret/private-file.js';

/** What was seen last. `wentBackAt`: when an older state was found here last, ms; null for never. */
export interface Generation {
  readonly logId: string;
  readonly head: Link;
  readonly wentBackAt: number | null;
}

/** At most once in this time, in ms: the log is written thousands of times a second. */
const EVERY_MS = 1000;

/** Null when nothing was kept yet; 'unreadable' for what is no such file, which is not known to be old and not known to be new. */
export function readGeneration(path: string): Generation | 'unreadable' | null {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : 'unreadable';
  }
  try {
    const json = parseJsonText(text);
    const { log_id, seq, hash, went_back_at = null } = isObject(json) ? json : {};
    if (typeof log_id !== 'string' || typeof hash !== 'string' || !Number.isSafeInteger(seq)) return 'unreadable';
    const wentBackAt = typeof went_back_at === 'number' ? went_back_at : null;
    return { logId: log_id, head: { seq: seq as number, hash }, wentBackAt };
  } catch (error) {
    if (error instanceof JsonError) return 'unreadable';
    throw error;
  }
}

export interface GenerationLog {
  readonly logId: string;
  bounds(): { readonly after: Link; readonly head: Link };
  records(query: { readonly afterSeq: number }): Iterable<{ readonly seq: number; readonly hash: string }>;
}

/** Why the state is not the one that was seen last, or one that came of it; null when it is. `seen` must be read before the state is. */
export function wentBack(log: GenerationLog, seen: Generation | 'unreadable' | null): string | null {
  if (seen === null) return null;
  if (seen === 'unreadable') return 'what was kept of its generation cannot be read';
  const { after, head } = log.bounds();
  if (seen.logId !== log.logId) return 'it is another state than the one that stood here';
  if (seen.head.seq > head.seq) return `its log ends at entry ${head.seq}, and had come to ${seen.head.seq}`;
  const { seq, hash } = seen.head;
  if (seq <= after.seq) return null;
  // As it was left, which is how most starts find it.
  if (seq === head.seq && hash === head.hash) return null;
  for (const entry of log.records({ afterSeq: seq - 1 })) {
    if (entry.seq === seq && entry.hash === hash) return null;
    // Pruned between the two looks.
    if (entry.seq > seq && log.bounds().after.seq >= seq) return null;
    return `entry ${seq} of its log is not the one that was there`;
  }
  return null;
}

/** Keeps the generation of one log in a file. A disk that takes no more costs the mark, and never a decision. */
export class GenerationKeeper {
  #writtenAt = -Infinity;
  #written: Link | null;
  #wentBackAt: number | null;

  constructor(
    readonly path: string,
    readonly logId: string,
    readonly unique: string,
    seen: Generation | 'unreadable' | null,
  ) {
    const own = seen !== null && seen !== 'unreadable' && seen.logId === logId ? seen : null;
    this.#written = own?.head ?? null;
    this.#wentBackAt = own?.wentBackAt ?? null;
  }

  /** After a commit; `now` in ms. */
  committed(head: Link, now: number): void {
    if (Math.abs(now - this.#writtenAt) < EVERY_MS) return;
    this.write(head, now);
  }

  /** Says from now on that the state is at `head`, and when it was found to have gone back. */
  restart(head: Link, now: number): void {
    this.#wentBackAt = now;
    this.#written = null;
    this.write(head, now);
  }

  write(head: Link, now: number): void {
    if (this.#written !== null && head.seq <= this.#written.seq) return;
    const draft = `${this.path}.${this.unique}.new`;
    try {
      makeFolder(dirname(this.path), 0o700);
      const text = JSON.stringify({
        log_id: this.logId,
        seq: head.seq,
        hash: head.hash,
        went_back_at: this.#wentBackAt,
      });
      // The first `writeFileSync` of a process takes longer than all that a commit writes.
      const file = openSync(draft, 'wx', 0o600);
      try {
        writeAll(file, `${text}\n`);
      } finally {
        closeSync(file);
      }
      renameSync(draft, this.path);
      this.#written = head;
      this.#writtenAt = now;
    } catch {
      rmSync(draft, { force: true });
    }
  }
}
