/** Hashes of events by their place: a verifier that confirms has applied this history, or another one. */
import { NO_HASH } from '../../log/head.js';
import type { MeshStore } from '../../log/store.js';
import type { EventRecord } from '../../ruling.js';

/** Hashes kept at hand: confirmations are nearly always of the newest events. */
const KEPT = 4_096;

/** The hashes of a log's events. */
export class EventHashes {
  readonly #store: Pick<MeshStore, 'read'>;
  readonly #recent = new Map<number, string>();

  constructor(store: Pick<MeshStore, 'read'>) {
    this.#store = store;
  }

  /** Takes in new events. */
  push(records: readonly EventRecord[]): void {
    for (const { seq, hash } of records) this.#recent.set(seq, hash);
    for (const seq of this.#recent.keys()) {
      if (this.#recent.size <= KEPT) return;
      this.#recent.delete(seq);
    }
  }

  /** The hash of the event `seq`; null where the log has none. */
  async at(seq: number): Promise<string | null> {
    if (seq === 0) return NO_HASH;
    const known = this.#recent.get(seq);
    if (known !== undefined) return known;
    const [record] = await this.#store.read(seq - 1, 1);
    return record?.hash ?? null;
  }
}
