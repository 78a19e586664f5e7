/** What the mesh says to a verifier that it does not let in. */
import { JsonError, parseJsonText } from '../../../protocol/json/parse.js';
import { isObject } from '../../../protocol/json/values.js';

/** Why the mesh does not let a verifier in whose key it knows; null of every other answer. */
export function refusalIn(
  status: number | null,
  body: string,
): { readonly code: string; readonly message: string } | null {
  if (status !== 403) return null;
  try {
    const said = parseJsonText(body);
    const whole = isObject(said) && typeof said.code === 'string' && typeof said.message === 'string';
    return whole ? { code: String(said.code), message: String(said.message) } : null;
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}
