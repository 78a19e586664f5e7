/** stdout and stderr of a process that somebody else reads. */
import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Sink } from '../io.js';

/** Bytes that an empty pipe takes at once on every system; most commands write less. */
const AT_ONCE = 16 * 1024;

/**
 * A pipe or a socket, written to directly at first: Node's own stream loads its network code for a line, which takes as long as opening the
 * state does. It takes over where a write would have to wait, so that a slow reader never keeps the process from its signals.
 */
class PipeSink extends Writable {
  readonly #descriptor: number;
  readonly #open: () => Writable;
  #stream: Writable | null = null;
  #left = AT_ONCE;

  constructor(descriptor: number, open: () => Writable) {
    super();
    this.#descriptor = descriptor;
    this.#open = open;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    let rest = chunk;
    try {
      while (this.#stream === null && rest.length > 0 && rest.length <= this.#left) {
        const written = writeSync(this.#descriptor, rest);
        this.#left -= written;
        rest = rest.subarray(written);
      }
    } catch (error) {
      // A pipe that another process made non-blocking is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return done(error as Error);
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

/** On Windows a pipe is written to in another way. */
function isPipe(descriptor: number): boolean {
  if (process.platform === 'win32') return false;
  try {
    // As bigints: Node keeps the other numbers for all callers, and `require` after one of a pipe no longer follows links.
    const stat = fstatSync(descriptor, { bigint: true });
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
