/** Writes as many lines as it is told to stdout, as a command does, and its last word to stderr. */
import { sinkOf } from '../../../src/cli/boot/pipe-sink.js';

const lines = Number(process.argv[2]);
const brief = process.argv[3] === 'brief';
process.on('SIGTERM', () => process.exit(143));
const [stdout, stderr] = [sinkOf('stdout', brief), sinkOf('stderr', brief)];
stdout.on('error', (error: NodeJS.ErrnoException) => {
  stderr.write(`${error.code}\n`);
});
let line = 0;
write();

function write(): void {
  while (line < lines)
    if (!stdout.write(`${line++} ${'x'.repeat(line % 4_000)}\n`)) return void stdout.once('drain', write);
  stderr.write('done\n');
}
