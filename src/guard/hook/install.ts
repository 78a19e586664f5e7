/** Where each coding agent keeps its hooks, and how one of `aip` stands among those of others. Pure: JSON in, JSON out. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { HookClientName } from './clients.js';

/** For whom a hook is installed: this user, this project, or everybody on the machine. */
export type HookScope = 'user' | 'project' | 'managed';

/** How one agent's hooks are configured. */
export interface HookInstall {
  /** The file by scope, relative to the user's home or the project. */
  readonly files: Readonly<Record<'user' | 'project', string>>;
  /** The file for everybody on the machine, by `process.platform`; none where it is no JSON, or its place is not known. */
  readonly managed: Readonly<Partial<Record<string, string>>>;
  /** Further files of a project that can switch hooks off. */
  readonly switches?: readonly string[];
  /** The members that lead to the list of hooks. */
  readonly path: readonly string[];
  /** Members that the file must have beside it. */
  readonly beside: JsonObject;
  /** The entry that runs `command` before every tool, and blocks where it fails. */
  readonly entry: (command: string) => JsonObject;
  /** What a person has to do after it. */
  readonly byHand: readonly string[];
}

/** Twice what the hook takes at most, in seconds. */
const TIMEOUT_S = 10;

/** Every agent's. */
export const HOOK_INSTALLS: Readonly<Record<HookClientName, HookInstall>> = {
  claude: {
    files: { user: '.claude/settings.json', project: '.claude/settings.json' },
    managed: {
      linux: '/etc/claude-code/managed-settings.json',
      darwin: '/Library/Application Support/ClaudeCode/managed-settings.json',
      win32: 'C:\\Program Files\\ClaudeCode\\managed-settings.json',
    },
    switches: ['.claude/settings.local.json'],
    path: ['hooks', 'PreToolUse'],
    beside: {},
    entry: (command) => ({
      matcher: '*',
      hooks: [{ type: 'command', command, timeout: TIMEOUT_S, onFailure: 'block' }],
    }),
    byHand: [
      'Restart Claude Code. Before 2.1.295 it does not know onFailure: a hook that crashes runs the tool there.',
    ],
  },
  codex: {
    files: { user: '.codex/hooks.json', project: '.codex/hooks.json' },
    managed: {},
    path: ['hooks', 'PreToolUse'],
    beside: {},
    // Its schema is closed: a further member is a failed hook, and the tool runs.
    entry: (command) => ({ matcher: '.*', hooks: [{ type: 'command', command, timeout: TIMEOUT_S }] }),
    byHand: ['Start Codex and trust the hook: it runs no hook that its user has not trusted.'],
  },
  cursor: {
    files: { user: '.cursor/hooks.json', project: '.cursor/hooks.json' },
    managed: {
      linux: '/etc/cursor/hooks.json',
      darwin: '/Library/Application Support/Cursor/hooks.json',
      win32: 'C:\\ProgramData\\Cursor\\hooks.json',
    },
    path: ['hooks', 'preToolUse'],
    beside: { version: 1 },
    entry: (command) => ({ command, timeout: TIMEOUT_S, failClosed: true }),
    byHand: ['Restart Cursor.'],
  },
  gemini: {
    files: { user: '.gemini/settings.json', project: '.gemini/settings.json' },
    managed: {
      linux: '/etc/gemini-cli/settings.json',
      darwin: '/Library/Application Support/GeminiCli/settings.json',
      win32: 'C:\\ProgramData\\gemini-cli\\settings.json',
    },
    path: ['hooks', 'BeforeTool'],
    beside: {},
    entry: (command) => ({ matcher: '.*', hooks: [{ type: 'command', command, timeout: TIMEOUT_S * 1000 }] }),
    byHand: ['Restart Gemini CLI. It has no switch that makes a hook that cannot be started block.'],
  },
  copilot: {
    files: { user: '.copilot/hooks/aip.json', project: '.github/hooks/aip.json' },
    managed: { linux: '/etc/github-copilot/policy.d/aip.json' },
    switches: ['.github/copilot/settings.json', '.github/copilot/settings.local.json'],
    path: ['hooks', 'preToolUse'],
    beside: { version: 1 },
    entry: (command) => ({ type: 'command', bash: command, powershell: command, timeoutSec: TIMEOUT_S }),
    byHand: [],
  },
  vscode: {
    files: { user: '.copilot/hooks/aip-vscode.json', project: '.github/hooks/aip-vscode.json' },
    managed: {},
    path: ['hooks', 'PreToolUse'],
    beside: {},
    entry: (command) => ({ type: 'command', command, timeout: TIMEOUT_S }),
    byHand: ['Reload the window, and see that chat.useHooks is on.'],
  },
};

/**
 * The configuration with exactly one hook of `aip` for this agent, or with none where `command` is null; those of others stay. What held
 * nothing but the hook goes with it, so that taking it out undoes putting it in.
 */
export function withHook(client: HookClientName, config: JsonObject, command: string | null): JsonObject {
  const { path, beside, entry } = HOOK_INSTALLS[client];
  const [first, second] = path as readonly [string, string];
  const group = isObject(config[first]) ? config[first] : {};
  const list = Array.isArray(group[second]) ? (group[second] as readonly Json[]) : [];
  const others = list.flatMap((each) => withoutOwn(client, each));
  if (command !== null) return { ...beside, ...config, [first]: { ...group, [second]: [...others, entry(command)] } };
  if (JSON.stringify(others) === JSON.stringify(list)) return config;
  const left = without(config, first, without(group, second, others));
  return Object.entries(left).every(([name, value]) => beside[name] === value) ? {} : left;
}

/** True for a configuration whose hooks have the shape that the agent reads; `withHook` would write over another one. */
export function takesHook(client: HookClientName, config: JsonObject): boolean {
  const [first, second] = HOOK_INSTALLS[client].path as readonly [string, string];
  const group = config[first] ?? {};
  return isObject(group) && Array.isArray(group[second] ?? []);
}

/** The object with `value` as its member, or without that member where `value` is empty. */
function without(object: JsonObject, name: string, value: JsonObject | readonly Json[]): JsonObject {
  const members = { ...object, [name]: value };
  return Object.keys(value).length > 0
    ? members
    : Object.fromEntries(Object.entries(object).filter(([each]) => each !== name));
}

/** The commands of `aip` that the configuration runs for this agent. */
export function ownCommands(client: HookClientName, config: JsonObject): string[] {
  const [first, second] = HOOK_INSTALLS[client].path as readonly [string, string];
  const group = config[first];
  const list = isObject(group) && Array.isArray(group[second]) ? (group[second] as readonly Json[]) : [];
  return list.flatMap((each) => {
    if (!isObject(each)) return [];
    const inner = Array.isArray(each.hooks) ? (each.hooks as readonly Json[]).filter(isObject) : [each];
    return inner.flatMap((hook) =>
      commandsIn(hook)
        .filter((command) => isOwn(client, command))
        .slice(0, 1),
    );
  });
}

/** An entry without the hooks of `aip`: nothing where it held no other. */
function withoutOwn(client: HookClientName, entry: Json): Json[] {
  if (!isObject(entry)) return [entry];
  if (!Array.isArray(entry.hooks)) return commandsIn(entry).some((command) => isOwn(client, command)) ? [] : [entry];
  const kept = (entry.hooks as readonly Json[]).filter(
    (hook) => !isObject(hook) || !commandsIn(hook).some((command) => isOwn(client, command)),
  );
  if (kept.length === entry.hooks.length) return [entry];
  return kept.length === 0 ? [] : [{ ...entry, hooks: kept }];
}

function commandsIn({ command, bash, powershell }: JsonObject): string[] {
  return [command, bash, powershell].filter((each) => typeof each === 'string');
}

function isOwn(client: HookClientName, command: string): boolean {
  return (
    /(?:^|[\s/'"\\])(?:aip(?:\.cjs)?|start\.cjs)['"]?\s/.test(command) &&
    new RegExp(`\\shook ${client}(?:\\s|$)`).test(command)
  );
}
