import { seal as sealWith, type Link } from '../../../src/protocol/log/chain.js';
import type { Entry, EntryDraft } from '../../../src/protocol/log/entry.js';

/** The same for all, so that two logs of the same content are the same log. */
const salts = (n: number): Uint8Array => Buffer.alloc(n, 0x5a);

/** The entry that follows `after`, of a verifier that logs params as they were sent. */
export function seal(draft: EntryDraft, verifier: string, after: Link): Entry {
  return sealWith(draft, null, verifier, after, salts).entry;
}
