/** The hooks that config names: modules whose default export is a hook, a class of hooks, or a list of either. */
import { basename, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { Breaker } from '../../app/verification/hooks/breaker.js';
import {
  askHooks,
  hookName,
  HOOK_TIMEOUT_MS,
  type Hook,
  type HookAnswer,
  type HookWorld,
  type NamedHook,
} from '../../app/verification/hooks/hooks.js';
import type { Intent } from '../../protocol/intent.js';
import type { HookOutcome } from '../../verify/context.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import { hookModule } from '../../workspace/programs.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Notices & Surroundings & { readonly workspace: LocalWorkspace };

/** Fails when a module cannot be loaded: a check that could not run is not a check that passed. */
export async function configuredHooks(
  cli: Scene,
  paths: readonly string[],
): Promise<(intent: Intent) => Promise<readonly HookOutcome[]>> {
  const hooks = (await Promise.all(paths.map((path) => hooksIn(cli, path)))).flat();
  const world: HookWorld = {
    notice: (text) => cli.warn(text, 'hook_failed'),
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  };
  const circuits = { breaker: new Breaker(), now: cli.io.now };
  return (intent) => askHooks(hooks, intent, world, circuits);
}

async function hooksIn(cli: Scene, path: string): Promise<NamedHook[]> {
  const file = resolve(cli.io.cwd, path);
  const module = await hookModule(cli.workspace, file, HOOK_TIMEOUT_MS).catch((error: Error) => {
    const why = error.message
      .replace(/ imported from .*$/s, '')
      .replace(/\s+/g, ' ')
      .slice(0, 200);
    throw new Failure('USAGE', `The hook ${file} cannot be loaded: ${why}`, {
      hint: 'aip config list --sources',
      cause: error,
    });
  });
  if (module.names.length === 0) throw notHook(file);
  return module.names.map((own, index) => {
    if (own === null) throw notHook(file);
    const hook: Hook = { name: own, verify: (intent) => module.ask(index, { ...intent }) as Promise<HookAnswer> };
    return { hook, name: own === 'Object' ? basename(file) : hookName(hook), timeoutMs: HOOK_TIMEOUT_MS };
  });
}

function notHook(file: string): Failure {
  return new Failure('USAGE', `The default export of ${file} is no hook: it has no method verify(intent).`, {
    hint: 'aip help verification',
  });
}
