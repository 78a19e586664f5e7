import { verifySignature, verifyKeyOf } from '../../../protocol/ed25519/verify.js';
import { signatureBytes } from '../../../protocol/hex.js';
import { parsePublicKey } from '../../../protocol/identity/keys.js';
import { passportBytes, type PassportDocument } from '../../../protocol/passport.js';
import type { LintFinding } from './finding.js';

/** A passport that its own agent signed: an agent that holds its principal's key can give itself any permission (protocol, section 2). */
export function lintIssuer(document: Partial<PassportDocument>): LintFinding[] {
  const { issuer_signature, public_key, previous_keys } = document;
  const signature = issuer_signature === undefined ? null : signatureBytes(issuer_signature);
  if (signature === null || public_key === undefined) return [];
  const bytes = passportBytes(document as PassportDocument);
  const own = [public_key, ...(previous_keys ?? []).map((former) => former.public_key)].some((text) => {
    const raw = parsePublicKey(text);
    const key = raw === null ? null : verifyKeyOf(raw);
    return key !== null && verifySignature(key, bytes, signature);
  });
  if (!own) return [];
  return [
    {
      code: 'self_signed',
      severity: 'error',
      message: "The agent's own key signed this passport: the agent can sign itself any other one.",
      hint: "Give the agent a key of its own: leave out --key, or name another one than the principal's.",
      path: '/issuer_signature',
    },
  ];
}
