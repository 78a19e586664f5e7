/**
 * Loads the program: a bundled script, with its compiled form where there is one. What comes from a compiled form cannot
 * `import()`: that is `Io.importModule`.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { Script } from 'node:vm';
import { lazy } from '../../protocol/lazy.js';
import type { Startup } from '../io.js';
import {
  formFolder,
  keptForms,
  folderProblem,
  readForm,
  REMAKE_MS,
  writeForm,
  type Form,
  type FormFolder,
  type FormKey,
} from './compiled-forms.js';

export interface Program {
  readonly main: typeof import('../main.js').main;
  readonly run: typeof import('../main.js').run;
}

/** What a script exports: the first of a bundle the program, and to the rest of it its modules; the rest its own to the first. */
interface Exported extends Program {
  held(source: string): unknown;
  readonly deferred: Readonly<Record<string, () => unknown>>;
}

export interface BundleScript {
  readonly path: string;
  /** SHA-256 of its text in hex. */
  readonly hash: string;
}

/** A bundle, and what the build knows of it. */
export interface ProgramBundle extends BundleScript {
  /** Whether it holds the commands that run most. */
  readonly frequent: boolean;
  /** What its commands seldom need; null where all is in one script. */
  readonly rest: BundleScript | null;
  /** The hashes of the first scripts of all bundles, for what `aip doctor` counts. */
  readonly hashes: readonly string[];
}

/**
 * `command`: the words of the command line's command, for the form that fits; null for what needs none. `starter`: what node was
 * started with. `require`: that of a file beside the bundle.
 */
export function loadProgram(
  bundle: ProgramBundle,
  command: string | null,
  starter: string,
  require: NodeJS.Require,
): { readonly program: Program; readonly startup: Startup } {
  const uid = process.geteuid?.() ?? null;
  const folder = formFolder({ env: process.env, platform: process.platform, home: homeFolder(), uid });
  const forms: Forms = { command, folder, uid };
  // Opened now: an installation meanwhile puts the files of another version in their places.
  const files = [bundle, bundle.rest].map((script) => (script === null ? null : openSync(script.path, 'r')));
  const rest = lazy(() => loadScript(bundle.rest!, files[1]!, forms, given).exports);
  const outside = sparing(require);
  const find = (name: string): unknown => {
    // As the build names the modules of the other script.
    const [, script, source] = /^(deferred|held):(.*)$/.exec(name) ?? [];
    if (script === undefined) return outside(name);
    return script === 'held' ? exports.held(source!) : rest().deferred[source!]!();
  };
  const given = Object.assign(find, { resolve: require.resolve });
  const { exports, key, compiled } = loadScript(bundle, files[0]!, forms, given);
  const startup: Startup = {
    script: starter,
    frequent: bundle.frequent,
    compiled,
    folder: folder?.path ?? null,
    problem: () => problemWith(folder, uid),
    kept: () => orNone(() => (folder === null ? [] : keptForms(folder, key, bundle.hashes))),
  };
  return { program: exports, startup };
}

/** Which compiled forms this process takes and makes, and where. */
interface Forms {
  readonly command: string | null;
  readonly folder: FormFolder | null;
  readonly uid: number | null;
}

/** Runs the script in an open file, which it closes; the script's `require` is `given`. */
function loadScript({ path, hash }: BundleScript, file: number, { command, folder, uid }: Forms, given: object) {
  const { text, stamp } = readScript(file);
  const key: FormKey = {
    command: command ?? 'none',
    source: hash,
    file: stamp,
    node: process.version,
    arch: process.arch,
    flags: [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ').trim(),
  };
  const form = folder === null || command === null ? null : readForm(folder, key, uid);
  const script = new Script(text, { filename: path, ...(form === null ? {} : { cachedData: form.bytes }) });
  const compiled = form !== null && script.cachedDataRejected === false;
  if (folder !== null && command !== null) keepLater(script, { folder, key, uid, form, compiled });
  const module = { exports: {} as Exported };
  const wrapped = script.runInThisContext() as (...scope: unknown[]) => void;
  wrapped(module.exports, given, module, path, path.replace(/[/\\][^/\\]*$/, ''));
  return { exports: module.exports, key, compiled };
}

interface Keeping {
  readonly folder: FormFolder;
  readonly key: FormKey;
  readonly uid: number | null;
  readonly form: Form | null;
  readonly compiled: boolean;
}

/** When the process ends, V8 has compiled what the command needs: then a form is made, where there is none as good. */
function keepLater(script: Script, { folder, key, uid, form, compiled }: Keeping): void {
  process.on('exit', (code) => {
    // A refusal went the whole way, too. Wrong use, a lost state or an interruption did not.
    const whole = code === 0;
    if (compiled && (form!.whole || !whole)) return;
    if (code !== 0 && code < 10) return;
    if (!compiled && form !== null && Date.now() - form.madeAt < REMAKE_MS) return;
    try {
      writeForm(folder, key, script.createCachedData(), whole, uid);
    } catch {
      // The next run compiles again.
    }
  });
}

function readScript(file: number): { readonly text: string; readonly stamp: string } {
  try {
    const { size, mtimeMs } = fstatSync(file);
    // What esbuild writes is ASCII.
    return { text: readFileSync(file, 'latin1'), stamp: `${size} ${mtimeMs}` };
  } finally {
    closeSync(file);
  }
}

function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}

function problemWith(folder: FormFolder | null, uid: number | null): string | null {
  if (folder === null) return 'there is no home folder';
  try {
    return folderProblem(folder, uid);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? null : `it cannot be looked at (${code ?? 'unknown error'})`;
  }
}

function orNone(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/** Modules of Node that most commands name and do not use: loading them takes longer than reading the command line. */
const COSTLY = ['node:child_process', 'node:module', 'node:timers/promises'];

/** `require` with stand-ins for those modules; one is loaded when something in it is asked for. */
function sparing(require: NodeJS.Require): (name: string) => unknown {
  const standIns = new Map(COSTLY.map((name) => [name, standIn(() => require(name) as object)]));
  return (name) => standIns.get(name) ?? require(name);
}

function standIn(real: () => object): object {
  return new Proxy(
    {},
    {
      get: (_, name) => Reflect.get(real(), name) as unknown,
      has: (_, name) => Reflect.has(real(), name),
      ownKeys: () => Reflect.ownKeys(real()),
      getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(real(), name),
    },
  );
}
