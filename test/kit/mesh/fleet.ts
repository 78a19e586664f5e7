/** Verifiers with logs of known content, shipped to a mesh as `mesh follow` ships them. */
import { sealRecord, START, type Link, type RecordDraft } from '../../../src/protocol/log/chain.js';
import { seal } from '../state/sealed.js';
import type { Entry, EntryDraft, OutcomeDraft } from '../../../src/protocol/log/entry.js';
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

  /** An entry of another kind after those. */
  record(body: RecordDraft): void {
    const { entry } = sealRecord(body, this.verifier, this.head, (n) => Buffer.alloc(n, 0x5a));
    this.entries.push(entry as unknown as Entry);
  }

  /** What became of the decision `of`, by its caller unless `more` says otherwise. */
  outcome(of: number, status: OutcomeDraft['status'], more: Partial<OutcomeDraft> = {}): void {
    const { timestamp, agent_id } = this.entries[of - 1]!;
    const nothing = { exit_code: null, duration_ms: null, result_hash: null, detail: null };
    this.record({ type: 'outcome', timestamp, agent_id, of, status, ...nothing, claimed: false, ...more });
  }

  /** The body of a shipment of the entries after seq `after`. */
  shipment(after = 0, entries: readonly Entry[] = this.entries.slice(after)) {
    return { log_id: this.logId, verifier: this.verifier, entries };
  }
}
