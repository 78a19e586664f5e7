import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const BUILT = new URL('../../dist/index.js', import.meta.url);

test('the library that is shipped calls its errors by their names, and can be read in a stack', async () => {
  const { VerificationError, VerificationHook, Failure } = (await import(BUILT.href)) as Record<
    string,
    { readonly name: string }
  >;
  expect([VerificationError, VerificationHook, Failure].map((each) => each?.name)).toEqual([
    'VerificationError',
    'VerificationHook',
    'Failure',
  ]);
  // Node prints the line that threw: one of 70,000 characters would bury the message.
  const longest = Math.max(
    ...readFileSync(BUILT, 'utf8')
      .split('\n')
      .map((line) => line.length),
  );
  expect(longest).toBeLessThan(2000);
});
