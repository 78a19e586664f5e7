import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isReadAction,
  isResourceAction,
  resourceCovered,
  resourceDenied,
} from '../../../src/protocol/naming/resources.js';
import { isActionName } from '../../../src/protocol/passport.js';

interface Asked {
  readonly pattern: string;
  readonly uri: string;
  readonly yes: boolean;
  readonly why: string;
}
const { names, covered, denied } = JSON.parse(
  readFileSync(new URL('../../vectors/resources.json', import.meta.url), 'utf8'),
) as {
  names: { name: string; valid: boolean; why: string }[];
  covered: Asked[];
  denied: Asked[];
};

describe('the name of an action', () => {
  test.each(names)('$name: $why', ({ name, valid }) => {
    expect(isActionName(name)).toBe(valid);
    if (valid) expect(isReadAction(name)).toBe(name !== 'send_email');
  });

  test('holds at most one star, at its end, behind a slash, and nothing that ends a quoted word', () => {
    const piece = fc.constantFrom(
      '*',
      '/',
      '/*',
      'a',
      ':',
      '//',
      '?',
      '#',
      "'",
      '"',
      ' ',
      '%2f',
      '%',
      '[',
      '&',
      '$',
      '\n',
      'ä',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const name = `resource:file:${pieces.join('')}`;
        if (!isResourceAction(name)) return;
        expect(name).toMatch(/^[!-~]+$/);
        expect(name).not.toMatch(/['"`\\<>{}|^]/);
        expect(name.split('*').length - 1).toBe(name.endsWith('/*') ? 1 : 0);
      }),
    );
  });
});

test.each(covered)('$pattern and $uri: $why', ({ pattern, uri, yes }) =>
  expect(resourceCovered(pattern, uri)).toBe(yes),
);

test.each(denied)('a denied $pattern and $uri: $why', ({ pattern, uri, yes }) =>
  expect(resourceDenied(pattern, uri)).toBe(yes),
);

test('what a pattern covers, the same pattern denies', () => {
  for (const { pattern, uri, yes } of covered) if (yes) expect(resourceDenied(pattern, uri)).toBe(true);
});
