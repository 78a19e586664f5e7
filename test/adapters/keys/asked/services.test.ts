import { generateKeyPairSync, sign } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askedKey } from '../../../../src/adapters/keys/asked/open.js';
import { freePort } from '../../../kit/servers/free-port.js';
import { falseService, service, SERVICES } from '../../../kit/servers/key-services.js';
import { scratch } from '../../../kit/scratch.js';

const MESSAGE = Buffer.from('what the agent intends');
type Env = Readonly<Record<string, string>>;
const open = (address: string, env: Env, wanted: Uint8Array | null = null) =>
  askedKey({ env: { HOME: scratch(), ...env }, now: Date.now }, address, wanted);
const pair = generateKeyPairSync('ed25519');
const publicKey = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x!, 'base64url');
const other = generateKeyPairSync('ed25519').privateKey;
const says = (text: string) => expect.stringContaining(text) as string;

describe.skipIf(SERVICES === null)('OpenBao (AIP_TEST_KEY_SERVICES)', () => {
  async function bao(): Promise<{ env: Env; call: (path: string, body?: object) => Promise<void> }> {
    const url = `http://127.0.0.1:${await freePort()}`;
    const argv = ['server', '-dev', '-dev-root-token-id=root', `-dev-listen-address=${url.slice(7)}`];
    await service('bao', argv, {}, `${url}/v1/sys/health`);
    const headers = { 'x-vault-token': 'root' };
    const call = async (path: string, body: object = {}) => {
      const { ok } = await fetch(`${url}/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(ok).toBe(true);
    };
    await call('sys/mounts/transit', { type: 'transit' });
    await call('transit/keys/bot', { type: 'ed25519' });
    await call('transit/keys/curve', { type: 'ecdsa-p256' });
    return { env: { BAO_ADDR: url, BAO_TOKEN: 'root' }, call };
  }

  test('signs, after a rotation with the version that is asked for, and says what is wrong', async () => {
    const { env, call } = await bao();
    const key = await open('hashivault://bot', env);
    await expect(key.sign(MESSAGE)).resolves.toHaveLength(64);
    await call('transit/keys/bot/rotate');
    const next = await open('hashivault://bot', env);
    expect(next.publicKey).not.toEqual(key.publicKey);
    const old = await open('hashivault://bot', env, key.publicKey);
    await expect(old.sign(MESSAGE)).resolves.toEqual(await key.sign(MESSAGE));

    const failing = (address: string, more: Env = {}, wanted: Uint8Array | null = null) =>
      expect(open(address, { ...env, ...more }, wanted)).rejects;
    await call('transit/keys/bot/config', { min_encryption_version: 2 });
    await failing('hashivault://bot', {}, key.publicKey).toMatchObject({
      code: 'KEYSTORE_DENIED',
      message: says('min_encryption_version is 2'),
    });
    await expect((await open('hashivault://bot', env)).sign(MESSAGE)).resolves.toHaveLength(64);
    await failing('hashivault://bot', { BAO_TOKEN: 'wrong' }).toMatchObject({
      code: 'KEYSTORE_DENIED',
      message: says('token'),
    });
    await failing('hashivault://none').toMatchObject({ code: 'KEY_NOT_FOUND' });
    await failing('hashivault://curve').toMatchObject({ code: 'USAGE', message: says('another kind') });
    await failing('hashivault://bot', {}, publicKey).toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: says('No version'),
    });
    const home = scratch();
    writeFileSync(join(home, '.vault-token'), 'root\n', { mode: 0o600 });
    const { BAO_TOKEN: _, ...rest } = env;
    await expect(open('hashivault://bot', { ...rest, HOME: home })).resolves.toBeDefined();
  });
});

describe.skipIf(SERVICES === null)('ministack as AWS KMS (AIP_TEST_KEY_SERVICES)', () => {
  test('signs by id, alias and ARN, and says what is wrong', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await service('ministack', [], { GATEWAY_PORT: String(port), BIND_HOST: '127.0.0.1' }, url);
    const call = async (operation: string, body: object): Promise<Record<string, Record<string, string>>> => {
      const scope =
        'AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=0';
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
        authorization: scope,
      };
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await answer.text().then((text) => (text === '' ? {} : JSON.parse(text)))) as Record<
        string,
        Record<string, string>
      >;
    };
    const create = async (KeySpec: string) =>
      (await call('CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY' }))['KeyMetadata']!;
    const { KeyId, Arn } = await create('ECC_NIST_EDWARDS25519');
    await call('CreateAlias', { AliasName: 'alias/bot', TargetKeyId: KeyId });
    const env = {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
    const signatures = await Promise.all(
      [KeyId!, 'alias/bot', Arn!].map(async (id) => (await open(`awskms:///${id}`, env)).sign(MESSAGE)),
    );
    expect(signatures[0]).toHaveLength(64);
    expect(new Set(signatures.map((each) => Buffer.from(each).toString('hex'))).size).toBe(1);
    const curve = await create('ECC_NIST_P256');
    await expect(open(`awskms:///${curve['KeyId']!}`, env)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(open('awskms:///alias/none', env)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    // The stand-in signs more than the service does.
    const key = await open('awskms:///alias/bot', env);
    await expect(key.sign(Buffer.alloc(4096))).resolves.toHaveLength(64);
    await expect(key.sign(Buffer.alloc(4097))).rejects.toMatchObject({ code: 'USAGE', message: says('4096') });
  });
});

describe('Vault, as it should not answer', () => {
  const keys = (type = 'ed25519') => ({
    data: { type, latest_version: 1, keys: { 1: { public_key: publicKey.toString('base64') } } },
  });
  const vault = (signed: (input: Buffer) => string) =>
    falseService((request, body, response) => {
      if (request.method === 'GET') return void response.end(JSON.stringify(keys()));
      const input = Buffer.from((JSON.parse(body) as { input: string }).input, 'base64');
      response.end(JSON.stringify({ data: { signature: `vault:v1:${signed(input)}` } }));
    });
  const env = (url: string): Env => ({ VAULT_ADDR: url, VAULT_TOKEN: 't' });

  test.each<[string, (input: Buffer) => string, string]>([
    ['another key', (input) => sign(null, input, other).toString('base64'), 'does not hold'],
    ['DER', () => Buffer.from(`3044${'00'.repeat(68)}`, 'hex').toString('base64'), 'DER'],
    ['no base64', () => '{}', 'no signature'],
  ])('%s is named and not used', async (_, signed, text) => {
    const key = await open('hashivault://bot', env(await vault(signed)));
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'KEYSTORE_DENIED', message: says(text) });
  });

  test.each<[number, string, string, string]>([
    [403, '{"errors":["permission denied"]}', 'KEYSTORE_DENIED', 'token'],
    [404, '{"errors":[]}', 'KEY_NOT_FOUND', 'no key'],
    [503, '{}', 'KEYSTORE_LOCKED', 'sealed'],
    [200, '<html>a login page</html>', 'KEYSTORE_DENIED', 'no JSON'],
    [200, '{"data":{"type":"ed25519","keys":[]}}', 'KEY_NOT_FOUND', 'No version'],
    [302, '', 'KEYSTORE_DENIED', 'HTTP 302'],
  ])('HTTP %i %s', async (status, body, code, text) => {
    const url = await falseService((_, __, response) =>
      response.writeHead(status, { location: 'https://else.example/' }).end(body),
    );
    await expect(open('hashivault://bot', env(url))).rejects.toMatchObject({ code, message: says(text) });
  });

  test('silence ends, and so does a service that is not there', async () => {
    await expect(open('hashivault://bot', env(await falseService(() => undefined)))).rejects.toMatchObject({
      code: 'KEYSTORE_TIMEOUT',
    });
    const nobody = `http://127.0.0.1:${await freePort()}`;
    await expect(open('hashivault://bot', env(nobody))).rejects.toMatchObject({
      code: 'KEYSTORE_MISSING',
      hint: says(`curl -sSI ${nobody}`),
    });
  });

  test('a token goes over HTTPS only, and not where there is none to give', async () => {
    await expect(open('hashivault://bot', env('http://vault.acme.com'))).rejects.toMatchObject({ code: 'USAGE' });
    await expect(open('hashivault://bot', {})).rejects.toMatchObject({ code: 'KEYSTORE_MISSING' });
    await expect(open('hashivault://bot', { VAULT_ADDR: 'https://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'KEYSTORE_DENIED',
      message: says('VAULT_TOKEN'),
    });
    await expect(
      open('hashivault://bot', { VAULT_ADDR: 'https://127.0.0.1:1', VAULT_TOKEN: '"quoted"' }),
    ).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('AWS KMS, as it should not answer', () => {
  const env = (url: string): Env => ({
    AWS_ENDPOINT_URL_KMS: url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
  const spki = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');

  test.each<[string, string]>([
    ['NotFoundException', 'KEY_NOT_FOUND'],
    ['UnrecognizedClientException', 'KEYSTORE_DENIED'],
    ['com.amazonaws.kms#AccessDeniedException', 'KEYSTORE_DENIED'],
    ['ThrottlingException', 'KEYSTORE_TIMEOUT'],
    ['ExpiredTokenException', 'KEYSTORE_DENIED'],
    ['InvalidKeyUsageException', 'USAGE'],
    ['\u001b[2JSomething', 'KEYSTORE_DENIED'],
  ])('%j', async (type, code) => {
    const url = await falseService((_, __, response) => response.writeHead(400).end(JSON.stringify({ __type: type })));
    await expect(open('awskms:///alias/bot', env(url))).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining('\u001b') as string,
    });
  });

  test('another key is named and not used, and no secret is in a request', async () => {
    const seen: string[] = [];
    const url = await falseService((request, body, response) => {
      seen.push(JSON.stringify(request.headers) + body);
      const signing = request.headers['x-amz-target'] === 'TrentService.Sign';
      response.end(
        JSON.stringify(signing ? { Signature: sign(null, MESSAGE, other).toString('base64') } : { PublicKey: spki }),
      );
    });
    const key = await open('awskms:///alias/bot', env(url));
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'KEYSTORE_DENIED', message: says('does not hold') });
    expect(seen).toHaveLength(2);
    expect(seen.join('')).toContain('Credential=AKID/');
    expect(seen.join('')).not.toContain('secret');
  });

  test('credentials and region come from the files of the AWS tools as well', async () => {
    const home = scratch();
    mkdirSync(join(home, '.aws'));
    writeFileSync(
      join(home, '.aws/credentials'),
      '[default]\naws_access_key_id = D\n\n[work]\naws_access_key_id=AKW\naws_secret_access_key = s+/s\n',
    );
    writeFileSync(join(home, '.aws/config'), '[profile work]\nregion = eu-west-1\n');
    const seen: string[] = [];
    const url = await falseService((request, _, response) => {
      seen.push(request.headers.authorization ?? '');
      response.end(JSON.stringify({ PublicKey: spki }));
    });
    await open('awskms:///alias/bot', { HOME: home, AWS_PROFILE: 'work', AWS_ENDPOINT_URL: url });
    expect(seen[0]).toMatch(/Credential=AKW\/\d{8}\/eu-west-1\/kms\/aws4_request/);
    await expect(
      open('awskms:///alias/bot', { HOME: home, AWS_PROFILE: 'none', AWS_REGION: 'eu-west-1' }),
    ).rejects.toMatchObject({ code: 'KEYSTORE_DENIED' });
    await expect(
      open('awskms:///alias/bot', { HOME: home, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }),
    ).rejects.toMatchObject({ code: 'USAGE', message: says('region') });
  });
});

test.each([
  ['eu-central-1', 'amazonaws.com'],
  ['us-gov-west-1', 'amazonaws.com'],
  ['cn-north-1', 'amazonaws.com.cn'],
  ['eusc-de-east-1', 'amazonaws.eu'],
])('AWS KMS of %s is asked in its own domain', async (region, domain) => {
  const asked: (string | undefined)[] = [];
  const proxy = createServer().listen(0, '127.0.0.1');
  proxy.on('connect', ({ url }, socket) => (asked.push(url), socket.end('HTTP/1.1 502 No\r\n\r\n')));
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const credentials = { AWS_ACCESS_KEY_ID: 'AKIAX', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: region };
  const HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await expect(open('awskms:///alias/bot', { ...credentials, HTTPS_PROXY })).rejects.toMatchObject({
    code: 'KEYSTORE_MISSING',
  });
  expect(asked[0]).toBe(`kms.${region}.${domain}:443`);
});

describe('a program', () => {
  /** A program that signs as the text of this JavaScript does. */
  function program(body: string): string {
    const path = join(scratch(), 'hsm');
    writeFileSync(
      path,
      `#!${process.execPath}\nlet text = '';process.stdin.on('data', (d) => (text += d)).on('end', () => { const ask = JSON.parse(text); ${body} });\n`,
    );
    chmodSync(path, 0o755);
    return path;
  }
  const pem = JSON.stringify(pair.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const key = `ed25519:${publicKey.toString('hex')}`;
  const honest = `const c = require('node:crypto'); console.log(JSON.stringify(ask.op === 'sign' ? { signature: c.sign(null, Buffer.from(ask.message, 'base64'), ${pem}).toString('hex') } : { public_key: '${key}' }))`;

  test('one line each way signs', async () => {
    const path = program(honest);
    await expect((await open(`cmd:${path}`, {})).sign(MESSAGE)).resolves.toEqual(
      Uint8Array.from(sign(null, MESSAGE, pair.privateKey)),
    );
  });

  test('an answer counts though a child that it started holds its stdout', async () => {
    const child = `require('node:child_process').spawn('sleep', ['20'], { stdio: ['ignore', 'inherit', 'ignore'], detached: true })`;
    const path = program(`${child}.unref(); ${honest}`);
    await expect((await open(`cmd:${path}`, {})).sign(MESSAGE)).resolves.toEqual(
      Uint8Array.from(sign(null, MESSAGE, pair.privateKey)),
    );
  });

  test('gets what it needs of the environment, and no secret that opens another key', async () => {
    const path = program('console.log(JSON.stringify({ error: Object.keys(process.env).sort().join() }))');
    const env = { PATH: '/usr/bin', HSM_PIN: '1', AIP_HOME: '/h', AIP_KEY_PASSPHRASE: 'x', AGENT_PRIVATE_KEY: 'x' };
    await expect(open(`cmd:${path}`, { ...env, AIP_MESH_KEY: 'x' })).rejects.toMatchObject({
      message: `${path} refused: AIP_HOME,HOME,HSM_PIN,PATH`,
    });
  });

  test.each<[string, string, string, string]>([
    ['two lines', "console.log('{}\\n{}')", 'KEYSTORE_DENIED', 'one line'],
    ['no JSON', "console.log('ok')", 'KEYSTORE_DENIED', 'one line'],
    ['a member twice', `console.log('{"public_key":"${key}","public_key":"${key}"}')`, 'KEYSTORE_DENIED', 'one line'],
    [
      'an error with an escape',
      "console.log(JSON.stringify({ error: 'PIN\\u001b[2J' }))",
      'KEYSTORE_DENIED',
      'refused: PIN',
    ],
    ['an exit code', 'process.exit(7)', 'KEYSTORE_DENIED', 'ended with 7'],
    [
      'a private key in place of the public one',
      `console.log(JSON.stringify({ public_key: ${pem} }))`,
      'KEYSTORE_DENIED',
      'no Ed25519 public key',
    ],
    [
      'no end of output',
      "const w = () => process.stdout.write('x'.repeat(65536), w); w()",
      'KEYSTORE_DENIED',
      'more than',
    ],
    ['silence', 'setTimeout(() => {}, 60000)', 'KEYSTORE_TIMEOUT', 'within 5 s'],
  ])('%s', async (_, body, code, text) => {
    await expect(open(`cmd:${program(body)}`, {})).rejects.toMatchObject({ code, message: says(text) });
  });

  test('a program that is not there', async () => {
    await expect(open('cmd:/nowhere/hsm', {})).rejects.toMatchObject({ code: 'KEYSTORE_MISSING' });
  });
});

test.each([
  '',
  'cmd:',
  'ssh-agent:',
  'ssh-agent:SHA256:short',
  'hashivault:bot',
  'hashivault://../sys',
  'hashivault://a?b',
  'awskms://alias/x',
  'awskms:///a b',
  'file:///etc',
  'cmd:a\nb',
  `cmd:${'x'.repeat(3000)}`,
])('case %#: no address', async (text) => {
  await expect(open(text, {})).rejects.toMatchObject({ code: 'USAGE' });
});
