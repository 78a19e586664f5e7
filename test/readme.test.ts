import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CATALOGUES } from '../src/cli/render/explain-catalogue.js';
import { codesTable } from '../src/cli/render/explain.js';
import { COMMANDS } from '../src/cli/registry.js';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README says what the code says', () => {
  test.each(CATALOGUES)('the codes of the $dialect dialect', (catalogue) => {
    const section = new RegExp(`<!-- codes ${catalogue.dialect} -->\n([\\s\\S]*?)\n<!-- /codes -->`).exec(README);
    expect(section?.[1]?.trim()).toBe(codesTable(catalogue).trim());
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
