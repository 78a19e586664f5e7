import { didDocument } from '../../workspace/programs.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import { Failure } from '../../app/failure.js';
import { didDocumentUrl } from '../../protocol/identity/did.js';
import { readDidKeys, type DidKeys, type DidKey } from '../../protocol/identity/did-document.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { jsonIn } from '../input/documents.js';

/** The Ed25519 keys that a principal publishes in its did.json; fails when there is none. */
export async function resolvePrincipal(workspace: LocalWorkspace, did: string): Promise<DidKey[]> {
  const url = didDocumentUrl(did);
  // A service of others may hold any number; no key does.
  const json = jsonIn(withoutMark(await didDocument(workspace, did)), url, () => null);
  let read: DidKeys;
  try {
    read = readDidKeys(json, did, workspace.world.clock());
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('NETWORK', `${url} cannot be used as the DID document of ${did}: ${error.reason}.`, {
      hint: `have it mended, or pin the key by hand: aip principal add ${did} --public-key <key>`,
    });
  }
  if (read.keys.length > 0) return [...read.keys];
  const why = read.passedOver.slice(0, MOST_NAMED).join('; ') || 'it lists no key under assertionMethod';
  throw new Failure('NETWORK', `${url} holds no Ed25519 key that ${did} asserts with: ${why}.`, {
    hint: `have it published as a Multikey (aip passport export <agent> --format did), or pin it by hand: aip principal add ${did} --public-key <key>`,
  });
}

/** So many reasons are named. */
const MOST_NAMED = 4;

/** Editors on Windows begin a file with a byte order mark. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
