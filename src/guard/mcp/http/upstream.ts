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
  /** Runs `work` after `ms` unless the returned function is called first. */
  readonly after: (ms: number, work: () => void) => () => void;
}

/** The answer to one request. */
export interface UpstreamAnswer {
  /** The head, before any message. */
  readonly onHead?: (status: number, headers: Readonly<Record<string, string | readonly string[] | undefined>>) => void;
  /** An event of a stream, before its message: its id and the wait before it is asked for again (ms), where the server gave them. */
  readonly onEvent?: (id: string | null, retryMs: number | null) => void;
  readonly onLine: (line: Uint8Array | string, eventId: string | null) => void;
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
        for (const { event, data, id: given } of frames.push(bytes)) {
          const id = given !== null && isEventId(given) ? given : null;
          if (!over) answer.onEvent?.(id, frames.retryMs);
          if (event === 'message' && data !== '' && !over) answer.onLine(data, id);
        }
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
        end('its stream cannot be read');
      }
    },
    onEnd(problem) {
      if (problem === null && form === 'json' && size > 0 && !over) answer.onLine(Buffer.concat(parts), null);
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
  if (status === 404 || status === 405)
    return `it answered ${status}: its address for Streamable HTTP belongs in --url (the transport of 2024, which has an address for events alone, is not spoken)`;
  return `it answered ${status}`;
}

/**
 * True for a status with which a server refuses a stream now, and may give it later: it is busy or starting, or has not noticed yet that
 * the stream before it is closed (409).
 */
export function isRefusedForNow(status: number): boolean {
  return status === 409 || status === 429 || status >= 500;
}

/** True for the id of an event that fits a header. */
export function isEventId(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/.test(text);
}
