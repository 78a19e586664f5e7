import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  isConsistent,
  leafHash,
  nodeHash,
  rootFromInclusion,
  rootOf,
  type ReadNode,
} from '../../../src/protocol/transparency/tree.js';
import { appendLeaf } from '../../kit/proof/trees.js';

/** The leaves and roots of the reference tests for RFC 6962. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

function treeOf(leaves: readonly Uint8Array[]): { read: ReadNode; nodes: number } {
  const nodes = new Map<string, Uint8Array>();
  const read: ReadNode = (level, index) => {
    const hash = nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`no node ${level}/${index}`);
    return hash;
  };
  for (const [size, leaf] of leaves.entries())
    for (const node of appendLeaf(size, leaf, read)) nodes.set(`${node.level}/${node.index}`, node.hash);
  return { read, nodes: nodes.size };
}

/** The definition of RFC 6962, section 2.1, word for word: the oracle of the others. */
function defined(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(defined(leaves.slice(0, k)), defined(leaves.slice(k)));
}

const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => leafHash(`leaf ${i}`));
const flipped = (hash: Uint8Array): Uint8Array => hash.map((byte, i) => (i === 7 ? byte ^ 1 : byte));

describe('the root', () => {
  test.each(ROOTS.map((root, i) => [i + 1, root] as const))('of %i leaves is that of the RFC', (size, root) => {
    const { read } = treeOf(LEAVES.map((leaf) => leafHash(fromHex(leaf)!)));
    expect(toHex(rootOf(size, read))).toBe(root);
  });
  test('of no leaves is the hash of nothing', () => {
    expect(toHex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
  test('of any number of leaves is what the definition says, at two stored nodes a leaf', () => {
    for (let count = 1; count < 70; count++) {
      const all = leaves(count);
      const { read, nodes } = treeOf(all);
      expect(rootOf(count, read)).toEqual(Buffer.from(defined(all)));
      expect(nodes).toBeLessThan(2 * count);
    }
  });
});

describe('an inclusion proof', () => {
  const SIZE = 45;
  const all = leaves(SIZE);
  const { read } = treeOf(all);
  test('of every leaf in every tree leads to the root', () => {
    for (let size = 1; size <= SIZE; size++)
      for (let index = 0; index < size; index++)
        expect(rootFromInclusion(all[index]!, index, size, inclusionProof(index, size, read))).toEqual(
          rootOf(size, read),
        );
  });
  test('leads elsewhere for another leaf, place, size, a changed, missing or added step', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: SIZE }), fc.nat(), fc.nat(), (size, seed, at) => {
        const index = seed % size;
        const path = inclusionProof(index, size, read);
        const root = Buffer.from(rootOf(size, read));
        const leads = (...args: Parameters<typeof rootFromInclusion>) => {
          const found = rootFromInclusion(...args);
          return found !== null && root.equals(found);
        };
        const step = at % path.length;
        return (
          leads(all[index]!, index, size, path) &&
          !leads(flipped(all[index]!), index, size, path) &&
          !leads(all[index]!, (index + 1) % size, size, path) &&
          !leads(all[index]!, index, size, path.with(step, flipped(path[step]!))) &&
          !leads(all[index]!, index, size, path.slice(1)) &&
          !leads(all[index]!, index, size, [...path, root]) &&
          !leads(all[index]!, size, size, path) &&
          !leads(all[index]!, -1, size, path) &&
          !leads(all[index]!, index + 0.5, size, path)
        );
      }),
    );
  });
  test('is not made for a leaf that is not there', () => {
    expect(() => inclusionProof(5, 5, read)).toThrow(RangeError);
    expect(() => inclusionProof(-1, 5, read)).toThrow(RangeError);
  });
});

describe('a consistency proof', () => {
  const SIZE = 40;
  const all = leaves(SIZE);
  const { read } = treeOf(all);
  const head = (size: number) => ({ size, root: rootOf(size, read) });
  test('holds between every two trees of one log', () => {
    for (let size = 1; size <= SIZE; size++)
      for (let earlier = 1; earlier <= size; earlier++)
        expect(isConsistent(head(earlier), head(size), consistencyProof(earlier, size, read))).toBe(true);
    expect(isConsistent(head(0), head(9), [])).toBe(true);
  });
  test('does not hold for a log that was rewritten, cut or forked, nor for a changed proof', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: SIZE }), fc.nat(), fc.nat(), (size, seed, at) => {
        const earlier = 1 + (seed % (size - 1));
        const rewritten = [...all];
        rewritten[at % earlier] = leafHash('another');
        const other = treeOf(rewritten).read;
        const proof = consistencyProof(earlier, size, read);
        const forked = { size: earlier, root: rootOf(earlier, other) };
        return (
          isConsistent(head(earlier), head(size), proof) &&
          !isConsistent(forked, head(size), proof) &&
          !isConsistent(forked, head(size), consistencyProof(earlier, size, other)) &&
          !isConsistent(head(size), head(earlier), proof) &&
          !isConsistent(head(earlier), head(size), [...proof, head(size).root]) &&
          (proof.length === 0 ||
            (!isConsistent(head(earlier), head(size), proof.slice(1)) &&
              !isConsistent(head(earlier), head(size), proof.with(0, flipped(proof[0]!)))))
        );
      }),
    );
  });
  test('of no steps holds between no two trees of different sizes but from the one without leaves', () => {
    for (let size = 2; size <= SIZE; size++)
      for (let earlier = 1; earlier < size; earlier++)
        expect(isConsistent(head(earlier), head(size), []), `${earlier} in ${size}`).toBe(false);
    expect(isConsistent(head(0), head(9), [head(9).root])).toBe(false);
    expect(isConsistent({ size: 0, root: head(1).root }, head(9), [])).toBe(false);
  });
  test('of two trees of one size holds where they are one tree, and with no step', () => {
    const { root } = head(4);
    expect(isConsistent(head(5), head(5), [])).toBe(true);
    expect(isConsistent(head(5), { size: 5, root }, [])).toBe(false);
    expect(isConsistent(head(5), head(5), [root])).toBe(false);
  });
  test('holds for no size that is none, and with no step that is no hash', () => {
    const proof = consistencyProof(3, 9, read);
    for (const size of [-1, 2.5, NaN, 2 ** 53]) {
      expect(isConsistent({ ...head(3), size }, head(9), proof)).toBe(false);
      expect(isConsistent(head(3), { ...head(9), size }, proof)).toBe(false);
    }
    expect(isConsistent(head(3), head(9), proof.with(0, proof[0]!.subarray(1)))).toBe(false);
  });
  test('is made from the first leaf up to the whole tree, and for nothing else', () => {
    expect(consistencyProof(5, 5, read)).toEqual([]);
    for (const earlier of [0, -1, 6]) expect(() => consistencyProof(earlier, 5, read)).toThrow(RangeError);
  });
});
