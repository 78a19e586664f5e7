/** What a service on this machine stands on: its listener, its token, and paths as the system sees them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { dirname, join } from 'node:path';
import { Failure, shellWord } from '../../app/failure.js';
import type { ListeningPlaces, WebHandler, WebListening } from '../../app/ports/web.js';
import { toHex } from '../../protocol/hex.js';
import type { LocalWorkspace } from '../workspace.js';

export { followed } from '../../adapters/files/followed.js';
export { isHardLink, placesBehind } from '../../adapters/files/other-names.js';

/** Serves on this machine alone until it is closed. @throws Failure NETWORK, KEYSTORE_DENIED */
export async function listenHere(handler: WebHandler, places: ListeningPlaces): Promise<WebListening> {
  return (await import('../../adapters/http/local-server.js')).listenHere(handler, places);
}

/** Where `aip serve` listens, and `aip hook` looks, unless told otherwise. */
export function defaultSocket(workspace: LocalWorkspace): string {
  return join(workspace.paths().stateDir, 'serve', 'aip.sock');
}

/** Where the token of its port is, unless told otherwise. */
export function defaultTokenFile(workspace: LocalWorkspace): string {
  return join(workspace.paths().stateDir, 'serve.token');
}

const MAX_TOKEN = 512;

/** The bearer token in a file of mode 0600; it is made when it is absent. @throws Failure KEYSTORE_DENIED, UNREADABLE, STATE */
export async function bearerToken({ world }: LocalWorkspace, path: string): Promise<string> {
  const { createPrivate, ensurePrivateFolder, readPrivate } =
    await import('../../adapters/files/secret/private-file.js');
  if (readPrivate(path, MAX_TOKEN) === null) {
    ensurePrivateFolder(dirname(path));
    createPrivate(path, `${toHex(world.random(32))}\n`, toHex(world.random(6)));
  }
  const file = readPrivate(path, MAX_TOKEN);
  if (file === null || file.exposed)
    throw new Failure('KEYSTORE_DENIED', `${path} can be read or changed by others.`, {
      hint: `chmod 600 ${shellWord(path)}`,
    });
  const token = file.bytes.toString('latin1').replace(/\r?\n$/, '');
  if (!/^[\x21-\x7e]{32,}$/.test(token))
    throw new Failure('UNREADABLE', `${path} holds no token of at least 32 printable characters.`, {
      hint: `rm ${shellWord(path)}; a new one is made then`,
    });
  return token;
}

/** Whether two texts are one, in a time that does not tell where they differ. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
