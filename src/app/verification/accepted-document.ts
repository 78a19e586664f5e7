/** The document behind a yes, from the very bytes that were judged: what runs on it must not read them a second time. */
import { jcsText, referenceText } from '../../protocol/aip1/encoding/canonical.js';
import { parseExact, plainJson } from '../../protocol/aip1/encoding/numbers.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { dialectOf } from '../../verify/dialects/registry.js';

/** What may be acted upon once it was accepted: the document as it was judged. */
export interface AcceptedDocument {
  /** Its canonical text (RFC 8785) on one line; integers beyond 2^53, which only AIP-1 has, with all their digits. */
  readonly text: string;
  readonly action: string;
  readonly params: JsonObject;
  /** The request for approval that it names itself. */
  readonly approvalRequest: string | null;
}

/** Reads what `examine` has read; @throws JsonError and ShapeError for what it refuses. Null for what its dialect cannot read. */
export function acceptedDocument(bytes: Uint8Array | string): AcceptedDocument | null {
  const exact = parseExact(bytes);
  const document = plainJson(exact);
  const read = dialectOf(document).read({ document, rounded: document !== exact, exact: () => exact });
  if ('refused' in read) return null;
  const { action, params, approval_request: approvalRequest = null } = read.intent.document;
  return { text: jcsText(exact) ?? referenceText(exact, 'raw'), action, params, approvalRequest };
}
