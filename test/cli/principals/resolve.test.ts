import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { domainDidDocument } from '../../../src/protocol/identity/did-document.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { launch, place, type Place } from '../../kit/built/binary.js';
import { certificates, noOpenssl, serve, type Certificates } from '../../kit/native/did-server.js';
import { stored } from '../../kit/native/standing.js';
import { NOW_S, page, publicKeyBytes, publicKeyText, withSignature, nonceOf, line } from '../../kit/native/parts.js';

const missing = noOpenssl();
if (missing !== null) console.warn(`skipped: ${missing}`);

const folder = mkdtempSync(join(tmpdir(), 'aip-ca-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const good = missing === null ? certificates(folder) : null;

const didOf = (port: number) => `did:web:localhost%3A${port}`;
const json: (body: unknown) => RequestListener = (body) => (_, response) => {
  response.setHeader('content-type', 'application/did+json');
  response.end(JSON.stringify(body));
};
const documentOf = (did: string) =>
  domainDidDocument(did, [{ keyId: `${did}#key-1`, publicKey: publicKeyBytes('principal') }]);

/** A server on a port that its own answers may name. */
async function serving(answer: (did: string) => RequestListener, secure: Certificates | null = good): Promise<string> {
  let listener: RequestListener = () => undefined;
  const port = await serve((request, response) => listener(request, response), secure);
  listener = answer(didOf(port));
  return didOf(port);
}

/** A machine that trusts the test's authority, as an administrator would make it. */
function trusting(authority = good!.authority): Place {
  return place({ NODE_EXTRA_CA_CERTS: authority });
}
const add = (where: Place, did: string, ...more: string[]) =>
  launch(where, ['principal', 'add', did, '--resolve', '--json', ...more]);
async function expectNothingPinned(where: Place): Promise<void> {
  expect(JSON.parse((await launch(where, ['principal', 'list', '--json'])).out)).toEqual([]);
}

const VERIFY = ['intent', 'verify', 'i.json', '-p', 'p.json', '--at', '2026-02-18T14:23:45Z'];

/** Writes a passport that `did` issued, and an intent of its agent. */
function botOf(where: Place, did: string): void {
  const id = `${did}:agents:bot`;
  const passport = withSignature(
    {
      version: 1,
      agent_id: id,
      agent_name: 'bot',
      domain: did.slice('did:web:'.length),
      principal: did,
      key_id: `${id}#key-1`,
      public_key: publicKeyText('agent'),
      actions: ['deploy'],
      constraints: {},
      issued_at: '2026-02-01T00:00:00Z',
      issuer_key_id: `${did}#key-1`,
    },
    'issuer_signature',
    'principal',
  );
  const intent = { agent_id: id, action: 'deploy', params: {}, timestamp: NOW_S, nonce: nonceOf('resolved') };
  writeFileSync(join(where.folder, 'p.json'), page(passport));
  writeFileSync(join(where.folder, 'i.json'), line(withSignature(intent, 'signature', 'agent')));
}

describe.runIf(missing === null)('aip principal add --resolve', () => {
  test('fetches the key from the well-known path, shows it, and pins it', async () => {
    const asked: (string | undefined)[] = [];
    const did = await serving((id) => (request, response) => {
      asked.push(request.url);
      json(documentOf(id))(request, response);
    });
    const where = trusting();
    const { code, out, err } = await add(where, did, '--yes');
    expect([code, asked]).toEqual([0, ['/.well-known/did.json']]);
    expect(err).toContain(`${did} publishes ${did}#key-1  ${publicKeyText('principal')}`);
    expect(JSON.parse(out)).toEqual([
      { principal: did, key_id: `${did}#key-1`, public_key: publicKeyText('principal'), changed: true, replaced: [] },
    ]);
    const [pin] = JSON.parse((await launch(where, ['principal', 'list', '--json'])).out) as JsonObject[];
    expect(pin).toMatchObject({ source: 'resolved' });
  });

  test('pins nothing unasked: exit 2 names --yes', async () => {
    const did = await serving((id) => json(documentOf(id)));
    const where = trusting();
    const { code, out, err } = await add(where, did);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('--yes');
    await expectNothingPinned(where);
  });

  test('serves a verification for one run, and pins nothing', async () => {
    const did = await serving((id) => json(documentOf(id)));
    const where = trusting();
    botOf(where, did);
    expect((await launch(where, VERIFY)).code).toBe(10);
    const { code, err } = await launch(where, [...VERIFY, '--resolve']);
    expect(code).toBe(0);
    expect(err).toContain(`Resolved ${did}`);
    await expectNothingPinned(where);
    expect((await launch(where, ['passport', 'verify', 'p.json'])).code).toBe(10);
    expect((await launch(where, ['passport', 'verify', 'p.json', '--resolve'])).code).toBe(0);
    expect((await launch(where, ['passport', 'import', 'p.json', '--resolve'])).code).toBe(0);
  });
});

const HOSTILE: readonly (readonly [string, (did: string) => RequestListener])[] = [
  [
    'redirects',
    (did) => (request, response) => {
      if (request.url === '/elsewhere') return json(documentOf(did))(request, response);
      response.writeHead(302, { location: '/elsewhere' });
      response.end();
    },
  ],
  ['says 404', () => (_, response) => void response.writeHead(404).end('{}')],
  ['says 204', () => (_, response) => void response.writeHead(204).end()],
  [
    'sends a megabyte',
    (did) => (_, response) => void response.end(JSON.stringify({ ...documentOf(did), pad: 'x'.repeat(1 << 20) })),
  ],
  [
    'never stops sending',
    () => (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
  ],
  ['sends nothing', () => () => undefined],
  [
    'sends a byte now and then',
    () => (_, response) => {
      const timer = setInterval(() => response.write(' '), 200);
      response.once('close', () => clearInterval(timer));
    },
  ],
  [
    'breaks off',
    () => (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"id":');
      setTimeout(() => response.destroy(), 50);
    },
  ],
  ['sends no JSON', () => (_, response) => void response.end('<html>did</html>')],
  ['sends nothing but an end', () => (_, response) => void response.end()],
  [
    'sends JSON with a member twice',
    (did) => (_, response) => void response.end(JSON.stringify(documentOf(did)).replace('{', `{"id":"${did}",`)),
  ],
  ['sends a list', (did) => json([documentOf(did)])],
  ['speaks for another', () => json(documentOf('did:web:acme.com'))],
  ['speaks for itself without its port', () => json(documentOf('did:web:localhost'))],
  ['has no keys', (did) => json({ ...documentOf(did), verificationMethod: [], assertionMethod: [] })],
  ['has a key it does not assert with', (did) => json({ ...documentOf(did), assertionMethod: [] })],
  [
    'has a key of low order',
    (did) =>
      json(
        domainDidDocument(did, [
          { keyId: `${did}#key-1`, publicKey: Uint8Array.from([1, ...Array<number>(31).fill(0)]) },
        ]),
      ),
  ],
  [
    'publishes its private key',
    (did) => {
      const document = documentOf(did) as { verificationMethod: JsonObject[] };
      const [method] = document.verificationMethod;
      return json({ ...document, verificationMethod: [{ ...method, secretKeyMultibase: 'z3u2' }] });
    },
  ],
];

describe.runIf(missing === null)('a server that cannot be believed is exit 5, and nothing is pinned', () => {
  test.each(HOSTILE)('it %s', async (_, answer) => {
    const where = trusting();
    const did = await serving(answer);
    const { code, out, err } = await add(where, did, '--yes');
    // What it sent is our own input: no JSON is exit 3.
    expect([3, 5]).toContain(code);
    expect(out).toBe('');
    const failure = JSON.parse(err.trimEnd().split('\n').at(-1)!) as { code: string; message: string };
    expect(failure.message).toMatch(/^[^\n]{10,500}$/);
    expect(['NETWORK', 'UNREADABLE']).toContain(failure.code);
    await expectNothingPinned(where);
  });

  test('its certificate is of an unknown authority', async () => {
    const did = await serving((id) => json(documentOf(id)));
    const where = place();
    const { code, err } = await add(where, did, '--yes');
    expect(code).toBe(5);
    expect(err).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED|CERT/);
    await expectNothingPinned(where);
  });

  test('its certificate is for another host', async () => {
    const other = certificates(folder, 'acme.example');
    const did = await serving((id) => json(documentOf(id)), other);
    const where = trusting(other.authority);
    const { code, err } = await add(where, did, '--yes');
    expect(code).toBe(5);
    expect(err).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    await expectNothingPinned(where);
  });

  test('it speaks plain HTTP', async () => {
    const did = await serving((id) => json(documentOf(id)), null);
    const where = trusting();
    expect((await add(where, did, '--yes')).code).toBe(5);
    await expectNothingPinned(where);
  });

  test('it is not there', async () => {
    const where = trusting();
    const { code, err } = await add(where, didOf(1), '--yes');
    expect(code).toBe(5);
    expect(err).toContain('aip principal add');
    await expectNothingPinned(where);
  });

  test('a verification that cannot resolve ends there, and judges nothing', async () => {
    const where = trusting();
    const did = await serving(() => (_, response) => void response.writeHead(500).end());
    botOf(where, did);
    const { code, out } = await launch(where, [...VERIFY, '--resolve', '--json']);
    expect([code, out]).toEqual([5, '']);
    expect(stored(join(where.env.AIP_HOME!, 'state.db'))).toMatchObject({ entries: 0, nonces: 0 });
  });
});
