import { describe, expect, test } from 'vitest';
import type { HookCall } from '../../../src/guard/hook/call.js';
import {
  holdsProcesses,
  hookFolders,
  isOfProcess,
  namedPaths,
  ownFileTest,
} from '../../../src/guard/hook/own-files.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const call = (params: JsonObject, action = 'write_file', target: string | null = '/repo/src'): HookCall => ({
  tool: 'Write',
  action,
  params,
  target,
  mcp: null,
});
const HOME = ['/home/a/.config/aip', 'C:\\Users\\a\\aip'];
const reaches = (params: JsonObject, action = 'write_file', target?: string | null, mapped = action): boolean =>
  namedPaths(call(params, action, target), mapped, '/home/a', HOME).some(ownFileTest(HOME));

describe('a file tool reaches what is ours', () => {
  test.each<[string, JsonObject]>([
    ['by its path', { file_path: '/home/a/.config/aip/state.db' }],
    ['by the folder itself', { path: '/home/a/.config/aip' }],
    ['by steps up', { path: '/home/a/x/../.config/aip/k' }],
    ['from the working folder', { path: '../.claude/settings.json' }],
    ['under any name, nested', { edits: [{ where: { target: '../.claude/settings.json' } }] }],
    ['as a URL', { uri: 'file:///repo/.claude/settings%2Ejson' }],
    ['in a patch', { input: '*** Begin Patch\n*** Update File: ../.claude/settings.json\n@@\n*** End Patch' }],
    [
      'in a patch that is written loosely',
      { input: ' *** Begin Patch\n  *** Update File: ../.claude/settings.json \n@@' },
    ],
    ['from a drive that is a folder here', { path: 'C:/../../../home/a/.config/aip/config.json' }],
    ['by a name with backslashes', { path: '/home/a/.config/aip/a\\..\\..\\..\\..\\..\\x/../keys/k.pem' }],
    [
      'in a patch, by a name with backslashes',
      { input: '*** Add File: ../../home/a/.config/aip/a\\..\\..\\..\\..\\..\\x/../config.json' },
    ],
    ['by a name that looks like a patch', { path: '/home/a/.config/aip/x\n*** Add File: y\n/../config.json' }],
    ['by a name that looks like a patch, in the project', { path: 'x\n*** Add File: y\n/../../.claude/settings.json' }],
    ['in a patch, past another end of a line', { input: '*** Add File: x\u2028/../../.codex/hooks.json' }],
    ['in a patch, past a carriage return', { input: '*** Add File: x\r/../../.codex/hooks.json' }],
    ['in a patch whose lines end otherwise', { input: '*** Begin Patch\r*** Add File: ../.codex/hooks.json\r+x' }],
    ['by ~', { path: '~/.config/aip/state.db' }],
    ['by the home of a named user', { path: '~a/.config/aip/state.db' }],
    ['by a variable', { path: '$HOME/.config/aip/state.db' }],
    ['by a variable in braces', { path: '${HOME}/.config/aip/state.db' }],
    ['between blanks', { path: ' /home/a/.config/aip/state.db\n' }],
    ['by steps up from a name with a line break', { path: '/repo/\n/../../home/a/.config/aip/keys/k.pem' }],
    ['by more steps up than a path holds', { path: `/${'x/../'.repeat(1000)}home/a/.config/aip/keys/k.pem` }],
    ['in other letters, which some file systems take for the same', { path: '/home/a/.Config/AIP/state.db' }],
    ['as a URL of this host', { uri: 'FILE://localhost/home/a/.config/aip/state.db' }],
    ['as a URL with one slash', { uri: 'file:/home/a/.config/aip/state.db' }],
    ['as the name of a change', { changes: { '/home/a/.config/aip/state.db': { add: 'x' } } }],
    ["in another project's hooks", { path: '/other/project/.claude/settings.local.json' }],
    ['in a folder of hooks', { path: '/repo/.github/hooks/x.json' }],
    ['in what switches hooks off', { path: '/repo/.github/copilot/settings.local.json' }],
    ["in the user's settings", { path: '~/.copilot/settings.json' }],
    ['on Windows', { path: 'c:/users/A/aip/keys/k.pem' }],
    [
      'where a patch moves a file',
      { input: '*** Begin Patch\n*** Update File: a\n*** Move to: ../.claude/settings.json\n*** End Patch' },
    ],
  ])('%s', (_, params) => {
    expect(reaches(params)).toBe(true);
  });
  test('a file that begins with ~ is not the home, unless that has its name', () => {
    const named = (path: string, home: string) => namedPaths(call({ path }), 'write_file', home, HOME);
    expect(named('~WRL0005.tmp', '/home/a')).not.toContain('/home/a');
    expect(named('~a.b', '/home/a.b')).toContain('/home/a.b');
    expect(named('~b', '/home/a')).toContain('/home/a');
  });
  test.each(['~/../aip/k', 'file:/../aip/k'])('by %s where a tool takes it as a name', (path) => {
    expect(reaches({ path }, 'write_file', '/home/a/.config')).toBe(true);
  });
  test("in a project's hooks where no working folder is known", () => {
    expect(reaches({ path: '.claude/settings.json' }, 'write_file', null)).toBe(true);
  });
  test('from a working folder on Windows', () => {
    expect(reaches({ path: '..\\aip\\state.db' }, 'write_file', 'C:\\Users\\a\\repo')).toBe(true);
    expect(reaches({ path: '../aip/state.db' }, 'write_file', 'c:/Users/a/repo')).toBe(true);
  });
  test.each<[string, JsonObject, string?]>([
    ['a file beside', { path: '/home/a/.config/aip-notes' }],
    ['a file of the project', { path: 'main.ts', content: 'see /home/a/.config/aip/state.db\nand more' }],
    ['a document about hooks', { path: '/repo/docs/.claude/settings.json.md' }],
    ['what a person wrote of it', { path: '/repo/a.md', content: 'Look into .claude/settings.json' }],
    ['a file of the same name', { path: '/repo/config.json', content: '{}' }],
    [
      'what it writes, be it the name of such a file',
      { path: '/repo/.gitignore', content: '.claude/settings.local.json' },
    ],
    ['a patch of the project', { input: '*** Begin Patch\n*** Update File: a.ts\n@@\n-../../x\n+~/y\n*** End Patch' }],
    ['a name that begins like a step up', { path: '/repo/..claude/x' }],
    ['a file whose name only begins so', { path: '/home/a/.config/aip.md' }],
    ['a folder with a stream of that name', { path: '/home/a/.config/notes:aip' }],
    ['a file with a short name', { path: '/home/a/.config/other~1/k' }],
    ['a shell, of which nothing is promised', { command: 'cat /home/a/.config/aip/state.db' }, 'shell'],
    ['a shell that runs what lies there', { command: '/repo/.github/hooks/lint.sh' }, 'shell'],
  ])('not: %s', (_, params, action) => {
    expect(reaches(params, action)).toBe(false);
  });
});

describe('what a coding agent’s own tool writes or looks for is no path', () => {
  const path = '/home/a/.config/aip/config.json';
  const named = (tool: string, action: string, params: JsonObject, mcp: HookCall['mcp'] = null): boolean =>
    namedPaths({ tool, action, params, target: '/repo', mcp }, action, '/home/a', HOME).some(ownFileTest(HOME));
  test.each<[string, string, JsonObject]>([
    ['Edit', 'write_file', { file_path: '/repo/.gitignore', old_string: '.env', new_string: path }],
    ['MultiEdit', 'write_file', { file_path: '/repo/a', edits: [{ old_string: path, new_string: 'x' }] }],
    ['NotebookEdit', 'write_file', { notebook_path: '/repo/a.ipynb', new_source: path }],
    ['replace', 'write_file', { file_path: '/repo/a', old_string: 'x', new_string: path, instruction: path }],
    ['replace_string_in_file', 'write_file', { filePath: '/repo/a', oldString: 'x', newString: path }],
    ['Grep', 'read_file', { pattern: path }],
    ['rg', 'read_file', { pattern: path }],
    ['search_file_content', 'read_file', { pattern: path }],
  ])('%s', (tool, action, params) => {
    expect(named(tool, action, params)).toBe(false);
    // The same under any other name, in a member below, or by the tool of a server.
    expect(named(`${tool}2`, action, params)).toBe(true);
    expect(named(tool, action, { new_string: { path }, pattern: { path } })).toBe(true);
    expect(named(tool, action, params, { server: 'files', tool })).toBe(true);
  });
});

describe('in a spelling that some file system takes for the same', () => {
  test.each([
    '/home/a/.config/aip./state.db',
    '/home/a/.config/aip . /state.db',
    '/home/a/.config/A\u0131P/state.db',
    '/home/a/.config/a\u200cip/state.db',
    '/home/a/.config/\uff41ip/state.db',
    '/home/a/CONFIG~1/aip/state.db',
    '/home/a/.config/aip::$INDEX_ALLOCATION/state.db',
    '/home/a/.config/aip:$I30:$INDEX_ALLOCATION/state.db',
    '/repo/.claude/\u017fettings.json',
    '/repo/.claude/settings.json. .',
    '/repo/.claude/settings.json::$DATA',
    '/repo/CLAUDE~1/settings.json',
    '/repo/.claude/SETTIN~1.JSO',
    '/repo/GITHUB~2/hooks/x.json',
    'C:\\Users\\a\\aip.\\keys\\k.pem',
    'C:\\U\u017fer\u017f\\a\\aip\\keys\\k.pem::$DATA',
  ])('%j', (path) => {
    expect(reaches({ path })).toBe(true);
  });
});

describe('a tool of another kind', () => {
  const tool = (params: JsonObject, target?: string): boolean => reaches(params, 'files.save', target);
  test.each<[string, JsonObject, string?]>([
    ['by a path', { path: '/home/a/.config/aip/config.json' }],
    ['under any name', { x: '/home/a/.config/aip/config.json' }],
    ['in a list', { paths: ['a.txt', '../.claude/settings.json'] }],
    ['as the name of a change', { changes: { '/home/a/.config/aip/config.json': 'x' } }],
    ['as a URL', { uri: 'file:///home/a/.config/aip/config.json' }],
    ['as an address that a tool takes for a path', { url: 'https://../../../home/a/.config/aip/config.json' }],
    ['by ~', { x: '~/.config/aip/config.json' }],
    ['with a blank in the name of a file of hooks', { path: '/repo/.github/hooks/a b.json' }],
    ['by its bare name', { file_name: 'config.json' }, '/home/a/.config/aip'],
    ['between blanks', { x: ' /home/a/.config/aip/config.json\n' }],
  ])('reaches it %s', (_, params, target) => {
    expect(tool(params, target)).toBe(true);
  });
  test('in a home with blanks', () => {
    const homes = ['/home/a b/aip'];
    const paths = (x: string) => namedPaths(call({ x }, 'files.save'), 'files.save', '', homes);
    expect(paths('/home/a b/aip/config.json').some(ownFileTest(homes))).toBe(true);
    expect(paths('/home/a b/aip/config.json is gone').some(ownFileTest(homes))).toBe(false);
  });
  test('judged by its mapped action as well as by its own name', () => {
    const patch = { input: '*** Update File: /home/a/.config/aip/config.json' };
    expect(reaches(patch, 'files.save', undefined, 'write_file')).toBe(true);
    expect(reaches(patch, 'write_file', undefined, 'deploy')).toBe(true);
    expect(reaches(patch, 'files.save', undefined, 'deploy')).toBe(false);
  });
  test.each<[string, JsonObject, string?]>([
    ['what a message says', { text: 'Look into /home/a/.config/aip/config.json' }],
    ['a message that begins with it', { text: '/home/a/.config/aip/config.json is gone' }],
    ['a message about hooks', { body: 'See /x/.claude/settings.json' }],
    ['lines', { text: '/home/a/.config/aip/config.json\n/repo/.claude/settings.json' }],
    ['an address on the web', { url: 'https://example.com/x/.claude/settings.json' }],
    ['a word, whatever the working folder', { text: 'state' }, '/home/a/.config/aip'],
    ['a path beside', { path: '/repo/src/config.json' }],
    ['a number', { amount: 7, deep: { flag: true, none: null } }],
  ])('does not: %s', (_, params, target) => {
    expect(tool(params, target)).toBe(false);
  });
});

test.each([
  '/proc/self/cwd',
  '/proc/self/environ',
  '/proc/17/environ',
  '/proc/17/task/18/environ',
  '/proc/17/mem',
  '/proc/self/cwd/../.config/aip/k',
  '/proc/17/root/home/a/.config/aip/k',
  '/proc/17/task/18/cwd/x',
  '/proc/thread-self/fd/3',
  '/proc/self/fd/0/../x',
  '/dev/fd/63',
])('what %s leads to only a process knows', (path) => {
  expect(isOfProcess(path)).toBe(true);
});
test.each([
  '/proc/self/status',
  '/proc/self/cmdline',
  '/proc/meminfo',
  '/proc/self/environs',
  '/proc/cwd/x',
  '/dev/fd/0',
  '/proc/17/fd/1',
  '/dev/stdin',
  '/repo/proc/self/cwd',
])('not: %s', (path) => {
  expect(isOfProcess(path)).toBe(false);
});

test('a search from a folder of processes shows what they hold', () => {
  for (const path of ['/proc', '/proc/', '/proc/self', '/proc/17', '/proc/17/task', '/proc/17/task/18'])
    expect(holdsProcesses(path), path).toBe(true);
  for (const path of ['/proc/17/net', '/procs', '/repo/proc']) expect(holdsProcesses(path), path).toBe(false);
});

test('hooks are read from the home and from the working folder up', () => {
  expect(hookFolders('/repo/src', '/home/a')).toEqual(['/home/a', '/repo/src', '/repo', '/']);
  expect(hookFolders(null, '/home/a')).toEqual(['/home/a']);
  expect(hookFolders('C:\\repo', '')).toEqual([]);
});
