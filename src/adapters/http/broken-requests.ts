/** Requests that node cannot read, and what their senders are told. */
import type { Socket } from 'node:net';
import { awaitsAnswer } from './pipelining.js';

/** Status line, code and sentence by node's word for what is wrong. */
const ANSWERS: Readonly<Record<string, readonly [string, string, string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'TOO_LARGE',
    'The first line and the headers of a request may have 8192 bytes at most.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'BAD_REQUEST', 'The request did not arrive in time.'],
};
/** What was said gets this long on its way: a sender who never closes would hold the connection for ever. */
const LAST_READ_MS = 500;
const OTHER = ['400 Bad Request', 'BAD_REQUEST', 'This is not a request of HTTP/1.1 (RFC 9112).'] as const;

/** Listener of `clientError`: says what is wrong in the form of every refusal, and ends the connection. */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  // Behind a request that is being carried out, a refusal would be read as its answer.
  if (!socket.writable || awaitsAnswer(socket)) return void socket.destroy();
  const [status, code, message] = ANSWERS[error.code ?? ''] ?? OTHER;
  const body = `${JSON.stringify({ code, message, details: null, retryable: false })}\n`;
  const head = [`HTTP/1.1 ${status}`, 'Content-Type: application/json', 'Cache-Control: no-store'];
  socket.end([...head, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', body].join('\r\n'));
  setTimeout(() => socket.destroy(), LAST_READ_MS).unref();
}
