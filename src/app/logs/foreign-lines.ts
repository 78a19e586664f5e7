/** Lines of any length of stream in constant memory, and what stands in them. */
import { isUtf8 } from 'node:buffer';
import { LineAssembler, linesIn } from '../../protocol/framing/lines.js';
import { MAX_ENTRY_BYTES } from '../../protocol/limits.js';

/** A longer line is no record. */
const MAX_LINE_BYTES = MAX_ENTRY_BYTES;

/** A value nested deeper is no record: serialising it again would run out of stack. */
const MAX_NESTING = 500;
/** No shorter line can nest so deep that it matters. */
const SHALLOW = 4096;

const NEWLINE = 0x0a;

/** The JSON object in a line; null for any other line. */
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
  const assembler = new LineAssembler(MAX_LINE_BYTES);
  for await (const chunk of odd === 'replace' ? withoutHoles(chunks) : chunks) {
    const lines: (string | null)[] = [];
    const { begun, block } = assembler.push(chunk);
    if (begun !== null) takeOne(begun, lines, odd);
    if (block !== null) take(block, lines, odd);
    if (lines.length > 0 || chunk.length === 0) yield lines;
  }
  const last = assembler.end();
  if (last === null) return;
  const lines: (string | null)[] = [];
  takeOne(last, lines, odd);
  yield lines;
}

/** A file that was cut under its writer (logrotate, copytruncate) begins with a hole of any length, which no line limit may count. */
async function* withoutHoles(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let atStart = true;
  for await (const chunk of chunks) {
    const bytes: Uint8Array = atStart ? withoutHole(chunk) : chunk;
    if (bytes.length === 0) {
      if (chunk.length === 0) yield bytes;
      continue;
    }
    const next = bytes.lastIndexOf(NEWLINE) + 1;
    const begun = next === 0 ? bytes : withoutHole(bytes.subarray(next));
    atStart = begun.length === 0;
    if (next === 0 || next + begun.length === bytes.length) yield bytes;
    else {
      yield bytes.subarray(0, next);
      if (begun.length > 0) yield begun;
    }
  }
}

/** The bytes after the NULs at the start. */
function withoutHole(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0) return bytes;
  let from = 1;
  while (from < bytes.length && bytes[from] === 0) from += 1;
  return bytes.subarray(from);
}

/** Adds a line that was put together: one that was cut tells so by its length. */
function takeOne(line: Uint8Array, lines: (string | null)[], odd: OddBytes): void {
  if (line.length > MAX_LINE_BYTES) lines.push(null);
  else take(line, lines, odd);
}

function take(bytes: Uint8Array, lines: (string | null)[], odd: OddBytes): void {
  const block = asBuffer(bytes);
  if (odd === 'refuse' && !isUtf8(block)) {
    // One bad line must not spoil its neighbours.
    for (const line of linesIn(block, MAX_LINE_BYTES))
      lines.push(line.length > MAX_LINE_BYTES || !isUtf8(line) ? null : asBuffer(line).toString('utf8'));
    return;
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

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
