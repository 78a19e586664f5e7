/** What a coding agent is about to do, as its pre-tool hook tells it, and what the hook answers. Pure: bytes in, bytes out. */
import type { JsonBounds } from '../../protocol/json/bounds.js';
import type { JsonObject } from '../../protocol/json/values.js';

/** What an event may hold, and a tool's input that stands in it as a text: 1 MiB of input, and room around it. */
export const EVENT_BOUNDS: JsonBounds = { bytes: 1024 * 1024 + 64 * 1024, depth: 32 };

/** One tool call of a coding agent. */
export interface HookCall {
  /** The tool under the agent's own name. */
  readonly tool: string;
  /** The action that the passport is asked about, unless a map of the user's says otherwise. */
  readonly action: string;
  /** The tool's input, whole. */
  readonly params: JsonObject;
  /** The working folder, as the agent names it; null where it names none. */
  readonly target: string | null;
  /** The MCP server and its tool, where the call is for one. */
  readonly mcp: { readonly server: string; readonly tool: string } | null;
}

/** What was decided about a call. `reason` begins with the code. */
export type HookVerdict =
  /** No objection: the agent's own prompts and rules go on. */
  | { readonly result: 'pass' }
  /** A grant, which skips the agent's own prompt: only where the user asked for it. */
  | { readonly result: 'grant' }
  | { readonly result: 'deny'; readonly reason: string }
  /** The agent puts its own question to its user. */
  | { readonly result: 'ask'; readonly reason: string };

/** What the process writes and how it ends. */
export interface HookOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: 0 | 2;
}

/**
 * The answer to every failure of the hook itself: exit 2 with a sentence. In these agents any other exit, a crash or silence runs the
 * tool. The sentence is never empty: one of them takes an empty one for a yes.
 */
export function failureAnswer(sentence: string): HookOutput {
  return { stdout: '', stderr: `aip hook: ${sentence.trim() || 'it failed.'}\n`, exitCode: 2 };
}

/** How long a hook may take before it is its own failure (ms): at most half of what every agent waits before it runs the tool. */
export const WATCHDOG_MS = 5_000;
