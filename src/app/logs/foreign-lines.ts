/** Lines of any length of stream in constant memory, and what stands in them. */
import { isUtf8 } from 'node:buffer';

/** A longer line is no record. */
const MAX_LINE_BYTES = 1024 * 1024;

/** A value nested deeper is none: whoever writes it again would run out of stack. */
const MAX_NESTING = 500;
/** No shorter line can nest so deep that it matters. */
const SHALLOW = 4096;

const NEWLINE = 0x0a;

/** The JSON object in a line; null when it is none. */
export function looseObject(line: string): Record<string, unknown> | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return line.length > SHALLOW && nestsTooDeep(value) ? null : (value as Record<string, unknown>);
}

function nestsTooDeep(value: object): boolean {
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_NESTING) return true;
    const next: object[] = [];
    for (const each of level) {
      for (const one of Object.values(each) as unknown[]) if (typeof one === 'object' && one !== null) next.push(one);
    }
    level = next;
  }
  return false;
}

/** What becomes of bytes that are not UTF-8: `replace` writes U+FFFD for them, `refuse` makes the line unreadable. */
export type OddBytes = 'replace' | 'refuse';

/**
 * Cuts bytes into lines and hands the lines of each chunk on together, decoded at once, which is most of the speed. A line that is too long, or not
 * UTF-8 where that is refused, comes as null. An empty chunk, with which a source says that it has caught up, comes as no lines.
 */
export async function* lineChunks(chunks: AsyncIterable<Uint8Array>, odd: OddBytes): AsyncGenerator<(string | null)[]> {
  let rest: Buffer[] = [];
  let held = 0;
  let dropping = false;
  for await (const bytes of chunks) {
    let chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (chunk.length === 0) {
      yield [];
      continue;
    }
    // A file that was cut under its writer (logrotate, copytruncate) begins with a hole of any length, which no line limit may count.
    if (odd === 'replace' && held === 0 && !dropping) {
      chunk = withoutHole(chunk);
      if (chunk.length === 0) continue;
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
      else take(Buffer.concat([...rest, chunk.subarray(0, first)]), lines, odd);
      from = first + 1;
    }
    if (from <= last) take(chunk.subarray(from, last), lines, odd);
    const begun = odd === 'replace' ? withoutHole(chunk.subarray(last + 1)) : chunk.subarray(last + 1);
    rest = begun.length > 0 ? [Buffer.from(begun)] : [];
    held = begun.length;
    dropping = false;
    yield lines;
  }
  if (dropping) yield [null];
  else if (held > 0) {
    const lines: (string | null)[] = [];
    take(Buffer.concat(rest), lines, odd);
    yield lines;
  }
}

/** The bytes after the NULs at the start. */
function withoutHole(bytes: Buffer): Buffer {
  if (bytes[0] !== 0) return bytes;
  let from = 1;
  while (from < bytes.length && bytes[from] === 0) from += 1;
  return bytes.subarray(from);
}

function take(block: Buffer, lines: (string | null)[], odd: OddBytes): void {
  if (odd === 'refuse' && !isUtf8(block)) {
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
