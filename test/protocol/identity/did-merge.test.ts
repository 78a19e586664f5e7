import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { domainDidDocument, readDidKeys } from '../../../src/protocol/identity/did-document.js';
import { heldByOthers, mergeDidDocument } from '../../../src/protocol/identity/did-merge.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { publicKeyBytes } from '../../kit/native/parts.js';

const VECTORS = JSON.parse(readFileSync(new URL('../../vectors/did-merge.json', import.meta.url), 'utf8')) as {
  readonly did: string;
  readonly merged: readonly { name: string; standing: JsonObject; kept: string[] }[];
  readonly refused: readonly { name: string; standing: Json; reason: string }[];
};
const { did } = VECTORS;
const key = { keyId: `${did}#key-1`, publicKey: publicKeyBytes('principal') };
const fresh = domainDidDocument(did, [key]);
const none = (): boolean => false;

test.each(VECTORS.merged)('$name stays beside the key', ({ standing, kept }) => {
  const merged = mergeDidDocument(standing, fresh, none);
  expect([merged.kept, merged.removed]).toEqual([kept, []]);
  expect(readDidKeys(merged.document, did).keys).toContainEqual(key);
  for (const name of Object.keys(standing)) {
    const before = standing[name]!;
    const after = merged.document[name]!;
    if (Array.isArray(before)) for (const entry of before) expect(after).toContainEqual(entry);
    else if (name !== '@context') expect(after).toEqual(before);
  }
  // Once more changes nothing.
  expect(mergeDidDocument(merged.document, fresh, none).document).toEqual(merged.document);
});

test.each(VECTORS.refused)('$name is refused', ({ standing, reason }) => {
  expect(() => mergeDidDocument(standing, fresh, none)).toThrow(reason);
});

test('an own key that the passport does not name any more is taken out, with what refers to it', () => {
  const old = { ...key, keyId: `${did}#key-0` };
  const standing = domainDidDocument(did, [old, key]);
  const { document, removed } = mergeDidDocument(standing, fresh, (id) => id.includes('#key-'));
  expect(removed).toEqual([old.keyId]);
  expect(JSON.stringify(document)).not.toContain(old.keyId);
});

test('what replacing would drop is named', () => {
  const standing = { ...fresh, service: [{ id: '#hub' }], verificationMethod: [{ id: '#other' }], alsoKnownAs: [] };
  expect(heldByOthers(standing, fresh)).toEqual([`${did}#other`, `${did}#hub`, '"alsoKnownAs"']);
  expect(heldByOthers(fresh, fresh)).toEqual([]);
});
