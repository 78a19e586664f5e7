/**
 * What signing adds to the back end that a key lives in: found and asked once, as a command does it, beside the same two questions put by
 * the barest client. `npm run bench:keys`; ends with 1 where it adds more than 3 ms, and says which back ends are not installed.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askedKey } from '../../src/adapters/keys/asked/open.js';
import { text as keysTopic } from '../../src/cli/help/topics/keys.js';
import { freePort } from '../kit/servers/free-port.js';
import { requireQuiet } from './baseline.js';
import { isMet, msMore, table, type Pair, type Result } from './measure.js';

const ROUNDS = Number(process.argv[2] ?? 100);
/** What signing may add, ms. */
const BAR = 3;
const MESSAGE = Buffer.from(`{"agent_id":"did:web:acme.com:agents:bot","params":"${'x'.repeat(250)}"}`);

/** A key's address, and its back end asked without us: for the key, then for the signature. */
interface BackEnd {
  readonly name: string;
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  readonly raw: () => Promise<void>;
}

const folder = mkdtempSync(join(tmpdir(), 'aip-b-'));
const started: ChildProcess[] = [];
const PATH = process.env['PATH'] ?? '';
const services = process.env['AIP_TEST_KEY_SERVICES'];

async function sshAgent(): Promise<BackEnd | null> {
  if (!has('ssh-agent')) return null;
  const socket = join(folder, 's');
  started.push(spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }));
  await until(() => Promise.resolve(existsSync(socket)));
  const env = { PATH, SSH_AUTH_SOCK: socket };
  const file = join(folder, 'id');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', file]);
  execFileSync('ssh-add', ['-q', file], { env, stdio: 'ignore' });
  const text = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const blob = Buffer.from(
    execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).split(' ')[1]!,
    'base64',
  );
  const list = text(Buffer.from([11]));
  const sign = text(Buffer.concat([Buffer.from([13]), text(blob), text(MESSAGE), Buffer.alloc(4)]));
  const ask = (bytes: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const connection = connect(socket, () => connection.write(bytes));
      connection.on('error', reject);
      connection.once('data', () => resolve(void connection.destroy()));
    });
  return { name: 'ssh-agent (OpenSSH)', address: 'ssh-agent:bench', env, raw: () => ask(list).then(() => ask(sign)) };
}

async function openBao(): Promise<BackEnd | null> {
  const program = services === undefined ? '' : join(services, 'bin', 'bao');
  if (!existsSync(program)) return null;
  const port = await freePort();
  const argv = ['server', '-dev', '-dev-root-token-id=root', `-dev-listen-address=127.0.0.1:${port}`];
  started.push(spawn(program, argv, { stdio: 'ignore', env: { PATH, HOME: folder } }));
  const headers = { 'x-vault-token': 'root' };
  const ask = (method: string, path: string, body?: object) => http(port, method, path, headers, body);
  await until(() => ask('GET', '/v1/sys/health'));
  await ask('POST', '/v1/sys/mounts/transit', { type: 'transit' });
  await ask('POST', '/v1/transit/keys/bot', { type: 'ed25519' });
  const input = MESSAGE.toString('base64');
  return {
    name: 'transit (OpenBao)',
    address: 'hashivault://bot',
    env: { PATH, HOME: folder, BAO_ADDR: `http://127.0.0.1:${port}`, BAO_TOKEN: 'root' },
    raw: async () => {
      await ask('GET', '/v1/transit/keys/bot');
      await ask('POST', '/v1/transit/sign/bot', { input });
    },
  };
}

async function kms(): Promise<BackEnd | null> {
  const program = services === undefined ? '' : join(services, 'bin', 'ministack');
  if (!existsSync(program)) return null;
  const port = await freePort();
  const env = { PATH, HOME: folder, GATEWAY_PORT: String(port), BIND_HOST: '127.0.0.1' };
  started.push(spawn(program, [], { stdio: 'ignore', env }));
  const authorization =
    'AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=0';
  const ask = (operation: string, body: object) => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` };
    return http(port, 'POST', '/', { ...headers, authorization }, body);
  };
  await until(() => http(port, 'GET', '/', {}));
  const made = await ask('CreateKey', { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
  const { KeyId } = (JSON.parse(made) as { KeyMetadata: { KeyId: string } }).KeyMetadata;
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'eu-central-1' };
  const asked = { KeyId, Message: MESSAGE.toString('base64'), MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' };
  return {
    name: 'AWS KMS (ministack)',
    address: `awskms:///${KeyId}`,
    env: { PATH, HOME: folder, ...credentials, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` },
    raw: async () => {
      await ask('GetPublicKey', { KeyId });
      await ask('Sign', asked);
    },
  };
}

async function softHsm(): Promise<BackEnd | null> {
  const module = '/usr/lib/softhsm/libsofthsm2.so';
  if (!has('pkcs11-tool') || !has('softhsm2-util') || !existsSync(module)) return null;
  mkdirSync(join(folder, 'tokens'));
  writeFileSync(join(folder, 'hsm.conf'), `directories.tokendir = ${join(folder, 'tokens')}\n`);
  const token = { HSM_MODULE: module, HSM_TOKEN: 'aip', HSM_PIN: '1234' };
  const env = { PATH, HOME: folder, SOFTHSM2_CONF: join(folder, 'hsm.conf'), ...token };
  const run = (program: string, argv: string) => execFileSync(program, argv.split(' '), { env, stdio: 'ignore' });
  run('softhsm2-util', '--init-token --free --label aip --pin 1234 --so-pin 1234');
  run(
    'pkcs11-tool',
    `--module ${module} --token-label aip --login --pin 1234 --keypairgen --key-type EC:edwards25519 --id 01`,
  );
  const program = join(folder, 'hsm');
  writeFileSync(program, /^ *(#!\/bin\/sh[\s\S]*?\n *esac)$/m.exec(keysTopic())![1]!);
  chmodSync(program, 0o755);
  const ask = (question: object) =>
    new Promise<void>((resolve, reject) => {
      const child = spawn(program, ['01'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
      child.stdout.resume();
      child.on('error', reject);
      child.on('close', () => resolve());
      child.stdin.end(`${JSON.stringify(question)}\n`);
    });
  return {
    name: 'cmd: (SoftHSM by pkcs11-tool)',
    address: `cmd:${program} 01`,
    env,
    raw: async () => {
      await ask({ version: 1, op: 'public_key' });
      await ask({ version: 1, op: 'sign', message: MESSAGE.toString('base64') });
    },
  };
}

/** In turns, so that what else the machine does meets both alike. */
async function measured({ name, address, env, raw }: BackEnd): Promise<Result> {
  const pairs: Pair[] = [];
  const signed = async () => (await askedKey({ env, now: Date.now }, address, null)).sign(MESSAGE);
  for (let round = -5; round < ROUNDS; round++) {
    const isFirst = round % 2 === 0;
    const early = isFirst ? await us(signed) : null;
    const base = await us(raw);
    const ours = early ?? (await us(signed));
    if (round >= 0) pairs.push({ ours, base });
  }
  const target = { kind: 'most', value: BAR, unit: 'ms more' } as const;
  const times = { ours: pairs.map(({ ours }) => ours), base: pairs.map(({ base }) => base) };
  return { what: name, against: 'the same, bare', target, measured: msMore(pairs), ...times };
}

async function us(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1000;
}

function http(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, agent: false };
    const asked = request(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => resolve(text));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function until(ready: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await ready().catch(() => false)) return;
    await new Promise((resolve) => void setTimeout(resolve, 100));
  }
  throw new Error('a back end did not start');
}

function has(program: string): boolean {
  return PATH.split(':').some((path) => existsSync(join(path, program)));
}

try {
  requireQuiet();
  const results: Result[] = [];
  for (const start of [sshAgent, openBao, kms, softHsm]) {
    const backEnd = await start();
    if (backEnd === null) console.log(`not installed: ${start.name}`);
    else results.push(await measured(backEnd));
  }
  console.log(table(results));
  process.exitCode = results.every(isMet) ? 0 : 1;
} finally {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
