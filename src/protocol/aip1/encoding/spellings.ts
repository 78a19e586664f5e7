import { jcsText, referenceText } from './canonical.js';
import type { ValueObject } from './numbers.js';

/** The reference's text of a document without its proof, in ASCII: what `aip` signs. */
export function signedText(document: ValueObject): string {
  return referenceText(withoutProof(document), 'escaped');
}

/**
 * Every text that a proof of `document` may be over, the reference's first. All of them spell the same value, so which one holds
 * changes nothing of what is judged. `sent` is the document before absent members were filled in with the reference's defaults.
 */
export function* signedSpellings(reference: Uint8Array, filled: ValueObject, sent: ValueObject): Generator<Uint8Array> {
  yield reference;
  const tried = new Set([Buffer.from(reference).toString('latin1')]);
  for (const document of [filled, sent]) {
    const unsigned = withoutProof(document);
    for (const spell of SPELLINGS) {
      const text = spell(unsigned);
      if (text === null || tried.has(text)) continue;
      tried.add(text);
      yield Buffer.from(text, 'utf8');
    }
  }
}

const SPELLINGS: readonly ((document: ValueObject) => string | null)[] = [
  (document) => referenceText(document, 'escaped'),
  (document) => referenceText(document, 'raw'),
  jcsText,
];

function withoutProof(document: ValueObject): ValueObject {
  const copy = { ...document };
  delete (copy as { proof?: unknown }).proof;
  return copy;
}
