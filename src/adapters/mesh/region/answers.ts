/** What home answers its regions. */
import { documentOf, type ValueOf } from '../../../mesh/document.js';
import type { DocumentName, SCHEMAS } from '../../../mesh/schemas.js';
import { homeJson } from '../../../mesh/regions/documents.js';
import { JsonError } from '../../../protocol/json/parse.js';
import { ShapeError } from '../../../protocol/json/shape.js';

/** The document that home answered; null where something else came, as a proxy before it may send. */
export function homeDocument<Name extends DocumentName>(
  name: Name,
  body: string,
): ValueOf<(typeof SCHEMAS)[Name]> | null {
  try {
    return documentOf(name, homeJson(body));
  } catch (error) {
    if (error instanceof ShapeError || error instanceof JsonError) return null;
    throw error;
  }
}
