/**
 * Bodies of callers that are refused on their headers. Node has read up to 64 KiB of each with the headers; they are let go at once, as six
 * hundred connections of strangers would hold 40 MiB else.
 */
import type { IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So much of what was let go may wait for the collector, in bytes. */
const MOST_GARBAGE = 2 * 1024 * 1024;

let garbage = 0;

/** Reads nothing more of the request, and forgets what came of its body. The caller answers, and ends the connection. */
export function leaveUnread(incoming: IncomingMessage): void {
  // Taking what is there asks for more, and the answer's end would have the rest read and thrown away, 64 KiB at a time.
  incoming._read = () => undefined;
  incoming.socket.pause();
  // What came with the headers may be handed on only now; false stops the reading of the socket.
  incoming.push = (chunk: Uint8Array | null) => {
    if (chunk !== null) dropped(chunk.length);
    return false;
  };
  dropped(incoming.readableLength);
  incoming.read();
}

function dropped(bytes: number): void {
  garbage += bytes;
  if (garbage < MOST_GARBAGE) return;
  garbage = 0;
  collectYoung();
}

let collect: (() => void) | null = null;

/** Buffers lie outside of V8's heap, so that it sees no hurry before there are 64 MiB of them. Looking at the young ones takes a millisecond. */
function collectYoung(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('typeof gc === "function" ? gc : null') as ((how: object) => void) | null;
    setFlagsFromString('--no-expose-gc');
    collect = gc === null ? () => undefined : () => gc({ type: 'minor' });
  }
  collect();
}
