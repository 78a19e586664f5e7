/** One request of a client over HTTP, and its reply: one document where the answer comes alone, a stream of events where more comes before. */
import type { WebReply, WebSink } from '../../../app/ports/web.js';
import { frame } from '../../../protocol/framing/sse.js';
import type { RpcId, RpcMessage } from '../message.js';
import { RPC } from '../message.js';

/** Reply headers of every answer. */
const NO_STORE = { 'cache-control': 'no-store' };

/** The reply to a request, as it becomes known. */
export class Exchange {
  readonly #id: RpcId;
  readonly #modern: boolean;
  readonly #streams: boolean;
  readonly #ended: (() => void)[] = [];
  readonly #waiting: string[] = [];
  #headers: Readonly<Record<string, string>> = {};
  #resolve: (reply: WebReply) => void = () => undefined;
  #state: 'open' | 'streaming' | 'over' = 'open';
  #sink: WebSink | null = null;
  /** The status with which the server answered. */
  upstreamStatus: number | null = null;
  /** True when the answer itself was sent. */
  answered = false;
  readonly reply: Promise<WebReply>;

  /**
   * @param modern in the later era some errors have a status of their own
   * @param streams the client takes a stream of events
   */
  constructor(id: RpcId, modern: boolean, streams: boolean) {
    this.#id = id;
    this.#modern = modern;
    this.#streams = streams;
    this.reply = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Headers of the reply, where it has not begun. */
  head(headers: Readonly<Record<string, string>>): void {
    this.#headers = headers;
  }

  /** Has `told` called when nothing more comes, whichever side ended it. */
  onEnd(told: () => void): void {
    this.#ended.push(told);
  }

  /** One message to the client. What belongs to the answer ends the exchange. */
  send(line: string, message: RpcMessage): void {
    if (this.#state === 'over') return;
    // What is refused without its id, such as one that is open already, is this request all the same.
    const last = (message.kind === 'result' || message.kind === 'error') && [this.#id, null].includes(message.id);
    this.answered ||= last;
    if (last && this.#state === 'open') {
      const headers = { 'content-type': 'application/json', ...NO_STORE, ...this.#headers };
      this.#finish({ status: this.#statusOf(message), headers, body: line });
      return;
    }
    if (this.#state === 'open' && !this.#streams) return;
    this.#write(frame('message', null, line));
    if (last) this.close();
  }

  /** Ends the reply without an answer: the client is gone, or has cancelled the request. */
  close(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'open') {
      this.#finish({ status: 200, headers: { 'content-type': 'text/event-stream', ...NO_STORE }, body: '' });
      return;
    }
    this.#state = 'over';
    this.#sink?.end();
    this.#end();
  }

  #end(): void {
    for (const told of this.#ended.splice(0)) told();
  }

  #finish(reply: WebReply): void {
    this.#state = 'over';
    this.#resolve(reply);
    this.#end();
  }

  #write(text: string): void {
    if (this.#state === 'open') {
      this.#state = 'streaming';
      const headers = { 'content-type': 'text/event-stream', ...NO_STORE, ...this.#headers };
      this.#resolve({
        status: 200,
        headers,
        body: '',
        stream: (sink) => {
          for (const each of this.#waiting.splice(0)) sink.write(each);
          this.#sink = sink;
          if (this.#state === 'over') sink.end();
        },
      });
    }
    if (this.#sink === null) this.#waiting.push(text);
    else this.#sink.write(text);
  }

  #statusOf(message: RpcMessage): number {
    if (message.kind !== 'error') return 200;
    const { upstreamStatus } = this;
    if (upstreamStatus === 400 || upstreamStatus === 404) return upstreamStatus;
    return errorStatus(message.error.code, this.#modern);
  }
}

/** The status of a reply that is an error of the guard's own. */
function errorStatus(code: unknown, modern: boolean): number {
  if (code === RPC.parse || code === RPC.headerMismatch) return 400;
  return modern && code === RPC.unknownMethod ? 404 : 200;
}
