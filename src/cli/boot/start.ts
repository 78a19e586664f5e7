/** What `bin/aip.cjs` runs: the version by itself, anything else by the program. */
import { VERSION } from '../version.js';

/** What the build knows of the program: the SHA-256 of its text, and the words of its commands. */
declare const __PROGRAM__: { readonly hash: string; readonly commands: readonly string[] };

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
  const { hash, commands } = __PROGRAM__;
  const bundle = { path: `${__dirname}/main.cjs`, hash };
  const { program, startup } = loadProgram(bundle, commandIn(process.argv.slice(2), commands), __filename);
  await program.main((href) => import(href), startup);
}

/** The longest command whose words stand first; null for another command line, such as one that asks for help. */
function commandIn(argv: readonly string[], commands: readonly string[]): string | null {
  if (argv.includes('--help') || argv.includes('-h')) return null;
  const line = `${argv.slice(0, 3).join(' ')} `;
  const found = commands.filter((words) => line.startsWith(`${words} `)).sort((a, b) => b.length - a.length)[0];
  return found === undefined ? null : found.replaceAll(' ', '-');
}
