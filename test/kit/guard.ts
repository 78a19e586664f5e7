/** A home with an agent that may refund up to 100 USD, and the built program in it as processes. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { BINARY } from './built/program.js';
import { openWorkspace, type CreatePassportOptions, type Workspace } from '../../src/index.js';
import { scratch } from './scratch.js';

export const AGENT = 'did:web:acme.com:agents:coder';
/** A private key that only tests know. */
export const KEY = `ed25519:${'5e'.repeat(32)}`;

export interface Guarded {
  readonly folder: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly workspace: Workspace;
  /** Runs the program to its end. */
  run(argv: readonly string[], stdin?: string): { status: number | null; stdout: string; stderr: string };
  /** Runs the program to its end, while servers of the test go on. */
  ran(argv: readonly string[], stdin?: string): Promise<{ status: number | null; stdout: string; stderr: string }>;
  /** Starts the program; it is stopped after the test. */
  start(argv: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess;
}

/** Makes the home, and one agent per name; all sign with `KEY`. */
export async function guarded(
  changes: Partial<CreatePassportOptions> = {},
  agents: readonly string[] = ['coder'],
): Promise<Guarded> {
  const folder = scratch();
  const home = join(folder, 'home');
  const workspace = openWorkspace({ home, passphrase: 'correct horse', onNotice: () => undefined });
  onTestFinished(() => workspace.close());
  for (const agentName of agents) {
    await workspace.createPassport({
      domain: 'acme.com',
      agentName,
      actions: ['issue_refund', 'shell', 'read_file', 'write_file', 'pay.refund'],
      constraints: { monetary_limit: 100 },
      privateKey: KEY,
      ...changes,
    });
  }
  const { PATH, HOME, TERM } = process.env;
  const env: NodeJS.ProcessEnv = { PATH, HOME, TERM, AIP_HOME: home, AGENT_PRIVATE_KEY: KEY, NO_COLOR: '1' };
  const start: Guarded['start'] = (argv, more = {}) => {
    const child = spawn(process.execPath, [BINARY, ...argv], { env: { ...env, ...more }, cwd: folder });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    });
    return child;
  };
  return {
    folder,
    home,
    env,
    workspace,
    run: (argv, stdin = '') => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [BINARY, ...argv], {
        env,
        cwd: folder,
        input: stdin,
        encoding: 'utf8',
        timeout: 30_000,
      });
      return { status, stdout, stderr };
    },
    start,
    async ran(argv, stdin = '') {
      const child = start(argv);
      child.stdin!.end(stdin);
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      child.stdout!.on('data', (part: Buffer) => out.push(part));
      child.stderr!.on('data', (part: Buffer) => err.push(part));
      const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
      return { status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
    },
  };
}

/** Starts `aip serve` and resolves to what its ready line says. */
export function served(
  place: Guarded,
  ...argv: string[]
): Promise<{ socket: string | null; url: string | null; child: ChildProcess }> {
  const child = place.start(['serve', '--json', ...argv]);
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    child.stderr!.on('data', (part: Buffer) => (err += part.toString()));
    child.stdout!.on('data', (part: Buffer) => {
      out += part.toString();
      if (!out.includes('\n')) return;
      const ready = JSON.parse(out.split('\n')[0]!) as { socket: string | null; url: string | null };
      resolve({ ...ready, child });
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${err}`)));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  readonly json: any;
}

/** One request, over a socket's path or a URL. */
export function ask(
  place: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  method = body === undefined ? 'GET' : 'POST',
): Promise<Answer> {
  const where = place.startsWith('http')
    ? { host: new URL(place).hostname, port: new URL(place).port }
    : { socketPath: place };
  const bytes =
    body === undefined ? '' : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...where,
        path,
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(bytes) }) },
      },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (part: string) => (text += part));
        reply.once('end', () => {
          let json: unknown = null;
          try {
            json = JSON.parse(text);
          } catch {
            // Not every answer is one document.
          }
          resolve({ status: reply.statusCode!, headers: reply.headers, text, json });
        });
      },
    );
    sent.once('error', reject);
    sent.end(bytes);
  });
}
