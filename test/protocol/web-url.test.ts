import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { webUrlProblem } from '../../src/protocol/web-url.js';

const { urls, goodUrls } = JSON.parse(
  readFileSync(new URL('../vectors/described-inputs.json', import.meta.url), 'utf8'),
) as {
  readonly urls: readonly { readonly text: string; readonly why: string }[];
  readonly goodUrls: readonly string[];
};

test.each(goodUrls)('%s is the URL of a server', (text) => expect(webUrlProblem(text)).toBeNull());

test.each([
  ...urls,
  // As a file with a line end gives it, which a command line cannot show.
  { text: 'https://mesh.acme.com\n', why: 'has white space around it' },
  { text: ' https://mesh.acme.com', why: 'has white space around it' },
  { text: ' ', why: 'has white space around it' },
  { text: 'https://mesh.acme.com/a\tb', why: 'holds white space' },
])('$text $why', ({ text, why }) => {
  const problem = webUrlProblem(text)!;
  expect(problem).toContain(why);
  expect(problem).not.toMatch(/hunter2|token@/);
});
