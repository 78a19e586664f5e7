/**
 * `aip hook` where `aip serve` runs: a socket, a question, an answer. It loads nothing of the program. Before the socket has taken the
 * connection nothing is read, so that the program can still decide by itself; after that every failure is the hook's own.
 */
import { fstatSync, lstatSync, writeSync } from 'node:fs';
import { createConnection, Socket } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { pathsOf } from '../../workspace/guard/places.js';
import { namedHookFiles } from '../../guard/hook/agent-homes.js';
import { failureAnswer, WATCHDOG_MS, type HookOutput } from '../../guard/hook/call.js';

/** Whether the hook was answered; else what stdin said, where it was read. */
export interface HookReply {
  readonly answered: boolean;
  readonly stdin: Uint8Array | null;
}

/** As the service has it: a larger event is decided by the program. */
const MAX_BODY = 64 * 1024;
const MAX_EVENT = 2 * 1024 * 1024;
const CONNECT_MS = 250;
const VALUES = ['-p', '--passport', '--map', '--socket', '--home'];
const NOT_ASKED: HookReply = { answered: false, stdin: null };

/** Asks the service, and ends the hook with its answer. */
export async function askService(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<HookReply> {
  const asked = readArgs(argv, env);
  // To a person at a terminal the program says what the hook is for.
  if (asked === null || isatty(0)) return NOT_ASKED;
  const path = asked.socket ?? (env.AIP_SOCKET || socketOf(asked.home, env));
  if (path === null || !isOwn(path)) return NOT_ASKED;
  const socket = await connected(path);
  if (socket === null) return NOT_ASKED;
  const watchdog = setTimeout(() => {
    end(failureAnswer(`it took more than ${WATCHDOG_MS} ms.`));
    process.exit();
  }, WATCHDOG_MS);
  let stdin: Uint8Array | null = null;
  try {
    stdin = await readInput();
    if (stdin.length > MAX_BODY) return leave(socket, stdin);
    const { status, body } = await exchange(socket, asked.path, stdin);
    if (status === 403) return { answered: false, stdin };
    end(status === 200 ? answerIn(body) : failureAnswer(`the service answered ${status}: ${body.slice(0, 300)}`));
  } catch (error) {
    end(
      failureAnswer(
        `the service did not answer (${error instanceof Error ? error.message.slice(0, 200) : 'why is unknown'}).`,
      ),
    );
  } finally {
    clearTimeout(watchdog);
    // Left open, it would keep the process, and an agent that waits long enough runs the tool.
    socket.destroy();
  }
  return { answered: true, stdin };
}

interface Args {
  readonly path: string;
  readonly socket: string | null;
  readonly home: string | null;
}

/** Null for what only the program understands. */
function readArgs([client, ...rest]: readonly string[], env: NodeJS.ProcessEnv): Args | null {
  if (client === undefined || !/^[a-z]+$/.test(client)) return null;
  const query = new URLSearchParams();
  const given = new Map<string, string>();
  for (let i = 0; i < rest.length; i++) {
    const token = rest[i]!;
    if (token === '--grant' || token === '--ask') query.set(token.slice(2), '1');
    else {
      const at = token.startsWith('--') ? token.indexOf('=') : -1;
      const name = at === -1 ? token : token.slice(0, at);
      const value = at === -1 ? rest[++i] : token.slice(at + 1);
      if (!VALUES.includes(name) || value === undefined || value === '') return null;
      if (name === '--map') query.append('map', value);
      else if (name === '-p' || name === '--passport') query.set('agent', value);
      else given.set(name, value);
    }
  }
  // The service has another environment, and another folder.
  query.set('folder', process.cwd());
  for (const file of namedHookFiles(env, process.cwd())) query.append('own', file);
  const text = query.toString();
  return {
    path: `/v1/hooks/${client}${text === '' ? '' : `?${text}`}`,
    socket: given.get('--socket') ?? null,
    home: given.get('--home') ?? null,
  };
}

function socketOf(home: string | null, env: NodeJS.ProcessEnv): string | null {
  try {
    const place = { env, cwd: process.cwd(), platform: process.platform, userHome: homedir() };
    return join(pathsOf(place, home ?? (env.AIP_HOME || null)).stateDir, 'serve', 'aip.sock');
  } catch {
    return null;
  }
}

/** A socket in a folder that others can change may be theirs, and would say yes to everything. */
function isOwn(path: string): boolean {
  try {
    const { mode, uid } = lstatSync(dirname(path));
    return lstatSync(path).isSocket() && uid === process.getuid?.() && (mode & 0o077) === 0;
  } catch {
    return false;
  }
}

function connected(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const give = (): void => {
      socket.destroy();
      resolve(null);
    };
    const late = setTimeout(give, CONNECT_MS);
    socket.once('error', () => {
      clearTimeout(late);
      give();
    });
    socket.once('connect', () => {
      clearTimeout(late);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** All of stdin. A pipe is read as the socket is: `process.stdin` would load more than all the rest of this. */
function readInput(): Promise<Uint8Array> {
  const stat = fstatSync(0);
  const input =
    stat.isFIFO() || stat.isSocket() ? new Socket({ fd: 0, readable: true, writable: false }) : process.stdin;
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    input.on('data', (part: Buffer) => {
      size += part.length;
      parts.push(part);
      if (size > MAX_EVENT) input.destroy(new Error('the event is too large'));
    });
    input.once('error', reject);
    input.once('end', () => resolve(Buffer.concat(parts)));
  });
}

function exchange(socket: Socket, path: string, body: Uint8Array): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => void parts.push(part));
    socket.once('error', reject);
    socket.once('end', () => {
      const text = Buffer.concat(parts).toString('utf8');
      const match = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(text);
      const length = Number(/^content-length: (\d+)\r?$/im.exec(match?.[2] ?? '')?.[1]);
      if (match === null || Buffer.byteLength(match[3]!) !== length) reject(new Error('its answer was cut'));
      else resolve({ status: Number(match[1]), body: match[3]! });
    });
    const head = [
      `POST ${path} HTTP/1.1`,
      'Host: localhost',
      'Accept: application/vnd.aip.hook+json',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ];
    socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  });
}

function leave(socket: Socket, stdin: Uint8Array): HookReply {
  socket.destroy();
  return { answered: false, stdin };
}

/** @throws Error for what is no answer: nothing is taken for a yes that does not say so */
function answerIn(body: string): HookOutput {
  const answer = JSON.parse(body) as Partial<HookOutput>;
  const { stdout, stderr, exitCode } = answer;
  if (typeof stdout !== 'string' || typeof stderr !== 'string') throw new Error('it gave no answer of a hook');
  if (exitCode === 0 && stdout !== '') return { stdout, stderr, exitCode };
  if (exitCode === 2 && stderr !== '') return { stdout, stderr, exitCode };
  throw new Error('it gave no answer of a hook');
}

/** Written at once: `process.stdout` would be loaded for one line. @throws Error where nobody takes it */
function end({ stdout, stderr, exitCode }: HookOutput): void {
  process.exitCode = exitCode;
  if (stderr !== '') writeWhole(2, stderr);
  if (stdout !== '') writeWhole(1, stdout);
}

function writeWhole(to: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(to, bytes, at);
}
