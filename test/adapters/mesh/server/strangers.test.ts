/** What callers without a key may hold of a server: so many connections, and answers that they do not read. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../../src/adapters/mesh/server/http-server.js';
import { certificate } from '../../../kit/mesh/certificate.js';
import { Home } from '../../../kit/mesh/homes.js';
import { TestMesh } from '../../../kit/mesh/server.js';

const MIB = 1024 * 1024;

function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A connection that has sent `text`, and counts the answers that come. */
function stranger(
  port: number,
  text: string,
  open: (port: number) => Socket = (to) => connect(to, '127.0.0.1'),
): {
  readonly socket: Socket;
  answers(): number;
  ended(): boolean;
} {
  let [said, ended] = ['', false];
  const socket = open(port);
  socket.write(text);
  socket.on('data', (bytes) => (said += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (ended = true));
  onTestFinished(() => void socket.destroy());
  return { socket, answers: () => said.split('HTTP/1.1 200').length - 1, ended: () => ended };
}

function asks(path: string, ...headers: string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
}

describe.runIf(process.platform === 'linux')('answers that nobody reads', { timeout: 60_000 }, () => {
  test.each(['/openapi.json', '/', '/healthz', '/v1/mesh/snapshot'])(
    '10 connections with 1,200 requests each for %s cost a mesh at most 20 MiB',
    async (path) => {
      const { url, running } = await new Home().serve();
      const [port, pid] = [Number(new URL(url).port), running.child.pid!];
      const before = residentOf(pid);
      let most = before;
      for (let i = 0; i < 10; i++) stranger(port, asks(path).repeat(1_200)).socket.pause();
      for (let i = 0; i < 20; i++) {
        await pause(100);
        most = Math.max(most, residentOf(pid));
      }
      expect((most - before) / MIB).toBeLessThanOrEqual(20);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    },
  );
});

describe('connections', () => {
  async function served(maxStrangers?: number, tls: ReturnType<typeof certificate> | null = null) {
    const mesh = await TestMesh.start();
    const bugs: unknown[] = [];
    const listening = await listen(mesh.server, {
      host: '127.0.0.1',
      port: 0,
      tls,
      onBug: (error) => bugs.push(error),
      ...(maxStrangers === undefined ? {} : { maxStrangers }),
    });
    onTestFinished(() => listening.close());
    return { mesh, bugs, port: listening.port };
  }

  test('a few requests sent at once are all answered in order, and their connection goes on', async () => {
    const { port, bugs } = await served();
    const one = stranger(port, asks('/healthz').repeat(8));
    await expect.poll(one.answers).toBe(8);
    one.socket.write(asks('/healthz').repeat(8));
    await expect.poll(one.answers).toBe(16);
    expect(one.ended()).toBe(false);
    expect(bugs).toEqual([]);
  });

  test('one on which more requests wait than may is ended', async () => {
    const { port, bugs } = await served();
    const one = stranger(port, asks('/healthz').repeat(200));
    await expect.poll(one.ended).toBe(true);
    expect(bugs).toEqual([]);
  });

  test.each([
    ['what anyone may see', '/healthz'],
    ['what takes a key', '/v1/mesh/snapshot'],
    ['what is not there', '/nothing'],
  ])('a key that nobody gave them makes no room for more of them: %s', async (_, path) => {
    const { port } = await served(4);
    const wrong = `Authorization: Bearer aipm_verifier_${'a'.repeat(12)}_${'b'.repeat(64)}`;
    const all: ReturnType<typeof stranger>[] = [];
    for (let i = 0; i < 8; i++) {
      all.push(stranger(port, asks(path, wrong)));
      await pause(30);
    }
    await expect.poll(() => all.filter((one) => one.ended()).length).toBe(4);
  });

  test.each([
    ['plain', null],
    ['with TLS', certificate()],
  ])('strangers who only hold connections keep no caller out, and end none who waits: %s', async (_, tls) => {
    const { port, mesh } = await served(4, tls);
    const open = tls === null ? undefined : (to: number) => connectTls({ port: to, rejectUnauthorized: false });
    const key = `Authorization: Bearer ${mesh.keys.observer.text}`;
    const waiting = stranger(port, asks('/v1/mesh/events?after=0&wait=20s', key), open);
    await pause(200);
    const all = Array.from({ length: 8 }, () => stranger(port, ''));
    await expect.poll(() => all.filter((one) => one.ended()).length).toBe(5);
    const caller = stranger(port, asks('/v1/mesh/snapshot', key), open);
    await expect.poll(caller.answers).toBe(1);
    expect(waiting.ended()).toBe(false);
  });

  test('who shows a key that is in force is no stranger', async () => {
    const { port, mesh } = await served(4);
    const all: ReturnType<typeof stranger>[] = [];
    for (let i = 0; i < 8; i++) {
      const one = stranger(port, asks('/v1/mesh/snapshot', `Authorization: Bearer ${mesh.keys.observer.text}`));
      all.push(one);
      await expect.poll(one.answers).toBe(1);
    }
    expect(all.filter((one) => one.ended())).toEqual([]);
  });
});
