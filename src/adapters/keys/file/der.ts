/** As much DER (ITU-T X.690) as a PKCS#8 key needs: definite lengths in their shortest form, one-byte tags. */

export const TAG = { integer: 0x02, octets: 0x04, null: 0x05, oid: 0x06, sequence: 0x30 } as const;

/** One element: tag, length and the content, joined. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length > 0xffff) throw new RangeError('longer than any key');
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

/** A non-negative INTEGER. */
export function integerElement(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return element(TAG.integer, bytes[0]! >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);
}

/** Reads elements in order; throws RangeError on anything that is not what was asked for. */
export class DerReader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get ended(): boolean {
    return this.#at === this.bytes.length;
  }

  /** True when the next element has this tag. */
  next(tag: number): boolean {
    return this.bytes[this.#at] === tag;
  }

  /** The content of the next element, which must have this tag. */
  take(tag: number): Uint8Array {
    if (!this.next(tag)) throw new RangeError('unexpected element');
    const first = this.bytes[this.#at + 1] ?? 0x80;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    if (extra > 2 || first === 0x80) throw new RangeError('length out of bounds');
    const start = this.#at + 2 + extra;
    let length = extra === 0 ? first : 0;
    for (let i = this.#at + 2; i < start; i++) length = length * 256 + (this.bytes[i] ?? 0);
    if ((extra === 1 && length < 0x80) || (extra === 2 && length < 0x100)) throw new RangeError('length not shortest');
    if (start + length > this.bytes.length) throw new RangeError('cut off');
    this.#at = start + length;
    return this.bytes.subarray(start, start + length);
  }

  enter(): DerReader {
    return new DerReader(this.take(TAG.sequence));
  }

  /** The next element, a non-negative INTEGER of at most four bytes. */
  takeInteger(): number {
    const content = this.take(TAG.integer);
    if (content.length === 0 || content.length > 4 || content[0]! >= 0x80)
      throw new RangeError('integer out of bounds');
    return content.reduce((value, byte) => value * 256 + byte, 0);
  }

  end(): void {
    if (!this.ended) throw new RangeError('trailing bytes');
  }
}
