/**
 * Loads the program: one bundled script, and beside it what V8 made of it when it was built. Taking that up instead of
 * compiling again is a third of the time of a verification. V8 refuses a cache of another version or other flags, and then
 * the script is compiled as ever. A script from a cache cannot `import()`: that is `Io.importModule`.
 */
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { Script } from 'node:vm';

export interface Program {
  readonly main: typeof import('../main.js').main;
  readonly run: typeof import('../main.js').run;
}

/** The program in `folder`, and the script to make caches of. `cache` names one: `main`, or the smaller `intent`. */
export function loadProgram(folder: string, cache: string): { program: Program; script: Script } {
  const path = `${folder}/main.cjs`;
  const cachedData = readCache(`${folder}/${cache}.cache`);
  const script = new Script(Module.wrap(readFileSync(path, 'latin1')), {
    filename: path,
    ...(cachedData === null ? {} : { cachedData }),
  });
  const module = { exports: {} as Program };
  const wrapped = script.runInThisContext() as (...scope: unknown[]) => void;
  wrapped(module.exports, sparing(createRequire(path)), module, path, folder);
  return { program: module.exports, script };
}

/** commander names this module to run subcommands as programs, which ours are not; loading it takes longer than our parsing. */
const COSTLY = 'node:child_process';

/** `require` with a stand-in for that module, which loads it when something in it is asked for. */
function sparing(require: NodeJS.Require): Pick<NodeJS.Require, 'resolve'> & ((name: string) => unknown) {
  const real = (): object => require(COSTLY) as object;
  const standIn = new Proxy(
    {},
    {
      get: (_, name) => Reflect.get(real(), name) as unknown,
      has: (_, name) => Reflect.has(real(), name),
      ownKeys: () => Reflect.ownKeys(real()),
      getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(real(), name),
    },
  );
  return Object.assign((name: string): unknown => (name === COSTLY ? standIn : require(name)), {
    resolve: require.resolve,
  });
}

function readCache(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
