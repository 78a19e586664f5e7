/** Whether everything that is gone from entries was taken by an erasure that somebody trusted signed: else it was deleted in silence. */
import { verifyKeyOf, verifySignature } from '../../protocol/ed25519/verify.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { ErasureDraft, ErasureEntry, LogRecord } from '../../protocol/log/entry.js';

/** The bytes that an erasure is signed over: the draft without its signature, with its type. */
export function erasureText(draft: Omit<ErasureDraft, 'signature'>): string {
  return canonicalize({ ...draft, type: 'erasure' } as unknown as JsonObject);
}

/** Follows a log from entry to entry. It holds what is erased and not yet explained, so that it grows with that alone. */
export class ErasureCheck {
  readonly #trusted: ReadonlySet<string>;
  /** What is gone: params by name, where it was any. */
  readonly #gone = new Map<number, readonly string[]>();

  /** `keys`: raw public keys whose erasures count. */
  constructor(keys: readonly Uint8Array[]) {
    this.#trusted = new Set(keys.map(toHex));
  }

  /** The next entry, in order. */
  see(record: LogRecord): void {
    if (record.erased !== null && record.erased !== undefined) {
      const names = Object.keys(record.erased).flatMap((slot) => /^(?:params|sent)\.(.*)$/s.exec(slot)?.[1] ?? []);
      const decision = record.type === 'outcome' ? record.of : record.seq;
      this.#gone.set(decision, [...(this.#gone.get(decision) ?? []), ...names]);
    }
    if (record.type === 'erasure' && this.#counts(record)) for (const seq of record.entries) this.#explain(seq, record);
  }

  /** The first entry from which something was taken that no erasure names; null where there is none. */
  problem(): { readonly seq: number; readonly reason: string } | null {
    if (this.#gone.size === 0) return null;
    const seq = Math.min(...this.#gone.keys());
    return { seq, reason: 'values were taken from it, and no erasure that a trusted key signed names it' };
  }

  #explain(seq: number, { param }: ErasureEntry): void {
    const names = this.#gone.get(seq);
    if (names === undefined) return;
    const left = param === null ? [] : names.filter((name) => name !== param);
    if (left.length === 0) this.#gone.delete(seq);
    else this.#gone.set(seq, left);
  }

  #counts({ timestamp, agent_id, entries, param, by, signature }: ErasureEntry): boolean {
    const raw = parsePublicKey(by);
    const key = raw === null || !this.#trusted.has(toHex(raw)) ? null : verifyKeyOf(raw);
    const bytes = fromHex(signature);
    if (key === null || bytes === null) return false;
    return verifySignature(key, Buffer.from(erasureText({ timestamp, agent_id, entries, param, by })), bytes);
  }
}
