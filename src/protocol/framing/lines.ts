/** Lines of NDJSON: bytes that arrive in pieces of any size, cut at line feeds in constant memory. */

const NEWLINE = 0x0a;

/** What a piece of a stream completes. */
export interface CompletedLines {
  /** The line that earlier pieces began; null where none was begun, or it goes on. */
  readonly begun: Uint8Array | null;
  /** The whole lines behind it, line feeds between them; null where there are none. A view of the piece. */
  readonly block: Uint8Array | null;
}

/** Puts pieces together to lines. A line that grows past `most` bytes is kept cut to one byte past it: its length tells that it was longer. */
export class LineAssembler {
  readonly #most: number;
  #parts: Uint8Array[] = [];
  #held = 0;
  #open = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** The lines that `piece` completes. What it begins is copied. */
  push(piece: Uint8Array): CompletedLines {
    const last = piece.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#hold(piece);
      return { begun: null, block: null };
    }
    let from = 0;
    let begun: Uint8Array | null = null;
    if (this.#open) {
      const first = piece.indexOf(NEWLINE);
      this.#hold(piece.subarray(0, first));
      begun = this.end();
      from = first + 1;
    }
    const block = from <= last ? piece.subarray(from, last) : null;
    this.#hold(piece.subarray(last + 1));
    return { begun, block };
  }

  /** The same one by one, each at most one byte longer than `most`. */
  *lines(piece: Uint8Array): Generator<Uint8Array> {
    const { begun, block } = this.push(piece);
    if (begun !== null) yield begun;
    if (block !== null) yield* linesIn(block, this.#most);
  }

  /** The last line, which no line feed ended; null where there is none. */
  end(): Uint8Array | null {
    if (!this.#open) return null;
    const line = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#held = 0;
    this.#open = false;
    return line;
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#open = true;
    const kept = part.subarray(0, Math.max(0, this.#most + 1 - this.#held));
    if (kept.length === 0) return;
    this.#parts.push(Uint8Array.from(kept));
    this.#held += kept.length;
  }
}

/** The lines of a block, each cut to one byte past `most`: views of it. */
export function* linesIn(block: Uint8Array, most = Infinity): Generator<Uint8Array> {
  for (let from = 0; ;) {
    const end = block.indexOf(NEWLINE, from);
    const line = block.subarray(from, end < 0 ? block.length : end);
    yield line.length > most ? line.subarray(0, most + 1) : line;
    if (end < 0) return;
    from = end + 1;
  }
}

/** True for a line of nothing but blanks, tabs and a carriage return: between documents it says nothing. */
export function isBlankLine(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
