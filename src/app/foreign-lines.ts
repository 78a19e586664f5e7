/** Lines of any length of stream in constant memory. */
import { isUtf8 } from 'node:buffer';

/** A longer line is no record. */
const MAX_LINE_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Cuts bytes into lines and hands the lines of each chunk on together, decoded at once, which is most of the speed. A line that is not UTF-8 or too
 * long comes as null. An empty chunk, with which a source says that it has caught up, comes as no lines.
 */
export async function* lineChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<(string | null)[]> {
  let rest: Buffer[] = [];
  let held = 0;
  let dropping = false;
  for await (const bytes of chunks) {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (chunk.length === 0) {
      yield [];
      continue;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      if (held + chunk.length > MAX_LINE_BYTES) {
        dropping = true;
        rest = [];
        held = 0;
      }
      if (!dropping) {
        rest.push(Buffer.from(chunk));
        held += chunk.length;
      }
      continue;
    }
    const lines: (string | null)[] = [];
    let from = 0;
    if (dropping || held > 0) {
      const first = chunk.indexOf(NEWLINE);
      const tooLong = dropping || held + first > MAX_LINE_BYTES;
      if (tooLong) lines.push(null);
      else take(Buffer.concat([...rest, chunk.subarray(0, first)]), lines);
      from = first + 1;
    }
    if (from <= last) take(chunk.subarray(from, last), lines);
    rest = last + 1 < chunk.length ? [Buffer.from(chunk.subarray(last + 1))] : [];
    held = rest.length === 0 ? 0 : rest[0]!.length;
    dropping = false;
    yield lines;
  }
  if (dropping) yield [null];
  else if (held > 0) {
    const lines: (string | null)[] = [];
    take(Buffer.concat(rest), lines);
    yield lines;
  }
}

function take(block: Buffer, lines: (string | null)[]): void {
  if (!isUtf8(block)) {
    // One bad line must not spoil its neighbours.
    let start = 0;
    for (let end = block.indexOf(NEWLINE); ; end = block.indexOf(NEWLINE, start)) {
      const line = block.subarray(start, end < 0 ? block.length : end);
      if (line.length > MAX_LINE_BYTES || !isUtf8(line)) lines.push(null);
      else lines.push(line.toString('utf8'));
      if (end < 0) return;
      start = end + 1;
    }
  }
  const text = block.toString('utf8');
  let start = 0;
  for (let end = text.indexOf('\n'); ; end = text.indexOf('\n', start)) {
    const line = text.slice(start, end < 0 ? text.length : end);
    lines.push(line.length > MAX_LINE_BYTES ? null : line);
    if (end < 0) return;
    start = end + 1;
  }
}
