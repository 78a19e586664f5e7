import { createServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HttpClient, Unreachable } from '../../../src/adapters/http/client.js';
import { post } from '../../../src/adapters/http/webhook.js';
import { proxiesIn, proxyFor, ProxyProblem } from '../../../src/adapters/http/proxy.js';
import { certificate } from '../../kit/mesh/certificate.js';
import { testProxy } from '../../kit/servers/proxy.js';
import { receiver } from '../../kit/servers/receiver.js';

const P = 'http://proxy.acme.com:3128';

describe('which way a URL goes', () => {
  test.each<[string, Record<string, string>, string | null]>([
    ['https://mesh.acme.com', {}, null],
    ['https://mesh.acme.com', { HTTPS_PROXY: P }, P],
    ['https://mesh.acme.com', { https_proxy: P, HTTPS_PROXY: 'http://other' }, P],
    ['https://mesh.acme.com', { https_proxy: '', HTTPS_PROXY: P }, P],
    ['https://mesh.acme.com', { HTTP_PROXY: P, http_proxy: P }, null],
    ['http://mesh.acme.com', { HTTPS_PROXY: P }, null],
    ['http://mesh.acme.com', { HTTP_PROXY: P }, P],
    ['http://mesh.acme.com', { http_proxy: P }, P],
    ['https://mesh.acme.com', { ALL_PROXY: P }, P],
    ['https://mesh.acme.com', { HTTPS_PROXY: 'proxy.acme.com:3128' }, P],
    ['https://mesh.acme.com', { HTTPS_PROXY: P, NO_PROXY: '*' }, null],
    ['https://mesh.acme.com', { HTTPS_PROXY: P, NO_PROXY: 'acme.com' }, null],
    ['https://acme.com', { HTTPS_PROXY: P, NO_PROXY: 'acme.com' }, null],
    ['https://mesh.acme.com', { HTTPS_PROXY: P, NO_PROXY: '.acme.com' }, null],
    ['https://mesh.acme.com', { HTTPS_PROXY: P, NO_PROXY: '*.acme.com' }, null],
    ['https://mesh.acme.com.', { HTTPS_PROXY: P, NO_PROXY: 'MESH.acme.com' }, null],
    ['https://mesh.acme.com', { HTTPS_PROXY: P, no_proxy: 'x.org, mesh.acme.com' }, null],
    ['https://evilacme.com', { HTTPS_PROXY: P, NO_PROXY: 'acme.com' }, P],
    ['https://acme.com.evil.org', { HTTPS_PROXY: P, NO_PROXY: 'acme.com' }, P],
    ['https://mesh.acme.com', { HTTPS_PROXY: P, NO_PROXY: ' , ,' }, P],
    ['https://mesh.acme.com', { HTTPS_PROXY: P, NO_PROXY: 'acme.com:443' }, null],
    ['https://mesh.acme.com:8443', { HTTPS_PROXY: P, NO_PROXY: 'acme.com:443' }, P],
    ['https://10.1.2.3', { HTTPS_PROXY: P, NO_PROXY: '10.1.2.3' }, null],
    ['https://10.1.2.3', { HTTPS_PROXY: P, NO_PROXY: '10.0.0.0/8' }, null],
    ['https://11.1.2.3', { HTTPS_PROXY: P, NO_PROXY: '10.0.0.0/8' }, P],
    ['https://10.1.2.3', { HTTPS_PROXY: P, NO_PROXY: '10.0.0.0/99' }, P],
    ['https://10.1.2.3', { HTTPS_PROXY: P, NO_PROXY: '2.3' }, P],
    ['https://[fd00::1]', { HTTPS_PROXY: P, NO_PROXY: 'fd00::/8' }, null],
    ['https://[fd00::1]:8443', { HTTPS_PROXY: P, NO_PROXY: '[fd00::1]:8443' }, null],
    ['https://[fd00::1]', { HTTPS_PROXY: P, NO_PROXY: 'fe80::/10' }, P],
    // An API key in plain text for this machine is for no other one.
    ['http://127.0.0.1:7777', { HTTP_PROXY: P, ALL_PROXY: P }, null],
    ['http://localhost:7777', { HTTP_PROXY: P }, null],
    ['http://[::1]:7777', { HTTP_PROXY: P }, null],
    ['https://localhost:7777', { HTTPS_PROXY: P, NO_PROXY: 'localhost' }, null],
  ])('%s with %j', (url, env, expected) => {
    const proxy = proxyFor(new URL(url), env);
    expect(proxy === null ? null : proxy.url.origin).toBe(expected);
  });
  test.each(['socks5://proxy:1080', 'http://', 'pro xy', 'http://u%zz:p@proxy'])('%s is no way', (value) => {
    expect(() => proxyFor(new URL('https://acme.com'), { HTTPS_PROXY: value })).toThrow(ProxyProblem);
  });
  test('a name and password are decoded for the proxy, and shown to nobody', () => {
    const env = { HTTPS_PROXY: 'http://alice:s%40cret@proxy.acme.com:3128', NO_PROXY: 'localhost' };
    const { proxies, exempt } = proxiesIn(env);
    expect(proxies.map(({ shown }) => shown)).toEqual(['http://***@proxy.acme.com:3128']);
    expect(exempt).toBe('localhost');
    expect(proxies[0]!.authorization).toBe(`Basic ${Buffer.from('alice:s@cret').toString('base64')}`);
  });
});

/** An HTTPS server, and the file of the certificate that it is known by. */
async function secure(): Promise<{ port: number; ca: string }> {
  const { cert, key } = certificate();
  const server = createServer({ cert, key }, (request, response) => {
    if (request.url === '/stream') return void response.writeHead(200).write('data: hello\n\n');
    response.end(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const folder = mkdtempSync(join(tmpdir(), 'aip-proxy-'));
  writeFileSync(join(folder, 'ca.pem'), cert);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { port: (server.address() as AddressInfo).port, ca: join(folder, 'ca.pem') };
}

const call = {
  method: 'GET',
  headers: { authorization: 'Bearer secret-of-the-mesh' },
  timeoutMs: 5_000,
  maxBytes: 1_000,
} as const;

describe('through a proxy', () => {
  test('HTTPS runs in a tunnel that the proxy cannot read, over a connection that is kept', async () => {
    const { port, ca } = await secure();
    const proxy = await testProxy({ '127.0.0.1': port });
    const env = { HTTPS_PROXY: `http://alice:s%40cret@127.0.0.1:${proxy.port}` };
    const http = new HttpClient(`https://127.0.0.1:${port}`, { ca, env });
    onTestFinished(() => http.close());
    for (const path of ['/a', '/b']) {
      const { status, body } = await http.ask({ ...call, path });
      expect([status, Buffer.from(body).toString()]).toEqual([200, `GET ${path} Bearer secret-of-the-mesh`]);
    }
    expect(proxy.asked.map(({ line }) => line)).toEqual([`CONNECT 127.0.0.1:${port}`]);
    expect(proxy.asked[0]!.headers['proxy-authorization']).toMatch(/^Basic /);
    expect(proxy.carried().length).toBeGreaterThan(0);
    expect(proxy.carried()).not.toContain('secret-of-the-mesh');
  });
  test('a stream has a tunnel of its own', async () => {
    const { port, ca } = await secure();
    const proxy = await testProxy({ '127.0.0.1': port });
    const http = new HttpClient(`https://127.0.0.1:${port}`, { ca, env: { HTTPS_PROXY: `127.0.0.1:${proxy.port}` } });
    const heard = await new Promise<string>((resolve) => {
      const stream = http.stream(
        { path: '/stream', headers: {} },
        {
          onOpen: () => undefined,
          onBytes: (bytes) => {
            stream.close();
            resolve(Buffer.from(bytes).toString());
          },
          onEnd: (reason) => resolve(reason),
        },
      );
    });
    expect(heard).toBe('data: hello\n\n');
    expect(proxy.asked).toHaveLength(1);
  });
  test('a certificate of another name is refused as without one', async () => {
    const { port, ca } = await secure();
    const proxy = await testProxy({ 'mesh.acme.test': port });
    const http = new HttpClient('https://mesh.acme.test', { ca, env: { HTTPS_PROXY: `127.0.0.1:${proxy.port}` } });
    await expect(http.ask({ ...call, path: '/' })).rejects.toThrow(/altnames|not match/i);
    expect(proxy.asked.map(({ line }) => line)).toEqual(['CONNECT mesh.acme.test:443']);
    expect(proxy.carried()).not.toContain('secret-of-the-mesh');
  });
  test('plain HTTP is asked of the proxy', async () => {
    const at = await receiver();
    const { port, pathname } = new URL(at.url('/x'));
    const proxy = await testProxy({ 'mesh.acme.test': Number(port) });
    const http = new HttpClient('http://mesh.acme.test', { env: { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` } });
    onTestFinished(() => http.close());
    expect((await http.ask({ ...call, path: pathname })).status).toBe(200);
    expect(proxy.asked.map(({ line }) => line)).toEqual(['GET http://mesh.acme.test/x']);
    expect(at.calls[0]!.headers.host).toBe('mesh.acme.test');
  });
  test.each([
    [407, /wants another name and password/],
    [403, /it answered 403/],
    [502, /it answered 502/],
  ])('a proxy that answers %i is named, without its password, and nothing was sent', async (status, says) => {
    const proxy = await testProxy({}, status);
    const env = { HTTPS_PROXY: `http://alice:hunter2@127.0.0.1:${proxy.port}` };
    const error = await new HttpClient('https://mesh.acme.test', { env })
      .ask({ ...call, path: '/' })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Unreachable);
    expect((error as Unreachable).message).toMatch(says);
    expect((error as Unreachable).message).toContain('***@127.0.0.1');
    expect(String(error)).not.toContain('hunter2');
    expect((error as Unreachable).sent).toBe(false);
  });
  test('a proxy that says nothing is given up in time', async () => {
    const proxy = await testProxy({}, 'silent');
    const http = new HttpClient('https://mesh.acme.test', { env: { HTTPS_PROXY: `127.0.0.1:${proxy.port}` } });
    await expect(http.ask({ ...call, path: '/', timeoutMs: 200 })).rejects.toMatchObject({ kind: 'silent' });
  });
  test('a variable that names no proxy is no reason to go directly', async () => {
    const http = new HttpClient('https://mesh.acme.test', { env: { HTTPS_PROXY: 'socks5://alice:hunter2@proxy' } });
    const error = await http.ask({ ...call, path: '/' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Unreachable);
    expect(String(error)).toContain('HTTPS_PROXY names a proxy of the kind socks5:');
    expect(String(error)).not.toContain('hunter2');
  });
  test('a webhook goes through it, too', async () => {
    const proxy = await testProxy({}, 403);
    const notice = { url: 'https://hooks.acme.test/secret-path', body: '{}', headers: () => ({}) };
    const delivery = await post(notice, {
      clock: Date.now,
      random: (n) => new Uint8Array(n),
      signal: new AbortController().signal,
      env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
      tries: 1,
    });
    expect(delivery.kind).toBe('failed');
    expect(proxy.asked.map(({ line }) => line)).toEqual(['CONNECT hooks.acme.test:443']);
    expect(JSON.stringify(delivery)).not.toContain('secret-path');
  });
});
