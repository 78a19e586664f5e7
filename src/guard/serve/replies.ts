/** What the service answers with. A yes counts once, so nothing may be kept by a cache. */
import type { WebReply } from '../../app/ports/web.js';
import { JsonError, parseJson } from '../../protocol/json/parse.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** A reply as JSON. */
export function jsonWebReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): WebReply {
  return textWebReply(status, 'application/json', `${JSON.stringify(value)}\n`, headers);
}

/** A reply of another type. */
export function textWebReply(
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): WebReply {
  return { status, headers: { 'content-type': type, 'cache-control': 'no-store', ...headers }, body };
}

/** A request that is not answered with a decision. */
export class RequestRefused extends Error {
  readonly status: number;
  readonly code: string;
  /** Of the reply, beside those that every reply has. */
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.headers = headers;
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
  }
}

/** The reply to a refused request. */
export function refusalReply({ status, code, message, headers }: RequestRefused): WebReply {
  const own: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  return jsonWebReply(status, { code, message }, { ...own, ...headers });
}

/** The object in a body, strictly read. @throws Refusal 400 */
export function bodyObject(body: Uint8Array): JsonObject {
  let json: Json;
  try {
    json = parseJson(body);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw bad(`The body is not strict JSON: ${error.reason}.`);
  }
  if (!isObject(json)) throw bad('The body is not a JSON object.');
  return json;
}

/** @returns a refusal with status 400 */
export function bad(message: string): RequestRefused {
  return new RequestRefused(400, 'BAD_REQUEST', message);
}
