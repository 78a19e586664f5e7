import { isUtf8 } from 'node:buffer';

/** The text that `bytes` spell in UTF-8, a byte order mark included; or where they stop doing so. */
export function decodeUtf8(bytes: Uint8Array): string | number {
  if (!isUtf8(bytes)) return invalidAt(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** How many bytes `text` takes in UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Where `bytes` stop being UTF-8: the shortest prefix that no continuation can mend ends there. */
function invalidAt(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: middle <= bytes.length });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return Math.min(bad - 1, bytes.length);
}
