/**
 * As much of the D-Bus wire format as four calls to the secret service need (D-Bus Specification, "Marshaling" and "Message
 * Protocol"). Replies come from whatever sits on the session bus, so everything read is bounded by the message's own length.
 */

export const MAX_MESSAGE_BYTES = 1024 * 1024;

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Signature of `body`, empty for none. */
  readonly signature: string;
  readonly body: Buffer;
}

export interface Message {
  /** 2 is a return, 3 an error; anything else is not for us. */
  readonly type: number;
  readonly replyTo: number | null;
  readonly errorName: string | null;
  readonly signature: string;
  readonly body: Reader;
  /** Bytes of the whole message. */
  readonly size: number;
}

export class Writer {
  readonly #bytes: number[] = [];

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0);
    return this;
  }

  byte(...values: number[]): this {
    this.#bytes.push(...values);
    return this;
  }

  u32(value: number): this {
    return this.align(4).byte(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
  }

  string(text: string): this {
    const bytes = Buffer.from(text, 'utf8');
    return this.u32(bytes.length).byte(...bytes, 0);
  }

  signature(text: string): this {
    return this.byte(text.length, ...Buffer.from(text, 'latin1'), 0);
  }

  /** An array whose items start at multiples of `alignment`; its length excludes the padding before the first item. */
  array(alignment: number, write: (items: Writer) => void): this {
    this.u32(0);
    const lengthAt = this.#bytes.length - 4;
    this.align(alignment);
    const start = this.#bytes.length;
    write(this);
    const length = new Writer().u32(this.#bytes.length - start).#bytes;
    this.#bytes.splice(lengthAt, 4, ...length);
    return this;
  }

  done(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

/** Throws RangeError at the end of the message. */
export class Reader {
  #at = 0;

  constructor(
    readonly bytes: Buffer,
    readonly littleEndian: boolean,
  ) {}

  get at(): number {
    return this.#at;
  }

  align(to: number): this {
    this.#at = Math.ceil(this.#at / to) * to;
    return this;
  }

  byte(): number {
    return this.bytes.readUInt8(this.#at++);
  }

  u32(): number {
    this.align(4);
    const value = this.littleEndian ? this.bytes.readUInt32LE(this.#at) : this.bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  skip(length: number): this {
    if (this.#at + length > this.bytes.length) throw new RangeError('past the end');
    this.#at += length;
    return this;
  }

  string(): string {
    return this.#text(this.u32());
  }

  signature(): string {
    return this.#text(this.byte());
  }

  #text(length: number): string {
    const start = this.#at;
    this.skip(length + 1);
    return this.bytes.toString('utf8', start, start + length);
  }
}

/** A method call as it goes over the wire, little-endian. */
export function encodeCall(serial: number, call: MethodCall): Buffer {
  const header = new Writer()
    .byte(0x6c, 1, 0, 1)
    .u32(call.body.length)
    .u32(serial)
    .array(8, (fields) => {
      fields.align(8).byte(1).signature('o').string(call.path);
      fields.align(8).byte(2).signature('s').string(call.interface);
      fields.align(8).byte(3).signature('s').string(call.member);
      fields.align(8).byte(6).signature('s').string(call.destination);
      if (call.signature !== '') fields.align(8).byte(8).signature('g').signature(call.signature);
    });
  return Buffer.concat([header.align(8).done(), call.body]);
}

/** The message at the start of `bytes`; null while it is not all there. Throws RangeError on rubbish. */
export function decodeMessage(bytes: Buffer): Message | null {
  if (bytes.length < 16) return null;
  if (bytes[0] !== 0x6c && bytes[0] !== 0x42) throw new RangeError('not a D-Bus message');
  const littleEndian = bytes[0] === 0x6c;
  const head = new Reader(bytes, littleEndian);
  head.skip(1);
  const type = head.byte();
  const bodyLength = head.skip(2).u32();
  const fieldsLength = head.skip(4).u32();
  const bodyAt = Math.ceil((16 + fieldsLength) / 8) * 8;
  const size = bodyAt + bodyLength;
  if (size > MAX_MESSAGE_BYTES) throw new RangeError('oversized D-Bus message');
  if (bytes.length < size) return null;

  const fields = new Reader(bytes.subarray(0, 16 + fieldsLength), littleEndian).skip(16);
  let replyTo = null;
  let errorName = null;
  let signature = '';
  while (fields.at < 16 + fieldsLength) {
    const code = fields.align(8).byte();
    const kind = fields.signature();
    const value = kind === 'u' ? fields.u32() : kind === 'g' ? fields.signature() : fields.string();
    if (code === 4) errorName = String(value);
    if (code === 5) replyTo = Number(value);
    if (code === 8) signature = String(value);
  }
  return { type, replyTo, errorName, signature, body: new Reader(bytes.subarray(bodyAt, size), littleEndian), size };
}
