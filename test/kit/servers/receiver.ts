/** A receiver of webhooks on 127.0.0.1 that remembers what came. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written again and again until the other side hangs up. */
  readonly endless?: boolean;
}

export interface Receiver {
  readonly calls: Call[];
  url(path: string): string;
  /** What it answers from now on; null: nothing, ever. */
  answer(how: (path: string, n: number) => Reply | null): void;
}

export async function receiver(): Promise<Receiver> {
  const calls: Call[] = [];
  let how: (path: string, n: number) => Reply | null = () => ({ status: 200 });
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = request.url ?? '';
      calls.push({
        method: request.method ?? '',
        path,
        headers: request.headers,
        body: Buffer.concat(parts).toString('utf8'),
      });
      const reply = how(path, calls.length);
      if (reply === null) return;
      response.writeHead(reply.status, reply.headers);
      if (reply.endless !== true) return void response.end('ok');
      const more = (): void => {
        if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more);
        else if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, url: (path) => `http://127.0.0.1:${port}${path}`, answer: (next) => void (how = next) };
}
