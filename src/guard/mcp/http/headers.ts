/**
 * The headers that the later era of MCP puts beside a message, so that proxies can route by them. Whatever stands there must be what the
 * body says: a proxy, or the server, may go by the one, and this guard by the other.
 */
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';
import { VERSION_MEMBER, versionIn } from '../calls.js';
import { RPC, RpcError, type RpcMessage } from '../message.js';

/** The member of the params that `Mcp-Name` repeats, by method. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);
/** The first version whose messages name it themselves; versions are dates. */
export const LATER_ERA = '2026-07-28';
const PARAM = 'mcp-param-';
/** A form for values that a header cannot hold. */
const ENCODED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

type Headers = Readonly<Record<string, string>>;

/**
 * Holds the headers against the message. @throws RpcError -32020
 * @param argsSchema of the tool that is called, where it is known: it says which arguments headers repeat
 */
export function headersAgree(headers: Headers, message: RpcMessage): void {
  if (!('method' in message)) return;
  const { method, params } = message;
  const id = message.kind === 'request' ? message.id : null;
  const differ = (name: string): RpcError =>
    new RpcError(RPC.headerMismatch, `the header ${name} is not what the body says`, id);
  const modern = versionIn(params);
  const { 'mcp-protocol-version': version, 'mcp-method': said, 'mcp-name': name } = headers;
  const needed = modern !== null && message.kind === 'request';
  if (modern === null && message.kind === 'request' && version !== undefined && version >= LATER_ERA)
    throw new RpcError(RPC.invalidParams, `the params name no version in _meta["${VERSION_MEMBER}"]`, id);
  if (version === undefined ? needed : modern !== null && version !== modern) throw differ('MCP-Protocol-Version');
  if (said === undefined ? needed : said !== method) throw differ('Mcp-Method');
  const named = namedIn(method, params);
  if (name === undefined ? needed && named !== null : decoded(name) !== named) throw differ('Mcp-Name');
}

/** Holds the headers that repeat arguments of a call against them. @throws RpcError -32020 */
export function paramsAgree(
  headers: Headers,
  message: RpcMessage & { kind: 'request' },
  tool: JsonObject | null,
): void {
  const expected = paramHeaders(tool, message.params.arguments);
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(PARAM)) continue;
    const own = expected.get(name);
    if (own === undefined || !sameValue(decoded(value), own))
      throw new RpcError(RPC.headerMismatch, `the header ${name} is not what the body says`, message.id);
  }
}

/** What stands beside a message that goes to the server, from the message itself. `tool`: the one that is called, as it was listed. */
export function headersOf(message: RpcMessage, tool: JsonObject | null): Record<string, string> {
  if (!('method' in message)) return {};
  const { method, params } = message;
  const version = versionIn(params);
  if (version === null) return {};
  const named = namedIn(method, params);
  return {
    'mcp-protocol-version': encoded(version),
    'mcp-method': encoded(method),
    ...(named === null ? {} : { 'mcp-name': encoded(named) }),
    ...Object.fromEntries([...paramHeaders(tool, params.arguments)].map(([name, value]) => [name, encoded(value)])),
  };
}

function namedIn(method: string, params: JsonObject): string | null {
  const member = NAMED.get(method);
  const value = member === undefined ? undefined : params[member];
  return typeof value === 'string' ? value : null;
}

/** The headers that a tool's schema asks for (`x-mcp-header`), by lower-case name. A declaration that the protocol does not have is left out. */
function paramHeaders(tool: JsonObject | null, given: Json | undefined): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (schema: Json | undefined, value: Json | undefined): void => {
    if (!isObject(schema) || !isObject(schema.properties)) return;
    for (const [member, property] of Object.entries(schema.properties)) {
      const own = isObject(value) && Object.hasOwn(value, member) ? value[member] : undefined;
      const name = isObject(property) ? property['x-mcp-header'] : undefined;
      if (typeof name === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/.test(name)) {
        const text = primitive(own);
        if (text !== null) found.set(PARAM + name.toLowerCase(), text);
      }
      visit(property, own);
    }
  };
  if (tool !== null) visit(tool.inputSchema, given);
  return found;
}

function primitive(value: Json | undefined): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : null;
}

function sameValue(header: string | null, body: string): boolean {
  if (header === body) return true;
  // `42.0` and `42` are one number.
  const decimal = /^-?\d+(?:\.\d+)?$/;
  return header !== null && decimal.test(header) && decimal.test(body) && Number(header) === Number(body);
}

/** Null for a value whose encoding is not that of one text. */
function decoded(value: string): string | null {
  const [, base64] = ENCODED.exec(value) ?? [];
  if (base64 === undefined) return value;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) return null;
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}

function encoded(value: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(value) && !ENCODED.test(value);
  return plain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
