import type { PageWindow } from './browser.js';

/** The requests of the page. */
export type Calls = ReturnType<typeof calls>;

/** An answer of the mesh; `status` 0 when there was none. */
export interface PageReply {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

/** What the page is told of the stream. */
export interface StreamHooks {
  /** Where to continue: the place after the last frame. */
  readonly after: string;
  open(): void;
  frame(event: string, id: string | null, data: string): void;
}

/** Requests to the mesh that served the page. A key goes into a header and nowhere else. */
export function calls(window: PageWindow) {
  const request = (path: string, key: string, more: { method?: string; body?: string; signal?: AbortSignal }) =>
    window.fetch(path, {
      ...more,
      headers: {
        authorization: `Bearer ${key}`,
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });

  const ask = async (path: string, key: string, body?: unknown): Promise<PageReply> => {
    const stop = new AbortController();
    const timer = window.setTimeout(() => stop.abort(), 15_000);
    try {
      const { signal } = stop;
      const answer = await request(
        path,
        key,
        body === undefined ? { signal } : { method: 'POST', body: JSON.stringify(body), signal },
      );
      return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
    } catch {
      return { status: 0, json: {} };
    } finally {
      window.clearTimeout(timer);
    }
  };

  /** Follows a stream until it ends; resolves to the status of an answer that is no stream, else 200. Silence for 10 s ends it. */
  const follow = async (key: string, hooks: StreamHooks, signal: AbortSignal): Promise<number> => {
    const stop = new AbortController();
    const end = () => stop.abort();
    signal.addEventListener('abort', end);
    let timer = window.setTimeout(end, 10_000);
    try {
      const path = `/v1/logs/stream?after=${encodeURIComponent(hooks.after)}`;
      const answer = await request(path, key, { signal: stop.signal });
      if (answer.status !== 200 || answer.body === null) return answer.status;
      hooks.open();
      const reader = answer.body.getReader() as { read(): Promise<{ done: boolean; value?: Uint8Array }> };
      const decoder = new TextDecoder();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 200;
        window.clearTimeout(timer);
        timer = window.setTimeout(end, 10_000);
        rest += decoder.decode(value, { stream: true });
        const parts = rest.split('\n\n');
        rest = parts.pop() ?? '';
        if (rest.length > 1_000_000) return 200;
        for (const part of parts) {
          const fields: Record<string, string> = {};
          for (const line of part.split('\n')) {
            const colon = line.indexOf(': ');
            if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
          }
          if (fields['data'] !== undefined) hooks.frame(fields['event'] ?? '', fields['id'] ?? null, fields['data']);
        }
      }
    } catch {
      return 0;
    } finally {
      window.clearTimeout(timer);
      signal.removeEventListener('abort', end);
      stop.abort();
    }
  };

  /** A name for a command, by which the mesh carries it out once however often it is sent. */
  const newId = (): string =>
    [...window.crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

  return { ask, follow, newId };
}
