import { lateFailure, PIPE_MS } from './documents.js';

const NEWLINE = 0x0a;

/** The same bytes; fails with UNREADABLE when a line that was begun does not end within `ms`, however slowly its bytes come. */
export async function* inTime(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
  ms = PIPE_MS,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let line: { readonly late: Promise<never>; readonly timer: NodeJS.Timeout } | null = null;
  const begin = (): typeof line => {
    let timer!: NodeJS.Timeout;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, ms, lateFailure(`A line of ${where}`));
    });
    // The line may end in time, and then this is not awaited.
    late.catch(() => undefined);
    return { late, timer };
  };
  try {
    for (;;) {
      const arriving = iterator.next();
      const { done, value } = await (line === null ? arriving : Promise.race([arriving, line.late]));
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
