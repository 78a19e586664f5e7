import { readdirSync, readFileSync } from 'node:fs';
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

describe('CONTRIBUTING names what is there', () => {
  const root = new URL('../', import.meta.url);
  const files = ['src', 'test', '.build', '.github'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map((path) => `/${folder}/${path}`),
  );
  const quoted = [...readFileSync(new URL('.github/CONTRIBUTING.md', root), 'utf8').matchAll(/`([^`\s]+)`/g)].map(
    (match) => match[1]!,
  );

  test('files and folders', () => {
    const named = quoted
      .filter((text) => /^[\w./-]+(?:\.ts|\/)$/.test(text))
      .map((text) => `/${text.replace(/\/$/, '')}`);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((name) => !files.some((path) => path.endsWith(name)))).toEqual([]);
  });

  test('functions, tables and types', () => {
    const code = files
      .filter((path) => path.startsWith('/src/') && path.endsWith('.ts'))
      .map((path) => readFileSync(new URL(`.${path}`, root), 'utf8'))
      .join('\n');
    const named = quoted.filter((text) => /^(?:[A-Z][A-Z_]{3,}|[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+)$/.test(text));
    expect(named.length).toBeGreaterThan(15);
    expect(
      named.filter((name) => !new RegExp(`\\b(?:function|const|interface|type|class) ${name}\\b`).test(code)),
    ).toEqual([]);
  });
});
