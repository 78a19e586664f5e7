/** What a request asks for, read before anything is decided about it. */
import { sha256Hex } from '../../protocol/hash.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { resourceCovered, resourceDenied } from '../../protocol/naming/resources.js';
import { RPC, RpcError, type RpcMessage } from './message.js';
import { CALL_MEMBERS, type DeclaredRule } from './methods.js';
import type { SessionPorts, ToolCall } from './ports.js';
import { notDeclared } from './refusal.js';
import { refusalLine } from '../refusal.js';

/** A request. */
export type RpcRequest = RpcMessage & { readonly kind: 'request' };

/** The version of the protocol that a request of the later era names in its params. */
export const VERSION_MEMBER = 'io.modelcontextprotocol/protocolVersion';

/** A call of a tool. */
export interface AskedCall {
  readonly name: string;
  readonly given: JsonObject;
  /** The answers to what the server asked for. */
  readonly beside: JsonObject;
  /** The hash of name and arguments: what a continuation must be of. */
  readonly key: string;
  readonly state: Json | undefined;
}

/** Reads a `tools/call`. @throws RpcError */
export function callIn({ id, params }: RpcRequest): AskedCall {
  const { name, requestState: state, inputResponses } = params;
  const given = params.arguments ?? {};
  const stranger = Object.keys(params).find((member) => !CALL_MEMBERS.has(member));
  if (stranger !== undefined)
    throw new RpcError(RPC.invalidParams, `unknown member ${JSON.stringify(stranger.slice(0, 64))}`, id);
  if (typeof name !== 'string' || name === '') throw new RpcError(RPC.invalidParams, '"name" is not a text', id);
  if (!isObject(given)) throw new RpcError(RPC.invalidParams, '"arguments" is not an object', id);
  const beside: JsonObject = inputResponses === undefined ? {} : { inputResponses };
  return { name, given, beside, key: sha256Hex(canonicalize({ name, arguments: given })), state };
}

/** The version that the params of a request of the later era name; null for one of the older era. */
export function versionIn({ _meta: meta }: JsonObject): string | null {
  const version = isObject(meta) ? meta[VERSION_MEMBER] : undefined;
  return typeof version === 'string' ? version : null;
}

/**
 * What is decided about a read of a resource or a prompt, under the pattern that is about it, a denied one first; null where nothing is
 * signed for the request, which then passes. Under `observe` what is not declared is decided under its own name.
 * @throws RpcError for what the passport does not declare, or denies and nothing is signed for, unless `observe`
 */
export function readIn(
  { id, method, params }: RpcRequest,
  { kind, names, reads }: DeclaredRule,
  { patterns, denied, server, observe }: Pick<SessionPorts, 'patterns' | 'denied' | 'server' | 'observe'>,
): ToolCall | null {
  const declared = patterns(kind);
  if (declared.length === 0 && !observe)
    throw new RpcError(RPC.unknownMethod, `the passport declares no ${kind}: ${method} does not pass`, id);
  if (names === null) return null;
  const name = names(params);
  if (name === null) throw new RpcError(RPC.invalidParams, `the ${kind} is not named`, id);
  const barred = denied(kind).find((each) => (kind === 'resource' ? resourceDenied(each, name) : each === name));
  const covering = declared.find((each) => (kind === 'resource' ? resourceCovered(each, name) : each === name));
  const pattern = covering === undefined ? undefined : (barred ?? covering);
  if (!observe && (pattern === undefined || (barred !== undefined && !reads)))
    throw new RpcError(RPC.invalidParams, refusalLine(notDeclared(`${kind}:${name}`, server)), id);
  if (!reads) return null;
  return {
    tool: null,
    action: `${kind}:${pattern ?? name}`,
    params: { [kind]: name },
    beside: Object.fromEntries(Object.entries(params).filter(([member]) => member !== '_meta')),
    target: `mcp:${server}`,
    counted: true,
  };
}
