import { lazy } from '../lazy.js';

// In order: capitals with a plural s (the URLs of webhookURLs), a run of capitals that ends before a capitalised word (the API of
// APIKey), a word, a number.
const ASCII_WORD = /[A-Z]{2,}s(?![A-Za-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g;
const WORD = lazy(
  () => /\p{Lu}{2,}s(?!\p{L})|\p{Lu}+(?![\p{Ll}\p{M}])|\p{Lu}?[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{Lu}\p{M}+|\p{N}+/gu,
);
const NON_ASCII = /[^\x00-\x7f]/;
const IGNORED = lazy(() => /\p{Default_Ignorable_Code_Point}/gu);

/**
 * The words of a name, case folded: split at case changes, at digits and at everything that is neither letter nor digit, after NFKC
 * (`apiKey` is api, key; a full-width `ＵＲＬ` is url).
 */
export function wordsOf(name: string): string[] {
  if (!NON_ASCII.test(name)) return (name.match(ASCII_WORD) ?? []).map((word) => word.toLowerCase());
  return (name.normalize('NFKC').replace(IGNORED(), '').match(WORD()) ?? []).map(folded);
}

/** Case folded: `ß` is ss, a dotless `ı` is i. */
function folded(word: string): string {
  return word.toUpperCase().toLowerCase().normalize('NFKC');
}
