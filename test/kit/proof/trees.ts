/** Trees over made-up leaves, and verifiers that sign their checkpoints, for the mesh as their witness. */
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { checkpointText, noteSignature, originOf, writeNote } from '../../../src/protocol/transparency/note.js';
import {
  consistencyProof,
  leafHash,
  nodeHash,
  rootOf,
  type ReadNode,
} from '../../../src/protocol/transparency/tree.js';
import type { VerifierCard } from '../../../src/mesh/roster/member.js';
import type { Role } from '../../../src/mesh/access/roles.js';
import type { TestMesh } from '../mesh/server.js';

/**
 * The nodes that the leaf number `size` (from 0) completes, the leaf itself first: one, and one more for each tree of equal height that it
 * closes; on average two a leaf.
 */
export function appendLeaf(
  size: number,
  leaf: Uint8Array,
  read: ReadNode,
): { level: number; index: number; hash: Uint8Array }[] {
  const nodes = [{ level: 0, index: size, hash: leaf }];
  let { level, index, hash } = nodes[0]!;
  while (index % 2 === 1) {
    hash = nodeHash(read(level, index - 1), hash);
    level += 1;
    index = (index - 1) / 2;
    nodes.push({ level, index, hash });
  }
  return nodes;
}

/** A tree whose leaves are the given texts. */
export class TestTree {
  readonly #nodes = new Map<string, Uint8Array>();
  size = 0;

  constructor(...leaves: readonly string[]) {
    this.add(...leaves);
  }

  add(...leaves: readonly string[]): this {
    for (const leaf of leaves)
      for (const { level, index, hash } of appendLeaf(this.size++, leafHash(leaf), this.read))
        this.#nodes.set(`${level}/${index}`, hash);
    return this;
  }

  readonly read: ReadNode = (level, index) => {
    const hash = this.#nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new RangeError(`no node ${level}/${index}`);
    return hash;
  };

  /** In base64; none from nothing, and none to itself. */
  proof(old: number, size = this.size): string[] {
    if (old === 0 || old >= size) return [];
    return consistencyProof(old, size, this.read).map((hash) => Buffer.from(hash).toString('base64'));
  }
}

/** A verifier with a log, and a key of its own. */
export class TreeVerifier {
  readonly #seed: Uint8Array;
  readonly publicKey: string;

  constructor(
    n: number,
    readonly logId = 'b2'.repeat(16),
  ) {
    this.#seed = new Uint8Array(32).fill(n);
    this.publicKey = formatPublicKey(publicKeyOf(this.#seed));
  }

  /** Puts it on the roster, as listening does. */
  enroll(mesh: TestMesh, role: Role = 'verifier', more: { readonly ephemeral?: boolean } = {}): this {
    const card = { public_key: this.publicKey, key_id: mesh.keys[role].keyId, label: `v-${this.publicKey.slice(-4)}` };
    const rest = { host: 'h', program: '9.9.9', on_stale: 'deny', max_age_ms: 30_000 };
    mesh.server.roster.enter({ ...card, ...rest } as unknown as VerifierCard, {
      keyId: mesh.keys[role].keyId,
      ...{ role, hash: '', label: null, publicKey: null, createdAt: 0, revokedAt: null },
      ephemeral: more.ephemeral ?? false,
    });
    return this;
  }

  /** A checkpoint of the tree, signed. */
  checkpoint(tree: TestTree, size = tree.size): string {
    return this.signed(checkpointText({ origin: originOf(this.logId), size, root: rootOf(size, tree.read) }));
  }

  /** Any text as a note. */
  signed(text: string, origin = originOf(this.logId)): string {
    const signature = signMessage(this.#seed, Buffer.from(text));
    return writeNote({ text, signatures: [noteSignature(origin, publicKeyOf(this.#seed), signature)] });
  }

  /** The body of a request to cosign the tree, of which `old` entries were seen. */
  asks(tree: TestTree, old = 0, size = tree.size): Record<string, unknown> {
    const [public_key, proof] = [this.publicKey, tree.proof(old, size)];
    return { public_key, old, proof, checkpoint: this.checkpoint(tree, size) };
  }
}

/** `n` different leaves. */
export function leavesOf(n: number, kind = 'leaf'): string[] {
  return Array.from({ length: n }, (_, i) => `${kind} ${i}`);
}
