/** The conformance cases as they are written to the file in fixtures. */
import { jcsText } from '../../../src/protocol/aip1/encoding/canonical.js';
import { parseExact } from '../../../src/protocol/aip1/encoding/numbers.js';
import type { ConformanceSuite } from '../../../src/app/conformance/run.js';
import { changed, type PatchOperation, type WrittenSuite } from '../../../src/app/conformance/file.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { signed } from './parts.js';

export function written({ at, cases }: ConformanceSuite): WrittenSuite {
  const base = signed('form-plain') as JsonObject;
  return {
    at,
    base,
    cases: cases.map((each) =>
      each.documents === undefined ? each : { ...each, documents: each.documents.map((text) => inChanges(text, base)) },
    ) as WrittenSuite['cases'],
  };
}

/** The changes that make `text` of `base`, or the text itself where they would lose what it shows. */
function inChanges(text: string, base: JsonObject): string | readonly PatchOperation[] {
  if (canonical(text) !== text) return text;
  const changes = [...changesBetween(base, JSON.parse(text) as JsonObject, '')];
  const again = canonical(JSON.stringify(changed(base, changes)));
  return again === text && JSON.stringify(changes).length < text.length ? changes : text;
}

function canonical(text: string): string | null {
  try {
    return jcsText(parseExact(text));
  } catch {
    return null;
  }
}

function* changesBetween(from: JsonObject, to: JsonObject, at: string): Generator<PatchOperation> {
  for (const name of Object.keys(from)) {
    if (!Object.hasOwn(to, name)) yield { op: 'remove', path: pathOf(at, name) };
  }
  for (const [name, value] of Object.entries(to)) {
    const path = pathOf(at, name);
    const before = Object.hasOwn(from, name) ? from[name] : undefined;
    if (before === undefined) yield { op: 'add', path, value };
    else if (isObject(before) && isObject(value)) yield* changesBetween(before, value, path);
    else if (JSON.stringify(before) !== JSON.stringify(value)) yield { op: 'replace', path, value };
  }
}

function pathOf(at: string, name: string): string {
  return `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
