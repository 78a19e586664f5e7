/** stdout and stderr of a process that somebody else reads. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Sink } from '../io.js';

/** What the buffer of an empty socket holds many times over. */
const SOCKET_BYTES = 16 * 1024;

/** Where a sink writes to directly, and how many bytes at most. */
interface Direct {
  readonly descriptor: number;
  readonly most: number;
}

/**
 * A pipe or a socket, written to directly as long as it has room: Node's own stream loads its network code for a line, which takes as long
 * as opening the state does. It takes over where a write would have to wait, so that a slow reader never keeps the process from its signals.
 */
class DirectSink extends Writable {
  readonly #open: () => Direct;
  readonly #ofNode: () => Writable;
  #direct: Direct | null = null;
  #written = 0;
  #stream: Writable | null = null;

  constructor(open: () => Direct, ofNode: () => Writable) {
    super();
    this.#open = open;
    this.#ofNode = ofNode;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    let rest = chunk;
    try {
      while (this.#stream === null && rest.length > 0) {
        const { descriptor, most } = (this.#direct ??= this.#open());
        if (this.#written + rest.length > most) break;
        const written = writeSync(descriptor, rest);
        this.#written += written;
        rest = rest.subarray(written);
      }
    } catch (error) {
      // It is full, or cannot be opened once more; what is wrong with it Node's stream tells.
      if (this.#direct !== null && (error as NodeJS.ErrnoException).code !== 'EAGAIN') return done(error as Error);
    }
    if (rest.length === 0) done();
    else this.#throughNode(rest, done);
  }

  #throughNode(rest: Buffer, done: (error?: Error | null) => void): void {
    // Its errors come with the write.
    this.#stream ??= this.#ofNode().on('error', () => undefined);
    this.#stream.write(rest, done);
  }
}

/** stdout or stderr of this process. `brief`: of a command that says little, and ends. */
export function sinkOf(name: 'stdout' | 'stderr', brief: boolean): Sink {
  const descriptor = name === 'stdout' ? 1 : 2;
  const kind = kindOf(descriptor);
  const ofNode = (): Writable => process[name];
  if (kind === 'pipe') return new DirectSink(() => withoutWaiting(descriptor), ofNode);
  // A socket cannot be opened once more. A guard's may be full of what the tools say that it stands before.
  if (kind === 'socket' && brief) return new DirectSink(() => ({ descriptor, most: SOCKET_BYTES }), ofNode);
  return process[name];
}

/**
 * The same pipe for writes that never wait. Whether they do belongs to the opened pipe, which other processes share and may have filled: it
 * is opened once more, and theirs stays as it is. @throws Error where the system cannot, or its reader has gone
 */
function withoutWaiting(descriptor: number): Direct {
  const own = openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  return { descriptor: own, most: Infinity };
}

/** Only Linux opens a pipe by its descriptor; null for everything else as well. */
function kindOf(descriptor: number): 'pipe' | 'socket' | null {
  if (process.platform === 'win32') return null;
  try {
    // As bigints: Node keeps the other numbers for all callers, and `require` after one of a pipe no longer follows links.
    const stat = fstatSync(descriptor, { bigint: true });
    if (stat.isSocket()) return 'socket';
    return stat.isFIFO() && process.platform === 'linux' ? 'pipe' : null;
  } catch {
    return null;
  }
}
