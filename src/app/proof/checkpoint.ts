/** Checkpoints of this machine's log as C2SP notes, and the check of the tree against the entries. */
import { soundLeaf } from '../../protocol/log/leaf.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { ShapeError } from '../../protocol/json/shape.js';
import {
  checkpointText,
  noteSignature,
  noteSignatureHolds,
  originOf,
  readCheckpointText,
  readNote,
  writeNote,
  type Note,
  type NoteKey,
  type TreeHead,
} from '../../protocol/transparency/note.js';
import { EMPTY_ROOT, leafHash, nodeHash, rootOf } from '../../protocol/transparency/tree.js';
import { Failure } from '../failure.js';
import type { ProvableLog } from '../ports/log.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import type { State } from '../ports/state.js';

/** This machine's own key. */
export interface NoteSigner {
  /** `ed25519:<64 hex>`. */
  readonly publicKey: string;
  /** 128 hex digits over the text's UTF-8. */
  readonly sign: (text: string) => string;
}

/** What checkpoints are made of. */
export type TreeLog = Pick<State, 'logId' | 'records'> & Pick<ProvableLog, 'tree'>;

/** Where the tree ends now, as a signed note, and what it says. Throws RangeError where the tree has a hole. */
export function signTree(log: TreeLog, key: NoteSigner): { readonly note: Note; readonly head: TreeHead } {
  const { size, nodes } = log.tree();
  const head: TreeHead = { origin: originOf(log.logId), size, root: rootOf(size, nodes) };
  const text = checkpointText(head);
  const signature = fromHex(key.sign(text));
  const publicKey = parsePublicKey(key.publicKey);
  if (signature === null || publicKey === null) throw new TypeError('a signer that gives no signature');
  return { note: { text, signatures: [noteSignature(head.origin, publicKey, signature)] }, head };
}

/** What `work` makes of the stored tree. @throws Failure STATE where that has a hole */
export function withoutHole<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure('STATE', 'The tree over the log has a hole: nothing can be proved by it.', {
      hint: 'aip logs verify',
    });
  }
}

/** A checkpoint kept elsewhere, once one of the keys has signed it. Null where the bytes are no note. */
export function readTreeCheckpoint(
  bytes: Uint8Array,
  name: string,
  logId: string | null,
  keys: readonly Uint8Array[],
): TreeHead | null {
  let note: Note;
  let head: TreeHead;
  try {
    note = readNote(Buffer.from(bytes).toString('utf8'));
    head = readCheckpointText(note.text);
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
  if (logId !== null && head.origin !== originOf(logId)) {
    throw new Failure(
      'USAGE',
      `${name} is of another log, ${head.origin.slice(0, 80)}; this one is ${originOf(logId)}.`,
      {
        hint: 'aip logs checkpoint',
      },
    );
  }
  if (keys.some((publicKey) => signedBy(note, head.origin, publicKey))) return head;
  throw new Failure('THRESHOLD', `${name} is not signed by a key that this machine trusts.`, {
    hint: 'name the key of the verifier that signed it: --public-key ed25519:... (aip doctor shows it there)',
  });
}

/** True when the log's own key, this one, signed the note. */
export function signedBy(note: Note, origin: string, publicKey: Uint8Array): boolean {
  const key = verifyKeyOf(publicKey);
  if (key === null) return false;
  const asLog: NoteKey = { name: origin, algorithm: 'ed25519', key };
  return noteSignatureHolds(note, asLog) !== null;
}

/** The note as text. */
export const noteText = writeNote;

/** What the tree was found to be; `seq` is the first entry that is not its leaf, or the one behind the last that is right. */
export type TreeVerdict =
  { readonly ok: true; readonly size: number } | { readonly ok: false; readonly seq: number; readonly reason: string };

/**
 * Works the tree out anew from the entries that are kept, and from stored leaves where they were pruned, and compares it with the
 * stored tree and with checkpoints: stored nodes alone could be those of a log that has since been written anew.
 */
export async function checkTree(
  log: TreeLog,
  checkpoints: readonly TreeHead[],
  pause: (checked: number) => Promise<void>,
  /** Told of each entry that is its leaf, in order, and then of each erasure that came while the tree was read: entries may lack what it took. */
  onLeaf: (record: LogRecord) => void,
): Promise<TreeVerdict> {
  const { after, size, nodes } = log.tree();
  const cut = checkpoints.find((head) => head.size > size);
  if (cut !== undefined) {
    const reason = `it and the entries up to ${after + cut.size} are missing: a checkpoint is of a longer log`;
    return { ok: false, seq: after + size + 1, reason };
  }
  const growing = new HeldTree(checkpoints);
  const bad = (reason: string): TreeVerdict => ({ ok: false, seq: after + growing.size, reason });
  if (growing.differs()) return { ok: false, seq: 1, reason: 'it is not in the tree that a checkpoint names' };
  const records = log.records({ afterSeq: after })[Symbol.iterator]();
  let next = records.next();
  try {
    while (growing.size < size) {
      const seq = after + growing.size + 1;
      const stored = nodes(0, growing.size);
      growing.add(stored);
      if (next.done !== true && next.value.seq === seq) {
        const text = soundLeaf(next.value);
        if (text === null || !same(leafHash(text), stored)) return bad('it is not the leaf of the tree that it was');
        onLeaf(next.value);
        next = records.next();
      }
      if (growing.differs()) return bad(OTHER_ENTRIES);
      if (growing.size % 1000 === 0) await pause(growing.size);
    }
    if (!same(rootOf(size, nodes), growing.root())) return bad('the stored tree is not that of the entries');
    for (const erasure of log.records({ afterSeq: after + size, type: 'erasure' })) onLeaf(erasure);
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
    return { ok: false, seq: after + growing.size + 1, reason: 'the stored tree has a hole' };
  }
  return { ok: true, size };
}

/** Why an entry is bad at which a checkpoint names another tree. */
export const OTHER_ENTRIES = 'the entries up to it are not those of the tree that a checkpoint names';

/** A tree that grows leaf by leaf, kept as the roots of its complete parts, and what checkpoints say of it. */
export class HeldTree {
  readonly #parts: (Uint8Array | null)[] = [];
  readonly #due = new Map<number, Uint8Array[]>();
  size = 0;

  constructor(checkpoints: readonly TreeHead[]) {
    for (const { size, root } of checkpoints) this.#due.set(size, [...(this.#due.get(size) ?? []), root]);
  }

  /** True where a checkpoint of just so many leaves names another root. */
  differs(): boolean {
    return this.#due.get(this.size)?.some((root) => !same(root, this.root())) === true;
  }

  add(leaf: Uint8Array): void {
    let hash = leaf;
    let level = 0;
    for (let part = this.#parts[level] ?? null; part !== null; part = this.#parts[level] ?? null) {
      hash = nodeHash(part, hash);
      this.#parts[level] = null;
      level += 1;
    }
    this.#parts[level] = hash;
    this.size += 1;
  }

  root(): Uint8Array {
    let root: Uint8Array | null = null;
    for (const part of this.#parts)
      if (part !== null && part !== undefined) root = root === null ? part : nodeHash(part, root);
    return root ?? EMPTY_ROOT;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b);
}
