import { MAX_DEPTH, MAX_DOCUMENT_BYTES } from '../limits.js';
import { JsonError } from './error.js';

/** How much is read. Documents that are signed keep to the protocol's own bounds; messages around them may be larger. */
export interface JsonBounds {
  readonly bytes: number;
  readonly depth: number;
}

/** The bounds of a document that is signed. */
export const DOCUMENT_BOUNDS: JsonBounds = { bytes: MAX_DOCUMENT_BYTES, depth: MAX_DEPTH };

/** The refusal of what is larger. */
export function tooLarge({ bytes }: JsonBounds): JsonError {
  return new JsonError(`larger than ${bytes} bytes`, bytes);
}
