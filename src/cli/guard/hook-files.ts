/** The hook configurations of coding agents on this machine. */
import { join } from 'node:path';
import { Failure } from '../../app/failure.js';
import { namedHookFile } from '../../guard/hook/agent-homes.js';
import type { HookClientName } from '../../guard/hook/clients.js';
import { HOOK_INSTALLS, ownCommands, type HookScope } from '../../guard/hook/install.js';
import { JsonError } from '../../protocol/json/error.js';
import { parseJson } from '../../protocol/json/parse.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { readDocument } from '../../workspace/files.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings;

/** The file of an agent's hooks; null where that scope is no JSON file, or its place is not known. */
export function hookFile({ io }: Scene, client: HookClientName, scope: HookScope): string | null {
  const { files, managed } = HOOK_INSTALLS[client];
  if (scope === 'managed') return managed[io.platform] ?? null;
  if (scope === 'project') return join(io.cwd, files.project);
  return namedHookFile(client, io.env, io.cwd) ?? join(io.userHome, files.user);
}

/** What a file says of hooks and everything else, and how its lines are set in. */
export interface HookConfig {
  readonly config: JsonObject;
  readonly indent: string;
}

/**
 * What the file says, to be written anew; empty where there is none. `hint`: what to do where writing it anew would lose something.
 * @throws Failure UNREADABLE for comments, a member given twice, digits or bytes that would not come back
 */
export async function mergeableConfig(path: string, hint: string): Promise<HookConfig> {
  const text = await configText(path);
  const [, indent = '  '] = /^\{\r?\n([ \t]{1,10})"/.exec(text.toString()) ?? [];
  try {
    const config = text.length === 0 ? {} : parseJson(text);
    if (isObject(config)) return { config, indent };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new Failure('UNREADABLE', `${path} cannot be written anew as it is: ${error.message}.`, { hint });
  }
  throw new Failure('UNREADABLE', `${path} is no JSON object that could be written anew.`, { hint });
}

/** A hook of `aip` that is installed. */
export interface InstalledHook {
  readonly client: HookClientName;
  readonly path: string;
  readonly command: string;
  /** The file that switches it off with all others; null where none does. */
  readonly off: string | null;
}

/** Every hook of `aip` in this folder, for this user, or managed. What cannot be read holds none that is known. */
export async function installedHooks(cli: Scene): Promise<InstalledHook[]> {
  const installed: InstalledHook[] = [];
  for (const client of Object.keys(HOOK_INSTALLS) as HookClientName[]) {
    const { switches = [] } = HOOK_INSTALLS[client];
    // In the user's home folder the project's file is the user's.
    const paths = new Set((['user', 'project', 'managed'] as const).map((scope) => hookFile(cli, client, scope)));
    const read = [...paths, ...switches.map((file) => join(cli.io.cwd, file))].filter((path) => path !== null);
    const files = await Promise.all(read.map(async (path) => ({ path, config: await configOrNone(path) })));
    const managed = hookFile(cli, client, 'managed');
    // A managed hook is switched off by its own file alone, the others by any.
    const off = (own: string): string | null =>
      files.find(({ path, config }) => config.disableAllHooks === true && (own !== managed || path === managed))
        ?.path ?? null;
    for (const { path, config } of files)
      for (const command of ownCommands(client, config)) installed.push({ client, path, command, off: off(path) });
  }
  return installed;
}

/** As the agent reads it, which takes the last of two members. */
async function configOrNone(path: string): Promise<JsonObject> {
  try {
    const config = JSON.parse((await configText(path)).toString()) as Json;
    return isObject(config) ? config : {};
  } catch {
    return {};
  }
}

/** Without a byte order mark; empty where there is no file. */
async function configText(path: string): Promise<Buffer> {
  const bytes = Buffer.from((await readDocument(path)) ?? []);
  return bytes.subarray(bytes.indexOf('\ufeff') === 0 ? 3 : 0);
}
