/** Passes lines on, both ways, and does nothing else: what any program between a client and a server costs. Its arguments: the server. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const child = spawn(process.argv[2], process.argv.slice(3), { stdio: ['pipe', 'pipe', 'inherit'] });
createInterface({ input: process.stdin }).on('line', (line) => void child.stdin.write(`${line}\n`));
createInterface({ input: child.stdout }).on('line', (line) => void process.stdout.write(`${line}\n`));
process.stdin.once('end', () => child.stdin.end());
