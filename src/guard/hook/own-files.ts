/**
 * What a file tool must never reach, whatever the passport says: the home with keys and state, the hook's own configuration, the socket's
 * folder. An agent that can write there switches its hook off. For a shell nothing of the kind can be promised.
 */
import { posix, win32 } from 'node:path';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { HookCall } from './call.js';
import { folded, namesOf, namesTaken, holdsNamesAt } from './spellings.js';

const FILE_ACTIONS: ReadonlySet<string> = new Set(['read_file', 'write_file']);
const PATCHED = /^\s*\*\*\* (?:Add File|Update File|Delete File|Move to): (.+)$/s;
/** Where one reader of patches ends a line, and where another does. */
const LINE_ENDS = ['\n', /[\n\v\f\r\u001c-\u001e\u0085\u2028\u2029]/];
const BLANK = /[\s\u0085]/;
/** What a system takes as a path at most. */
export const LONGEST_PATH = 4096;
/** As deep a working folder as is looked at for links. */
const MOST_FOLDERS = 64;

/** Where coding agents keep the configuration of their hooks, from any folder: they read that of the project, of its root, and the user's. */
export const HOOK_FILES: readonly string[] = [
  '.claude/settings.json',
  '.claude/settings.local.json',
  '.codex/hooks.json',
  '.codex/config.toml',
  '.cursor/hooks.json',
  '.gemini/settings.json',
  '.github/hooks',
  '.github/copilot/settings.json',
  '.github/copilot/settings.local.json',
  '.copilot/hooks',
  '.copilot/settings.json',
  // What it holds of settings is taken over into them.
  '.copilot/config.json',
];
const HOOK_NAMES = HOOK_FILES.map(namesOf);

/**
 * Links that lead every process elsewhere, and what a process holds in memory, with a passphrase in its environment; the three streams
 * that each one has are no own files.
 */
const OF_A_PROCESS =
  /^(?:\/proc\/[^/]+(?:\/task\/[^/]+)?\/(?:cwd|root|fd|map_files|environ|mem)|\/dev\/fd)(?:\/(?![012]$)|$)/;
/** Folders below which that stands. */
const OF_PROCESSES = /^\/proc(?:\/[^/]+(?:\/task(?:\/[^/]+)?)?)?$/;

/** Members that hold a path, by the end of their names. */
const PATH_MEMBER = /(?:path|file|folder|dir|directory|uri|source|destination)s?(?:_?name)?$/i;
/** What coding agents' own tools write or look for, by tool: they open none of it. */
const TEXTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Write', ['content']],
  ['Edit', ['old_string', 'new_string']],
  ['MultiEdit', ['old_string', 'new_string']],
  ['NotebookEdit', ['new_source']],
  ['write_file', ['content']],
  ['replace', ['old_string', 'new_string', 'instruction']],
  ['create_file', ['content']],
  ['replace_string_in_file', ['oldString', 'newString']],
  ['create', ['file_text']],
  ['edit', ['old_str', 'new_str']],
  ['str_replace_editor', ['file_text', 'old_str', 'new_str']],
  ['Grep', ['pattern']],
  ['grep', ['pattern']],
  ['rg', ['pattern']],
  ['grep_search', ['pattern', 'query']],
  ['search_file_content', ['pattern']],
]);
/** The user's home as languages write it out: `~`, that of a named user, or by its variable. */
const HOME = /^(?:~[\w.-]*|\$HOME|\$\{HOME\}|%USERPROFILE%)(?=$|[/\\])/;
/** What a program calls a file of its own, unless the user's folder has that name. */
const DRAFT = /^~[\w-]*\.[\w.-]*$/;
const ADDRESS = /^(?!file:)[a-z][a-z0-9+.-]+:\/\//i;
const STEP_UP = /(?:^|[\\/])\.\.(?:[\\/]|$)/;

/**
 * The paths that a tool names, absolute, in every way that it may read them: of a file tool every text but what it writes, of another one
 * the texts that are a path as a whole, of a shell none. Steps up are taken in some and left in others, for a system takes them after the
 * links before them. `mapped`: the action that the passport is asked about. `home`: what `~` stands for. `places`: whose names may hold
 * blanks.
 */
export function namedPaths(
  { tool, action, params, target, mcp }: HookCall,
  mapped: string,
  home: string,
  places: readonly string[],
): string[] {
  const isFileTool = FILE_ACTIONS.has(action) || FILE_ACTIONS.has(mapped);
  if (action === 'shell' && !isFileTool) return [];
  const written = mcp === null ? (TEXTS.get(tool) ?? []) : [];
  const named = textsIn(params).filter(({ member }) => !written.includes(member));
  const texts = isFileTool
    ? named.flatMap(({ text }) => [text, ...patchedIn(text)])
    : named.filter((each) => isWholePath(each, home, places)).map(({ text }) => text);
  return [...new Set(texts.flatMap((text) => pathReadings(text, target, home)))];
}

/** False for what only mentions a path: it has blanks, or is an address. */
function isWholePath({ member, text }: NamedText, home: string, places: readonly string[]): boolean {
  const bare = untilded(fileUrlPath(unblanked(text)), home);
  if (bare.length > LONGEST_PATH && !STEP_UP.test(bare)) return false;
  if (ADDRESS.test(bare) && !STEP_UP.test(bare)) return false;
  if (PATH_MEMBER.test(member)) return true;
  if (!/[\\/]/.test(bare)) return false;
  if (!/\s/.test(bare)) return true;
  const plain = folded(bare);
  const place = places.find((each) => plain.startsWith(folded(each)));
  return place !== undefined && !/\s/.test(bare.slice(place.length));
}

/** `text` as a path, absolute: with and without blanks around it, as a URL, from the home, with the separators of either system. */
export function pathReadings(text: string, folder: string | null, home: string): string[] {
  const bare = unblanked(text);
  const spellings = new Set([text, bare, untilded(fileUrlPath(bare), home)]);
  return [...spellings].flatMap((path) => absolutes(path, folder)).filter((path) => path.length <= LONGEST_PATH);
}

/** Without the blanks around it, as either of the languages that agents are written in sees them. */
export function unblanked(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && BLANK.test(text[start]!)) start += 1;
  while (end > start && BLANK.test(text[end - 1]!)) end -= 1;
  return text.slice(start, end);
}

/**
 * Tells whether a path is one of the `places`, inside of one, or the configuration of hooks in any folder. Both absolute, with links
 * followed by the caller where files exist. Whatever the file system makes of a name, a place is not reached by another spelling.
 */
export function ownFileTest(places: readonly string[]): (path: string) => boolean {
  const taken = places.map(namesTaken);
  return (path) => {
    // What is written holds lines, and a path does not once its steps up are taken.
    if (path.includes('\n')) return false;
    const [names, straight] = [namesOf(path), namesTaken(path)];
    const isHookFile = HOOK_NAMES.some((file) => names.some((_, at) => holdsNamesAt(file, names, at)));
    return (
      isHookFile ||
      taken.some((place) => holdsNamesAt(place, straight, 0)) ||
      places.some((place) => isRelativelyWithin(path, place))
    );
  };
}

/** True where only the process that opens `path` knows what it leads to, and where `path` shows what a process holds. */
export function isOfProcess(path: string): boolean {
  return OF_A_PROCESS.test(path);
}

/** True where a search from `folder` comes to such paths. */
export function holdsProcesses(folder: string): boolean {
  return OF_PROCESSES.test(folder.replace(/\/$/, ''));
}

/** The folders whose hooks a coding agent reads: the user's, and from the working folder up. */
export function hookFolders(target: string | null, home: string): string[] {
  const folders = home === '' ? [] : [home];
  if (target === null || !posix.isAbsolute(target)) return folders;
  for (let at = posix.normalize(target); folders.length < MOST_FOLDERS; at = posix.dirname(at)) {
    folders.push(at);
    if (at === '/') break;
  }
  return [...new Set(folders)];
}

/** True where `path` is the `folder` or lies below it, in any spelling of the names. */
export function isWithin(path: string, folder: string): boolean {
  return holdsNamesAt(namesTaken(folder), namesTaken(path), 0) || isRelativelyWithin(path, folder);
}

/** By the rules of the one system or of the other. */
function isRelativelyWithin(path: string, folder: string): boolean {
  const systems = isLikeWindows(path) ? [posix, win32] : [posix];
  return systems.some(({ relative, isAbsolute }) => {
    const way = relative(folded(folder), folded(path));
    return way === '' || !(way === '..' || way.startsWith('../') || way.startsWith('..\\') || isAbsolute(way));
  });
}

function patchedIn(text: string): string[] {
  return LINE_ENDS.flatMap((end) => text.split(end).flatMap((line) => PATCHED.exec(line)?.[1] ?? []));
}

function isLikeWindows(path: string): boolean {
  return /^[A-Za-z]:|\\/.test(path);
}

function absolutes(path: string, folder: string | null): string[] {
  const found: string[] = [];
  if (posix.isAbsolute(path)) found.push(posix.normalize(path), path);
  else if (folder === null) found.push(posix.normalize(path));
  else if (posix.isAbsolute(folder)) found.push(posix.resolve(folder, path), `${folder}/${path}`);
  if (isLikeWindows(path) || isLikeWindows(folder ?? ''))
    found.push(folder === null || win32.isAbsolute(path) ? win32.normalize(path) : win32.resolve(folder, path));
  // A working folder of another form yet.
  return found.length > 0 || folder === null ? found : [posix.resolve(folder, path)];
}

function untilded(path: string, home: string): string {
  if (home === '' || (DRAFT.test(path) && path.slice(1) !== win32.basename(home))) return path;
  return path.replace(HOME, () => home);
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

interface NamedText {
  /** The name of the nearest member that it stands in. */
  readonly member: string;
  readonly text: string;
}

/** Names as well: some tools give the changes by their paths. */
function textsIn(value: Json | JsonObject, member = ''): NamedText[] {
  if (typeof value === 'string') return [{ member, text: value }];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((each) => textsIn(each, member));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [{ member: '', text: name }, ...textsIn(each, name)]);
}
