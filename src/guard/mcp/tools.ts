/** Tools as a server lists them: which the agent may see, and whether they are still what they were at first sight. */
import { canonicalize } from '../../protocol/json/canonical.js';
import { sha256Hex } from '../../protocol/hash.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** What is remembered of a server's tools between runs. */
export interface ToolPins {
  /** The pinned hashes by tool name; null for a server that was never seen. */
  readonly known: () => ReadonlyMap<string, string> | null;
  /** Keeps what was seen first. */
  readonly keep: (tools: readonly ListedTool[]) => void;
}

/** How a tool stands against its pin. */
export type PinState = 'same' | 'changed' | 'new';

/** One tool of a list. */
export interface ListedTool {
  readonly name: string;
  /** `sha256:` and hex over the RFC 8785 form of the whole object: a description, an annotation or an icon can mislead a model as well. */
  readonly hash: string;
  readonly tool: JsonObject;
}

/** The tools in a result of tools/list; entries that are no tools are left out, and so is the second of two with one name. */
export function toolsIn(result: JsonObject): ListedTool[] {
  const seen = new Set<string>();
  return (Array.isArray(result.tools) ? (result.tools as readonly Json[]) : []).flatMap((tool) => {
    if (!isObject(tool) || typeof tool.name !== 'string' || tool.name === '' || seen.has(tool.name)) return [];
    seen.add(tool.name);
    return [{ name: tool.name, hash: toolHash(tool), tool }];
  });
}

/** `sha256:` and the hash of the tool's RFC 8785 form. */
function toolHash(tool: JsonObject): string {
  return `sha256:${sha256Hex(canonicalize(tool))}`;
}

/** How `tool` stands against what is pinned. */
export function pinState(pinned: ReadonlyMap<string, string>, name: string, hash: string): PinState {
  const known = pinned.get(name);
  if (known === undefined) return 'new';
  return known === hash ? 'same' : 'changed';
}

/** The page with `tools` in place of its own; no cache shows it to another agent or past a revocation. */
export function shownPage(result: JsonObject, tools: readonly ListedTool[], maxTtlMs: number): JsonObject {
  return { ...uncached(result, maxTtlMs), tools: tools.map(({ tool }) => tool) };
}

/** A result that a client may keep, private and short-lived; without a word of keeping, the result itself. */
export function uncached(result: JsonObject, maxTtlMs: number): JsonObject {
  const { cacheScope, ttlMs } = result;
  if (cacheScope === undefined && ttlMs === undefined) return result;
  return {
    ...result,
    ...(cacheScope === undefined ? {} : { cacheScope: 'private' }),
    ...(ttlMs === undefined ? {} : { ttlMs: Math.min(typeof ttlMs === 'number' ? ttlMs : 0, maxTtlMs) }),
  };
}
