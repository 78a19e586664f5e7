/** A client of the guard before an MCP server on standard streams. */
import { createInterface } from 'node:readline';
import type { Guarded } from '../guard.js';

type Any = Record<string, any>;

/** Starts a guard of the agent `coder` before the server `pay`, and speaks with it. */
export function speakMcp(place: Guarded, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = place.start(['mcp', 'guard', '-p', 'coder', '--name', 'pay', ...argv], env);
  const waiting = new Map<unknown, (message: Any) => void>();
  const notifications: Any[] = [];
  let err = '';
  child.stderr!.on('data', (part: Buffer) => (err += part.toString()));
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const message = JSON.parse(line) as Any;
    if ('id' in message) waiting.get(message.id)?.(message);
    else notifications.push(message);
  });
  const write = (text: string): void => void child.stdin!.write(`${text}\n`);
  const answer = (id: unknown): Promise<Any> => new Promise((resolve) => void waiting.set(id, resolve));
  let id = 0;
  const ask = (method: string, params: object = {}): Promise<Any> => {
    id += 1;
    const reply = answer(id);
    write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return reply;
  };
  const call = (name: string, args: object = {}): Promise<Any> => ask('tools/call', { name, arguments: args });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, write, answer, ask, call, ended, notifications, err: () => err };
}

/** Opens a session of the older era. */
export const openMcp = (client: ReturnType<typeof speakMcp>): Promise<Any> =>
  client.ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 't', version: '1' },
  });
