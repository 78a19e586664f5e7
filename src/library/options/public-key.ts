import { usage } from '../../app/failure.js';
import { verifyKeyOf, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { PUBLIC_KEY_FORMS, readPublicKey } from '../../protocol/identity/public-key-forms.js';

/** The key in a text of any form that the command line takes; fails with USAGE, naming `name` and what was found instead. */
export function publicKeyIn(text: unknown, name: string): VerifyKey {
  const reading = typeof text === 'string' ? readPublicKey(text) : ({ kind: 'none' } as const);
  const key = reading.kind === 'key' ? verifyKeyOf(reading.publicKey) : null;
  if (key !== null) return key;
  const found = reading.kind === 'other' ? `holds ${reading.what}, not` : 'is not';
  throw usage(`${name} ${found} an Ed25519 public key.`, PUBLIC_KEY_FORMS.replace(', as text, a file or -', ''));
}
