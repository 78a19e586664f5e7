/**
 * How the tree is stored: rows of 32 hashes, of leaves and of complete trees of 32, 1,024... leaves. An entry costs one hash, and one more for
 * each row that it fills; the nodes between are worked out from a row when a proof needs them.
 */
import { nodeHash, type ReadNode } from './tree.js';

const HEIGHT = 5;
/** Hashes in a whole row. */
export const ROW = 2 ** HEIGHT;
const HASH_BYTES = 32;

/** The hashes of row `n` of `level`, 32 bytes each, as many as there are; level 0 holds the leaves. */
export type ReadRow = (level: number, n: number) => Uint8Array;

/** A row that was added to. */
export interface TileRow {
  readonly level: number;
  readonly n: number;
  readonly hashes: Uint8Array;
}

/** The rows that change when `leaves` (hashes) follow the first `size` leaves. */
export function appendLeaves(size: number, leaves: readonly Uint8Array[], read: ReadRow): TileRow[] {
  const rows: TileRow[] = [];
  for (let [level, at, added] = [0, size, leaves]; added.length > 0; level += 1) {
    const filled: Uint8Array[] = [];
    const start = at;
    for (let i = 0; i < added.length;) {
      const n = Math.floor(at / ROW);
      const held = at % ROW;
      const more = added.slice(i, i + ROW - held);
      const before = held === 0 ? new Uint8Array() : read(level, n).subarray(0, held * HASH_BYTES);
      if (before.length !== held * HASH_BYTES) throw new RangeError(`row ${n} of level ${level} is not whole`);
      const hashes = Buffer.concat([before, ...more]);
      rows.push({ level, n, hashes });
      if (hashes.length === ROW * HASH_BYTES) filled.push(rootOfRow(hashes, 0, ROW));
      i += more.length;
      at += more.length;
    }
    added = filled;
    at = Math.floor(start / ROW);
  }
  return rows;
}

/** Nodes out of rows. Throws RangeError where a row does not hold what it must: a tree with a hole proves nothing. */
export function nodesIn(read: ReadRow): ReadNode {
  return (level, index) => {
    const row = Math.floor(level / HEIGHT);
    const count = 2 ** (level % HEIGHT);
    const first = index * count;
    const n = Math.floor(first / ROW);
    const hashes = read(row, n);
    const from = first % ROW;
    if (hashes.length < (from + count) * HASH_BYTES) throw new RangeError(`row ${n} of level ${row} is not whole`);
    return rootOfRow(hashes, from, count);
  };
}

/** The root over `count` (a power of two) hashes from the one numbered `from`. */
function rootOfRow(hashes: Uint8Array, from: number, count: number): Uint8Array {
  if (count === 1) return hashes.subarray(from * HASH_BYTES, (from + 1) * HASH_BYTES);
  const half = count / 2;
  return nodeHash(rootOfRow(hashes, from, half), rootOfRow(hashes, from + half, half));
}
