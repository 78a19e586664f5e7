/** Part of a log whose entries prove themselves: each with its path in the tree of the checkpoint that stands with the first of them. */
import type { Entry } from '../../protocol/log/entry.js';
import { soundLeaf } from '../../protocol/log/leaf.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { TreeHead } from '../../protocol/transparency/note.js';
import { leafHash, rootFromInclusion } from '../../protocol/transparency/tree.js';
import { entryJson, readInclusion, type Inclusion } from './bundle.js';
import { noteText, readTreeCheckpoint, signTree, withoutHole, type NoteSigner, type TreeLog } from './checkpoint.js';
import { inclusionOf } from './prove.js';

/** The lines of a selection, as JSON objects. Entries that came after the checkpoint are left out; those of the first version have no path. */
export function* provenSelection(log: TreeLog, entries: Iterable<Entry>, key: NoteSigner): Generator<JsonObject> {
  const { note, head } = withoutHole(() => signTree(log, key));
  const { after } = log.tree();
  let checkpoint: string | null = noteText(note);
  for (const entry of entries) {
    if (entry.seq > after + head.size) return;
    const proven = entry.salts !== null && entry.seq > after;
    const inclusion = proven ? inclusionOf(log, entry, head.size) : null;
    yield {
      ...entryJson(entry),
      inclusion: inclusion as unknown as Json,
      ...(checkpoint === null ? {} : { checkpoint }),
    };
    checkpoint = null;
  }
}

/** The checkpoint with the first entry of a selection; null for a line of another kind. */
export function selectionStart(object: JsonObject): string | null {
  const { inclusion, checkpoint } = object;
  return inclusion !== undefined && typeof checkpoint === 'string' ? checkpoint : null;
}

const NO_PATH = 'it has no path to the checkpoint';

/** What was found of a selection so far. */
export class SelectionCheck {
  readonly head: TreeHead;
  count = 0;
  /** Entries of the first version, which have no path. */
  unproven = 0;
  /** Entries from which values were taken. */
  erased = 0;
  last: { readonly seq: number; readonly hash: string } | null = null;
  /** The last entry before the tree; null until a path has told. */
  #after: number | null = null;
  #lastUnproven = 0;

  /** @throws Failure UNREADABLE, THRESHOLD where the checkpoint is not believed by one of the keys */
  constructor(head: TreeHead) {
    this.head = head;
  }

  /** The number of the last entry before the tree; 0 as long as no path has told. */
  get after(): number {
    return this.#after ?? 0;
  }

  /** Why the next entry is not proved; null when it is. */
  add(object: JsonObject): string | null {
    const { inclusion = null, checkpoint, ...entry } = object as JsonObject & { readonly inclusion?: Json };
    if (checkpoint !== undefined && this.count > 0) return 'it holds a second checkpoint';
    const { seq, hash } = entry as unknown as Entry;
    if (!Number.isSafeInteger(seq) || typeof hash !== 'string') return 'it is no entry';
    if (this.last !== null && seq <= this.last.seq) return 'it does not follow the one before';
    this.last = { seq, hash };
    this.count += 1;
    const { salts = null, erased = null } = entry as unknown as Partial<Entry>;
    if (erased !== null) this.erased += 1;
    if (salts === null && inclusion === null) {
      this.unproven += 1;
      this.#lastUnproven = seq;
      return this.#after === null || seq <= this.#after ? null : NO_PATH;
    }
    return this.#problem(entry as unknown as Entry, inclusion);
  }

  #problem(entry: Entry, inclusion: Json): string | null {
    if (!isObject(inclusion)) return NO_PATH;
    let place: Inclusion;
    try {
      place = readInclusion(inclusion);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return 'its path cannot be read';
    }
    const { index, hashes } = place;
    const after = entry.seq - index - 1;
    if (this.#after !== null && after !== this.#after) return 'its path is that of another entry';
    this.#after = after;
    // Only what was written before the tree began has none.
    if (this.#lastUnproven > after) return `entry ${this.#lastUnproven} before it has no path to the checkpoint`;
    let text: string | null = null;
    try {
      text = soundLeaf(entry);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    if (text === null) return 'its hash is not that of what it holds';
    const path = hashes.map((each) => Buffer.from(each, 'base64'));
    const root = rootFromInclusion(leafHash(text), index, this.head.size, path);
    return root !== null && Buffer.from(root).equals(this.head.root)
      ? null
      : 'it is not in the tree that the checkpoint names';
  }
}

/** A check by the checkpoint with the first entry. @throws Failure UNREADABLE, THRESHOLD where no key of `keys` signed it */
export function checkSelection(note: string, name: string, keys: readonly Uint8Array[]): SelectionCheck | null {
  const head = readTreeCheckpoint(Buffer.from(note), `the checkpoint in ${name}`, null, keys);
  return head === null ? null : new SelectionCheck(head);
}
