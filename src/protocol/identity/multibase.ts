/** base58btc, the alphabet of `publicKeyMultibase` (Multiformats, multibase prefix `z`). */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Longest text that is decoded: a 32-byte key with its prefix takes 47 digits, and the work grows with the square. */
const MAX_DIGITS = 128;

/** `z` and the base58btc digits of `bytes`. */
export function toMultibase(bytes: Uint8Array): string {
  const zeros = leadingZeros(bytes);
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  let digits = '';
  for (; value > 0n; value /= 58n) digits = ALPHABET[Number(value % 58n)] + digits;
  return `z${ALPHABET[0]!.repeat(zeros)}${digits}`;
}

/** The bytes of a base58btc multibase text; null when it is of another base, too long, or holds a foreign digit. */
export function fromMultibase(text: string): Uint8Array | null {
  if (text[0] !== 'z' || text.length < 2 || text.length > MAX_DIGITS) return null;
  const digits = [...text.slice(1)].map((digit) => ALPHABET.indexOf(digit));
  if (digits.includes(-1)) return null;
  let value = 0n;
  for (const digit of digits) value = value * 58n + BigInt(digit);
  const bytes: number[] = [];
  for (; value > 0n; value /= 256n) bytes.unshift(Number(value % 256n));
  return Uint8Array.from([...new Array<number>(leadingZeros(digits)).fill(0), ...bytes]);
}

function leadingZeros(items: ArrayLike<number>): number {
  let count = 0;
  while (count < items.length && items[count] === 0) count++;
  return count;
}
