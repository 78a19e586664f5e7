/**
 * The part of dotenv syntax that is needed to find one variable: `export `, single, double and backtick quotes (over several
 * lines as well, so that an assignment inside another variable's text is not taken for one), and comments.
 * Nothing is expanded.
 */

export interface Assignment {
  readonly value: string;
  /** Offsets of the assignment's lines in the text, with the last line's break. */
  readonly start: number;
  readonly end: number;
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(.*)$/s;

/** Every assignment of `name`, in order: the last one wins. */
export function assignmentsOf(name: string, text: string): readonly Assignment[] {
  const found: Assignment[] = [];
  for (let start = text.startsWith('\uFEFF') ? 1 : 0; start < text.length;) {
    const lineEnd = breakAfter(text, start);
    const line = text.slice(start, lineEnd).replace(/[\r\n]+$/, '');
    const match = ASSIGNMENT.exec(line);
    let end = lineEnd;
    if (match !== null) {
      const rest = match[2]!;
      const quote = /^["'`]/.exec(rest)?.[0];
      const valueAt = start + line.length - rest.length;
      const closing = quote === undefined ? -1 : closingQuote(quote, text, valueAt + 1, start + line.length);
      let value = rest.replace(/(^|[ \t])#.*$/s, '').trim();
      if (closing >= 0) {
        value = text.slice(valueAt + 1, closing);
        end = breakAfter(text, closing);
      }
      if (match[1] === name) found.push({ value, start, end });
    }
    start = end;
  }
  return found;
}

/**
 * The number, from 1, of the first line that reads like an assignment of `name` with a value and assigns nothing, because it stands inside
 * another variable's quotes; null when there is no such line. Programs differ in where such quotes end.
 */
export function hiddenLine(name: string, text: string): number | null {
  const known = assignmentsOf(name, text);
  let number = 0;
  for (let start = 0; start < text.length; start = breakAfter(text, start)) {
    number++;
    const match = ASSIGNMENT.exec(
      text
        .slice(start, breakAfter(text, start))
        .replace(/^\uFEFF/, '')
        .trim(),
    );
    if (match === null || match[1] !== name || /^(?:["'`]{2})?(?:#.*)?$/.test(match[2]!)) continue;
    if (!known.some((one) => start >= one.start && start < one.end) && start > 0) return number;
  }
  return null;
}

/** The text without these assignments; everything else is kept to the byte. */
export function without(assignments: readonly Assignment[], text: string): string {
  let kept = '';
  let at = 0;
  for (const { start, end } of assignments) {
    kept += text.slice(at, start);
    at = end;
  }
  return kept + text.slice(at);
}

/**
 * The offset of the quote that ends a value; -1 when none does. A quote ends it where nothing but a comment follows on its line: an
 * apostrophe inside a word does not. The value's own line comes first, there also after a backslash (`'C:\keys\'` is whole as it
 * stands); over several lines an escaped quote is part of the value, and text behind a quote means that it opened nothing.
 */
function closingQuote(quote: string, text: string, from: number, lineEnd: number): number {
  let escaped = -1;
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    const ends = /^[ \t]*(?:#.*)?$/.test(text.slice(at + 1, breakAfter(text, at + 1)).replace(/[\r\n]+$/, ''));
    const backslash = text[at - 1] === '\\';
    if (at < lineEnd) {
      if (ends && !backslash) return at;
      if (ends) escaped = at;
      continue;
    }
    if (escaped >= 0) return escaped;
    if (backslash) continue;
    return ends ? at : -1;
  }
  return escaped;
}

/** The offset after the next line break (LF, CRLF or CR), or the end of the text. */
function breakAfter(text: string, from: number): number {
  const lineBreak = /\r\n?|\n/g;
  lineBreak.lastIndex = from;
  return lineBreak.test(text) ? lineBreak.lastIndex : text.length;
}
