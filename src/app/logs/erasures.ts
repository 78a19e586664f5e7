/** Whether everything that is gone from entries was taken by an erasure that somebody trusted signed: else it was deleted in silence. */
import { verifyKeyOf, verifySignature } from '../../protocol/ed25519/verify.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { ErasureDraft, ErasureEntry, LogRecord } from '../../protocol/log/entry.js';

/** The bytes that an erasure is signed over: the draft without its signature, with its type. */
export function erasureText(draft: Omit<ErasureDraft, 'signature'>): string {
  return canonicalize({ ...draft, type: 'erasure' });
}

/** An entry that lost values in a way that nobody trusted answers for. */
export interface UnexplainedErasure {
  readonly seq: number;
  readonly reason: string;
  /** The key that signed an erasure of it, as text: a reader without the verifier's key has to be given its public half. */
  readonly by: string | null;
}

/** Follows a log from entry to entry. It holds what is erased and not yet explained, so that it grows with that alone. */
export class ErasureCheck {
  readonly #trusted: ReadonlySet<string>;
  /** What is gone: params by name, where it was any. */
  readonly #gone = new Map<number, readonly string[]>();
  /** Keys that signed erasures of an entry and are not trusted, by its number. */
  readonly #strangers = new Map<number, string>();

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
    if (record.type !== 'erasure' || !holds(record)) return;
    const trusted = this.#trusted.has(toHex(parsePublicKey(record.by)!));
    for (const seq of record.entries)
      if (trusted) this.#explain(seq, record);
      else if (this.#gone.has(seq)) this.#strangers.set(seq, record.by);
  }

  /** The first entry from which something was taken that no erasure of a trusted key names; null where there is none. */
  problem(): UnexplainedErasure | null {
    if (this.#gone.size === 0) return null;
    const seq = Math.min(...this.#gone.keys());
    const by = this.#strangers.get(seq) ?? null;
    const other = by === null ? '' : `: the one that does is signed by ${by}, which is not trusted here`;
    return { seq, reason: `values were taken from it, and no erasure that a trusted key signed names it${other}`, by };
  }

  #explain(seq: number, { param }: ErasureEntry): void {
    const names = this.#gone.get(seq);
    if (names === undefined) return;
    const left = param === null ? [] : names.filter((name) => name !== param);
    if (left.length === 0) this.#gone.delete(seq);
    else this.#gone.set(seq, left);
  }
}

/** Whether it is signed with the key that it names, whosever that is. In a file of a stranger its members may be anything. */
function holds({ timestamp, agent_id, entries, param, by, signature }: ErasureEntry): boolean {
  if (!Array.isArray(entries) || typeof by !== 'string' || typeof signature !== 'string') return false;
  const raw = parsePublicKey(by);
  const key = raw === null ? null : verifyKeyOf(raw);
  const bytes = fromHex(signature);
  if (key === null || bytes === null) return false;
  return verifySignature(key, Buffer.from(erasureText({ timestamp, agent_id, entries, param, by })), bytes);
}
