import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendLeaves, nodesIn, ROW, type ReadRow } from '../../../src/protocol/transparency/tiles.js';
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  leafHash,
  rootFromInclusion,
  rootOf,
} from '../../../src/protocol/transparency/tree.js';
import { appendLeaf } from '../../kit/proof/trees.js';

/** A tree in rows, as a table would keep it. */
function rows() {
  const held = new Map<string, Uint8Array>();
  const read: ReadRow = (level, n) => held.get(`${level}/${n}`) ?? new Uint8Array();
  let size = 0;
  let written = 0;
  return {
    held,
    read,
    append(...leaves: Uint8Array[]): void {
      for (const { level, n, hashes } of appendLeaves(size, leaves, read)) {
        held.set(`${level}/${n}`, hashes);
        written += 1;
      }
      size += leaves.length;
    },
    get size() {
      return size;
    },
    get written() {
      return written;
    },
  };
}

const leaves = Array.from({ length: 3000 }, (_, i) => leafHash(`entry ${i}`));

/** The same tree with every node stored, as the RFC describes it. */
function plain(size: number) {
  const nodes = new Map<string, Uint8Array>();
  const read = (level: number, index: number): Uint8Array => nodes.get(`${level}/${index}`)!;
  for (let i = 0; i < size; i++)
    for (const { level, index, hash } of appendLeaf(i, leaves[i]!, read)) nodes.set(`${level}/${index}`, hash);
  return read;
}

describe('a tree in rows', () => {
  test('has the roots and proofs of the plain tree, however its leaves arrived', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (cuts, pick) => {
          const tree = rows();
          for (const n of cuts) tree.append(...leaves.slice(tree.size, tree.size + n));
          const { size } = tree;
          const [stored, whole] = [nodesIn(tree.read), plain(size)];
          const root = rootOf(size, whole);
          expect(rootOf(size, stored)).toEqual(root);
          const index = pick % size;
          const path = inclusionProof(index, size, stored);
          expect(path).toEqual(inclusionProof(index, size, whole));
          expect(rootFromInclusion(leaves[index]!, index, size, path)).toEqual(root);
          const earlier = { size: index + 1, root: rootOf(index + 1, stored) };
          expect(isConsistent(earlier, { size, root }, consistencyProof(index + 1, size, stored))).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is written a row for each commit, and one more for each that is filled', () => {
    const tree = rows();
    for (const leaf of leaves.slice(0, 2 * ROW)) tree.append(leaf);
    expect(tree.written).toBe(2 * ROW + 2);
    const batch = rows();
    batch.append(...leaves.slice(0, 2 * ROW));
    expect(batch.written).toBe(3);
    expect([...batch.held].sort()).toEqual([...tree.held].sort());
  });

  test('has no proof over a row that was lost or cut', () => {
    const tree = rows();
    tree.append(...leaves.slice(0, 100));
    for (const name of [...tree.held.keys()]) {
      const kept = tree.held.get(name)!;
      tree.held.set(name, kept.subarray(0, kept.length - 32));
      expect(() => [
        rootOf(100, nodesIn(tree.read)),
        inclusionProof(99, 100, nodesIn(tree.read)),
        inclusionProof(0, 100, nodesIn(tree.read)),
        nodesIn(tree.read)(0, 63),
        nodesIn(tree.read)(0, 95),
      ]).toThrow(RangeError);
      tree.held.set(name, kept);
    }
  });

  test('takes no leaf after a row that is not whole', () => {
    const tree = rows();
    tree.append(...leaves.slice(0, 10));
    tree.held.set('0/0', tree.held.get('0/0')!.subarray(32));
    expect(() => tree.append(leaves[10]!)).toThrow(RangeError);
  });
});
