const HEX = /^(?:[0-9A-Fa-f]{2})*$/;

/** Lower-case hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** The 64 bytes of a signature in `text`, which must be 128 lower-case hex digits; null otherwise. */
export function signatureBytes(text: string): Uint8Array | null {
  if (text.length !== 128) return null;
  const bytes = new Uint8Array(64);
  let wrong = 0;
  for (let i = 0; i < 64; i++) {
    const high = lowerDigit(text.charCodeAt(2 * i));
    const low = lowerDigit(text.charCodeAt(2 * i + 1));
    wrong |= high | low;
    bytes[i] = (high << 4) | low;
  }
  return wrong < 0 ? null : bytes;
}

/** -1, whose sign survives every `|`, for anything but 0 to 9 and a to f. */
function lowerDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}

/** The bytes that `text` spells, in either case; null when it is not an even number of hex digits and nothing else. */
export function fromHex(text: string): Uint8Array | null {
  return HEX.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : null;
}
