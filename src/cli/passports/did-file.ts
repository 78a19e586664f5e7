/** A did.json on its way into a folder that others write to as well. */
import { Failure } from '../../app/failure.js';
import { heldByOthers, mergeDidDocument } from '../../protocol/identity/did-merge.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { jsonIn } from '../input/documents.js';
import { safeJson } from '../render/terminal/text.js';
import { createFile, readDocument, replaceFile } from '../../workspace/files.js';

export interface DidFile {
  /** From the root. */
  readonly path: string;
  readonly fresh: JsonObject;
  /** True for the id of a key that only this program hands out. */
  readonly isOwn: (keyId: string) => boolean;
}

export interface DidFileWritten {
  /** Ids of what others have in it and keep. */
  readonly kept: readonly string[];
  /** Ids of what was taken out, or, with --force, replaced. */
  readonly lost: readonly string[];
}

/** What stands in the place of a number on its way through: a service of others may hold one that a double would change. */
const NUMBER = '\u0001number:';
const NUMBERS = /"\\u0001number:([-+0-9.eE]+)"/g;

/** The text to write, decided before anything is written: of several files all are written, or none. */
export async function didFile(
  { path, fresh, isOwn }: DidFile,
  force: boolean,
): Promise<DidFileWritten & { write(): Promise<void> }> {
  const bytes = await readDocument(path);
  if (bytes === null) return { kept: [], lost: [], write: () => createFile(path, textOf(fresh)) };
  if (force) {
    const standing = readable(bytes, path);
    const lost = standing === null ? [] : heldByOthers(standing, fresh);
    return { kept: [], lost, write: () => replaceFile(path, textOf(fresh)) };
  }
  try {
    const standing = jsonIn(bytes, path, (written) => NUMBER + written);
    const { document, kept, removed } = mergeDidDocument(standing, fresh, isOwn);
    return { kept, lost: removed, write: () => replaceFile(path, textOf(document)) };
  } catch (error) {
    const reason = error instanceof ShapeError ? error.reason : error instanceof Failure ? error.message : null;
    if (reason === null) throw error;
    const standing = readable(bytes, path);
    const held = standing === null ? [] : heldByOthers(standing, fresh);
    const lost = held.length === 0 ? '' : ` --force would drop from it: ${held.join(', ')}.`;
    throw new Failure(
      'EXISTS',
      `${path} exists, and the keys cannot be added to it: ${reason.replace(/\.$/, '')}.${lost}`,
      {
        hint: 'mend it, write to another folder with --out, or replace it with --force',
        cause: error,
      },
    );
  }
}

function readable(bytes: Uint8Array, path: string): Json | null {
  try {
    const json = jsonIn(bytes, path, () => null);
    return isObject(json) ? json : null;
  } catch {
    return null;
  }
}

function textOf(document: JsonObject): string {
  return `${safeJson(document, 2).replace(NUMBERS, '$1')}\n`;
}
