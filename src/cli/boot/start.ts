/** What `bin/aip.cjs` runs: the version by itself, anything else by the program. */
import { writeSync } from 'node:fs';
import { WATCHDOG_MS } from '../../guard/hook/call.js';
import { VERSION } from '../version.js';

interface KnownScript {
  /** Beside this one. */
  readonly file: string;
  /** SHA-256 of its text in hex. */
  readonly hash: string;
}

interface KnownBundle extends KnownScript {
  /** What its commands seldom need. */
  readonly rest: KnownScript | null;
  /** The words of the commands it holds. */
  readonly commands: readonly string[];
}

/** What the build knows of the bundles that hold commands; the last one holds all, and help. */
declare const __BUNDLES__: readonly KnownBundle[];

/** That of this file, by a name that the build does not follow. */
const requireBeside = require;

if (process.argv.length === 3 && process.argv[2] === '--version') {
  version(`${VERSION}\n`);
} else {
  void (process.argv[2] === 'hook' && process.argv[3] !== 'install' ? hook() : start());
}

/** A lost answer is not a success, unless its reader has gone. Written at once: Node's stream would take longer to load than all the rest. */
function version(line: string): void {
  try {
    writeSync(1, line);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPIPE') return;
    // It is full, and another process made it one whose writes do not wait.
    if (code === 'EAGAIN') return void process.stdout.write(line);
    console.error(`error: stdout cannot be written (${code}). [STATE]`);
    process.exitCode = 3;
  }
}

/** In most coding agents every end but 0 and 2 of a hook runs the tool, and so does an end by a signal. */
async function hook(): Promise<void> {
  process.on('exit', (code) => {
    if (code !== 0 && code !== 2) process.exitCode = 2;
  });
  const fail = (sentence: string): never => {
    console.error(`aip hook: ${sentence}`);
    process.exit(2);
  };
  process.on('uncaughtException', (error) => fail(`it broke off (${String(error).slice(0, 200)}).`));
  // From the start on: the agent waits for what the service takes and for what the program takes.
  setTimeout(() => fail(`it took more than ${WATCHDOG_MS} ms.`), WATCHDOG_MS).unref();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => fail('it was told to stop.'));
  const client = requireBeside('./hook.cjs') as typeof import('./hook-client.js');
  const { answered, stdin } = await client.askService(process.argv.slice(3), process.env);
  if (!answered) await start(stdin);
}

/** Loads what the version needs nothing of. */
async function start(stdin: Uint8Array | null = null): Promise<void> {
  const { loadProgram } = await import('./program.js');
  const words = commandIn(process.argv.slice(2), __BUNDLES__.at(-1)!.commands);
  const whole = __BUNDLES__.at(-1)!;
  const known = __BUNDLES__.find(({ commands }) => words !== null && commands.includes(words)) ?? whole;
  const beside = ({ file, hash }: KnownScript) => ({ path: `${__dirname}/${file}`, hash });
  const bundle = {
    ...beside(known),
    frequent: known !== whole,
    rest: known.rest === null ? null : beside(known.rest),
    hashes: __BUNDLES__.map(({ hash }) => hash),
  };
  const { program, startup } = loadProgram(bundle, words?.replaceAll(' ', '-') ?? null, __filename, requireBeside);
  if (stdin === null) return program.main((href) => import(href), startup);
  const { Readable } = await import('node:stream');
  return program.main((href) => import(href), startup, Readable.from([stdin]));
}

/** The longest command whose words stand first; null for another command line, such as one that asks for help. */
function commandIn(argv: readonly string[], commands: readonly string[]): string | null {
  if (argv.includes('--help') || argv.includes('-h')) return null;
  const line = `${argv.slice(0, 3).join(' ')} `;
  const found = commands.filter((words) => line.startsWith(`${words} `));
  return found.sort((a, b) => b.length - a.length)[0] ?? null;
}
