/** Documents as they were sent, in their dialects: as a bundle holds them, and as they are read again. */
import { referenceText } from '../../protocol/aip1/encoding/canonical.js';
import { parseExact, plainJson } from '../../protocol/aip1/encoding/numbers.js';
import { readOrNull } from '../../protocol/json/shape.js';
import { isObject, type JsonObject } from '../../protocol/json/values.js';
import type { Dialect, ReadDocument } from '../../verify/dialect.js';
import { dialectOf } from '../../verify/dialects/registry.js';

/** A document in a bundle: the object, or its text where a number in it has more digits than a reader of JSON keeps. */
export type SignedForm = JsonObject | string;

/** A document as it was sent. Nothing in it is believed. */
export interface SentDocument {
  readonly sent: SignedForm;
  readonly dialect: Dialect;
  readonly document: ReadDocument;
}

/** Reads it strictly; null for what is no document of a dialect. */
export function readSent(given: Uint8Array | SignedForm): SentDocument | null {
  return readOrNull(() => {
    const exact = parseExact(given instanceof Uint8Array ? given : textOfSent(given));
    const plain = plainJson(exact);
    const dialect = dialectOf(plain);
    const document = dialect.read({ document: plain, rounded: plain !== exact, exact: () => exact });
    return 'refused' in document || !isObject(plain)
      ? null
      : { sent: plain === exact ? plain : referenceText(exact, 'raw'), dialect, document };
  });
}

/** Its text, in one of the spellings of the same value. */
export function textOfSent(sent: SignedForm): string {
  return typeof sent === 'string' ? sent : JSON.stringify(sent);
}

/** True for the text of a document in the form in which a bundle holds it, and only where no object says the same. */
export function isSentText(text: string): boolean {
  const exact = readOrNull(() => parseExact(text));
  return exact !== null && plainJson(exact) !== exact && referenceText(exact, 'raw') === text;
}

/** The members of an entry that the document shows as well. */
export function shownMembers(sent: SentDocument | null): JsonObject | null {
  return sent === null ? null : (sent.document.intent.document as unknown as JsonObject);
}
