/** What the mesh says to a verifier that it does not let in. */
import { jsonObjectIn } from '../../../protocol/json/shape.js';

/** Why the mesh does not let a verifier in whose key it knows; null of every other answer. */
export function refusalIn(
  status: number | null,
  body: string,
): { readonly code: string; readonly message: string } | null {
  const { code, message } = (status === 403 ? jsonObjectIn(body) : null) ?? {};
  return typeof code === 'string' && typeof message === 'string' ? { code, message } : null;
}
