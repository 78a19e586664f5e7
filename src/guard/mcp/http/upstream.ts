/** The server behind a guard, as HTTP reaches it; and its answers as messages, whichever form they come in. */
import { FrameParser } from '../../../protocol/framing/sse.js';
import { SERVER_BOUNDS } from '../message.js';

/** One request to the server. */
export interface UpstreamCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What is told of its answer. */
export interface UpstreamListener {
  onHead(status: number, headers: Readonly<Record<string, string | readonly string[] | undefined>>): void;
  onBytes(bytes: Uint8Array): void;
  /** Once, and the last; null where the answer is complete. */
  onEnd(problem: string | null): void;
}

/** A server that is reached over HTTP. The credentials are the adapter's: nothing here knows them. */
export interface Upstream {
  readonly open: (call: UpstreamCall, listener: UpstreamListener) => { close(): void };
}

/** The answer to one request. */
export interface UpstreamAnswer {
  /** The head, before any message. */
  readonly onHead?: (status: number, headers: Readonly<Record<string, string | readonly string[] | undefined>>) => void;
  readonly onLine: (line: Uint8Array | string) => void;
  /** Once, and the last: null where nothing is wrong with the answer, else what is, in a sentence. */
  readonly onEnd: (problem: string | null) => void;
}

/** Asks the server, and reads its answer as messages: one JSON document, or a stream of events. */
export function askUpstream(upstream: Upstream, call: UpstreamCall, answer: UpstreamAnswer): { close(): void } {
  let form: 'json' | 'events' | 'none' = 'none';
  let refused: string | null = null;
  const parts: Uint8Array[] = [];
  let size = 0;
  const frames = new FrameParser(SERVER_BOUNDS.bytes);
  let over = false;
  let opened: { close(): void } | null = null;
  const end = (problem: string | null): void => {
    if (over) return;
    over = true;
    opened?.close();
    answer.onEnd(problem);
  };
  opened = upstream.open(call, {
    onHead(status, headers) {
      answer.onHead?.(status, headers);
      const [type] = String(headers['content-type'] ?? '').split(';');
      form = KINDS.get(type!.trim().toLowerCase()) ?? 'none';
      refused = problemOf(status);
      if (status >= 300 && status < 400) end(refused);
    },
    onBytes(bytes) {
      if (over) return;
      if (form === 'json') {
        size += bytes.length;
        if (size > SERVER_BOUNDS.bytes) end('its answer is too large');
        else parts.push(bytes);
        return;
      }
      if (form === 'none') return;
      try {
        for (const { event, data } of frames.push(bytes))
          if (event === 'message' && data !== '' && !over) answer.onLine(data);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
        end('its stream cannot be read');
      }
    },
    onEnd(problem) {
      if (problem === null && form === 'json' && size > 0 && !over) answer.onLine(Buffer.concat(parts));
      end(problem ?? refused);
    },
  });
  if (over) opened.close();
  return {
    close() {
      over = true;
      opened?.close();
    },
  };
}

const KINDS: ReadonlyMap<string, 'json' | 'events'> = new Map([
  ['application/json', 'json'],
  ['text/event-stream', 'events'],
] as const);

function problemOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400)
    return `it sends its callers elsewhere (${status}), which the guard does not follow: name the right address with --url`;
  if (status === 401 || status === 403)
    return `it refuses the guard (${status}): its credentials come from --upstream-header-file`;
  return `it answered ${status}`;
}
