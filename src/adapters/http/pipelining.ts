/**
 * Requests that are sent on one connection before the ones in front of them are answered (RFC 9112, 9.3.2). Node hands on at once all that
 * came in one packet, some 1,500 of the shortest, and holds each answer until those before it were read: a stranger who reads nothing would
 * have gigabytes held.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Most requests of one connection that wait for their answers; clients that pipeline at all send a few. */
const MOST_WAITING = 16;

/** The answers that are not out. */
const waiting = new WeakMap<Socket, Set<ServerResponse>>();

/** True where the request may be answered; false where its connection has been ended, as more wait on it than may. */
export function takesItsTurn(incoming: IncomingMessage, response: ServerResponse): boolean {
  const { socket } = incoming;
  // What came in the same packet is handed on after the connection was ended.
  if (socket.destroyed) return false;
  const answers = waiting.get(socket) ?? new Set();
  if (answers.size >= MOST_WAITING) {
    stopReading(socket);
    socket.destroy();
    return false;
  }
  waiting.set(socket, answers.add(response));
  response.once('close', () => answers.delete(response));
  return true;
}

/** True while an answer to a request that arrived whole on the connection is not out. */
export function awaitsAnswer(socket: Socket): boolean {
  return [...(waiting.get(socket) ?? [])].some(({ req }) => req.complete);
}

/** The same without answers that are written, and only not read: strangers could hold a connection with them. */
export function awaitsWork(socket: Socket): boolean {
  return [...(waiting.get(socket) ?? [])].some(({ req, writableEnded }) => req.complete && !writableEnded);
}

/**
 * Node would go on with the packet, and make two objects of each request that is still in it. What a request is taken for is answered by
 * a member of its parser without a public name, so of 2 (another protocol follows) the parser stops. Without it the rest is only thrown away.
 */
function stopReading(socket: Socket): void {
  const { parser } = socket as { readonly parser?: { onIncoming?: () => number } | null };
  if (typeof parser?.onIncoming === 'function') parser.onIncoming = () => 2;
}
