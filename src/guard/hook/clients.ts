/**
 * The coding agents whose pre-tool hooks are served. What differs between them is data here: where a call stands in the event, how a no
 * is said, and how long the agent waits. A format that changes is mended in its row.
 */
import { parseJsonText } from '../../protocol/json/parse.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { EVENT_BOUNDS, type HookOutput, type HookCall, type HookVerdict } from './call.js';

/** The agents that `aip hook <client>` takes. */
export type HookClientName = 'claude' | 'codex' | 'cursor' | 'gemini' | 'copilot' | 'vscode';

/** One coding agent. */
export interface HookClient {
  readonly name: HookClientName;
  /** As people know it. */
  readonly title: string;
  /** How long the agent waits for a hook before it goes on without it (ms). */
  readonly waitsMs: number;
  /** True where the agent puts a hook's question to its user. */
  readonly asks: boolean;
  /** The call of an event. @throws ShapeError for an event of another kind, or without what a call needs */
  readonly read: (event: JsonObject) => HookCall;
  /** The verdict in this agent's words. */
  readonly answer: (verdict: HookVerdict, event: JsonObject) => HookOutput;
}

const MAX_NAME = 256;

/** Tools under the names that these agents give them; what is not listed is its own action. */
const ACTIONS: ReadonlyMap<string, string> = new Map([
  ...named('shell', [
    'Bash',
    'BashOutput',
    'PowerShell',
    'Shell',
    'shell',
    'bash',
    'powershell',
    'local_shell',
    'exec_command',
  ]),
  ...named('shell', [
    'run_shell_command',
    'run_terminal_cmd',
    'runInTerminal',
    'run_in_terminal',
    'execute',
    'Terminal',
  ]),
  ...named('write_file', [
    'Write',
    'Edit',
    'MultiEdit',
    'NotebookEdit',
    'apply_patch',
    'ApplyPatch',
    'write_file',
    'edit',
  ]),
  ...named('write_file', ['replace', 'create', 'edit_file', 'search_replace', 'create_file', 'insert_edit_into_file']),
  ...named('write_file', [
    'replace_string_in_file',
    'multi_replace_string_in_file',
    'edit_notebook_file',
    'Delete',
    'delete_file',
    'str_replace_editor',
    'StrReplace',
    'createFile',
    'editFiles',
  ]),
  ...named('read_file', [
    'Read',
    'read_file',
    'read',
    'view',
    'view_image',
    'read_many_files',
    'readFile',
    'NotebookRead',
  ]),
  // What searches shows what it finds.
  ...named('read_file', ['Grep', 'Glob', 'LS', 'grep', 'glob', 'grep_files', 'grep_search', 'search_file_content']),
  ...named('read_file', [
    'rg',
    'file_search',
    'list_dir',
    'list_directory',
    'listDirectory',
    'textSearch',
    'fileSearch',
  ]),
  ...named('fetch_url', ['WebFetch', 'web_fetch', 'fetch', 'fetch_webpage', 'FetchUrl', 'fetch_url']),
]);

function named(action: string, tools: readonly string[]): [string, string][] {
  return tools.map((tool) => [tool, action]);
}

/** True for a tool that the agents have themselves, by the name of any of them. */
export function isOwnTool(tool: string): boolean {
  return ACTIONS.has(tool);
}

/** The action of a tool that is no MCP server's. */
function actionOfTool(tool: string): string {
  return ACTIONS.get(tool) ?? tool;
}

/** Follows PreToolUse of Claude Code 2.1. */
const CLAUDE: HookClient = {
  name: 'claude',
  title: 'Claude Code',
  waitsMs: 600_000,
  asks: true,
  read: claudeCall,
  answer: specific,
};

/** Follows PreToolUse of Codex 0.171. */
const CODEX: HookClient = {
  name: 'codex',
  title: 'Codex CLI',
  waitsMs: 600_000,
  // Its schema is closed: a question is an unknown answer there, and the tool runs.
  asks: false,
  read: claudeCall,
  answer: specific,
};

/** Follows PreToolUse of VS Code, preview of 2026. */
const VSCODE: HookClient = {
  name: 'vscode',
  title: 'VS Code agent',
  waitsMs: 30_000,
  asks: true,
  read: claudeCall,
  answer: specific,
};

/** Follows BeforeTool of Gemini CLI 0.61. */
const GEMINI: HookClient = {
  name: 'gemini',
  title: 'Gemini CLI',
  waitsMs: 60_000,
  asks: false,
  read: (event) => {
    eventIs(event, ['BeforeTool']);
    const tool = name(event, 'tool_name');
    const context = event.mcp_context;
    const mcp = isObject(context) ? { server: name(context, 'server_name'), tool: name(context, 'tool_name') } : null;
    const input = paramsIn(event.tool_input, 'tool_input');
    return callOf(tool, mcp === null && tool === 'web_fetch' ? withPromptUrls(input) : input, folder(event), mcp);
  },
  answer: (verdict) => {
    if (verdict.result === 'pass') return json({});
    if (verdict.result === 'grant') return json({ decision: 'allow' });
    return json({ decision: 'deny', reason: verdict.reason });
  },
};

/** Gemini's `web_fetch` fetches what its prompt mentions: there the URLs of the sentence are the destinations. */
function withPromptUrls(input: JsonObject): JsonObject {
  const { prompt } = input;
  const words = typeof prompt === 'string' ? prompt.split(/\s+/).filter((word) => word.includes('://')) : [];
  if (words.length === 0) return input;
  return { ...input, prompt_urls: words.map((word) => word.replace(/^[^a-z]+/i, '').replace(AROUND_URL, '')) };
}

const AROUND_URL = /(?<![.,;:!?'"<>()[\]{}])[.,;:!?'"<>()[\]{}]+$/;

/** Follows preToolUse of Copilot CLI 1.0. */
const COPILOT: HookClient = {
  name: 'copilot',
  title: 'Copilot CLI',
  waitsMs: 30_000,
  asks: true,
  read: (event) => {
    if (event.hook_event_name !== undefined || event.hookEventName !== undefined) return claudeCall(event);
    const tool = name(event, 'toolName');
    return callOf(tool, paramsIn(event.toolArgs, 'toolArgs', tool), folder(event), null);
  },
  answer: (verdict, event) => {
    if (event.hook_event_name !== undefined || event.hookEventName !== undefined) return specific(verdict);
    if (verdict.result === 'pass') return json({});
    if (verdict.result === 'grant') return json({ permissionDecision: 'allow' });
    return json({ permissionDecision: verdict.result, permissionDecisionReason: verdict.reason });
  },
};

/** Follows version 1 of the hooks of Cursor. */
const CURSOR: HookClient = {
  name: 'cursor',
  title: 'Cursor',
  waitsMs: 60_000,
  // It is said to pass over a hook's question before a tool.
  asks: false,
  read: (event) => {
    switch (eventIs(event, ['preToolUse', 'beforeShellExecution', 'beforeMCPExecution', 'beforeReadFile'])) {
      case 'beforeShellExecution':
        return callOf('Shell', { command: text(event, 'command') }, folder(event), null);
      case 'beforeReadFile':
        return callOf('Read', { file_path: text(event, 'file_path') }, folder(event), null);
      case 'beforeMCPExecution': {
        const tool = name(event, 'tool_name');
        const input = paramsIn(event.tool_input, 'tool_input');
        if (event.server !== undefined)
          return callOf(tool, input, folder(event), { server: name(event, 'server'), tool });
        // Without its server's name, the tool of any server would pass for one of the same name: `preToolUse` puts `MCP:` before it, too.
        return callOf(`MCP:${tool}`, input, folder(event), null);
      }
      default: {
        const tool = name(event, 'tool_name');
        return callOf(tool, paramsIn(event.tool_input, 'tool_input'), folder(event), mcpNamed(tool));
      }
    }
  },
  answer: (verdict) => {
    if (verdict.result === 'pass') return json({});
    if (verdict.result === 'grant') return json({ permission: 'allow' });
    return json({ permission: 'deny', user_message: verdict.reason, agent_message: verdict.reason });
  },
};

/** Every agent, by its name on the command line. */
export const HOOK_CLIENTS: Readonly<Record<HookClientName, HookClient>> = {
  claude: CLAUDE,
  codex: CODEX,
  cursor: CURSOR,
  gemini: GEMINI,
  copilot: COPILOT,
  vscode: VSCODE,
};

const PRE_TOOL_USE = 'PreToolUse';

function claudeCall(event: JsonObject): HookCall {
  const given = event.hook_event_name ?? event.hookEventName;
  if (given !== PRE_TOOL_USE) throw wrongEvent(given, [PRE_TOOL_USE]);
  const tool = name(event, 'tool_name');
  return callOf(tool, paramsIn(event.tool_input, 'tool_input', tool), folder(event), mcpNamed(tool));
}

/** `{"hookSpecificOutput": ...}` with just the members of Claude's schema: a further one is a failed hook elsewhere, and the tool runs. */
function specific(verdict: HookVerdict): HookOutput {
  if (verdict.result === 'pass') return json({});
  const decision =
    verdict.result === 'grant'
      ? { permissionDecision: 'allow' }
      : { permissionDecision: verdict.result, permissionDecisionReason: verdict.reason };
  return json({ hookSpecificOutput: { hookEventName: PRE_TOOL_USE, ...decision } });
}

function callOf(tool: string, params: JsonObject, target: string | null, mcp: HookCall['mcp']): HookCall {
  return { tool, action: mcp === null ? actionOfTool(tool) : `${mcp.server}.${mcp.tool}`, params, target, mcp };
}

/** `mcp__<server>__<tool>`: the server's name ends at the first pair of underscores. */
function mcpNamed(tool: string): HookCall['mcp'] {
  const match = /^mcp__(.+?)__(.+)$/.exec(tool);
  return match === null ? null : { server: match[1]!, tool: match[2]! };
}

function eventIs(event: JsonObject, kinds: readonly string[]): string {
  const given = event.hook_event_name;
  if (typeof given !== 'string' || !kinds.includes(given)) throw wrongEvent(given, kinds);
  return given;
}

function wrongEvent(given: Json | undefined, kinds: readonly string[]): ShapeError {
  const found = typeof given === 'string' ? JSON.stringify(given.slice(0, 64)) : 'no event name';
  return new ShapeError(`it has ${found}, and ${kinds.join(', ')} is what is decided here`);
}

/** The tool's input: an object, or the text of one. What is neither could hide what the tool gets. */
function paramsIn(value: Json | undefined, member: string, tool = ''): JsonObject {
  // Copilot gives this tool no object: its input is the patch itself, which no JSON begins like.
  if (tool === 'apply_patch' && typeof value === 'string' && value.startsWith('*** Begin Patch'))
    return { input: value };
  const read = typeof value === 'string' ? parseJsonText(value, null, EVENT_BOUNDS) : value;
  if (!isObject(read)) throw new ShapeError(`"${member}" is not an object`);
  return read;
}

function name(object: JsonObject, member: string): string {
  const value = text(object, member);
  if (value.length > MAX_NAME) throw new ShapeError(`"${member}" is longer than ${MAX_NAME} characters`);
  return value;
}

function text(object: JsonObject, member: string): string {
  const value = object[member];
  if (typeof value !== 'string' || value === '') throw new ShapeError(`"${member}" is not a text`);
  return value;
}

/** The working folder. Cursor leaves it empty before a shell command: there it is the first root of the workspace. */
function folder(event: JsonObject): string | null {
  const { cwd } = event;
  if (cwd !== undefined && cwd !== null && cwd !== '') return text(event, 'cwd');
  const [root] = Array.isArray(event.workspace_roots) ? (event.workspace_roots as readonly Json[]) : [];
  return typeof root === 'string' && root !== '' ? root : null;
}

function json(value: object): HookOutput {
  return { stdout: `${JSON.stringify(value)}\n`, stderr: '', exitCode: 0 };
}
