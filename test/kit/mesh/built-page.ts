/** The dashboard's page as the package's build makes it, in front of a mesh that runs from the sources. */
import { build } from 'esbuild';
import { partsForEsbuild } from '../../../.build/parts.mjs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

interface Built {
  readonly DASHBOARD_PAGE: string;
  readonly PAGE_POLICY: string;
}

/** Serves it at `/`, and everything else from `mesh`. */
export async function serveBuiltPage(mesh: string): Promise<{ readonly url: string; close(): void }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../../src/mesh/dashboard/document.ts', import.meta.url))],
    bundle: true,
    plugins: [partsForEsbuild],
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    write: false,
    logLevel: 'silent',
  });
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64');
  const { DASHBOARD_PAGE, PAGE_POLICY } = (await import(
    /* @vite-ignore */ `data:text/javascript;base64,${code}`
  )) as Built;
  const server = createServer((incoming, response) => {
    if (incoming.url === '/') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY });
      response.end(DASHBOARD_PAGE);
      return;
    }
    const { method, headers } = incoming;
    const onward = request(new URL(incoming.url ?? '/', mesh), { method: method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
