import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';
import { isBlankLine, LineAssembler } from '../../protocol/framing/lines.js';

/** A line of a stream, and its number from 1. A line over the document limit comes cut to one byte past it, and is refused by the parser. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly number: number;
}

/** Most lines that are handed on at once: what one transaction judges. */
const MOST = 256;

/**
 * Cuts a stream of bytes into batches of lines, as they arrive and in constant memory whatever their length. Blank lines
 * are counted and left out.
 */
export async function* lineBatches(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  const assembler = new LineAssembler(MAX_DOCUMENT_BYTES);
  let number = 0;
  let batch: Line[] = [];
  const take = (bytes: Uint8Array): void => {
    number++;
    // A line that was cut may hold something behind the blanks.
    if (bytes.length > MAX_DOCUMENT_BYTES || !isBlankLine(bytes)) batch.push({ bytes, number });
  };
  for await (const chunk of chunks) {
    for (const line of assembler.lines(chunk)) {
      take(line);
      if (batch.length === MOST) {
        yield batch;
        batch = [];
      }
    }
    // Nothing waits for more to arrive: the writer of a slow stream wants its answers now.
    if (batch.length > 0) {
      yield batch;
      batch = [];
    }
  }
  const last = assembler.end();
  if (last !== null) take(last);
  if (batch.length > 0) yield batch;
}
