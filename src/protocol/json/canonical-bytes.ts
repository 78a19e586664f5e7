/**
 * RFC 8785 straight into bytes, for intents, which are small and plain ASCII. Building the text first, piece by piece, and
 * encoding it takes three times as long and leaves all the pieces to the garbage collector. What is not plain, or too large,
 * takes the way through the text; both ways give the same bytes.
 */
import { canonicalizeWithout, sortNames } from './canonical.js';
import type { Json, JsonObject } from './values.js';
import { BACKSLASH, COLON, COMMA, LIST_CLOSE, LIST_OPEN, OBJECT_CLOSE, OBJECT_OPEN, QUOTE } from './punctuation.js';

/** The bytes of `canonicalizeWithout`. Throws as that does. */
export function canonicalBytesWithout(object: JsonObject, member: string): Uint8Array {
  if (slab.length - free < ROOM) {
    slab = new Uint8Array(SLAB);
    free = 0;
  }
  end = free + ROOM;
  const to = writeObject(object, member, free);
  if (to === TEXT_NEEDED) return Buffer.from(canonicalizeWithout(object, member), 'utf8');
  const bytes = slab.subarray(free, to);
  free = to;
  return bytes;
}

/** Bytes are handed out from slabs, each part once. One that is still held keeps its slab alive. */
const SLAB = 32 * 1024;
const ROOM = 4096;
let slab = new Uint8Array(SLAB);
let free = 0;
/** Where this document's room ends. */
let end = 0;

const TEXT_NEEDED = -1;

/** Each writer starts at `at` and gives the place after what it wrote, or TEXT_NEEDED. */
function write(value: Json, at: number): number {
  switch (typeof value) {
    case 'string':
      return writeString(value, at);
    case 'number':
      return Number.isFinite(value) ? writePlain(String(value), at) : TEXT_NEEDED;
    case 'boolean':
      return writePlain(value ? 'true' : 'false', at);
    case 'object':
      if (value === null) return writePlain('null', at);
      return Array.isArray(value)
        ? writeList(value as readonly Json[], at)
        : writeObject(value as JsonObject, null, at);
    default:
      return TEXT_NEEDED;
  }
}

function writeObject(object: JsonObject, without: string | null, at: number): number {
  let to = at;
  for (const name of sortNames(Object.keys(object))) {
    if (name === without) continue;
    slab[to] = to === at ? OBJECT_OPEN : COMMA;
    const colon = writeString(name, to + 1);
    if (colon === TEXT_NEEDED) return TEXT_NEEDED;
    slab[colon] = COLON;
    to = write(object[name]!, colon + 1);
    if (to === TEXT_NEEDED) return TEXT_NEEDED;
  }
  if (to === at) slab[to++] = OBJECT_OPEN;
  return writeByte(OBJECT_CLOSE, to);
}

function writeList(list: readonly Json[], at: number): number {
  let to = at;
  for (const entry of list) {
    slab[to] = to === at ? LIST_OPEN : COMMA;
    to = write(entry, to + 1);
    if (to === TEXT_NEEDED) return TEXT_NEEDED;
  }
  if (to === at) slab[to++] = LIST_OPEN;
  return writeByte(LIST_CLOSE, to);
}

function writeString(text: string, at: number): number {
  slab[at] = QUOTE;
  const to = writePlain(text, at + 1);
  return to === TEXT_NEEDED ? TEXT_NEEDED : writeByte(QUOTE, to);
}

/** Printable ASCII that JSON does not escape. */
function writePlain(text: string, at: number): number {
  if (at + text.length >= end) return TEXT_NEEDED;
  let to = at;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return TEXT_NEEDED;
    slab[to++] = code;
  }
  return to;
}

/** A byte past the room would be another document's, so the place after what was written must lie inside. */
function writeByte(code: number, at: number): number {
  if (at + 1 >= end) return TEXT_NEEDED;
  slab[at] = code;
  return at + 1;
}
