// A run of capitals that ends before a capitalised word (API in APIKey), a word, or a number.
const WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g;

/** The lower-case words of a name, split at case changes, digits and everything that is not a letter: `apiKey` is api, key. */
export function wordsOf(name: string): string[] {
  return (name.match(WORD) ?? []).map((word) => word.toLowerCase());
}
