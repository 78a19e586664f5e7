/** A mesh server as a process, and what became of it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { MeshHttp, type MeshHttpReply } from '../../../src/adapters/http/mesh-client.js';
import { bundle } from '../bundle.js';
import { adminKey } from './keys.js';

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly errors: string;
}

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly http: MeshHttp;

  private constructor(child: ChildProcess, ended: Promise<Ended>, port: number) {
    this.#child = child;
    this.ended = ended;
    this.http = new MeshHttp(`http://127.0.0.1:${port}`, adminKey().key.text);
    void ended.then(() => this.http.close());
  }

  /** Starts a server on the store in `folder`; `before` is a command line that runs it, e.g. a tracer. Null: it ended instead. */
  static async start(folder: string, before: readonly string[] = []): Promise<ServerProcess | Ended> {
    const file = await bundle(fileURLToPath(new URL('serve.ts', import.meta.url)));
    const [program, ...args] = [...before, process.execPath, file, folder];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    child.stdin.on('error', () => undefined);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const ended = new Promise<Ended>((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal, errors })),
    );
    const port = new Promise<number>((resolve) =>
      child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(Number(text))),
    );
    const first = await Promise.race([port, ended]);
    if (typeof first !== 'number') return first;
    return new ServerProcess(child, ended, first);
  }

  /** Asks to revoke; `null` when there was no answer. */
  async revoke(cmdId: string, subject = 'did:web:acme.com:agents:a'): Promise<MeshHttpReply | null> {
    const body = Buffer.from(JSON.stringify({ cmd_id: cmdId, action: 'revoke', agent_id: subject, reason: 'r' }));
    return this.http
      .ask({ method: 'POST', target: '/v1/mesh/commands', body, timeoutMs: 10_000, maxBytes: 65_536 })
      .catch(() => null);
  }

  /** SIGKILL, to a tracer around it, too. */
  async kill(): Promise<Ended> {
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    return this.ended;
  }

  async close(): Promise<Ended> {
    this.#child.stdin!.end();
    return this.ended;
  }
}

/** As `ServerProcess.start`, for a server that must come up; killed after the test at the latest. */
export async function started(folder: string, before: readonly string[] = []): Promise<ServerProcess> {
  const server = await ServerProcess.start(folder, before);
  if (!(server instanceof ServerProcess)) throw new Error(`the server ended with ${server.code}: ${server.errors}`);
  onTestFinished(async () => void (await server.kill()));
  return server;
}

export function commandId(): string {
  return `cmd-${randomBytes(8).toString('hex')}`;
}

/** Why system calls cannot be made to fail here; null when they can. With AIP_TEST_STRACE=1 that is an error. */
export function whyNoStrace(): string | null {
  const tried = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', process.execPath, '-e', '0']);
  const reason =
    tried.error !== undefined ? 'strace is not installed' : tried.status === 0 ? null : 'strace may not trace';
  if (reason !== null && process.env['AIP_TEST_STRACE'] === '1') throw new Error(`AIP_TEST_STRACE=1, but ${reason}`);
  return reason;
}
