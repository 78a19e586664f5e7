import { describe, expect, test } from 'vitest';
import { holdsOwn, searchedFolders } from '../../../src/guard/hook/searches.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const HOME = ['/home/a/.config/aip', 'C:\\Users\\a\\aip'];
const reaches = (tool: string, params: JsonObject, target = '/home/a/project'): boolean =>
  searchedFolders({ tool, action: 'read_file', params, target, mcp: null }, '/home/a').some((folder) =>
    holdsOwn(folder, HOME),
  );

describe('a search goes down to what is ours', () => {
  test.each<[string, string, JsonObject, string?]>([
    ['from above', 'Grep', { pattern: '.', path: '/home/a' }],
    ['from above, with a pattern of names', 'Grep', { pattern: '.', path: '/home/a', glob: '.config/aip/keys/k.pem' }],
    ['by steps up', 'Grep', { pattern: '.', path: '/home/a/project/..', glob: '{.config,x}/**' }],
    ['from the working folder', 'Grep', { pattern: '.' }, '/home/a'],
    ['from an empty path', 'Grep', { pattern: '.', path: '' }, '/home/a'],
    ['from ~', 'grep', { pattern: '.', path: '~' }],
    ['between blanks', 'Grep', { pattern: '.', path: ' /home/a\n' }],
    ['in other letters', 'Grep', { pattern: '.', path: '/HOME/A' }],
    ['from the root', 'LS', { path: '/' }],
    ['by its other name', 'rg', { pattern: '.', path: '/home/a' }],
    ['in another agent', 'search_file_content', { pattern: '.', dir_path: '..' }],
    ['where files are included', 'grep_search', { query: '.', includePattern: '/home/a/**' }],
    ['by a pattern', 'Glob', { pattern: '../.config/**' }],
    ['by a pattern of any depth', 'Glob', { pattern: '*.pem', path: '/home/a' }],
    ['by an absolute pattern', 'Glob', { pattern: '/home/*/.config/aip/*' }],
    ['by steps up behind an open name', 'Glob', { pattern: '*/../../.config/aip/*' }],
    ['by braces', 'Glob', { pattern: '{..,x}/.config/aip/*' }],
    ['by braces that make a step up', 'Glob', { pattern: '.{.,x}/.config/aip/*' }],
    ['by braces in braces', 'Glob', { pattern: '{x,{y,..}}/.config/aip/*' }],
    ['by an absolute path in braces', 'Glob', { pattern: '{/home/a,x}/.config/aip/*' }],
    ['by a choice', 'Glob', { pattern: '@(..|x)/.config/aip/*' }],
    ['by a step up that is written otherwise', 'Glob', { pattern: '\\.\\./.config/aip/*' }],
    ['by more braces than are looked at', 'Glob', { pattern: `${'{a,b}'.repeat(40)}/*` }],
    ['by a longer pattern than is looked at', 'Glob', { pattern: `${'{a}'.repeat(400_000)}/../*` }],
    ['in a list of patterns', 'read_many_files', { include: ['a.md', '../**/*.pem'] }],
    ['on Windows', 'Grep', { pattern: '.', path: 'c:/users' }, 'C:\\Users\\a\\repo'],
    ['from a working folder on Windows', 'Glob', { pattern: '..\\*\\*.pem' }, 'C:\\Users\\a\\repo'],
  ])('%s', (_, tool, params, target) => {
    expect(reaches(tool, params, target)).toBe(true);
  });
  test.each<[string, string, JsonObject, string?]>([
    ['over the project', 'Grep', { pattern: '.' }],
    ['over the project by its path', 'Grep', { pattern: '.', path: '/home/a/project', glob: '**/*.{ts,tsx}' }],
    ['over a folder of it', 'Grep', { pattern: '.', path: 'src', glob: '*.ts', output_mode: 'content' }],
    ['over a folder beside', 'Grep', { pattern: '.', path: '../other' }],
    ['over a folder below the home of a user', 'Grep', { pattern: '.', path: '/home/a/project' }, '/home/a'],
    ['for what looks like a path', 'Grep', { pattern: '/' }],
    ['for steps up', 'grep_search', { query: '../..', isRegexp: false }],
    ['by a pattern', 'Glob', { pattern: '**/*.test.{ts,js}' }],
    ['by a pattern that begins in a folder', 'Glob', { pattern: 'project/**/*.ts' }, '/home/a'],
    ['of what a project calls the same', 'Glob', { pattern: '.config/aip/*' }],
    ['for all of one path', 'Glob', { pattern: 'app/[...slug]/page.tsx' }],
    ['by a list of one folder', 'list_directory', { path: '/home/a' }],
    ['by what is no search', 'Read', { file_path: '/home/a' }],
  ])('not: %s', (_, tool, params, target) => {
    expect(reaches(tool, params, target)).toBe(false);
  });
  test("not: by an MCP server's tool, which is its own action", () => {
    const call = {
      tool: 'Grep',
      action: 'x.Grep',
      params: { path: '/' },
      target: '/',
      mcp: { server: 'x', tool: 'Grep' },
    };
    expect(searchedFolders(call, '/home/a')).toEqual([]);
  });
});
