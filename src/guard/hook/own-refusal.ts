/** The refusal of a call that reaches the files of aip: by a coding agent's hook and by the guard before an MCP server. */
import { NATIVE_CODES } from '../../protocol/codes.js';
import { wordsOf } from '../../protocol/naming/name-words.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { CallRefusal } from '../refusal.js';
import type { HookCall } from './call.js';
import { HOOK_FILES, holdsProcesses, hookFolders, isOfProcess, namedPaths, ownFileTest } from './own-files.js';
import { holdsOwn, searchedFolders } from './searches.js';

/** Paths as the system sees them. */
export interface SystemPaths {
  /** The path with links followed before the steps up behind them, as far as it exists. */
  readonly followed: (path: string) => string;
  /** Where `names` below each of the `folders` really lie; those alone whose folder is there. */
  readonly placesBehind: (folders: readonly string[], names: readonly string[]) => string[];
  /** True where the file is by another name one of the `places`, or a file below one of them. */
  readonly isHardLink: (path: string, places: readonly string[]) => boolean;
}

/** What is aip's own on this machine. */
export interface OwnFiles {
  /** Absolute paths that no file tool reaches. */
  readonly ownPlaces: readonly string[];
  /** Those with keys and state: no search goes down to them from above either. */
  readonly ownFolders: readonly string[];
  /** The user's home folder; empty where there is none. */
  readonly userHome: string;
  readonly files: SystemPaths;
}

/** E210 for a call by which a tool reaches what is aip's own, whatever the passport says; null for other calls. */
export function ownFilesRefusal(call: HookCall, action: string, own: OwnFiles): CallRefusal | null {
  const reached = ownFileOf(call, action, own);
  if (reached === null) return null;
  const { code, name } = NATIVE_CODES.ACTION_DENIED;
  const details: JsonObject = { action, reason: 'own_files', path: reached.path };
  return { code, name, message: `own_files: ${reached.why}`, remedy: '', details, intentHash: null };
}

/** The path by which a tool reaches them, and the sentence that says so. */
function ownFileOf(call: HookCall, action: string, { ownPlaces, ownFolders, userHome, files }: OwnFiles) {
  const named = namedPaths(call, action, userHome, ownPlaces);
  const searched = searchedFolders(call, userHome);
  if (named.length + searched.length === 0) return null;
  const { followed, placesBehind, isHardLink } = files;
  const ofProcess = (path: string): boolean => isOfProcess(path) || isOfProcess(followed(path));
  const unknown =
    [...named, ...searched].find(ofProcess) ??
    searched.find((path) => holdsProcesses(path) || holdsProcesses(followed(path)));
  if (unknown !== undefined) return { path: unknown, why: UNKNOWN };
  const places = [...ownPlaces, ...placesBehind(hookFolders(call.target, userHome), HOOK_FILES)];
  const isOwn = ownFileTest(places);
  const reached = (path: string): boolean => isOwn(path) || isOwn(followed(path));
  const own = named.find((path) => reached(path) || isHardLink(path, places));
  if (own !== undefined) return { path: own, why: OWN };
  const holds = (path: string): boolean => [path, followed(path)].some((folder) => holdsOwn(folder, ownFolders));
  const above = searched.find((path) => reached(path) || holds(path));
  if (above !== undefined) return { path: above, why: OWN_BELOW };
  const moves = wordsOf(call.mcp?.tool ?? call.tool).some((word) => MOVING.test(word));
  const moved = moves ? named.find(holds) : undefined;
  return moved === undefined ? null : { path: moved, why: OWN_MOVED };
}

/** Words in the names of tools that do to a folder what is done to all that it holds. */
const MOVING = /^(?:move|rename|delete|remove|trash|(?:mv|del|rm|rmdir|unlink)$)/;

const OWN = 'tools do not reach the files of aip and of its hooks, whatever the passport says.';
const UNKNOWN =
  'this path leads into a process, to what it has open or holds in memory, and could show a file or a passphrase of aip: name the file itself.';
const OWN_MOVED =
  'this folder holds the files of aip; tools do not move or remove them with it: name what lies beside them.';
const OWN_BELOW =
  'this search goes down to the files of aip, which file tools do not reach: search in a folder that does not hold them.';
