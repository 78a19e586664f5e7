/** Strings of strangers on their way to a terminal. */
import { escapedMarkers, withoutMarkers } from './markers.js';
import { columnsOf, graphemesOf } from './width.js';
import { lazy } from '../../../protocol/lazy.js';

/** Whole CSI and OSC/DCS/PM/APC/SOS sequences, in their 7-bit and 8-bit spellings; only terminated strings, so nothing is swallowed. */
const SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)/g;
/** Line breaks and tabs, Unicode's own included: a string stays on its line. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/**
 * What shows nothing or moves what is shown: control and format characters (bidi overrides, zero-width, tags), lone surrogates,
 * variation selectors and the Hangul fillers.
 */
const INVISIBLE = lazy(() => /[\p{Cc}\p{Cf}\p{Cs}\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u115f\u1160\u3164\uffa0\u034f]/gu);
/** Nothing in it is any of these. */
const PLAIN = /^[ -~]*$/;

/** One line that shows what it holds and does nothing else. Apply it to every string that came from outside. */
export function clean(text: string): string {
  const shown = PLAIN.test(text) ? text : text.replace(SEQUENCES, '').replace(BREAKS, ' ').replace(INVISIBLE(), '');
  return withoutMarkers(shown);
}

const OWN = /(\u001b\[[0-9;]*m|\n)/;

/** Text of several lines, in our own colours, that does nothing but show what it holds. */
export function cleanLines(text: string): string {
  return text
    .split(OWN)
    .map((part, i) => (i % 2 === 0 ? clean(part) : part))
    .join('');
}

/** JSON in which those characters are written as escapes: the same document, harmless to look at. */
export function safeJson(value: unknown, indent?: number): string {
  return safeText(JSON.stringify(value, null, indent));
}

/** What a person says yes to: as it is, or as JSON where it holds what would not be seen. */
export function revealed(text: string): string {
  return clean(text) === text ? text : safeJson(text);
}

/** The same for text that is JSON already. */
export function safeText(json: string): string {
  // These stand in strings only.
  return escapedMarkers(json).replace(
    /[\u007f-\u009f\u2028\u2029\p{Cf}\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u115f\u1160\u3164\uffa0\u034f]/gu,
    (found) =>
      Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
        '',
      ),
  );
}

/** The text, cut to at most `columns` with an ellipsis as its last one. It holds no colours. Reads no further than what is kept. */
export function fit(text: string, columns: number): string {
  let used = 0;
  let kept = 0;
  for (const grapheme of graphemesOf(text)) {
    used += columnsOf(grapheme);
    if (used > columns) return `${text.slice(0, kept)}…`;
    if (used < columns) kept += grapheme.length;
  }
  return text;
}

/** The same, cut at its start. */
export function fitEnd(text: string, columns: number): string {
  let used = 0;
  let kept = text.length;
  for (const grapheme of [...graphemesOf(text)].toReversed()) {
    used += columnsOf(grapheme);
    if (used > columns) return `…${text.slice(kept)}`;
    if (used < columns) kept -= grapheme.length;
  }
  return text;
}

/** Lines of at most `columns`, broken at spaces, which stay as they are between words of a line; a longer word keeps a line of its own. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [, gap = '', word = ''] of text.matchAll(/( *)([^ ]+)/g)) {
    if (line !== '' && columnsOf(line) + gap.length + columnsOf(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line}${gap}${word}`;
  }
  lines.push(line);
  return lines;
}

/**
 * A text of this program in lines of at most `columns`, broken between words, further ones set in under the first of each or beside its label; as it
 * is where `columns` is null. A line that is a command stays one, for it is pasted, and so does one of JSON: what its strings hold is read exactly.
 */
export function flowed(text: string, columns: number | null): string {
  if (columns === null) return text;
  const broken = (line: string): string => {
    if (columnsOf(line) <= columns || COMMAND_LINE.test(line) || JSON_LINE.test(line)) return line;
    const label = LABEL.exec(line)?.[0] ?? '';
    const beside = label !== '' && columns - columnsOf(label) >= NARROWEST;
    const lead = beside ? label : /^ */.exec(line)![0];
    const indent = beside ? columnsOf(label) : lead.length + 2;
    const [head = '', ...rest] = wrap(line.slice(lead.length), Math.max(NARROWEST, columns - columnsOf(lead)));
    const under = rest.length === 0 ? [] : wrap(rest.join(' '), Math.max(NARROWEST, columns - indent));
    return [`${lead}${head}`, ...under.map((more) => ' '.repeat(indent) + more)].join('\n');
  };
  return text.split('\n').map(broken).join('\n');
}

/** As narrow as a text is broken. */
const NARROWEST = 20;
/** A name before its value, with two spaces between; its colour ends among them. */
const LABEL = /^ *\S.{0,24}? {2,}(?:\u001b\[[0-9;]*m *)?(?=[^\s\u001b])/;
const JSON_LINE = /^ *(?:[{}[\]]|"(?:[^"\\]|\\.)*"(?::|,?$))/;
const COMMAND_LINE = /^ *(?:next: |then: |hint: )?(?:[A-Z_]+=\S* )*aip (?:[a-z]|--)/;

/** The same as one text, later lines set in under the first; as it is where `columns` is null, for what is no terminal. */
export function wrapped(text: string, columns: number | null, first = 0): string {
  if (columns === null || columnsOf(text) + first <= columns) return text;
  const [head = '', ...rest] = wrap(`${'x'.repeat(first)}${text}`, columns);
  const under = rest.length === 0 ? [] : wrap(rest.join(' '), Math.max(20, columns - 2));
  return [head.slice(first), ...under.map((line) => `  ${line}`)].join('\n');
}

/** `1 entry`, `2 entries`: the word for many is made with an s where none is given. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
