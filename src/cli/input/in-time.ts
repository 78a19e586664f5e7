import { lateFailure, PIPE_MS } from './documents.js';
import { FirstFailure } from './first-failure.js';

const NEWLINE = 0x0a;

/** The same bytes; fails with UNREADABLE when a line that was begun does not end within `ms`, however slowly its bytes come. */
export async function* inTime(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
  ms = PIPE_MS,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let line: { readonly late: FirstFailure; readonly timer: NodeJS.Timeout } | null = null;
  const begin = (): typeof line => {
    const late = new FirstFailure();
    const failure = lateFailure(`A line of ${where}`);
    return { late, timer: setTimeout(() => late.is(failure), ms) };
  };
  try {
    for (;;) {
      const arriving = Promise.resolve(iterator.next());
      const { done, value } = await (line === null ? arriving : line.late.orElse(arriving));
      if (done === true) return;
      if (value.includes(NEWLINE)) {
        if (line !== null) clearTimeout(line.timer);
        line = null;
      }
      if (value.length > 0 && value.at(-1) !== NEWLINE) line ??= begin();
      yield value;
    }
  } finally {
    if (line !== null) clearTimeout(line.timer);
    // Not awaited: it ends once a writer who may never write again has written.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
