/** What a session between an MCP client and a server needs of the world, and what it says. */
import type { JsonObject } from '../../protocol/json/values.js';
import type { CallRefusal } from '../refusal.js';
import type { RpcMessage } from './message.js';
import type { ToolPins } from './tools.js';

/** A call that asks for a verdict. */
export interface ToolCall {
  /** The tool under its server's name for it; null where none is called. */
  readonly tool: string | null;
  readonly action: string;
  readonly params: JsonObject;
  /** What reaches the server beside them and is not signed: a prompt's arguments, answers to the server's questions. */
  readonly beside: JsonObject;
  /** `mcp:<server>`. */
  readonly target: string;
  /** The intent that it goes on from, by its hash, where this session saw it: judged again, and not counted a second time. */
  readonly continues: string | null;
}

/** What was decided about a call. */
export type CallVerdict =
  { readonly allowed: true; readonly intentHash: string } | ({ readonly allowed: false } & CallRefusal);

/** What a server offers beside tools. */
export type ReadKind = 'resource' | 'prompt';

/** What happened to a call that was allowed. */
export type CallOutcome = 'ok' | 'error' | 'unknown';

/** Where messages of one exchange go: each as a line, without the line feed, and as the value that it was written from. */
export interface SessionRoute {
  readonly toClient: (line: string, message: RpcMessage) => void;
  readonly toServer: (line: string, message: RpcMessage) => void;
}

/** What a session needs of the world. Its own route is for what belongs to no exchange. */
export interface SessionPorts extends SessionRoute {
  readonly server: string;
  /** Signs, verifies and logs; resolves after the commit. A rejection is a failure of the guard: the call does not run. */
  readonly decide: (call: ToolCall) => Promise<CallVerdict>;
  /**
   * Why answers to a question of the server's do not reach it: they would bring a tool to what is aip's own. Written into the log; null for
   * others. `method`: what carries them.
   */
  readonly answersRefused: (method: string, answers: JsonObject) => CallRefusal | null;
  /** Writes what was refused otherwise into the log: a tool that changed. */
  readonly refused: (call: ToolCall, refusal: CallRefusal) => void;
  readonly outcome: (intentHash: string, outcome: CallOutcome) => void;
  /** True where the passport declares the action and does not deny it. */
  readonly declares: (action: string) => boolean;
  /** The patterns behind `resource:` or the names behind `prompt:` that the passport declares. */
  readonly patterns: (kind: ReadKind) => readonly string[];
  /** The same of what it denies. */
  readonly denied: (kind: ReadKind) => readonly string[];
  /** The action that the user mapped a tool to. */
  readonly mapped: (tool: string) => string | null;
  readonly pins: ToolPins;
  /** True: a server or tool that was never pinned is refused instead of pinned at first sight. */
  readonly requirePins: boolean;
  readonly allowElicitation: boolean;
  /** Logs what would be refused, and forwards. */
  readonly observe: boolean;
  /** The longest that a list may be cached (ms). */
  readonly maxTtlMs: number;
  /** Microseconds of a clock that only goes forward. */
  readonly ticks: () => number;
  /** Told once what a person should hear. */
  readonly note: (text: string) => void;
}
