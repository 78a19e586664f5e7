import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../../../src/cli/version.js';
import { BINARY, requireBuilt } from '../../kit/built/program.js';
import { bundle } from '../../kit/bundle.js';

const ENV = { PATH: process.env['PATH'] ?? '' };
const LINES = 900;
/** Over 1 MB: more than a pipe or a socket holds. */
const WHOLE = Array.from({ length: LINES }, (_, line) => `${line} ${'x'.repeat((line + 1) % 4_000)}\n`).join('');

/** Fills a pipe, and runs a command whose stdout it is; with writes that wait or do not, as some parents leave theirs. */
const FULL_PIPE = `
import os, signal, subprocess, sys, time
how = sys.argv.pop(1)
reader, writer = os.pipe()
os.set_blocking(writer, False)
filled = 0
try:
    while True: filled += os.write(writer, b'-' * 512)
except BlockingIOError: pass
os.set_blocking(writer, how != 'non-blocking')
child = subprocess.Popen(sys.argv[1:], stdout=writer)
os.close(writer)
time.sleep(0.5)
if how == 'stopped':
    child.send_signal(signal.SIGTERM)
    try: sys.exit(child.wait(5))
    except subprocess.TimeoutExpired: child.kill(); sys.exit('it hangs')
out = b''
while part := os.read(reader, 65536): out += part
sys.stdout.buffer.write(out[filled:])
sys.exit(child.wait())
`;

let program: string;
beforeAll(async () => {
  program = await bundle(fileURLToPath(new URL('sink-program.ts', import.meta.url)));
});

describe('stdout of a command', () => {
  test('reaches a slow reader whole and in order', () => {
    const line = `"${process.execPath}" "${program}" ${LINES} | (sleep 0.5; cat)`;
    const { stdout, stderr } = spawnSync('sh', ['-c', line], { env: ENV, encoding: 'utf8', maxBuffer: 2 ** 24 });
    expect(stderr).toBe('done\n');
    expect(stdout === WHOLE).toBe(true);
  });

  // What Node gives a child for a pipe is a socket.
  test.each(['brief', 'long'])('reaches a socket whole and in order, of a command that is %s', (kind) => {
    const argv = [program, String(LINES), kind];
    const child = spawnSync(process.execPath, argv, { env: ENV, encoding: 'utf8', maxBuffer: 2 ** 24 });
    expect(child.stderr).toBe('done\n');
    expect(child.stdout === WHOLE).toBe(true);
  });

  test('reaches a file whole and in order', () => {
    const line = `f=$(mktemp); "${process.execPath}" "${program}" ${LINES} > "$f"; cat "$f"; rm "$f"`;
    const { stdout } = spawnSync('sh', ['-c', line], { env: ENV, encoding: 'utf8', maxBuffer: 2 ** 24 });
    expect(stdout === WHOLE).toBe(true);
  });

  const intoFullPipe = (skip: () => never, how: string, ...line: string[]) => {
    const argv = ['-c', FULL_PIPE, how, process.execPath, ...line];
    const { error, status, stdout, stderr } = spawnSync('python3', argv, { env: ENV, encoding: 'utf8' });
    if (error === undefined) return { status, stdout, stderr };
    console.warn('a full pipe was not tried: there is no python3');
    return skip();
  };

  test.for(['blocking', 'non-blocking'])('waits for room in a full pipe, %s', (how, { skip }) => {
    const { status, stdout, stderr } = intoFullPipe(skip, how, program, '5');
    const lines = stdout.split('\n').map((line) => Number.parseInt(line, 10));
    expect({ status, stderr, lines }).toEqual({ status: 0, stderr: 'done\n', lines: [0, 1, 2, 3, 4, Number.NaN] });
  });

  test('ends at a signal while others keep the pipe full', ({ skip }) => {
    const { status, stderr } = intoFullPipe(skip, 'stopped', program, '5');
    expect({ status, stderr }).toEqual({ status: 143, stderr: 'done\n' });
  });

  test('waits for room with the version, too', ({ skip }) => {
    requireBuilt();
    const ran = intoFullPipe(skip, 'non-blocking', BINARY, '--version');
    expect(ran).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('says when its reader has gone', () => {
    const line = `"${process.execPath}" "${program}" 3 2>&1 >&3 | cat`;
    const { stdout } = spawnSync('bash', ['-c', `exec 3> >(exit 0); sleep 0.3; ${line}`], {
      env: ENV,
      encoding: 'utf8',
    });
    expect(stdout).toContain('EPIPE');
  });

  test.each(['brief', 'long'])('never keeps a command that is %s from a signal', async (kind) => {
    const argv = [program, String(LINES), kind];
    const child = spawn(process.execPath, argv, { env: ENV, stdio: ['ignore', 'pipe', 'ignore'] });
    // Nobody reads on: what is written then has to wait.
    await once(child.stdout, 'readable');
    child.kill('SIGTERM');
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect({ code, signal }).toEqual({ code: 143, signal: null });
  });
});
