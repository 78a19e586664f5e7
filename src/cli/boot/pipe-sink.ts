/** stdout and stderr of a process that somebody else reads. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Sink } from '../io.js';

/**
 * A pipe, written to directly as long as it has room: Node's own stream loads its network code for a line, which takes as long as opening
 * the state does. It takes over where a write would have to wait, so that a slow reader never keeps the process from its signals.
 */
class PipeSink extends Writable {
  readonly #descriptor: number;
  readonly #open: () => Writable;
  #direct: number | null = null;
  #stream: Writable | null = null;

  constructor(descriptor: number, open: () => Writable) {
    super();
    this.#descriptor = descriptor;
    this.#open = open;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    let rest = chunk;
    try {
      while (this.#stream === null && rest.length > 0)
        rest = rest.subarray(writeSync((this.#direct ??= withoutWaiting(this.#descriptor)), rest));
    } catch (error) {
      // It is full, or cannot be opened once more; what is wrong with it Node's stream tells.
      if (this.#direct !== null && (error as NodeJS.ErrnoException).code !== 'EAGAIN') return done(error as Error);
    }
    if (rest.length === 0) done();
    else this.#throughNode(rest, done);
  }

  #throughNode(rest: Buffer, done: (error?: Error | null) => void): void {
    // Its errors come with the write.
    this.#stream ??= this.#open().on('error', () => undefined);
    this.#stream.write(rest, done);
  }
}

/** stdout or stderr of this process. */
export function sinkOf(name: 'stdout' | 'stderr'): Sink {
  const descriptor = name === 'stdout' ? 1 : 2;
  return isPipe(descriptor) ? new PipeSink(descriptor, () => process[name]) : process[name];
}

/**
 * The same pipe for writes that never wait. Whether they do belongs to the opened pipe, which other processes share and may have filled: it
 * is opened once more, and theirs stays as it is. @throws Error where the system cannot, or its reader has gone
 */
function withoutWaiting(descriptor: number): number {
  return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
}

/** A socket cannot be opened once more, and only Linux opens a pipe by its descriptor. */
function isPipe(descriptor: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    // As bigints: Node keeps the other numbers for all callers, and `require` after one of a pipe no longer follows links.
    return fstatSync(descriptor, { bigint: true }).isFIFO();
  } catch {
    return false;
  }
}
