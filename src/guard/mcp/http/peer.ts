/** A client of a server's own over HTTP, for what `aip mcp init`, `pin` and `diff` ask: no tool is called. */
import type { JsonObject } from '../../../protocol/json/values.js';
import { readServerMessage, writeMessage, type RpcMessage } from '../message.js';
import { agreedVersion } from './link.js';
import { headersOf } from './headers.js';
import { askUpstream, type Upstream } from './upstream.js';

/** Asks one server. */
export class HttpPeer {
  readonly #upstream: Upstream;
  #id = 0;
  #session: string | null = null;
  #version: string | null = null;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** The result; null for an error of the server's, in either form. @throws Error with the reason where no answer came */
  ask(method: string, params: JsonObject): Promise<JsonObject | null> {
    const id = (this.#id += 1);
    return new Promise((resolve, reject) => {
      this.#send('POST', { kind: 'request', id, method, params }, (message) => {
        if (message.kind === 'error') return resolve(null);
        if (message.kind !== 'result' || message.id !== id) return;
        if (method === 'initialize') this.#version = agreedVersion(message);
        resolve(message.result);
      })
        .then(({ problem, status }) => {
          if (status === 400 || status === 404 || status === 405) resolve(null);
          else reject(new Error(problem ?? 'it ended its answer without one'));
        })
        .catch(reject);
    });
  }

  /** Resolves when the server took it, or did not. */
  async tell(method: string): Promise<void> {
    await this.#send('POST', { kind: 'notification', method, params: {} }, () => undefined);
  }

  /** Ends the session, where there is one. */
  async end(): Promise<void> {
    if (this.#session !== null) await this.#send('DELETE', null, () => undefined);
  }

  #send(
    method: 'POST' | 'DELETE',
    message: RpcMessage | null,
    onMessage: (message: RpcMessage) => void,
  ): Promise<{ problem: string | null; status: number }> {
    const headers = {
      accept: 'application/json, text/event-stream',
      ...(message === null ? {} : { 'content-type': 'application/json', ...headersOf(message, null) }),
      ...(this.#session === null ? {} : { 'mcp-session-id': this.#session }),
      ...(this.#version === null ? {} : { 'mcp-protocol-version': this.#version }),
    };
    return new Promise((resolve) => {
      let status = 0;
      askUpstream(
        this.#upstream,
        { method, headers, ...(message === null ? {} : { body: writeMessage(message) }) },
        {
          onHead: (given, answer) => {
            status = given;
            const { 'mcp-session-id': session } = answer;
            if (typeof session === 'string') this.#session ??= session;
          },
          onLine: (line) => {
            try {
              onMessage(readServerMessage(line).message);
            } catch {
              // No message; the answer that is waited for may still come.
            }
          },
          onEnd: (problem) => resolve({ problem, status }),
        },
      );
    });
  }
}
