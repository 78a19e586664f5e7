/** Web servers for did:web, one honest and many that are not. They listen on 127.0.0.1 and end with the test. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Why no certificate can be made, or null. */
export function noOpenssl(): string | null {
  return spawnSync('openssl', ['version']).status === 0 ? null : 'openssl is not installed';
}

export interface Certificates {
  /** The authority's certificate, as NODE_EXTRA_CA_CERTS names it. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** An authority of its own, and a certificate that it signed for `host`. */
export function certificates(folder: string, host = 'localhost', days = 2): Certificates {
  const at = (name: string) => join(folder, `${host}-${name}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    '/CN=Test CA',
    '-days',
    '2',
  );
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  openssl('req', ...curve, '-keyout', at('key.pem'), '-out', at('csr.pem'), ...names);
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-copy_extensions', 'copy'];
  openssl('x509', '-req', '-in', at('csr.pem'), ...signing, '-out', at('cert.pem'), '-days', String(days));
  return { authority: at('ca.pem'), certificate: at('cert.pem'), key: at('key.pem') };
}

/** The port of a server that answers every request by `answer`. */
export async function serve(answer: RequestListener, secure: Certificates | null): Promise<number> {
  const server =
    secure === null
      ? createHttpServer(answer)
      : createServer({ key: readFileSync(secure.key), cert: readFileSync(secure.certificate) }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    (server as Server).closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
