/**
 * What a file tool must never reach, whatever the passport says: the home with keys and state, the hook's own configuration, the socket's
 * folder. An agent that can write there switches its hook off. For a shell nothing of the kind can be promised.
 */
import { posix, win32 } from 'node:path';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { HookCall } from './call.js';

const FILE_ACTIONS: ReadonlySet<string> = new Set(['read_file', 'write_file']);
const PATCHED = /^\*\*\* (?:Add File|Update File|Delete File|Move to): (.+)$/gm;

/** The paths that a file tool names, absolute, as the agent wrote them; none for other tools. */
export function namedPaths({ action, params, target }: HookCall): string[] {
  if (!FILE_ACTIONS.has(action)) return [];
  return textsIn(params).flatMap((text) => {
    const patched = [...text.matchAll(PATCHED)].map((match) => match[1]!.trim());
    if (patched.length > 0) return patched.map((path) => absolute(path, target));
    // What is written holds lines and is long; a path does neither.
    return text.includes('\n') || text.length > 4096 ? [] : [absolute(fileUrlPath(text), target)];
  });
}

/** True where `path` is one of the `places`, or inside of one. Both absolute, with links followed by the caller where files exist. */
export function isWithin(path: string, places: readonly string[]): boolean {
  const { relative, isAbsolute } = path.includes('\\') ? win32 : posix;
  return places.some((place) => {
    const way = relative(place, path);
    return way === '' || !(way === '..' || way.startsWith('../') || way.startsWith('..\\') || isAbsolute(way));
  });
}

function absolute(path: string, folder: string | null): string {
  const { isAbsolute, resolve, normalize } = path.includes('\\') || folder?.includes('\\') === true ? win32 : posix;
  return isAbsolute(path) || folder === null ? normalize(path) : resolve(folder, path);
}

function fileUrlPath(text: string): string {
  return text.startsWith('file://') ? decoded(text.slice('file://'.length)) : text;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function textsIn(value: Json | JsonObject): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
