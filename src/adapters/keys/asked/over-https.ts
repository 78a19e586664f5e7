/** Questions over HTTPS to services that keep keys, and their failures in the same words. */
import { Failure, shellWord } from '../../../app/failure.js';
import type { Environment } from '../../../app/ports/secrets.js';
import { JsonError, parseJsonText } from '../../../protocol/json/parse.js';
import { isObject, type JsonObject } from '../../../protocol/json/values.js';
import { isPlainElsewhere } from '../../../protocol/web-url.js';
import { HttpClient, Unreachable, type HttpAnswer } from '../../http/client.js';
import { ANSWER_MS, unusableAnswer } from './checked.js';

/** Most bytes of an answer: one key has many versions. */
const MAX_ANSWER = 256 * 1024;

export interface ServiceCall {
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A service by its name for people and the URL that the environment gives for it. */
export class KeyService {
  readonly #name: string;
  readonly #client: HttpClient;
  /** What a person does where it is silent. */
  readonly #look: string;
  /** With a port where it is not the usual one. */
  readonly host: string;
  /** Path in front of every call, without a slash at its end. */
  readonly base: string;

  /** @throws Failure USAGE for a URL without HTTPS: a token goes there, and only this machine is trusted in the clear */
  constructor(
    name: string,
    url: string,
    options: { readonly variable: string; readonly env: Environment; readonly ca?: string | undefined },
  ) {
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (
      parsed === null ||
      !['https:', 'http:'].includes(parsed.protocol) ||
      isPlainElsewhere(url) ||
      parsed.username !== ''
    )
      throw new Failure('USAGE', `${options.variable} is not an https:// URL (http:// only for this machine itself).`, {
        hint: `${options.variable}=https://<host>`,
      });
    this.#name = name;
    this.#look = `see whether it answers: curl -sSI ${shellWord(parsed.origin)}; ${options.variable} says where it is`;
    this.#client = new HttpClient(parsed.origin, { ca: options.ca ?? null, env: options.env, kept: 0 });
    this.host = parsed.host;
    this.base = parsed.pathname.replace(/\/+$/, '');
  }

  /** Any whole answer. @throws Failure KEYSTORE_TIMEOUT, KEYSTORE_MISSING */
  async ask({ method, path, headers, body }: ServiceCall): Promise<HttpAnswer> {
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const length: Record<string, number> = bytes === undefined ? {} : { 'content-length': bytes.length };
    try {
      return await this.#client.ask({
        method,
        path: `${this.base}${path}`,
        headers: { accept: 'application/json', ...headers, ...length },
        body: bytes,
        timeoutMs: ANSWER_MS,
        maxBytes: MAX_ANSWER,
      });
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      if (error.kind === 'silent')
        throw new Failure('KEYSTORE_TIMEOUT', `${this.#name} did not answer within 5 s.`, {
          hint: this.#look,
          retryable: true,
          cause: error,
        });
      throw new Failure('KEYSTORE_MISSING', `${this.#name} cannot be reached (${error.code ?? error.message}).`, {
        hint: this.#look,
        retryable: true,
        cause: error,
      });
    }
  }

  /** The object in an answer's body. @throws Failure KEYSTORE_DENIED for anything else */
  read(answer: HttpAnswer): JsonObject {
    try {
      const json = parseJsonText(Buffer.from(answer.body).toString('utf8'));
      if (isObject(json)) return json;
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
    throw unusableAnswer(this.#name, `something that is no JSON object (HTTP ${answer.status})`);
  }
}

/** The bytes of a base64 text; null for any other value. */
export function base64Bytes(value: unknown): Uint8Array | null {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return null;
  return Uint8Array.from(Buffer.from(value, 'base64'));
}
