/** What strangers cost: bodies are read for callers with a key only. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Home } from '../../../kit/mesh/homes.js';

const MIB = 1024 * 1024;
const CONNECTIONS = 600;
const HALF = 256 * 1024;
const UNKNOWN_KEY = `Authorization: Bearer aipm_verifier_${'a'.repeat(12)}_${'b'.repeat(64)}\r\n`;

/** Resident bytes of a process. */
function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

describe.runIf(process.platform === 'linux')('half bodies of strangers', { timeout: 60_000 }, () => {
  test.each([
    ['with a key that nobody gave them', `${UNKNOWN_KEY}Content-Length: ${2 * HALF}`],
    ['without a key', `Content-Length: ${2 * HALF}`],
    ['in chunks', `${UNKNOWN_KEY}Transfer-Encoding: chunked`],
  ])('600 connections %s cost a server at most 20 MiB, each answered on its headers', async (_, member) => {
    const { url, running } = await new Home().serve();
    const pid = running.child.pid!;
    const head = `POST /v1/logs HTTP/1.1\r\nHost: x\r\n${member}\r\n\r\n`;
    const start = member.endsWith('chunked') ? `${head}${(2 * HALF).toString(16)}\r\n` : head;
    const half = Buffer.alloc(HALF, 'x');
    const sockets: Socket[] = [];
    const before = residentOf(pid);
    let most = before;
    const stranger = (): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
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
    expect(said.every((text) => text === '' || /^HTTP\/1\.1 (401|429) /.test(text))).toBe(true);
    expect(said.filter((text) => text !== '').length).toBeGreaterThan(CONNECTIONS - 100);
    expect((most - before) / MIB).toBeLessThanOrEqual(20);
  });
});
