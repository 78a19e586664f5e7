/** Verifiers with logs of known content, shipped to a mesh as `mesh follow` ships them. */
import { START, type Link } from '../../../src/protocol/log/chain.js';
import { seal } from '../state/sealed.js';
import type { Entry, EntryDraft } from '../../../src/protocol/log/entry.js';
import { sha256Hex } from '../../../src/protocol/hash.js';
import { draft, refused } from '../state/drafts.js';

export type Told = Partial<EntryDraft> & { readonly at?: number };

export class TestVerifier {
  readonly verifier: string;
  readonly logId: string;
  readonly entries: Entry[] = [];

  constructor(verifier: string) {
    this.verifier = verifier;
    this.logId = sha256Hex(verifier).slice(0, 32);
  }

  get head(): Link {
    return this.entries.at(-1) ?? START;
  }

  /** Those with an `error_code` refused, the others accepted. */
  log(...past: readonly Told[]): Entry[] {
    return past.map((each) => {
      const body = each.error_code == null ? draft(each) : refused(each.error_code, each);
      const entry = seal(body, this.verifier, this.head);
      this.entries.push(entry);
      return entry;
    });
  }

  /** The body of a shipment of the entries after seq `after`. */
  shipment(after = 0, entries: readonly Entry[] = this.entries.slice(after)) {
    return { log_id: this.logId, verifier: this.verifier, entries };
  }
}
