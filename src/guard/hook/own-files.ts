/**
 * What a file tool must never reach, whatever the passport says: the home with keys and state, the hook's own configuration, the socket's
 * folder. An agent that can write there switches its hook off. For a shell nothing of the kind can be promised.
 */
import { posix, win32 } from 'node:path';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { HookCall } from './call.js';

const FILE_ACTIONS: ReadonlySet<string> = new Set(['read_file', 'write_file']);
const PATCHED = /^[ \t]*\*\*\* (?:Add File|Update File|Delete File|Move to): (.+)$/gm;
const LONGEST_PATH = 4096;

/** Where coding agents keep the configuration of their hooks, from any folder: they read that of the project, of its root, and the user's. */
const HOOK_FILES = [
  '.claude/settings.json',
  '.claude/settings.local.json',
  '.codex/hooks.json',
  '.codex/config.toml',
  '.cursor/hooks.json',
  '.gemini/settings.json',
  '.github/hooks',
  '.copilot/hooks',
];

/** The paths that a file tool names, absolute, as the agent wrote them; none for other tools. `home`: what `~` stands for. */
export function namedPaths({ action, params, target }: HookCall, home: string): string[] {
  if (!FILE_ACTIONS.has(action)) return [];
  return textsIn(params).flatMap((text) => {
    const patched = [...text.matchAll(PATCHED)].map((match) => match[1]!);
    return (patched.length > 0 ? patched : [text])
      .map((path) => absolute(untilded(fileUrlPath(path.trim()), home), target))
      .filter(isPath);
  });
}

/**
 * True where `path` is one of the `places`, inside of one, or the configuration of hooks in any folder. Both absolute, with links followed
 * by the caller where files exist. Whatever the file system makes of case and accents, a place is not reached by another spelling.
 */
export function isOwnFile(path: string, places: readonly string[]): boolean {
  const spelled = folded(path);
  const segments = `${spelled.replaceAll('\\', '/')}/`;
  if (HOOK_FILES.some((file) => segments.includes(`/${file}/`))) return true;
  const { relative, isAbsolute } = pathsLike(path);
  return places.some((place) => {
    const way = relative(folded(place), spelled);
    return way === '' || !(way === '..' || way.startsWith('../') || way.startsWith('..\\') || isAbsolute(way));
  });
}

/** What is written holds lines and is long, and a path does neither once its steps up are taken. */
function isPath(path: string): boolean {
  return !path.includes('\n') && path.length <= LONGEST_PATH;
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function pathsLike(path: string): typeof posix {
  return /^[A-Za-z]:|\\/.test(path) ? win32 : posix;
}

function absolute(path: string, folder: string | null): string {
  const { isAbsolute, resolve, normalize } = pathsLike(path) === win32 ? win32 : pathsLike(folder ?? '');
  return isAbsolute(path) || folder === null ? normalize(path) : resolve(folder, path);
}

function untilded(path: string, home: string): string {
  return home !== '' && /^~(?=$|[/\\])/.test(path) ? `${home}${path.slice(1)}` : path;
}

function fileUrlPath(text: string): string {
  const [before] = /^file:(?:\/\/(?:localhost)?)?(?=\/)/i.exec(text) ?? [];
  return before === undefined ? text : decoded(text.slice(before.length));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Names as well: some tools give the changes by their paths. */
function textsIn(value: Json | JsonObject): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(textsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)]);
}
