/** Server-sent events (WHATWG HTML, section 9.2), both ways: frames as bytes, and a parser that takes bytes cut anywhere. */

/** A frame's text. `data` holds no line break, so that clients which split lines themselves find it in one line. */
export function frame(event: string | null, id: string | null, data: string): string {
  return `${id === null ? '' : `id: ${id}\n`}${event === null ? '' : `event: ${event}\n`}data: ${data}\n\n`;
}

/** A line that only keeps the connection busy. */
export function comment(text: string): string {
  return `: ${text}\n\n`;
}

/** One event of a stream. */
export interface Frame {
  /** `message` when the frame named none. */
  readonly event: string;
  /** The id as of this frame: it stays until another is sent. */
  readonly id: string | null;
  readonly data: string;
}

/** Reads a stream piece by piece. Bounded: a line or a frame beyond `maxChars` is an error, not memory. */
export class FrameParser {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #maxChars: number;
  #rest = '';
  /** The bytes before ended with CR, which ends a line: an LF that follows belongs to it. */
  #afterCr = false;
  #event = '';
  #data: string[] = [];
  #size = 0;
  #id: string | null = null;
  /** How long to wait before the stream is asked for again, as it said last (ms); null where it did not. */
  retryMs: number | null = null;

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  /** The frames that `bytes` complete. Throws RangeError on a frame that is too large, TypeError on bytes that are not UTF-8. */
  push(bytes: Uint8Array): Frame[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return [];
    const lines = (this.#afterCr && text.startsWith('\n') ? text.slice(1) : text).split(/\r\n?|\n/);
    // What came before is not searched again: a line may come byte by byte.
    lines[0] = this.#rest + lines[0]!;
    this.#afterCr = text.endsWith('\r');
    this.#rest = lines.pop()!;
    const frames: Frame[] = [];
    for (const line of lines) {
      const whole = this.#line(line);
      if (whole !== null) frames.push(whole);
    }
    if (this.#rest.length > this.#maxChars) throw new RangeError('a line of the stream is too long');
    return frames;
  }

  #line(line: string): Frame | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
    if (field === 'data') {
      this.#size += value.length;
      if (this.#size > this.#maxChars) throw new RangeError('a frame of the stream is too large');
      this.#data.push(value);
    } else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): Frame | null {
    const data = this.#data;
    const event = this.#event === '' ? 'message' : this.#event;
    this.#data = [];
    this.#event = '';
    this.#size = 0;
    return data.length === 0 ? null : { event, id: this.#id, data: data.join('\n') };
  }
}
