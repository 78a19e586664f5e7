import { describe, expect, test } from 'vitest';
import type { HookCall } from '../../../src/guard/hook/call.js';
import { isWithin, namedPaths } from '../../../src/guard/hook/own-files.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const call = (params: JsonObject, action = 'write_file', target: string | null = '/repo/src'): HookCall => ({
  tool: 'Write',
  action,
  params,
  target,
  mcp: null,
});
const HOME = ['/home/a/.config/aip', '/repo/.claude'];
const reaches = (params: JsonObject, action?: string): boolean =>
  namedPaths(call(params, action)).some((path) => isWithin(path, HOME));

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
      'where a patch moves a file',
      { input: '*** Begin Patch\n*** Update File: a\n*** Move to: ../.claude/x\n*** End Patch' },
    ],
  ])('%s', (_, params) => {
    expect(reaches(params)).toBe(true);
  });
  test.each<[string, JsonObject, string?]>([
    ['a file beside', { path: '/home/a/.config/aip-notes' }],
    ['a file of the project', { path: 'main.ts', content: 'see /home/a/.config/aip/state.db\nand more' }],
    ['a name that begins like a step up', { path: '/repo/..claude/x' }],
    ['a shell, of which nothing is promised', { command: 'cat /home/a/.config/aip/state.db' }, 'shell'],
  ])('not: %s', (_, params, action) => {
    expect(reaches(params, action)).toBe(false);
  });
});
