/** The last checkpoint that the mesh has seen of each log's tree, in papers of its store. */
import { objectOf } from '../../../protocol/json/shape.js';
import { parseJsonText } from '../../../protocol/json/parse.js';
import { readTreeNote, type TreeCheckpoint } from '../../log/tree-witness.js';
import type { Paper, PaperTable } from '../../log/store.js';
import { Refused } from '../../refusal.js';

/** The kind of the papers. */
const TREE_PAPER = 'log-tree';
/** How long a tree is remembered after it was last seen, in ms: that of a verifier, and that of one whose key is ephemeral. */
const KEPT_MS = 10 * 366 * 24 * 3_600_000;
const KEPT_EPHEMERAL_MS = 366 * 24 * 3_600_000;
/** Most logs of one API key: who makes logs up must not fill the store. */
const MAX_OF_KEY = 10_000;
/** Papers are looked for as far back, in ms: another server on the store may have another clock. */
const OVERLAP_MS = 10 * 60_000;

/** What the mesh has seen of a tree. */
export interface KnownTree {
  /** The API key that it came with. */
  readonly keyId: string;
  /** The verifier that signed it, `ed25519:<64 hex>`. */
  readonly publicKey: string;
  readonly checkpoint: TreeCheckpoint;
  /** As the verifier signed it. */
  readonly text: string;
}

/** A known tree, and the version of its paper. */
export interface KeptTree extends KnownTree {
  readonly version: number;
}

/** When a tree was seen, and for how long that has to be remembered. */
export interface Sight {
  /** ms since the epoch. */
  readonly at: number;
  readonly ephemeral: boolean;
}

/** All trees that the mesh is a witness of. */
export class KnownTrees {
  readonly #papers: Pick<PaperTable, 'get' | 'list' | 'put'>;
  /** API keys by log, as far as they were counted. */
  readonly #owners = new Map<string, string>();
  #newest = 0;

  constructor(papers: Pick<PaperTable, 'get' | 'list' | 'put'>) {
    this.#papers = papers;
  }

  async find(logId: string): Promise<KeptTree | null> {
    const paper = await this.#papers.get(TREE_PAPER, logId);
    return paper === null ? null : treeIn(paper);
  }

  /**
   * Keeps `tree` in the place of `before`, durably once it resolves; false where another was kept meanwhile.
   * @throws Refused BUSY where the API key has as many logs as it may
   */
  async keep(tree: KnownTree, before: KeptTree | null, { at, ephemeral }: Sight): Promise<boolean> {
    const { logId } = tree.checkpoint;
    if (before === null) await this.#requireRoom(tree.keyId);
    const text = JSON.stringify({ key_id: tree.keyId, public_key: tree.publicKey, checkpoint: tree.text });
    const keepUntil = at + (ephemeral ? KEPT_EPHEMERAL_MS : KEPT_MS);
    const version = (before?.version ?? 0) + 1;
    return this.#papers.put(TREE_PAPER, { id: logId, version, changedAt: at, keepUntil, text });
  }

  async #requireRoom(keyId: string): Promise<void> {
    for (const paper of await this.#papers.list(TREE_PAPER, this.#newest - OVERLAP_MS)) {
      this.#newest = Math.max(this.#newest, paper.changedAt);
      this.#owners.set(paper.id, treeIn(paper).keyId);
    }
    let count = 0;
    for (const owner of this.#owners.values()) if (owner === keyId) count += 1;
    if (count < MAX_OF_KEY) return;
    throw new Refused('BUSY', `The mesh is a witness of ${MAX_OF_KEY} logs of this API key, and of no more.`);
  }
}

function treeIn({ version, text }: Paper): KeptTree {
  const { key_id, public_key, checkpoint } = objectOf(parseJsonText(text), 'a tree that was kept', [
    ...['key_id', 'public_key', 'checkpoint'],
  ]);
  if (typeof key_id !== 'string' || typeof public_key !== 'string' || typeof checkpoint !== 'string')
    throw new Error('a tree that was kept cannot be read');
  return { keyId: key_id, publicKey: public_key, checkpoint: readTreeNote(checkpoint), text: checkpoint, version };
}
