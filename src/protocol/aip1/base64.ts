/** base64url (RFC 4648, section 5) as the reference writes it, with padding; without it is accepted too. Nothing else is. */

const FORM = /^[A-Za-z0-9_-]*={0,2}$/;

/** The bytes that `text` spells, or null when any other text would spell the same bytes: stray bits, wrong padding, `+` or `/`. */
export function fromBase64url(text: string): Uint8Array | null {
  if (!FORM.test(text)) return null;
  const bytes = Uint8Array.from(Buffer.from(text, 'base64url'));
  const padded = toBase64url(bytes);
  return text === padded || text === padded.replace(/=+$/, '') ? bytes : null;
}

/** With padding, as Python's `urlsafe_b64encode` writes it. */
export function toBase64url(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}
