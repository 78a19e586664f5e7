import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';

/** A line of a stream, and its number from 1. A line over the document limit comes cut to one byte past it, and is refused by the parser. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly number: number;
}

/** Most lines that are handed on at once: what one transaction judges. */
const MOST = 256;
const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes into batches of lines, as they arrive and in constant memory whatever their length. Blank lines
 * are counted and left out.
 */
export async function* lineBatches(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let pending: Uint8Array[] = [];
  let held = 0;
  let number = 0;
  let batch: Line[] = [];
  const hold = (part: Uint8Array): void => {
    const room = MAX_DOCUMENT_BYTES + 1 - held;
    if (room <= 0) return;
    const kept = Uint8Array.prototype.slice.call(part, 0, room);
    pending.push(kept);
    held += kept.length;
  };
  const take = (): void => {
    number++;
    const bytes = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    pending = [];
    held = 0;
    if (!blank(bytes)) batch.push({ bytes, number });
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, end));
      take();
      start = end + 1;
      if (batch.length === MOST) {
        yield batch;
        batch = [];
      }
    }
    if (start < chunk.length) hold(chunk.subarray(start));
    // Nothing waits for more to arrive: the writer of a slow stream wants its answers now.
    if (batch.length > 0) {
      yield batch;
      batch = [];
    }
  }
  if (held > 0) take();
  if (batch.length > 0) yield batch;
}

/** A line that was cut may hold something behind the blanks. */
function blank(bytes: Uint8Array): boolean {
  return bytes.length <= MAX_DOCUMENT_BYTES && bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
