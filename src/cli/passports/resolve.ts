import { fetchDidDocument } from '../../adapters/http/did-web.js';
import { Failure } from '../../app/failure.js';
import { didDocumentUrl } from '../../protocol/identity/did.js';
import { keysInDidDocument, type DidKey } from '../../protocol/identity/did-document.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { jsonIn } from '../input/documents.js';

/** The Ed25519 keys that a principal publishes in its did.json; fails when there is none. */
export async function resolvePrincipal(did: string, now: number): Promise<DidKey[]> {
  const url = didDocumentUrl(did);
  const json = jsonIn(await fetchDidDocument(did), url);
  let keys: DidKey[];
  try {
    keys = keysInDidDocument(json, did, now);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('NETWORK', `${url} is not the DID document of ${did}: ${error.reason}.`);
  }
  if (keys.length === 0) throw new Failure('NETWORK', `${url} holds no Ed25519 key that ${did} asserts with.`);
  return keys;
}
