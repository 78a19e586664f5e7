/** What `bin/aip.cjs` runs: the version by itself, anything else by the program. */
import { VERSION } from '../version.js';

interface KnownBundle {
  /** Beside this one. */
  readonly file: string;
  /** SHA-256 of its text in hex. */
  readonly hash: string;
  /** The words of the commands it holds. */
  readonly commands: readonly string[];
}

/** What the build knows of the bundles that hold commands; the last one holds all, and help. */
declare const __BUNDLES__: readonly KnownBundle[];

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // A lost answer is not a success, unless nobody was left to read it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    console.error(`error: stdout cannot be written (${error.code}). [STATE]`);
    process.exit(3);
  });
  process.stdout.write(`${VERSION}\n`);
} else {
  void start();
}

/** Loads what the version needs nothing of. */
async function start(): Promise<void> {
  const { loadProgram } = await import('./program.js');
  const words = commandIn(process.argv.slice(2), __BUNDLES__.at(-1)!.commands);
  const { file, hash } =
    __BUNDLES__.find(({ commands }) => words !== null && commands.includes(words)) ?? __BUNDLES__.at(-1)!;
  const bundle = { path: `${__dirname}/${file}`, hash, hashes: __BUNDLES__.map((known) => known.hash) };
  const { program, startup } = loadProgram(bundle, words?.replaceAll(' ', '-') ?? null, __filename);
  await program.main((href) => import(href), startup);
}

/** The longest command whose words stand first; null for another command line, such as one that asks for help. */
function commandIn(argv: readonly string[], commands: readonly string[]): string | null {
  if (argv.includes('--help') || argv.includes('-h')) return null;
  const line = `${argv.slice(0, 3).join(' ')} `;
  const found = commands.filter((words) => line.startsWith(`${words} `));
  return found.sort((a, b) => b.length - a.length)[0] ?? null;
}
