import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { failureAnswer } from '../../../src/guard/hook/call.js';
import { HOOK_CLIENTS, type HookClientName } from '../../../src/guard/hook/clients.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const CLAUDE = {
  session_id: 's',
  transcript_path: '/t',
  cwd: '/repo',
  permission_mode: 'default',
  hook_event_name: 'PreToolUse',
  tool_name: 'Bash',
  tool_input: { command: 'ls' },
  tool_use_id: 'u',
};
const GEMINI = {
  session_id: 's',
  cwd: '/repo',
  hook_event_name: 'BeforeTool',
  timestamp: '',
  tool_name: 'x',
  tool_input: {},
};

const PATCH = '*** Begin Patch\n*** Update File: a.ts\n@@\n-a\n+b\n*** End Patch\n';

/** client, event, action, params, target */
const CALLS: readonly (readonly [HookClientName, JsonObject, string, JsonObject, string | null])[] = [
  ['claude', CLAUDE, 'shell', { command: 'ls' }, '/repo'],
  [
    'claude',
    { ...CLAUDE, tool_name: 'Write', tool_input: { file_path: '/a' } },
    'write_file',
    { file_path: '/a' },
    '/repo',
  ],
  [
    'claude',
    { ...CLAUDE, tool_name: 'Read', tool_input: { file_path: '/a' } },
    'read_file',
    { file_path: '/a' },
    '/repo',
  ],
  ['claude', { ...CLAUDE, tool_name: 'WebFetch', tool_input: { url: 'u' } }, 'fetch_url', { url: 'u' }, '/repo'],
  ['claude', { ...CLAUDE, tool_name: 'mcp__github__create_issue' }, 'github.create_issue', { command: 'ls' }, '/repo'],
  // `a_b` of a server `x`, or `b` of one `x_a`: a passport must not be asked about the wrong one.
  ['vscode', { ...CLAUDE, tool_name: 'mcp_x_a_b' }, 'mcp_x_a_b', { command: 'ls' }, '/repo'],
  ['copilot', { toolName: 'x-a-b', toolArgs: {}, cwd: '/repo' }, 'x-a-b', {}, '/repo'],
  ['claude', { ...CLAUDE, tool_name: 'Task' }, 'Task', { command: 'ls' }, '/repo'],
  ['codex', { ...CLAUDE, tool_name: 'apply_patch', tool_input: { patch: 'p' } }, 'write_file', { patch: 'p' }, '/repo'],
  [
    'vscode',
    { ...CLAUDE, hook_event_name: null, hookEventName: 'PreToolUse', tool_name: 'run_in_terminal' },
    'shell',
    { command: 'ls' },
    '/repo',
  ],
  [
    'gemini',
    { ...GEMINI, tool_name: 'run_shell_command', tool_input: { command: 'ls' } },
    'shell',
    { command: 'ls' },
    '/repo',
  ],
  [
    'gemini',
    { ...GEMINI, tool_name: 'mcp_a_b', mcp_context: { server_name: 'a', tool_name: 'b' } },
    'a.b',
    {},
    '/repo',
  ],
  [
    'gemini',
    {
      ...GEMINI,
      tool_name: 'web_fetch',
      tool_input: { prompt: 'Sum up (https://evil.com/a), and http://acme.com.', prompt_urls: [] },
    },
    'fetch_url',
    {
      prompt: 'Sum up (https://evil.com/a), and http://acme.com.',
      prompt_urls: ['https://evil.com/a', 'http://acme.com'],
    },
    '/repo',
  ],
  [
    'gemini',
    { ...GEMINI, tool_name: 'web_fetch', tool_input: { prompt: 'no address' } },
    'fetch_url',
    { prompt: 'no address' },
    '/repo',
  ],
  [
    'gemini',
    { ...GEMINI, tool_name: 'google_web_search', tool_input: { prompt: 'https://evil.com' } },
    'google_web_search',
    { prompt: 'https://evil.com' },
    '/repo',
  ],
  [
    'copilot',
    { timestamp: 1, cwd: '/repo', toolName: 'bash', toolArgs: '{"command":"ls"}' },
    'shell',
    { command: 'ls' },
    '/repo',
  ],
  ['copilot', { cwd: '/repo', toolName: 'edit', toolArgs: { path: '/a' } }, 'write_file', { path: '/a' }, '/repo'],
  ['copilot', CLAUDE, 'shell', { command: 'ls' }, '/repo'],
  ['copilot', { cwd: '/repo', toolName: 'apply_patch', toolArgs: PATCH }, 'write_file', { input: PATCH }, '/repo'],
  ['copilot', { ...CLAUDE, tool_name: 'apply_patch', tool_input: PATCH }, 'write_file', { input: PATCH }, '/repo'],
  [
    'cursor',
    { hook_event_name: 'beforeShellExecution', command: 'ls', cwd: '/repo' },
    'shell',
    { command: 'ls' },
    '/repo',
  ],
  [
    'cursor',
    { hook_event_name: 'beforeShellExecution', command: 'ls', cwd: '', workspace_roots: ['/w'] },
    'shell',
    { command: 'ls' },
    '/w',
  ],
  [
    'cursor',
    { hook_event_name: 'beforeShellExecution', command: 'ls', cwd: '', workspace_roots: [] },
    'shell',
    { command: 'ls' },
    null,
  ],
  [
    'cursor',
    { hook_event_name: 'beforeReadFile', file_path: '/a', workspace_roots: ['/w'] },
    'read_file',
    { file_path: '/a' },
    '/w',
  ],
  ['cursor', { hook_event_name: 'beforeMCPExecution', tool_name: 't', tool_input: '{"a":1}' }, 'MCP:t', { a: 1 }, null],
  [
    'cursor',
    { hook_event_name: 'preToolUse', tool_name: 'Shell', tool_input: { command: 'ls' } },
    'shell',
    { command: 'ls' },
    null,
  ],
];

describe('the call in an event', () => {
  test.each(CALLS)('%s %j', (client, event, action, params, target) => {
    const call = HOOK_CLIENTS[client].read(event);
    expect({ ...call.params }).toEqual(params);
    expect([call.action, call.target]).toEqual([action, target]);
  });
  test.each(['copilot', 'cursor'] as const)(
    '%s: an input that comes as a text may be as large as any other',
    (client) => {
      const input = { path: '/a', file_text: 'x'.repeat(1024 * 1024 - 100) };
      const text = JSON.stringify(input);
      const cursor = { hook_event_name: 'preToolUse', tool_name: 'Write', tool_input: text };
      const event = client === 'cursor' ? cursor : { toolName: 'create', toolArgs: text };
      expect({ ...HOOK_CLIENTS[client].read(event).params }).toEqual(input);
    },
  );
  const REFUSED: readonly (readonly [HookClientName, JsonObject])[] = [
    ['claude', {}],
    ['claude', { ...CLAUDE, hook_event_name: 'PostToolUse' }],
    ['claude', { ...CLAUDE, tool_name: 7 }],
    ['claude', { ...CLAUDE, tool_name: '' }],
    ['claude', { ...CLAUDE, tool_name: 'x'.repeat(300) }],
    ['claude', { ...CLAUDE, tool_input: null }],
    ['claude', { ...CLAUDE, tool_input: ['ls'] }],
    ['claude', { ...CLAUDE, cwd: 4 }],
    ['codex', { ...CLAUDE, hook_event_name: 'PermissionRequest' }],
    ['gemini', { ...GEMINI, hook_event_name: 'AfterTool' }],
    ['gemini', { ...GEMINI, mcp_context: { server_name: 'a' } }],
    ['copilot', { toolName: 'bash', toolArgs: '[1]' }],
    ['copilot', { toolName: 'bash', toolArgs: PATCH }],
    ['copilot', { toolName: 'apply_patch', toolArgs: 'a patch' }],
    ['copilot', { toolName: 'bash', toolArgs: '{"command":"a","command":"b"}' }],
    ['cursor', { hook_event_name: 'afterFileEdit', file_path: '/a' }],
    ['cursor', { hook_event_name: 'beforeMCPExecution', tool_name: 't', tool_input: '{' }],
    ['vscode', { tool_name: 'x', tool_input: {} }],
  ];
  test.each(REFUSED)('%s refuses %j', (client, event) => {
    expect(() => HOOK_CLIENTS[client].read(event)).toThrow();
  });
});

describe('the answer', () => {
  const reason = 'AIP-E202 MONETARY_LIMIT_EXCEEDED: too much';
  const out = (
    client: HookClientName,
    verdict: Parameters<(typeof HOOK_CLIENTS)['claude']['answer']>[0],
    event: JsonObject = CLAUDE,
  ) => JSON.parse(HOOK_CLIENTS[client].answer(verdict, event).stdout) as unknown;
  test.each(Object.values(HOOK_CLIENTS))('of no objection is silence: $name', (client) => {
    const answer = client.answer({ result: 'pass' }, CLAUDE);
    expect(answer).toEqual({ stdout: '{}\n', stderr: '', exitCode: 0 });
  });
  test('no, in the words of each', () => {
    const specific = {
      hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason: reason },
    };
    const deny = { result: 'deny', reason } as const;
    expect(out('claude', deny)).toEqual(specific);
    expect(out('codex', deny)).toEqual(specific);
    expect(out('vscode', deny)).toEqual(specific);
    expect(out('copilot', deny)).toEqual(specific);
    expect(out('copilot', deny, { toolName: 'bash' })).toEqual({
      permissionDecision: 'deny',
      permissionDecisionReason: reason,
    });
    expect(out('gemini', deny)).toEqual({ decision: 'deny', reason });
    expect(out('cursor', deny)).toEqual({ permission: 'deny', user_message: reason, agent_message: reason });
  });
  test('a question is a no where the agent does not put it to its user', () => {
    const ask = { result: 'ask', reason } as const;
    expect(out('gemini', ask)).toEqual({ decision: 'deny', reason });
    expect(out('cursor', ask)).toMatchObject({ permission: 'deny' });
    expect(out('claude', ask)).toMatchObject({ hookSpecificOutput: { permissionDecision: 'ask' } });
  });
  test('to an own failure is exit 2 with a sentence, also without one', () => {
    expect(failureAnswer('no key')).toEqual({ stdout: '', stderr: 'aip hook: no key\n', exitCode: 2 });
    expect(failureAnswer(' ').stderr).toMatch(/\S/);
  });
});

test('no event of any form becomes a call without a tool and an input', () => {
  const names = Object.keys(HOOK_CLIENTS) as HookClientName[];
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.object({ maxDepth: 2 }), fc.object({ maxDepth: 1 }), (name, a, b) => {
      let call;
      try {
        call = HOOK_CLIENTS[name].read({ ...CLAUDE, ...a, tool_input: b } as unknown as JsonObject);
      } catch {
        return true;
      }
      return call.tool !== '' && call.action !== '' && typeof call.params === 'object' && call.params !== null;
    }),
  );
});
