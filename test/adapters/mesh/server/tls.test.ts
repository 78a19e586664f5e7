import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { MeshHttp } from '../../../../src/adapters/http/mesh-client.js';
import { listen } from '../../../../src/adapters/mesh/server/http-server.js';
import { bundle } from '../../../kit/bundle.js';
import { certificate } from '../../../kit/mesh/certificate.js';
import { network } from '../../../kit/mesh/network.js';
import { TestMesh } from '../../../kit/mesh/server.js';
import { scratch } from '../../../kit/scratch.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../../kit/mesh/revoke-once.ts', import.meta.url));

test('with TLS a client speaks to a server whose certificate it trusts, and to no other', async () => {
  const tls = certificate();
  const net = await network({}, 0, tls);
  const folder = scratch();
  const [trusted, other] = [join(folder, 'trusted.pem'), join(folder, 'other.pem')];
  writeFileSync(trusted, tls.cert);
  writeFileSync(other, certificate().cert);
  const as = async (authorities: string, url = net.url): Promise<string> => {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: authorities };
    const { stdout } = await run(process.execPath, [await bundle(program), url, net.mesh.keys.admin.text], { env });
    return stdout;
  };
  try {
    expect(net.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(await as(other)).toMatch(/self-signed certificate/);
    expect(await as(trusted, net.url.replace('127.0.0.1', 'localhost'))).toMatch(/not match|altnames/i);
    expect(await net.mesh.store.read(0, 10)).toHaveLength(0);
    expect(await as(trusted)).toBe('200');
    expect(await net.mesh.store.read(0, 10)).toHaveLength(1);
    const plain = new MeshHttp(net.url.replace('https', 'http'), net.mesh.keys.admin.text);
    const asked = plain.ask({ method: 'GET', target: '/healthz', timeoutMs: 2_000, maxBytes: 1_000 });
    await expect(asked.then(({ status }) => expect(status).toBe(400))).rejects.toThrow();
    plain.close();
  } finally {
    await net.close();
  }
});

test('with authorities of its own a client believes those and no others, and none where it cannot read them', async () => {
  const tls = certificate();
  const net = await network({}, 0, tls);
  const folder = scratch();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const pem = tls.cert;
  const believed = [
    file('own.pem', pem),
    file('several.pem', `# ours\n${pem}\n# again\n${pem}`),
    file('crlf.pem', pem.replaceAll('\n', '\r\n')),
  ];
  const refused: [string, RegExp][] = [
    [file('other.pem', certificate().cert), /self-signed certificate/],
    [file('empty.pem', ''), /no certificate in PEM/],
    [file('key.pem', tls.key), /no certificate in PEM/],
    [file('damaged.pem', pem.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA')), /certificate 1 .* is damaged/],
    [file('second.pem', pem + pem.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA')), /certificate 2 .* is damaged/],
    [file('large.pem', pem + ' '.repeat(1024 * 1024)), /cannot be read/],
    [join(folder, 'missing.pem'), /ENOENT/],
    [folder, /cannot be read/],
  ];
  const ask = async (ca: string): Promise<number> => {
    const http = new MeshHttp(net.url, net.mesh.keys.admin.text, { ca });
    onTestFinished(() => http.close());
    return (await http.ask({ method: 'GET', target: '/healthz', timeoutMs: 5_000, maxBytes: 10_000 })).status;
  };
  try {
    for (const ca of believed) expect(await ask(ca)).toBe(200);
    for (const [ca, why] of refused)
      await expect(ask(ca)).rejects.toMatchObject({
        name: 'Unreachable',
        message: expect.stringMatching(why) as string,
      });
    const heard = (ca: string): Promise<string> =>
      new Promise((resolve) => {
        const http = new MeshHttp(net.url, net.mesh.keys.observer.text, { ca });
        onTestFinished(() => http.close());
        const stream = http.stream(
          '/mesh/events',
          {},
          {
            onOpen: () => (stream.close(), resolve('open')),
            onBytes: () => undefined,
            onEnd: (reason) => resolve(reason),
          },
        );
      });
    expect(await heard(believed[0]!)).toBe('open');
    for (const [ca, why] of refused) expect(await heard(ca)).toMatch(why);
  } finally {
    await net.close();
  }
});

test('what is no certificate with its key is refused in words, not taken for a bug', async () => {
  const [one, other] = [certificate(), certificate()];
  for (const tls of [
    { cert: one.key, key: one.cert },
    { cert: one.cert, key: other.key },
    { cert: '', key: '' },
  ]) {
    const mesh = await TestMesh.start();
    const options = { host: '127.0.0.1', port: 0, tls, onBug: () => undefined };
    await expect(listen(mesh.server, options)).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 });
  }
});
