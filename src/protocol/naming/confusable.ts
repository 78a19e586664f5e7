/** Letters that look like others: `pаypal` with a Cyrillic letter is another word, and a person who reads it cannot tell. */
import { lazy } from '../lazy.js';

const ASCII = /^[\x00-\x7f]*$/;
const WORD = lazy(() => /[\p{L}\p{M}\p{N}]+/gu);
const LATIN = lazy(() => /\p{Script=Latin}/u);
/** Scripts with letters that look like Latin ones. */
const LOOKALIKE = lazy(
  () =>
    /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}\p{Script=Georgian}]/u,
);
/** Small and capital letters of those scripts that a person reads as Latin: a word of nothing else is one that means to deceive. */
const TWINS = new Set('авеԁѕіјһԛԝкмнорстухѵгАВЕЅІЈКМНОРСТУХԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυγօսոցհ');

/** The text with the code point behind each character that may be taken for another: `pа[U+0430]ypal`. */
export function markConfusable(text: string): string {
  if (ASCII.test(text)) return text;
  return text.replace(WORD(), (word) => {
    if (ASCII.test(word)) return word;
    const letters = [...word];
    const mixed = LATIN().test(word);
    const twins = letters.every((letter) => TWINS.has(letter) || /[0-9]/.test(letter));
    return letters
      .map((letter) => {
        const other = letter.normalize('NFKC') !== letter && letter.normalize('NFC') === letter;
        return other || ((mixed || twins) && LOOKALIKE().test(letter)) ? `${letter}[${codePoint(letter)}]` : letter;
      })
      .join('');
  });
}

function codePoint(letter: string): string {
  return `U+${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
