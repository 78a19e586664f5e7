import { PLAIN, quote, referenceText } from './canonical.js';
import { isList, type Value } from './numbers.js';

/**
 * Collects the reference's text as the ASCII bytes it is. Every envelope is spelled out again before its proof is looked at, and strings
 * put together bit by bit cost more than the rest of reading it.
 */
export class ReferenceBytes {
  #bytes = Buffer.alloc(4096);
  #length = 0;

  /** Drops what an earlier text, broken off by an error, may have left. */
  begin(): void {
    this.#length = 0;
  }

  /** Text that needs no escapes. */
  ascii(text: string): void {
    this.#room(text.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  value(value: Value): void {
    if (typeof value === 'string') this.#quoted(value);
    else if (value === null) this.ascii('null');
    else if (isList(value)) {
      this.ascii('[');
      for (let i = 0; i < value.length; i++) {
        if (i > 0) this.ascii(',');
        this.value(value[i]!);
      }
      this.ascii(']');
    } else this.ascii(referenceText(value, 'escaped'));
  }

  /** What was written since `begin`. */
  take(): Uint8Array {
    const taken = Buffer.allocUnsafe(this.#length);
    taken.set(this.#bytes.subarray(0, this.#length));
    return taken;
  }

  #quoted(text: string): void {
    this.#room(text.length + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = 0x22;
    // A long string is a piece of its document, which is slow to walk along.
    if (text.length > 12) {
      if (!PLAIN.test(text)) return this.ascii(quote(text, 'escaped'));
      at += bytes.write(text, at, 'latin1');
      bytes[at] = 0x22;
      this.#length = at + 1;
      return;
    }
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) {
        return this.ascii(quote(text, 'escaped'));
      }
      bytes[at++] = code;
    }
    bytes[at++] = 0x22;
    this.#length = at;
  }

  #room(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * needed);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
