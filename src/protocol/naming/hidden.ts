/**
 * Characters that show nothing: a name or value with one of them looks like another to a person and to a filter, and is not.
 */
import { lazy } from '../lazy.js';

const ASCII = /^[\x00-\x7f]*$/;
// White space is none of them, and control characters are read by each limit for itself. U+2800 is a braille pattern without dots.
const HIDDEN = lazy(() => /[\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u);
const SCRIPTS = lazy(() =>
  (
    'Arabic Syriac Mongolian Nko Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Khmer Myanmar ' +
    'Tibetan'
  )
    .split(' ')
    .map((script) => `\\p{Script=${script}}`)
    .join(''),
);
// These scripts join and part letters with ZWJ and ZWNJ; what stands before may be a mark of such a letter.
const JOINED = lazy(() => new RegExp(`(?<=[${SCRIPTS()}\\p{M}])[\\u200c\\u200d](?=[${SCRIPTS()}])`, 'gu'));
// Pictures are put together of several: they show.
const PICTURE = lazy(
  () => /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])(?:\ufe0f|\u200d(?=\p{Extended_Pictographic}))/gu,
);

/** True when the text holds an invisible character. ZWJ and ZWNJ between letters of scripts that need them do not count. */
export function hidesCharacter(text: string): boolean {
  if (ASCII.test(text) || !HIDDEN().test(text)) return false;
  return HIDDEN().test(text.replace(JOINED(), '').replace(PICTURE(), ''));
}

const EVERY_HIDDEN = lazy(() => new RegExp(`${HIDDEN().source}|[\\u0000-\\u0008\\u000e-\\u001f\\u007f]`, 'gu'));
const PRINTED_ASCII = /^[\t-\r\x20-\x7e]*$/;

/** The text as it shows, without control characters other than white space. */
export function visibleText(text: string): string {
  return PRINTED_ASCII.test(text) ? text : text.replace(EVERY_HIDDEN(), '');
}
