/** The one measure of terminal columns. */
import stringWidth from 'string-width';
import { lazy } from '../../../protocol/lazy.js';

/**
 * Latin letters, and the punctuation, arrows and marks that this program writes itself: a column each. What they measure needs no Unicode
 * tables, which take longer to set up (20 ms) than most commands run.
 */
const NARROW = /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2193\u2500-\u257f\u2713\u2717]*$/;
const GRAPHEMES = lazy(() => new Intl.Segmenter());

/** Of what is drawn as one. Measuring makes an iterator outside of the heap, which V8 keeps long; a long text has thousands of graphemes. */
const known = new Map<string, number>();
const MOST_KNOWN = 4096;
const LONGEST_KNOWN = 16;

/** Columns that the text takes on a terminal; colours take none. */
export function columnsOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  if (text.length > LONGEST_KNOWN) return stringWidth(text);
  let columns = known.get(text);
  if (columns === undefined) {
    columns = stringWidth(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, columns);
  }
  return columns;
}

/** What a terminal draws as one: a letter with its marks, an emoji of several code points, half a flag never. */
export function* graphemesOf(text: string): Iterable<string> {
  if (NARROW.test(text)) yield* text;
  else for (const { segment } of GRAPHEMES().segment(text)) yield segment;
}
