/** base64url (RFC 4648, section 5) as the reference writes it, with padding; without it is accepted too. Nothing else is. */

/** Whole groups, then at most one that is short, whose last digit has no bits beyond the bytes it spells. */
const FORM = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw](?:==)?|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048]=?)?$/;

/** The bytes that `text` spells, or null when any other text would spell the same bytes: stray bits, wrong padding, `+` or `/`. */
export function fromBase64url(text: string): Uint8Array | null {
  return FORM.test(text) ? new Uint8Array(Buffer.from(text, 'base64url')) : null;
}

/** With padding, as Python's `urlsafe_b64encode` writes it. */
export function toBase64url(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}
