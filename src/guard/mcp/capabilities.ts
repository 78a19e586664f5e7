/** What either side says it can do, without what the guard refuses, so that neither offers it to the other. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { ReadKind } from './ports.js';

const SPOKEN = 'io.modelcontextprotocol/clientCapabilities';

/** The params of `initialize` or of a request of the later era, with the client's capabilities cleared. */
export function openingParams(params: JsonObject, allowElicitation: boolean): JsonObject {
  const dropped = allowElicitation ? ['sampling', 'roots'] : ['sampling', 'roots', 'elicitation'];
  const cleared: Record<string, Json> = { ...params };
  if (isObject(params.capabilities)) cleared.capabilities = without(params.capabilities, dropped);
  const meta = params._meta;
  if (isObject(meta) && isObject(meta[SPOKEN])) cleared._meta = { ...meta, [SPOKEN]: without(meta[SPOKEN], dropped) };
  return cleared;
}

/** The result of `initialize` or `server/discover`, with what the passport does not declare left out. */
export function openedResult(result: JsonObject, patterns: (kind: ReadKind) => readonly string[]): JsonObject {
  if (!isObject(result.capabilities)) return result;
  const resources = patterns('resource').length > 0;
  const prompts = patterns('prompt').length > 0;
  const dropped = [
    ...(resources ? [] : ['resources']),
    ...(prompts ? [] : ['prompts']),
    ...(resources || prompts ? [] : ['completions']),
  ];
  return { ...result, capabilities: without(result.capabilities, dropped) };
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
