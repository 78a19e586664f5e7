/**
 * JSON-RPC 2.0 as MCP uses it, read strictly: a message that two readers could take for different ones is refused, because the server
 * behind the guard may be the other reader. Batches, which current revisions do not have, are refused for the same reason.
 */
import type { JsonBounds } from '../../protocol/json/bounds.js';
import { JsonError, parseJson, parseJsonText } from '../../protocol/json/parse.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** What a client may send in one message: params of 1 MiB, and room around them. */
export const CLIENT_BOUNDS: JsonBounds = { bytes: 1024 * 1024 + 64 * 1024, depth: 64 };
/** What a server may send: results hold files and pictures. */
export const SERVER_BOUNDS: JsonBounds = { bytes: 16 * 1024 * 1024, depth: 128 };

/** A request's id. Zero and the empty text are ids; null and fractions are none. */
export type RpcId = string | number;

/** One message of either side. */
export type RpcMessage =
  | { readonly kind: 'request'; readonly id: RpcId; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'result'; readonly id: RpcId; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly id: RpcId | null; readonly error: JsonObject };

/** The codes of JSON-RPC and MCP that the guard answers with. */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  unknownMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  headerMismatch: -32020,
} as const;

/** A message that is not forwarded. `id` is the request's, where one could be read, so that the answer finds its caller. */
export class RpcError extends Error {
  readonly code: number;
  readonly id: RpcId | null;
  constructor(code: number, message: string, id: RpcId | null = null) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
    this.id = id;
  }
}

/** Numbers whose digits a double loses: kept apart, so that a message with one is never written anew from the wrong value. */
export interface ReadMessage {
  readonly message: RpcMessage;
  /** True where writing the message anew would change a number. */
  readonly rounded: boolean;
}

/** Reads one message. @throws RpcError */
function readMessage(bytes: Uint8Array | string, bounds: JsonBounds): ReadMessage {
  let rounded = false;
  const large = (written: string): Json => {
    rounded = true;
    return Number(written);
  };
  let document: Json;
  try {
    document = typeof bytes === 'string' ? parseJsonText(bytes, large, bounds) : parseJson(bytes, large, bounds);
  } catch (error) {
    if (error instanceof JsonError) throw new RpcError(RPC.parse, `not one JSON message: ${error.reason}`);
    throw error;
  }
  return { message: messageOf(document), rounded };
}

/** What a server sent, and its line where writing the message anew would change a number; null where it would not. */
export interface ServerMessage {
  readonly message: RpcMessage;
  readonly verbatim: Uint8Array | string | null;
}

/**
 * Reads one message of a server. Half of a surrogate pair, with which a text ends that was cut within a character, is read as U+FFFD:
 * nobody signs what a server says. @throws RpcError
 */
export function readServerMessage(line: Uint8Array | string): ServerMessage {
  const read = (given: Uint8Array | string): ServerMessage => {
    const { message, rounded } = readMessage(given, SERVER_BOUNDS);
    return { message, verbatim: rounded ? given : null };
  };
  try {
    return read(line);
  } catch (error) {
    const text = asText(line);
    const whole = text.replace(ESCAPES, (escape) => (HALF_PAIR.test(escape) ? '\\ufffd' : escape));
    if (whole === text) throw error;
    return read(whole);
  }
}

/** Each escape of a string, a pair of surrogates as one. */
const ESCAPES = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^u])/g;
const HALF_PAIR = /^\\u[dD][89a-fA-F][0-9a-fA-F]{2}$/;

/**
 * The request that a line answers which is no message of MCP, as a lenient reader has it: its caller would wait for nothing. Null for what
 * is no answer.
 * @param asked what is answered where the line does not say it
 */
export function answeredBy(line: Uint8Array | string, asked: RpcId | null): RpcId | null {
  const { id, method } = leniently(line);
  return method === undefined ? (id ?? asked) : null;
}

/**
 * Reads one message of a client, which is written anew for the server: no number of it may become another one.
 * @throws RpcError under the id that a lenient reader finds: a client passes over an error without one, and waits on
 */
export function readClientMessage(bytes: Uint8Array | string): RpcMessage {
  let read: ReadMessage;
  try {
    read = readMessage(bytes, CLIENT_BOUNDS);
  } catch (error) {
    if (!(error instanceof RpcError) || error.id !== null) throw error;
    const { id, method } = leniently(bytes);
    // An answer's id is the server's: to the client it is another request.
    throw new RpcError(error.code, error.message, (method === undefined ? null : id) ?? null);
  }
  const { message, rounded } = read;
  if (!rounded) return message;
  const id = 'id' in message ? message.id : null;
  throw new RpcError(RPC.invalidParams, 'a number has more digits than can be read exactly', id);
}

/** What a reader that takes any JSON finds of a message; nothing in what is no JSON object. */
function leniently(line: Uint8Array | string): { readonly id?: RpcId; readonly method?: unknown } {
  try {
    const { id, method } = JSON.parse(asText(line)) as JsonObject;
    const known = typeof id === 'string' || typeof id === 'number';
    return { method, ...(known ? { id } : {}) };
  } catch {
    return {};
  }
}

/** A parsed value as a message. @throws RpcError */
function messageOf(document: Json): RpcMessage {
  if (Array.isArray(document))
    throw new RpcError(RPC.invalidRequest, 'a batch is not accepted; send each message alone');
  if (!isObject(document)) throw new RpcError(RPC.invalidRequest, 'a message is an object');
  const { id, method, params, result, error } = document;
  const known = typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id)) ? id : null;
  const refuse = (why: string): RpcError => new RpcError(RPC.invalidRequest, why, known);
  if (document.jsonrpc !== '2.0') throw refuse('"jsonrpc" is not "2.0"');
  const stranger = Object.keys(document).find((name) => !MEMBERS.has(name));
  if (stranger !== undefined) throw refuse(`unknown member ${JSON.stringify(stranger.slice(0, 64))}`);
  if (id !== undefined && id !== null && known === null) throw refuse('an id is a text or a whole number');
  if (method !== undefined) {
    if (typeof method !== 'string' || method === '') throw refuse('"method" is not a text');
    if (result !== undefined || error !== undefined) throw refuse('a request holds no result and no error');
    if (params !== undefined && !isObject(params)) throw refuse('"params" is not an object');
    if (id === null) throw refuse('an id is a text or a whole number');
    const given: JsonObject = params ?? {};
    return known === null
      ? { kind: 'notification', method, params: given }
      : { kind: 'request', id: known, method, params: given };
  }
  if (params !== undefined) throw refuse('"params" without "method"');
  if (error !== undefined) {
    if (result !== undefined) throw refuse('a response holds a result or an error, not both');
    if (!isObject(error)) throw refuse('"error" is not an object');
    return { kind: 'error', id: known, error };
  }
  if (known === null) throw refuse('a response names the request that it answers');
  if (!isObject(result)) throw refuse('"result" is not an object');
  return { kind: 'result', id: known, result };
}

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

/** The message as one line of JSON, without the line feed. */
export function writeMessage(message: RpcMessage): string {
  switch (message.kind) {
    case 'request':
      return JSON.stringify({ jsonrpc: '2.0', id: message.id, method: message.method, params: message.params });
    case 'notification':
      return JSON.stringify({ jsonrpc: '2.0', method: message.method, params: message.params });
    case 'result':
      return JSON.stringify({ jsonrpc: '2.0', id: message.id, result: message.result });
    case 'error':
      return JSON.stringify({ jsonrpc: '2.0', id: message.id, error: message.error });
  }
}

/** A document as it came, in one line: a break between its tokens would end the message for its reader, and begin one that nobody checked. */
export function asOneLine(document: Uint8Array | string): string {
  return asText(document).replace(/[\r\n]+/g, ' ');
}

/** The answer to a message that was refused as malformed, or whose method does not pass. */
export function errorFor({ code, message, id }: RpcError): RpcMessage {
  return { kind: 'error', id, error: { code, message } };
}

function asText(document: Uint8Array | string): string {
  return typeof document === 'string' ? document : Buffer.from(document).toString();
}
