/** Strangers who begin a request with a large body, send half of it, and wait. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';

const MIB = 1024 * 1024;
const CONNECTIONS = 600;
const HALF = 256 * 1024;

/** How the body is announced: by its length or in chunks. */
export const ANNOUNCED = [`Content-Length: ${2 * HALF}`, 'Transfer-Encoding: chunked'] as const;

/** Resident bytes of a process; Linux only. */
function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** 600 of them at once: each is refused on its headers with one of `statuses`, and the server grows by at most 20 MiB. */
export async function expectHalfBodiesCostLittle(
  { port, pid }: { readonly port: number; readonly pid: number },
  request: { readonly path: string; readonly headers: readonly string[] },
  statuses: RegExp,
): Promise<void> {
  const head = [`POST ${request.path} HTTP/1.1`, 'Host: x', ...request.headers, '', ''].join('\r\n');
  const isChunked = request.headers.includes(ANNOUNCED[1]);
  const start = isChunked ? `${head}${(2 * HALF).toString(16)}\r\n` : head;
  const half = Buffer.alloc(HALF, 'x');
  const sockets: Socket[] = [];
  const before = residentOf(pid);
  let most = before;
  const stranger = (): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(start);
        socket.write(half);
      });
      sockets.push(socket);
      socket.on('data', (bytes) => (text += bytes.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        most = Math.max(most, residentOf(pid));
        resolve(text);
      });
    });
  const said = await Promise.all(Array.from({ length: CONNECTIONS }, stranger));
  for (const socket of sockets) socket.destroy();
  // One that still writes when the answer comes may lose it to the reset; none is let in.
  expect(said.every((text) => text === '' || statuses.test(text))).toBe(true);
  expect(said.filter((text) => text !== '').length).toBeGreaterThan(CONNECTIONS - 100);
  expect((most - before) / MIB).toBeLessThanOrEqual(20);
}
