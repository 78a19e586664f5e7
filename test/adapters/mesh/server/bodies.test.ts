/** What strangers cost: bodies are read for callers with a key only. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Home } from '../../../kit/mesh/homes.js';

const MIB = 1024 * 1024;

/** Resident bytes of a process. */
function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

describe.runIf(process.platform === 'linux')('half bodies of strangers', { timeout: 60_000 }, () => {
  test('600 connections that send 150 MiB cost the server nothing that it keeps, each answered on its headers', async () => {
    const admin = new Home();
    const { url, running } = await admin.serve();
    const key = `aipm_verifier_${'a'.repeat(12)}_${'b'.repeat(64)}`;
    const head = `POST /v1/logs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 524288\r\n\r\n`;
    const half = Buffer.alloc(256 * 1024, 'x');
    const sockets: Socket[] = [];
    const strangers = (count: number) =>
      Array.from(
        { length: count },
        () =>
          new Promise<string>((resolve) => {
            let text = '';
            const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
              socket.write(head);
              socket.write(half);
            });
            sockets.push(socket);
            socket.on('data', (bytes) => (text += bytes.toString('latin1')));
            socket.on('error', () => undefined);
            socket.on('close', () => resolve(text));
          }),
      );
    // What the program itself grows by when it is first used is not theirs.
    await Promise.all(strangers(60));
    const before = residentOf(running.child.pid!);
    const said = await Promise.all(strangers(600));
    const after = residentOf(running.child.pid!);
    for (const socket of sockets) socket.destroy();
    // One that still writes when the answer comes may lose it to the reset; none is let in.
    expect(said.every((text) => text === '' || /^HTTP\/1\.1 (401|429) /.test(text))).toBe(true);
    expect(said.filter((text) => text !== '').length).toBeGreaterThan(500);
    // One read of each socket, 64 KiB, comes with the headers and is garbage at once; 150 MiB were sent.
    expect((after - before) / MIB).toBeLessThanOrEqual(64);
  });
});
