import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../src/cli/registry.js';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README says what the code says', () => {
  test('in at most 260 lines', () => {
    expect(README.split('\n').length).toBeLessThanOrEqual(260);
  });

  test('every command it shows exists', () => {
    const known = COMMANDS.map(({ path }) => path.join(' '));
    const shown = [...README.matchAll(/(?:^|\$ |`|&& |\| )(?:npx )?aip ([a-z][a-z-]*(?: [a-z]+){0,2})/gm)].map(
      (match) => match[1]!,
    );
    const missing = shown.filter((words) => !known.some((path) => `${words} `.startsWith(`${path} `)));
    expect(shown.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });
});
