/** The tools of MCP servers as they were pinned, a file a server. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Failure, shellWord } from '../../app/failure.js';
import { ensurePrivateFolder, readPrivate, replacePrivate } from './secret/private-file.js';

/** A pinned tool: its hash and the whole object. */
export interface PinnedTool {
  readonly name: string;
  readonly hash: string;
  readonly tool: Readonly<Record<string, unknown>>;
}

const MAX_BYTES = 16 * 1024 * 1024;

/** The pinned tools of `server`; null for one that was never seen. @throws Failure STATE, KEYSTORE_DENIED */
export function readPins(folder: string, server: string): PinnedTool[] | null {
  const path = pathOf(folder, server);
  const file = readPrivate(path, MAX_BYTES);
  if (file === null) return null;
  if (file.exposed)
    throw new Failure('KEYSTORE_DENIED', `${path} can be changed by others.`, { hint: `chmod 600 ${shellWord(path)}` });
  try {
    const read = JSON.parse(file.bytes.toString('utf8')) as { server: unknown; tools: PinnedTool[] };
    if (
      read.server === server &&
      read.tools.every(({ name, hash }) => typeof name === 'string' && hash.startsWith('sha256:'))
    )
      return read.tools;
  } catch {
    // Said below.
  }
  throw new Failure('STATE', `${path} holds no pins of ${server}.`, {
    hint: `look at it, then: rm ${shellWord(path)}`,
  });
}

/** Keeps `tools` as the pins of `server`. */
export function writePins(folder: string, server: string, tools: readonly PinnedTool[]): void {
  ensurePrivateFolder(folder);
  const text = `${JSON.stringify({ server, tools: tools.map(({ name, hash, tool }) => ({ name, hash, tool })) }, null, 1)}\n`;
  replacePrivate(pathOf(folder, server), text, randomBytes(6).toString('hex'));
}

/** A name of a file that no name of a server can leave the folder with. */
function pathOf(folder: string, server: string): string {
  const plain = server.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 64);
  return join(folder, `${plain}-${createHash('sha256').update(server).digest('hex').slice(0, 16)}.json`);
}
