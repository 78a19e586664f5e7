/**
 * Every edge of the two points in an Ed25519 signature, made from first principles: small-order points in all 14 encodings, points
 * with a torsion component, ordinary points, in every pair, with residues that cancel and residues that do not. It is the space that
 * the C2SP/CCTV edge vectors cover, and the ordinary and mixed points beside it, so that acceptance is tested as well as refusal.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { Point } from '@noble/ed25519';
import { beforeAll, describe, expect, test } from 'vitest';
import { acceptable, acceptableKey } from '../../../src/protocol/ed25519/acceptance.js';
import { verifyWithNoble } from '../../../src/protocol/ed25519/sign.js';
import { verifyKeyOf, verifySignature, verifySignatureAsync } from '../../../src/protocol/ed25519/verify.js';
import { fromHex, toHex } from '../../../src/protocol/hex.js';

const { n: L, p: P } = Point.CURVE();

/** A point as it stands in a key or signature: its scalar part, its torsion part as a multiple of a generator of order 8, its bytes. */
interface Written {
  readonly scalar: bigint;
  readonly torsion: number;
  readonly bytes: Uint8Array;
  readonly smallOrder: boolean;
  readonly canonical: boolean;
}

interface Edge {
  readonly a: Written;
  readonly r: Written;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  /** True when SB = R + kA holds without multiplying by the cofactor. */
  readonly exact: boolean;
}

const littleEndian = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'))!.reverse();
const fromLittleEndian = (value: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(value).reverse())}`);

/** Multiples 0 to 7 of a point of order 8, found by clearing the prime-order part of arbitrary points. */
function torsionGroup(): Point[] {
  for (let y = 2; ; y++) {
    let point: Point;
    try {
      point = Point.fromBytes(littleEndian(BigInt(y)));
    } catch {
      continue;
    }
    const t = point.multiplyUnsafe(L - 1n).add(point);
    if (t.double().double().is0()) continue;
    const group = [Point.ZERO];
    for (let i = 1; i < 8; i++) group.push(group[i - 1]!.add(t));
    return group;
  }
}

/** All encodings that a lenient decoder reads as the point: y + p where it fits, and the sign of x = 0. */
function encodings(point: Point): Uint8Array[] {
  const { x, y } = point.toAffine();
  const signs = x === 0n ? [0n, 1n] : [x & 1n];
  return [y, y + P]
    .filter((value) => value < 2n ** 255n)
    .flatMap((value) => signs.map((sign) => littleEndian(value + (sign << 255n))));
}

function points(group: readonly Point[], scalar: bigint): Written[] {
  return group.flatMap((t, torsion) => {
    const mixed = Point.BASE.multiply(scalar).add(t);
    return [
      ...encodings(t).map((bytes) => ({
        scalar: 0n,
        torsion,
        bytes,
        smallOrder: true,
        canonical: toHex(bytes) === toHex(t.toBytes()),
      })),
      { scalar, torsion, bytes: mixed.toBytes(), smallOrder: false, canonical: true },
    ];
  });
}

function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return fromLittleEndian(createHash('sha512').update(r).update(a).update(message).digest()) % L;
}

/** Signatures over messages chosen so that the residue cancels in one and, where it can, remains in the other. */
function edgesOf(a: Written, r: Written): Edge[] {
  const found = new Map<boolean, Edge>();
  for (let i = 0; i < 64 && found.size < 2; i++) {
    const message = new TextEncoder().encode(`edge ${i}`);
    const k = challenge(r.bytes, a.bytes, message);
    const s = (r.scalar + k * a.scalar) % L;
    const exact = (r.torsion + Number(k % 8n) * a.torsion) % 8 === 0;
    const signature = new Uint8Array([...r.bytes, ...littleEndian(s)]);
    if (!found.has(exact)) found.set(exact, { a, r, message, signature, exact });
  }
  return [...found.values()];
}

function plainOpenSsl({ a, message, signature }: Edge): boolean {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), a.bytes]);
  return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
}

function ours({ a, message, signature }: Edge): boolean {
  const key = verifyKeyOf(a.bytes);
  return key !== null && verifySignature(key, message, signature);
}

let group: Point[];
let edges: Edge[];

beforeAll(() => {
  group = torsionGroup();
  const keys = points(group, 0x1234567890abcdefn);
  const commitments = points(group, 0xfedcba9876543210n);
  edges = keys.flatMap((a) => commitments.flatMap((r) => edgesOf(a, r)));
});

describe('small-order points', () => {
  test('there are 8, in 14 encodings of which 6 are not canonical, and none is acceptable as key or R', () => {
    const all = group.flatMap(encodings);
    expect(new Set(group.map((point) => point.toHex())).size).toBe(8);
    expect(new Set(all.map(toHex)).size).toBe(14);
    const ordinary = Point.BASE.multiply(5n).toBytes();
    const signature = new Uint8Array([...ordinary, ...littleEndian(1n)]);
    expect(acceptable(ordinary, signature)).toBe(true);
    for (const bytes of all) {
      expect(acceptableKey(bytes)).toBe(false);
      expect(verifyKeyOf(bytes)).toBeNull();
      const withR = Uint8Array.from(signature);
      withR.set(bytes);
      expect(acceptable(ordinary, withR)).toBe(false);
    }
  });
});

describe('edge signatures', () => {
  test('cover every pair of points, exact and inexact', () => {
    expect(new Set(edges.map(({ a, r }) => toHex(a.bytes) + toHex(r.bytes))).size).toBe(22 * 22);
    expect(edges.length).toBeGreaterThan(700);
    expect(edges.filter((edge) => edge.exact).length).toBeGreaterThan(250);
    expect(edges.filter((edge) => !edge.exact).length).toBeGreaterThan(400);
  });

  test('are made right: plain OpenSSL takes those that are exact with a canonical R, up to Node 22 weak keys included', () => {
    const strong = edges.filter(({ a, r }) => !a.smallOrder && !r.smallOrder);
    for (const edge of strong) expect(plainOpenSsl(edge)).toBe(edge.exact && edge.r.canonical);
    const weakAccepted = edges.filter((edge) => plainOpenSsl(edge) && (edge.a.smallOrder || edge.r.smallOrder));
    for (const edge of weakAccepted) expect(edge.exact && edge.r.canonical).toBe(true);
    if (Number(process.versions.node.split('.')[0]) < 24) expect(weakAccepted.length).toBeGreaterThan(100);
  });

  test('with a small-order or non-canonical key or R are never accepted', () => {
    const weak = edges.filter(({ a, r }) => a.smallOrder || r.smallOrder || !a.canonical || !r.canonical);
    expect(weak.length).toBeGreaterThan(500);
    expect(weak.filter(ours)).toEqual([]);
  });

  test('with points of full order are accepted exactly when the equation holds without the cofactor', () => {
    const full = edges.filter(({ a, r }) => !a.smallOrder && !r.smallOrder);
    for (const edge of full) expect(ours(edge)).toBe(edge.exact);
    expect(full.filter(ours).length).toBeGreaterThan(30);
    expect(full.filter((edge) => !ours(edge)).length).toBeGreaterThan(40);
  });

  test('get the same verdict on the thread pool', async () => {
    for (const edge of edges) {
      const key = verifyKeyOf(edge.a.bytes);
      if (key !== null) expect(await verifySignatureAsync(key, edge.message, edge.signature)).toBe(ours(edge));
    }
  });

  test('get one verdict from both libraries', () => {
    const differing = edges.filter(
      (edge) => verifyWithNoble(edge.a.bytes, edge.message, edge.signature) !== ours(edge),
    );
    expect(differing).toEqual([]);
  });

  test('whose challenge was computed over a canonical spelling of the points are refused as well', () => {
    for (const edge of edges.filter(({ a, r }) => !a.canonical || !r.canonical)) {
      const spell = (written: Written) => (written.canonical ? written.bytes : group[written.torsion]!.toBytes());
      const k = challenge(spell(edge.r), spell(edge.a), edge.message);
      const s = (edge.r.scalar + k * edge.a.scalar) % L;
      const signature = new Uint8Array([...edge.r.bytes, ...littleEndian(s)]);
      expect(ours({ ...edge, signature })).toBe(false);
      expect(verifyWithNoble(edge.a.bytes, edge.message, signature)).toBe(false);
    }
  });
});
