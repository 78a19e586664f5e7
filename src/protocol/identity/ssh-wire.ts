/** What SSH puts on the wire: RFC 4251, section 5. */

/** Reads what SSH puts on the wire: numbers of four bytes, and strings behind their length. Throws RangeError when it ends early. */
export class SshWire {
  #at = 0;

  constructor(readonly all: Buffer) {}

  number(): number {
    return this.#take(4).readUInt32BE(0);
  }

  bytes(): Buffer {
    return this.#take(this.number());
  }

  text(): string {
    return this.bytes().toString('latin1');
  }

  rest(length: number): Buffer {
    return this.#take(length);
  }

  #take(length: number): Buffer {
    if (length > this.all.length - this.#at) throw new RangeError('cut off');
    const taken = this.all.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
}

/** A string as SSH writes it: behind its length. */
export function sshString(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
