/**
 * An answer that breaks off is taken up again where it ended, as revisions up to 2025-11-25 have it: a server may hang up during a long
 * call on purpose, and wait to be asked for the rest. The call itself is never sent twice.
 */
import { askUpstream, isRefusedForNow, type Upstream, type UpstreamAnswer, type UpstreamCall } from './upstream.js';

/** Of one request. */
export interface Resumption {
  /** True while the answer is waited for. */
  readonly waits: () => boolean;
  /** Of the session, for the request that asks for the rest. */
  readonly headers: () => Readonly<Record<string, string>>;
}

/** Requests in a row that bring nothing. */
const MOST_IN_VAIN = 20;
const FIRST_WAIT_MS = 1_000;
const [LEAST_WAIT_MS, MOST_WAIT_MS] = [50, 30_000];

/** As `askUpstream`, until the answer is complete or nothing more of it can be had. */
export function askResuming(
  upstream: Upstream,
  call: UpstreamCall,
  { waits, headers }: Resumption,
  answer: UpstreamAnswer,
): { close(): void } {
  let eventId: string | null = null;
  let waitMs = FIRST_WAIT_MS;
  let vain = 0;
  let closed = false;
  let opened: { close(): void } | null = null;
  let cancel = (): void => undefined;
  const ask = (asked: UpstreamCall, onHead: UpstreamAnswer['onHead'] & {}): void => {
    let status = 0;
    // What comes with that status is of the request for the rest, and not of the call.
    const refusedForNow = (): boolean => asked !== call && isRefusedForNow(status);
    opened = askUpstream(upstream, asked, {
      onHead(given, found) {
        status = given;
        onHead(given, found);
      },
      onEvent(id, retryMs) {
        if (refusedForNow()) return;
        vain = 0;
        eventId = id ?? eventId;
        if (retryMs !== null) waitMs = Math.min(Math.max(retryMs, LEAST_WAIT_MS), MOST_WAIT_MS);
      },
      onLine(line, id) {
        if (!refusedForNow()) answer.onLine(line, id);
      },
      onEnd(problem) {
        vain += 1;
        const refused = status >= 300 && !refusedForNow();
        if (closed || eventId === null || refused || vain > MOST_IN_VAIN || !waits()) return answer.onEnd(problem);
        const rest = { accept: 'text/event-stream', ...headers(), 'last-event-id': eventId };
        cancel = upstream.after(waitMs, () => ask({ method: 'GET', headers: rest }, () => undefined));
      },
    });
  };
  ask(call, (status, found) => answer.onHead?.(status, found));
  return {
    close() {
      closed = true;
      cancel();
      opened?.close();
    },
  };
}
