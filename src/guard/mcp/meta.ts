/**
 * What passes of `_meta`, which no verdict is about. To a server nothing that only a client's author knows the meaning of: it would be an
 * argument that was not judged. To a client nothing that reads as the guard's own word.
 */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** The keys without a prefix that MCP gives a meaning: progress, and the trace context of W3C. */
const NAMED_KEYS: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage']);
const PROTOCOL_PREFIX = 'io.modelcontextprotocol/';
/** `aip/decision` is how the guard says what it decided. */
const GUARD_PREFIX = 'aip/';

/** The params of a client's message with no other `_meta` than what the protocol itself names. */
export function paramsToServer(params: JsonObject): JsonObject {
  const { _meta: meta, ...others } = params;
  if (meta === undefined) return params;
  if (!isObject(meta)) return others;
  const passes = (key: string): boolean => NAMED_KEYS.has(key) || key.startsWith(PROTOCOL_PREFIX);
  return { ...others, _meta: Object.fromEntries(Object.entries(meta).filter(([key]) => passes(key))) };
}

/** `_meta` as a request of the guard's own takes it along: progress is told of the client's request alone. */
export function ownMeta(meta: Json): Json {
  if (!isObject(meta)) return meta;
  const { progressToken: _token, ...others } = meta;
  return others;
}

/** What a server sent, without the keys of the guard in any `_meta`, at any depth; the value itself where there is none. */
export function withoutGuardKeys<T extends Json>(value: T): T {
  return cleared(value) as T;
}

function cleared(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (!isObject(value)) {
    const list = value.map((each) => cleared(each));
    return list.some((each, at) => each !== value[at]) ? list : value;
  }
  let changed = false;
  const members = Object.entries(value).map(([name, member]): [string, Json] => {
    const kept = cleared(name === '_meta' && isObject(member) ? unmarked(member) : member);
    changed ||= kept !== member;
    return [name, kept];
  });
  return changed ? Object.fromEntries(members) : value;
}

function unmarked(meta: JsonObject): JsonObject {
  const members = Object.entries(meta);
  const kept = members.filter(([key]) => !key.startsWith(GUARD_PREFIX));
  return kept.length === members.length ? meta : Object.fromEntries(kept);
}
