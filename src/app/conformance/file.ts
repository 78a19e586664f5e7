/**
 * The conformance cases as a file. Most documents are one envelope with a few members changed, so they are written as these changes:
 * JSON Patch (RFC 6902) of `base`, for which every language has a library. Where the very text matters it is written out.
 */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { ConformanceCase, ConformanceSuite } from './run.js';

/** The three operations that the file uses. A document is JSON text of the result; which text does not matter. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** A case as the file writes it: documents are texts, or patches of the suite's base. */
export interface WrittenCase extends Omit<ConformanceCase, 'documents'> {
  readonly documents?: readonly (string | readonly PatchOperation[])[];
}

/** The file: its cases and what they are written against. `at` is RFC 3339. */
export interface WrittenSuite {
  readonly at: string;
  /** An envelope that is accepted. */
  readonly base: JsonObject;
  readonly cases: readonly WrittenCase[];
}

/** The suite that a file holds, its documents spelled out. */
export function readSuite(file: string): ConformanceSuite {
  const { at, base, cases } = JSON.parse(file) as WrittenSuite;
  const textOf = (document: string | readonly PatchOperation[]): string =>
    typeof document === 'string' ? document : JSON.stringify(changed(base, document));
  return {
    at,
    cases: cases.map(({ documents, ...rest }) => ({
      ...rest,
      ...(documents === undefined ? {} : { documents: documents.map(textOf) }),
    })),
  };
}

/** @throws Error where a change names a place that is not there. */
export function changed(base: JsonObject, changes: readonly PatchOperation[]): JsonObject {
  const document = structuredClone(base);
  for (const change of changes) {
    const names = change.path.split('/').slice(1).map(unescaped);
    const last = names.pop();
    let parent: Json | undefined = document;
    for (const name of names) parent = isObject(parent) ? parent[name] : undefined;
    if (last === undefined || !isObject(parent)) throw new Error(`no such place: ${change.path}`);
    if ((change.op === 'add') === Object.hasOwn(parent, last)) throw new Error(`cannot ${change.op} ${change.path}`);
    const object = parent as Record<string, Json>;
    if (change.op === 'remove') delete object[last];
    else object[last] = change.value;
  }
  return document;
}

function unescaped(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}
