/** What a person is told of a mesh whose answer is none. */
import { expect, test } from 'vitest';
import { readFleet } from '../../../src/app/logs/fleet.js';
import { resultOf, unheard, unreachable } from '../../../src/app/mesh/answers.js';
import type { MeshReply } from '../../../src/app/ports/mesh.js';

const refusal = (code: string): MeshReply =>
  ({
    kind: 'answer',
    status: 503,
    body: JSON.stringify({ code, message: 'This server follows another.', retryable: true }),
    headers: {},
  }) as unknown as MeshReply;

const line = (code: string) => ({ url: 'http://eu.example', ask: () => Promise.resolve(refusal(code)) }) as never;

test('a region without home says so, and sends nobody to the region itself', async () => {
  const asked = line('HOME_UNREACHABLE');
  const page = await readFleet(asked, { filter: {}, after: null });
  if (page.kind !== 'unreachable') throw new Error(page.kind);
  expect(page.reason).toBe('home, which it follows, does not answer it (HOME_UNREACHABLE)');
  const result = resultOf(asked, refusal('HOME_UNREACHABLE'), () => null);
  if (result.kind !== 'unheard') throw new Error(result.kind);
  for (const failure of [unreachable(asked, page.reason), unheard(asked, result.what, null)])
    expect(failure.hint).toBe('aip mesh status names home; where it is lost: aip help growing');
  expect(await readFleet(line('BUSY'), { filter: {}, after: null })).toMatchObject({ reason: 'it is ending, or busy' });
});
