/**
 * Strict, bounded JSON (RFC 8259 narrowed by I-JSON, RFC 7493). Whatever two parsers could read differently is refused before a
 * signature is looked at: duplicate members, lone surrogates, overlong UTF-8, a byte order mark, text after the value.
 */
import { losesDigits } from './decimals.js';
import { JsonError } from './error.js';
import { DOCUMENT_BOUNDS, tooLarge } from './bounds.js';
import { byteLength, decodeUtf8 } from './utf8.js';
import { emptyObject, type Json } from './values.js';
import {
  BACKSLASH,
  COLON,
  COMMA,
  LIST_CLOSE,
  LIST_OPEN,
  MINUS,
  NINE,
  OBJECT_CLOSE,
  OBJECT_OPEN,
  QUOTE,
  ZERO,
} from './punctuation.js';

export { JsonError } from './error.js';

/** What an integer beyond 2^53 is read as, and any other number whose digits a double loses, given as it is written. */
export type LargeInteger = (written: string) => Json;

/**
 * The value in `bytes`, which must be one JSON document in UTF-8. Throws JsonError; without `large` also on a number whose
 * digits a double loses.
 */
export function parseJson(bytes: Uint8Array, large: LargeInteger | null = null, bounds = DOCUMENT_BOUNDS): Json {
  if (bytes.length > bounds.bytes) throw tooLarge(bounds);
  const text = decodeUtf8(bytes);
  if (typeof text === 'number') throw new JsonError('not valid UTF-8', text);
  return new Reader(text, large, bounds.depth).document();
}

/** The same for text already decoded; its size counts as UTF-8. Throws JsonError. */
export function parseJsonText(text: string, large: LargeInteger | null = null, bounds = DOCUMENT_BOUNDS): Json {
  // A UTF-16 code unit takes 1 to 3 bytes, so only texts in between need counting.
  if (text.length > bounds.bytes || (text.length * 3 > bounds.bytes && byteLength(text) > bounds.bytes)) {
    throw tooLarge(bounds);
  }
  return new Reader(text, large, bounds.depth).document();
}

const DOT = 0x2e;

/**
 * A member name that was read in some place of some document. Documents of one kind have the same names in the same places, and
 * comparing with what stood there last time is cheaper than cutting a name out again: V8 knows its hash by then.
 *
 * A place is linked to the one before it only after its name was found to be new beside all names before it, and it is reached along
 * the very same names only: a name that is met again there needs no second look for duplicates.
 */
class Place {
  readonly name: string;
  /** The first member of the object that stood here last time. */
  first: Place | null = null;
  /** The member that followed this one last time. */
  next: Place | null = null;

  constructor(name: string) {
    this.name = name;
  }
}

/** Strangers decide what is remembered, so it is bounded: this many names, and those of one document more. */
const MOST_PLACES = 4096;
const TOP = new Place('');
let places = 0;

/** Reads one document from front to back. Past the end `charCodeAt` is NaN, which equals no expected code and passes no range test. */
class Reader {
  private at = 0;
  private readonly text: string;
  private readonly large: LargeInteger | null;
  private readonly maxDepth: number;

  constructor(text: string, large: LargeInteger | null, maxDepth: number) {
    this.text = text;
    this.large = large;
    this.maxDepth = maxDepth;
  }

  document(): Json {
    if (this.text.charCodeAt(0) === 0xfeff) this.refuse('byte order mark');
    if (places > MOST_PLACES) {
      TOP.first = null;
      places = 0;
    }
    const value = this.value(0, TOP);
    this.space();
    if (this.at < this.text.length) this.refuse('text after the value');
    return value;
  }

  private value(depth: number, place: Place): Json {
    const code = this.space();
    switch (code) {
      case QUOTE:
        return this.string();
      case OBJECT_OPEN:
        return this.object(depth + 1, place);
      case LIST_OPEN:
        return this.list(depth + 1, place);
      case 0x74:
        return this.word('true', true);
      case 0x66:
        return this.word('false', false);
      case 0x6e:
        return this.word('null', null);
      default:
        if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number(code);
        return this.refuse(this.at < this.text.length ? 'value expected' : 'unexpected end');
    }
  }

  private object(depth: number, place: Place): Json {
    if (depth > this.maxDepth) this.refuse(`nested deeper than ${this.maxDepth}`);
    // Inheriting nothing, `__proto__` is a member like any other, and an absent name is always undefined.
    const object = emptyObject();
    this.at++;
    if (this.space() === OBJECT_CLOSE) {
      this.at++;
      return object;
    }
    let before: Place | null = null;
    for (;;) {
      if (this.space() !== QUOTE) this.refuse('member name expected');
      const here: Place =
        this.known(before === null ? place.first : before.next) ?? this.unknown(object, place, before);
      before = here;
      if (this.space() !== COLON) this.refuse('colon expected');
      this.at++;
      object[here.name] = this.value(depth, here);
      const code = this.space();
      if (code !== COMMA && code !== OBJECT_CLOSE) this.refuse('comma or closing brace expected');
      this.at++;
      if (code === OBJECT_CLOSE) return object;
    }
  }

  /** `expected`, where its name stands next. */
  private known(expected: Place | null): Place | null {
    if (expected === null) return null;
    const { name } = expected;
    const end = this.at + 1 + name.length;
    if (this.text.charCodeAt(end) !== QUOTE || !this.text.startsWith(name, this.at + 1)) return null;
    this.at = end + 1;
    return expected;
  }

  /** The place of an unexpected name, in the object at `place` after the member `before`. */
  private unknown(object: Readonly<Record<string, Json>>, place: Place, before: Place | null): Place {
    const start = this.at;
    const name = this.string();
    if (object[name] !== undefined) this.refuse('duplicate member', start);
    const here = new Place(name);
    // A name with an escape in it is written in another way than it reads, so comparing cannot tell it.
    if (this.at - start !== name.length + 2) return here;
    places++;
    if (before === null) place.first = here;
    else before.next = here;
    return here;
  }

  private list(depth: number, place: Place): Json {
    if (depth > this.maxDepth) this.refuse(`nested deeper than ${this.maxDepth}`);
    const list: Json[] = [];
    this.at++;
    if (this.space() === LIST_CLOSE) {
      this.at++;
      return list;
    }
    for (;;) {
      list.push(this.value(depth, place));
      const code = this.space();
      if (code !== COMMA && code !== LIST_CLOSE) this.refuse('comma or closing bracket expected');
      this.at++;
      if (code === LIST_CLOSE) return list;
    }
  }

  /** A string from its opening quote on; one slice when nothing in it is escaped. */
  private string(): string {
    const text = this.text;
    const start = this.at + 1;
    for (let i = start; ; i++) {
      const code = text.charCodeAt(i);
      // Nearly all there is: nothing from here to the surrogates means anything.
      if (code > BACKSLASH && code < 0xd800) continue;
      if (code === QUOTE) {
        this.at = i + 1;
        return text.slice(start, i);
      }
      if (code === BACKSLASH) return this.escaped(start, i);
      if (code >= 0xd800 && code <= 0xdfff) i = this.pair(i, code);
      else if (!(code >= 0x20)) this.refuseInString(i);
    }
  }

  private escaped(start: number, firstEscape: number): string {
    const text = this.text;
    let result = text.slice(start, firstEscape);
    let plainFrom = firstEscape;
    for (let i = firstEscape; ; i++) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) {
        this.at = i + 1;
        return result + text.slice(plainFrom, i);
      }
      if (code === BACKSLASH) {
        result += text.slice(plainFrom, i);
        const letter = text.charCodeAt(i + 1);
        if (letter === 0x75) {
          const unit = this.hex4(i);
          result += String.fromCharCode(unit);
          if (unit >= 0xd800 && unit <= 0xdfff) {
            // Only an escaped pair, high then low, spells a character (RFC 8259, section 7).
            const low = unit < 0xdc00 && text.startsWith('\\u', i + 6) ? this.hex4(i + 6) : 0;
            if (low < 0xdc00 || low > 0xdfff) this.refuse('lone surrogate', i);
            result += String.fromCharCode(low);
            i += 6;
          }
          i += 5;
        } else {
          result += this.shortEscape(letter, i);
          i += 1;
        }
        plainFrom = i + 1;
      } else if (code >= 0xd800 && code <= 0xdfff) i = this.pair(i, code);
      else if (!(code >= 0x20)) this.refuseInString(i);
    }
  }

  private shortEscape(letter: number, at: number): string {
    switch (letter) {
      case QUOTE:
        return '"';
      case BACKSLASH:
        return '\\';
      case 0x2f:
        return '/';
      case 0x62:
        return '\b';
      case 0x66:
        return '\f';
      case 0x6e:
        return '\n';
      case 0x72:
        return '\r';
      case 0x74:
        return '\t';
      default:
        return this.refuse('unknown escape', at);
    }
  }

  /** The code unit of the `\uXXXX` at `at`. */
  private hex4(at: number): number {
    let unit = 0;
    for (let i = at + 2; i < at + 6; i++) {
      const code = this.text.charCodeAt(i);
      if (code >= ZERO && code <= NINE) unit = unit * 16 + (code - ZERO);
      else if (code >= 0x41 && code <= 0x46) unit = unit * 16 + (code - 0x37);
      else if (code >= 0x61 && code <= 0x66) unit = unit * 16 + (code - 0x57);
      else this.refuse('unknown escape', at);
    }
    return unit;
  }

  /** The index of the low half of the pair whose high half should stand at `at`. */
  private pair(at: number, code: number): number {
    const low = this.text.charCodeAt(at + 1);
    if (code >= 0xdc00 || !(low >= 0xdc00 && low <= 0xdfff)) this.refuse('lone surrogate', at);
    return at + 1;
  }

  private number(first: number): Json {
    const text = this.text;
    const start = this.at;
    let i = first === MINUS ? start + 1 : start;
    let code = text.charCodeAt(i);
    if (!(code >= ZERO && code <= NINE)) this.refuse('digit expected', i);
    if (code === ZERO) {
      code = text.charCodeAt(++i);
      if (code >= ZERO && code <= NINE) this.refuse('leading zero', start);
    } else {
      do code = text.charCodeAt(++i);
      while (code >= ZERO && code <= NINE);
    }
    const whole = i;
    if (code === DOT) {
      i = this.digits(i + 1);
      code = text.charCodeAt(i);
    }
    if (code === 0x65 || code === 0x45) {
      const sign = text.charCodeAt(i + 1);
      i = this.digits(sign === MINUS || sign === 0x2b ? i + 2 : i + 1);
    }
    this.at = i;
    const written = text.slice(start, i);
    const value = Number(written);
    if (!Number.isFinite(value)) this.refuse('number out of range', start);
    if (i === whole && this.large !== null && !Number.isSafeInteger(value)) return this.large(written);
    if (losesDigits(written, value)) {
      return this.large === null ? this.refuse('number with more digits than can be kept', start) : this.large(written);
    }
    // JCS writes -0 as 0, so it is read as 0: what was signed is what is judged.
    return value + 0;
  }

  /** The index after a run of at least one digit. */
  private digits(from: number): number {
    let i = from;
    let code = this.text.charCodeAt(i);
    if (!(code >= ZERO && code <= NINE)) this.refuse('digit expected', i);
    while (code >= ZERO && code <= NINE) code = this.text.charCodeAt(++i);
    return i;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.refuse('value expected');
    this.at += word.length;
    return value;
  }

  /** Skips white space and returns the code that follows, NaN at the end. */
  private space(): number {
    const text = this.text;
    let i = this.at;
    let code = text.charCodeAt(i);
    if (code > 0x20) return code;
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++i);
    this.at = i;
    return code;
  }

  private refuseInString(at: number): never {
    this.refuse(at < this.text.length ? 'control character in a string' : 'unexpected end', at);
  }

  private refuse(reason: string, at = this.at): never {
    throw new JsonError(reason, byteLength(this.text.slice(0, at)));
  }
}
