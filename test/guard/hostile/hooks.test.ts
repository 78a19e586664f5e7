/** The six dialects under bent events: whatever comes, the tool runs only after a decision that says so. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Desk } from '../../../src/app/guarding/desk.js';
import { HOOK_CLIENTS, type HookClientName } from '../../../src/guard/hook/clients.js';
import { answerHook, type HookDeps } from '../../../src/guard/hook/decide.js';
import { bent } from './requests.js';

const EVENTS: Readonly<Record<HookClientName, readonly object[]>> = {
  claude: [{ hook_event_name: 'PreToolUse', cwd: '/r', tool_name: 'Bash', tool_input: { command: 'ls' } }],
  codex: [{ hook_event_name: 'PreToolUse', cwd: '/r', tool_name: 'apply_patch', tool_input: { patch: 'p' } }],
  cursor: [
    { hook_event_name: 'beforeShellExecution', command: 'ls', cwd: '/r' },
    { hook_event_name: 'beforeMCPExecution', tool_name: 'refund', tool_input: '{"amount":5}', server: 'pay' },
    { hook_event_name: 'preToolUse', tool_name: 'Shell', tool_input: { command: 'ls' } },
  ],
  gemini: [{ hook_event_name: 'BeforeTool', cwd: '/r', tool_name: 'run_shell_command', tool_input: { command: 'ls' } }],
  copilot: [
    { toolName: 'bash', toolArgs: '{"command":"ls"}', cwd: '/r' },
    { hook_event_name: 'PreToolUse', tool_name: 'bash', tool_input: { command: 'ls' }, cwd: '/r' },
  ],
  vscode: [{ hookEventName: 'PreToolUse', cwd: '/r', tool_name: 'run_in_terminal', tool_input: { command: 'ls' } }],
};

type Behaviour = 'yes' | 'no' | 'fails' | 'odd';

function depsOf(behaviour: Behaviour) {
  let yes = 0;
  const decide = async (): Promise<unknown> => {
    if (behaviour === 'fails') throw new Error('a crash');
    if (behaviour === 'odd') return { decision: {} };
    if (behaviour === 'yes') yes += 1;
    const no = { error_code: 'AIP-E202', error_message: 'MONETARY_LIMIT_EXCEEDED', message: 'Too much.', details: {} };
    return { decision: behaviour === 'yes' ? { success: true } : { success: false, intent_hash: null, ...no } };
  };
  const passport = { agent: { id: 'a', name: 'a' }, actions: new Map(), document: { constraints: {} } };
  const deps: HookDeps = {
    desk: { passport: async () => passport, decide } as unknown as Desk,
    folder: null,
    rules: { grant: false, ask: false, map: new Map() },
    ownPlaces: ['/home/aip'],
    ownFolders: ['/home/aip'],
    userHome: '/home/a',
    files: { followed: (path) => path, placesBehind: () => [], isHardLink: () => false },
    accepted: () => undefined,
    refused: () => undefined,
  };
  return { deps, yes: () => yes };
}

const ALL = (Object.keys(EVENTS) as HookClientName[]).flatMap((name) =>
  EVENTS[name].map((event, i) => [`${name} ${i}`, name, event] as const),
);

test.each(ALL)('%s', async (_, name, event) => {
  const behaviours = fc.constantFrom<Behaviour>('yes', 'no', 'fails', 'odd');
  await fc.assert(
    fc.asyncProperty(bent(JSON.stringify(event)), behaviours, async (bytes, behaviour) => {
      const { deps, yes } = depsOf(behaviour);
      const { stdout, stderr, exitCode } = await answerHook(HOOK_CLIENTS[name], bytes, deps);
      // Any other exit, and an exit 2 that says nothing, runs the tool in some of these agents.
      if (exitCode === 2) {
        expect(stdout).toBe('');
        expect(stderr.trim()).not.toBe('');
        return;
      }
      expect(exitCode).toBe(0);
      const answer = JSON.parse(stdout) as object;
      if (yes() === 0) expect(JSON.stringify(answer)).toMatch(/"deny"/);
      expect(JSON.stringify(answer)).not.toMatch(/"allow"/);
    }),
    { numRuns: 300 },
  );
  // And the event as it is reaches the desk.
  const { deps, yes } = depsOf('yes');
  await answerHook(HOOK_CLIENTS[name], Buffer.from(JSON.stringify(event)), deps);
  expect(yes()).toBe(1);
});
