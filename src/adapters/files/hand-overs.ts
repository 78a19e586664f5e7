/** Decisions of hooks that a guard takes over: a file each, in a folder of this user's alone. A file that was removed was taken. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HAND_OVER_MS, type HandOver, type HandOvers } from '../../app/ports/hand-overs.js';
import { createPrivate, ensurePrivateFolder, readPrivate, removePrivate } from './secret/private-file.js';

const MAX_BYTES = 1024;
const NAME = /^([0-9a-f]{64})\.(\d{1,16})\.[0-9a-f]{16}$/;

/** @param folder made when something is left */
export function handOversIn(folder: string): HandOvers {
  const found = (): { name: string; key: string; at: number }[] =>
    namesIn(folder).flatMap((name) => {
      const [, key, at] = NAME.exec(name) ?? [];
      return key === undefined ? [] : [{ name, key, at: Number(at) }];
    });
  const isOld = (at: number, now: number): boolean => Math.abs(now - at) > HAND_OVER_MS;
  return {
    leave(key, { intentHash, token }, now) {
      ensurePrivateFolder(folder);
      for (const { name, at } of found()) if (isOld(at, now)) removePrivate(join(folder, name));
      const unique = randomBytes(8).toString('hex');
      createPrivate(join(folder, `${key}.${now}.${unique}`), JSON.stringify({ intentHash, token }), unique);
    },
    take(key, now) {
      const own = found().filter((each) => each.key === key && !isOld(each.at, now));
      for (const { name } of own.sort((a, b) => a.at - b.at)) {
        const path = join(folder, name);
        const file = readPrivate(path, MAX_BYTES);
        // Of two guards one removes it.
        if (file === null || !removePrivate(path) || file.exposed) continue;
        const left = readHandOver(file.bytes.toString('utf8'));
        if (left !== null) return left;
      }
      return null;
    },
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readHandOver(text: string): HandOver | null {
  try {
    const { intentHash, token } = JSON.parse(text) as Record<string, unknown>;
    if (typeof intentHash === 'string' && (token === null || typeof token === 'string')) return { intentHash, token };
  } catch {
    // Nothing that a hook has left.
  }
  return null;
}
