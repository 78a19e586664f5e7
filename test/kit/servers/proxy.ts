/** A real CONNECT proxy on loopback, which also forwards plain HTTP; names lead where `hosts` says. */
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TestProxy {
  readonly port: number;
  /** What was asked of it: `CONNECT host:port`, or `GET http://...`. */
  readonly asked: { readonly line: string; readonly headers: IncomingHttpHeaders }[];
  /** Bytes that clients sent through tunnels, as text. */
  carried(): string;
}

/** `answer`: what it says to a CONNECT instead of opening a tunnel; `silent` says nothing at all. */
export async function testProxy(
  hosts: Readonly<Record<string, number>>,
  answer: number | 'silent' | null = null,
): Promise<TestProxy> {
  const asked: TestProxy['asked'] = [];
  const carried: Buffer[] = [];
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '');
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    const onward = httpRequest(
      {
        host: '127.0.0.1',
        port: hosts[url.hostname],
        path: url.pathname + url.search,
        method: request.method,
        headers: request.headers,
      },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
  });
  server.on('connect', (request, client: Socket) => {
    asked.push({ line: `CONNECT ${request.url}`, headers: request.headers });
    if (answer === 'silent') return;
    if (answer !== null) return void client.end(`HTTP/1.1 ${answer} No\r\nproxy-authenticate: Basic\r\n\r\n`);
    const host = (request.url ?? '').replace(/:\d+$/, '');
    const far = connect(hosts[host] ?? 1, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.on('data', (bytes: Buffer) => carried.push(bytes));
      client.pipe(far);
      far.pipe(client);
    });
    far.on('error', () => client.destroy());
    client.on('close', () => far.destroy());
    far.on('close', () => client.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    carried: () => Buffer.concat(carried).toString('latin1'),
  };
}
