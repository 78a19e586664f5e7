/** Takes the place of salted commitments: an entry is hashed once, as it stands, and so is its leaf. */
import { sha256Hex } from '../../../src/protocol/hash.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { Json } from '../../../src/protocol/json/values.js';
import type { Unhashed } from '../../../src/protocol/log/leaf.js';

export * from '../../../src/protocol/log/leaf.js';

export function sealedLeaf(record: Unhashed): { readonly hash: string; readonly leaf: string } {
  const leaf = canonicalize(record as Json);
  return { hash: sha256Hex(leaf), leaf };
}
