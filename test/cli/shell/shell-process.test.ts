import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bundle } from '../../kit/bundle.js';
import { scratch } from '../../kit/scratch.js';

const PROGRAM = fileURLToPath(new URL('../../kit/program.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../../../bin/aip.cjs', import.meta.url));

/** Runs a line of sh in which `aip` is the program. */
const sh = async (line: string) => {
  const home = scratch();
  const program = await bundle(PROGRAM);
  const script = `aip() { "${process.execPath}" "${program}" "$@"; }; ${line}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, AIP_HOME: join(home, 'aip') },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
};

describe('the process', () => {
  test('says what it has to say and ends', async () => {
    expect(await sh('aip --version')).toMatchObject({ status: 0, stderr: '' });
    expect(await sh('aip nope')).toMatchObject({ status: 2, stdout: '' });
  });
  test('a reader that leaves early is no error', async () => {
    const { stdout, stderr } = await sh('aip help | head -n 1; echo "${PIPESTATUS[0]}"');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('0');
    expect(stderr).toBe('');
  });
  test('closing the pipe never turns a refusal into a yes', async () => {
    const { stdout, stderr } = await sh('echo "{}" | aip intent verify - --json 2>&1 | true; echo "${PIPESTATUS[1]}"');
    expect({ stdout, stderr }).toEqual({ stdout: '10\n', stderr: '' });
  });
  test('an answer that cannot be written is no success', async (context) => {
    if (!existsSync('/dev/full')) context.skip('a full disk is not tried: there is no /dev/full');
    // `demo` goes on after its first line: what notices the loss is then another writer.
    for (const command of ['help', 'demo', '--version']) {
      const { status, stderr } = await sh(`aip ${command} > /dev/full`);
      expect({ command, status }).toEqual({ command, status: 3 });
      expect(stderr).toContain('the disk is full');
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    // What it told of has happened: given again, an intent is a replay.
    const { stderr } = await sh('aip principal list --json > /dev/full');
    expect(JSON.parse(stderr)).toMatchObject({
      ...{ code: 'STATE', retryable: false, hint: 'df -h; df -i' },
      message: 'stdout cannot be written: the disk is full (ENOSPC). What the command did is done.',
    });
  });
  test('in a folder that was removed it says so in words, and still shows its help', async () => {
    const { stdout, stderr } = await sh(
      'mkdir gone; cd gone; rmdir "$PWD"; aip intent verify x.json; echo $?; AIP_HOME=rel aip passport list --json; echo $?; aip help keys | head -n 1',
    );
    expect(stdout).toBe('3\n3\nKeys\n');
    const said = 'The current folder does not exist any more.';
    expect(stderr.match(/^.*\.( \[|").*$/gm)).toEqual([
      `error: ${said} [NOT_FOUND]`,
      JSON.stringify({ code: 'NOT_FOUND', message: said, hint: 'cd ~', retryable: false, exit_code: 3 }),
    ]);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s while it waits for stdin: %i, at once and quietly', async (signal, expected) => {
    const home = scratch();
    const child = spawn(process.execPath, [await bundle(PROGRAM), 'intent', 'verify', '-', '--verbose'], {
      cwd: home,
      env: { PATH: process.env['PATH'], HOME: home, AIP_HOME: join(home, 'aip') },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let heard = '';
    child.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    // It tells nobody when it listens: ask again until it has ended.
    for (let turn = 0; turn < 100 && child.exitCode === null; turn++) {
      await new Promise((resolve) => setTimeout(resolve, turn === 0 ? 2_500 : 100));
      child.kill(signal);
    }
    expect(await ended).toBe(expected);
    expect(heard).not.toMatch(/\n\s+at |Error/);
  });
});

describe('bin/aip.cjs', () => {
  test('without a build it says what to run', () => {
    const made = scratch();
    mkdirSync(join(made, 'bin'));
    copyFileSync(BIN, join(made, 'bin/aip.cjs'));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(made, 'bin/aip.cjs'), 'help'], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: aip is not built yet; run `npm run build`[^\n]*\n$/);
  });
});
