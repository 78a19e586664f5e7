/**
 * The Merkle tree over the verification log (RFC 6962, section 2.1): the leaves are entries, and a short proof shows that one entry is in
 * a tree, or that a later tree holds an earlier one unchanged. Nodes are stored once they are complete and never change again.
 */
import { sha256 } from '../hash.js';

const LEAF = Uint8Array.of(0);
const LEAF_TEXT = '\0';
const NODE = Uint8Array.of(1);

/** Numbers above this are no size or index here: 2^48 entries at a million a second last nine years. */
export const MAX_TREE_SIZE = 2 ** 48;

/**
 * The stored hash of a complete subtree: of the leaves `index * 2^level` up to, without, `(index + 1) * 2^level`. Throws where it is not
 * stored: a tree with a hole proves nothing.
 */
export type ReadNode = (level: number, index: number) => Uint8Array;

/** The root of the tree without leaves. */
export const EMPTY_ROOT: Uint8Array = sha256('');

/** The hash of a leaf: SHA-256(0x00 || data), so that no leaf can pass for a node. */
export function leafHash(data: string | Uint8Array): Uint8Array {
  return sha256(typeof data === 'string' ? LEAF_TEXT + data : Buffer.concat([LEAF, data]));
}

/** The hash of an inner node: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([NODE, left, right]));
}

/** The root of the first `size` leaves. */
export function rootOf(size: number, read: ReadNode): Uint8Array {
  return size === 0 ? EMPTY_ROOT : subtree(0, size, read);
}

/** The audit path of leaf `index` (from 0) in the tree of the first `size` leaves, from the leaf up (RFC 6962, 2.1.1). */
export function inclusionProof(index: number, size: number, read: ReadNode): Uint8Array[] {
  checkRange(index, size);
  const path: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    if (index < middle) {
      path.push(subtree(middle, end, read));
      end = middle;
    } else {
      path.push(subtree(start, middle, read));
      start = middle;
    }
  }
  return path.reverse();
}

/** The proof that the tree of `size` leaves begins with the tree of `earlier` (1 to `size`) leaves (RFC 6962, 2.1.2). */
export function consistencyProof(earlier: number, size: number, read: ReadNode): Uint8Array[] {
  if (earlier < 1 || earlier > size) throw new RangeError(`no tree of ${earlier} leaves is part of one of ${size}`);
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = size;
  let known = earlier;
  let whole = true;
  while (known < end - start) {
    const split = largestPowerBelow(end - start);
    if (known <= split) {
      proof.push(subtree(start + split, end, read));
      end = start + split;
    } else {
      proof.push(subtree(start, start + split, read));
      start += split;
      known -= split;
      whole = false;
    }
  }
  if (!whole) proof.push(subtree(start, end, read));
  return proof.reverse();
}

/** The root that `path` leads to from a leaf; null where the path is not as long as such a proof is (RFC 9162, 2.1.3.2). */
export function rootFromInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | null {
  if (!isSize(index) || !isSize(size) || index >= size || path.some((hash) => hash.length !== 32)) return null;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return null;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
}

/** True when `proof` shows that the tree `later` begins with the tree `earlier` (RFC 9162, 2.1.4.2). The tree without leaves begins every tree. */
export function isConsistent(
  earlier: { readonly size: number; readonly root: Uint8Array },
  later: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(earlier.size) || !isSize(later.size) || earlier.size > later.size) return false;
  if (proof.some((hash) => hash.length !== 32)) return false;
  if (earlier.size === 0) return proof.length === 0 && same(earlier.root, EMPTY_ROOT);
  if (earlier.size === later.size) return proof.length === 0 && same(earlier.root, later.root);
  let node = earlier.size - 1;
  let last = later.size - 1;
  while (node % 2 === 1) {
    node = (node - 1) / 2;
    last = Math.floor(last / 2);
  }
  // A tree of a power of two is a node of the later tree itself, and is left out of the proof.
  const path = node === 0 ? [earlier.root, ...proof] : [...proof];
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [oldHash, newHash] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && same(oldHash, earlier.root) && same(newHash, later.root);
}

/** The hash over the leaves `start` up to, without, `end`; `start` is a multiple of the largest power of two in the range. */
function subtree(start: number, end: number, read: ReadNode): Uint8Array {
  const count = end - start;
  const height = Math.floor(Math.log2(count));
  if (2 ** height === count) return read(height, start / count);
  const split = largestPowerBelow(count);
  return nodeHash(subtree(start, start + split, read), subtree(start + split, end, read));
}

/** The largest power of two that is smaller than `count` (2 or more). */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0 && n <= MAX_TREE_SIZE;
}

function checkRange(index: number, size: number): void {
  if (!isSize(index) || !isSize(size) || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
