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
      const closing = quote === undefined ? -1 : closingQuote(quote, text, valueAt + 1);
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

/** The offset of the next `quote` without a backslash before it; -1 when there is none. */
function closingQuote(quote: string, text: string, from: number): number {
  let at = text.indexOf(quote, from);
  while (at > from && text[at - 1] === '\\') at = text.indexOf(quote, at + 1);
  return at;
}

/** The offset after the next line break (LF, CRLF or CR), or the end of the text. */
function breakAfter(text: string, from: number): number {
  const lineBreak = /\r\n?|\n/g;
  lineBreak.lastIndex = from;
  return lineBreak.test(text) ? lineBreak.lastIndex : text.length;
}
