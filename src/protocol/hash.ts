import { hash } from 'node:crypto';

/** SHA-256 of `data` (text as UTF-8), as 64 lower-case hex digits. One-shot: half the cost of a Hash object on short input. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/**
 * SHA-256 of `data` (text as UTF-8), as 32 bytes. By way of a text: asked for a buffer, Node allocates one outside of its pool, which takes
 * longer than the hash.
 */
export function sha256(data: string | Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', data, 'binary'), 'binary');
}
