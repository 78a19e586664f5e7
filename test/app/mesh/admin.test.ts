import { expect, test } from 'vitest';
import { listApiKeys } from '../../../src/app/mesh/admin.js';
import { answersTo } from '../../../src/app/mesh/overview.js';
import type { MeshEndpoint } from '../../../src/app/ports/mesh.js';

const key = (id: string) => ({
  key_id: id,
  role: 'verifier',
  label: null,
  public_key: null,
  created_at: '2026-02-18T14:23:45.000Z',
  revoked_at: null,
});

/** A mesh that answers with these pages, the last one again and again. */
function meshOf(...pages: object[]): MeshEndpoint & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    url: 'http://127.0.0.1:1',
    asked,
    ask: async ({ target }) => {
      asked.push(target);
      return { kind: 'answered', status: 200, body: JSON.stringify(pages[Math.min(asked.length, pages.length) - 1]) };
    },
  };
}

test('all pages make one list', async () => {
  const line = meshOf({ keys: [key('a'), key('b')], next: 'b' }, { keys: [key('c')], next: null });
  expect((await listApiKeys({ line })).map(({ keyId }) => keyId)).toEqual(['a', 'b', 'c']);
  expect(line.asked).toEqual(['/v1/mesh/keys', '/v1/mesh/keys?after=b']);
});

test.each([
  ['an empty page that promises more', [{ keys: [], next: 'a' }]],
  ['a list without an end', [{ keys: Array.from({ length: 128 }, (_, i) => key(`k${i}`)), next: 'k127' }]],
  ['a page that does not say whether it is the last', [{ keys: [key('a')] }]],
])('%s is no list', async (_, pages) => {
  await expect(listApiKeys({ line: meshOf(...pages) })).rejects.toMatchObject({ code: 'NETWORK' });
});

test('a roster that does not end is no roster', async () => {
  const line = meshOf({ verifiers: [], next: 'a' }, { verifiers: [], next: 'a' });
  await expect(answersTo(line, '00'.repeat(16))).rejects.toMatchObject({ code: 'NETWORK' });
});

test('a role that a later version adds is listed like any other', async () => {
  const line = meshOf({ keys: [{ ...key('a'), role: 'auditor', since: 'v9' }], next: null, total: 1 });
  expect(await listApiKeys({ line })).toEqual([
    {
      ...{ keyId: 'a', role: 'auditor', label: null, publicKey: null },
      ...{ createdAt: '2026-02-18T14:23:45.000Z', revokedAt: null },
    },
  ]);
});
