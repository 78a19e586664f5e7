/** Requests to a mesh: with this machine's API key, below the path of the mesh's URL. */
import { refusePlainHttp, type MeshCall, type MeshEndpoint } from '../../app/ports/mesh.js';
import { MAX_ANSWER_BYTES } from '../../mesh/limits.js';
import { HttpClient, Unreachable, type HttpOptions, type OpenStream, type StreamListener } from './client.js';

export { Unreachable, type OpenStream } from './client.js';

export interface Call extends MeshCall {
  /** Most bytes of the answer. */
  readonly maxBytes: number;
  /** Told of every part, for answers so long that silence is what should end them. */
  readonly onPart?: () => void;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

export interface MeshHttpReply {
  readonly status: number;
  readonly body: string;
}

/** How a mesh is reached. */
export type MeshHttpOptions = Omit<HttpOptions, 'kept'> & {
  /** The key may go to another machine without TLS. */
  readonly insecureHttp?: boolean | undefined;
};

export class MeshHttp {
  readonly #http: HttpClient;
  readonly #key: string;
  readonly #base: string;

  /**
   * `key` is the API key, empty for none; it is sent to `url` only. Nothing is opened or read before the first request.
   * @throws Failure USAGE where the key would go there in the clear, and may not
   */
  constructor(url: string, key: string, { background, ca, env, insecureHttp = false }: MeshHttpOptions = {}) {
    if (key !== '') refusePlainHttp(url, insecureHttp);
    this.#http = new HttpClient(url, { background, ca, env });
    this.#key = key;
    this.#base = this.#http.url.pathname.replace(/\/$/, '');
  }

  /** @throws Unreachable */
  async ask({ target, headers, ...call }: Call): Promise<MeshHttpReply> {
    const { status, body } = await this.#http.ask({
      ...call,
      path: this.#base + target,
      headers: {
        ...this.#own(),
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    return { status, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8') };
  }

  /** Opens a stream and keeps telling what comes, until either side ends it. */
  stream(target: string, headers: Readonly<Record<string, string>>, listener: StreamListener): OpenStream {
    const own = { ...this.#own(), accept: 'text/event-stream' };
    return this.#http.stream({ path: this.#base + target, headers: { ...own, ...headers } }, listener);
  }

  /** Lets go of kept connections. */
  close(): void {
    this.#http.close();
  }

  #own(): Record<string, string> {
    return { authorization: `Bearer ${this.#key}` };
  }
}

/** The line to `url` that the use cases ask over. */
export function meshLine(url: string, http: MeshHttp): MeshEndpoint {
  return {
    url,
    ask: async (call) => {
      try {
        return { kind: 'answered', ...(await http.ask({ ...call, maxBytes: MAX_ANSWER_BYTES })) };
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        return { kind: 'unreachable', reason: error.message, sent: error.sent };
      }
    },
  };
}
