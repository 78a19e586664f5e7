/** What `bin/aip.cjs` runs: the version by itself, anything else by the program. */
import { loadProgram } from './program.js';
import { VERSION } from '../version.js';

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // A lost answer is not a success, unless nobody was left to read it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    console.error(`error: stdout cannot be written (${error.code}). [STATE]`);
    process.exit(3);
  });
  process.stdout.write(`${VERSION}\n`);
} else {
  // A cache is read as a whole, so the commands that run most often have one without the others.
  const cache = process.argv[2] === 'intent' ? 'intent' : 'main';
  void loadProgram(__dirname, cache).program.main((href) => import(href));
}
