/** Whether a passphrase can be guessed. A rough rule that names only what is plainly weak, for a warning and no more. */

/** Letters and digits that are not mistaken for one another. */
const DIGITS = '23456789abcdefghjkmnpqrstuvwxyz';
const USUAL = /^(?:pass(?:word|phrase)?|secret|changeme|letmein|admin|qwerty|test|aip|hunter)[\d!.]*$/i;
/** Shorter is tried out in hours, whatever it is made of, at the price of 600,000 rounds a guess. */
const LEAST_LENGTH = 12;
const LEAST_DIFFERENT = 6;

/** Why `passphrase` is weak, as the end of a sentence that quotes none of it; null when it is not plainly so. */
export function weaknessOf(passphrase: string): string | null {
  const characters = [...passphrase];
  if (USUAL.test(passphrase)) return 'it is one of those that are tried first';
  if (characters.length < LEAST_LENGTH) return `it has fewer than ${LEAST_LENGTH} characters`;
  if (new Set(characters).size < LEAST_DIFFERENT) return `it has fewer than ${LEAST_DIFFERENT} different characters`;
  return null;
}

/** A passphrase from 16 random bytes: four groups of five characters, about 99 bits. */
export function suggestedPassphrase(random: Uint8Array): string {
  let value = random.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = '';
  for (let at = 0; at < 20; at++, value /= BigInt(DIGITS.length)) text += DIGITS[Number(value % BigInt(DIGITS.length))];
  return text.match(/.{5}/g)!.join('-');
}
