import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { askActions, askDomain, askName } from '../../../src/cli/passports/questions.js';
import { mayAsk, questions } from '../../../src/cli/questions/ask.js';
import { bundle } from '../../kit/bundle.js';
import { PASSPHRASE } from '../../kit/native/household.js';
import { noPty, play } from '../../kit/terminal.js';
import { world, type WorldOptions } from '../../kit/world.js';

const asking = (options: WorldOptions = {}) => {
  const place = world({ tty: true, ...options });
  return { place, ask: questions(place.io, { input: true, colour: false }) };
};

describe('whether a question may be asked', () => {
  test.each([
    [true, {}, true, true],
    [true, {}, false, false],
    [true, { CI: 'true' }, true, false],
    [true, { CI: '1' }, true, false],
    [true, { CI: 'woodpecker' }, true, false],
    [true, { CI: '' }, true, true],
    [true, { CI: 'false' }, true, true],
    [{ stdin: true }, {}, true, false],
    [{ stderr: true }, {}, true, false],
    [{ stdin: true, stderr: true }, {}, true, true],
    [{ stdout: true }, {}, true, false],
    [false, {}, true, false],
  ] as const)('terminal %j, %j, input allowed %s: %s', (tty, env, input, expected) => {
    expect(mayAsk(world({ tty, env }).io, input)).toBe(expected);
  });

  test('otherwise every kind fails at once and names its flag, even with an answer waiting in the pipe', async () => {
    const place = world({ stdin: 'y\ny\ny\n' });
    const ask = questions(place.io, { input: true, colour: false });
    const failure = { code: 'ANSWER_NEEDED', exitCode: 2, hint: 'give --yes' };
    await expect(ask.confirm({ message: 'Sure?', flag: '--yes' })).rejects.toMatchObject(failure);
    await expect(ask.input({ message: 'Name', flag: '--yes', fallback: 'x' })).rejects.toMatchObject(failure);
    await expect(ask.secret({ message: 'Passphrase', flag: '--yes' })).rejects.toMatchObject(failure);
    await expect(
      ask.select({ message: 'Which', flag: '--yes', choices: [{ value: 1, name: 'one' }] }),
    ).rejects.toMatchObject(failure);
    expect(place.out() + place.err()).toBe('');
  });
});

describe('asking', () => {
  test('yes, no, and what Enter means', async () => {
    for (const [typed, fallback, expected] of [
      ['y\r', false, true],
      ['yes\r', false, true],
      ['n\r', true, false],
      ['\r', false, false],
      ['\r', undefined, false],
      ['\r', true, true],
      ['perhaps\r', false, false],
    ] as const) {
      const { place, ask } = asking();
      const answer = ask.confirm({ message: 'Sure?', flag: '--yes', ...(fallback === undefined ? {} : { fallback }) });
      await shown(place, 'Sure?');
      place.type(typed);
      expect(await answer, typed).toBe(expected);
    }
  });
  test('a line, with what is wrong about it', async () => {
    const { place, ask } = asking();
    const answer = ask.input({
      message: 'Domain',
      flag: '--domain',
      check: (text) => text === 'acme.com' || 'not a domain',
    });
    await shown(place, 'Domain');
    place.type('acme\r');
    await shown(place, 'not a domain');
    place.type('.com\r');
    expect(await answer).toBe('acme.com');
  });
  test.each([
    [askName, 'Name of the agent', 'Bot One', 'is not an agent name', 'bot', 'bot'],
    [askDomain, 'Domain that answers', 'Acme', 'is not a lower-case domain name', 'acme.com', 'acme.com'],
    [askActions, 'Actions it may do', 'send mail$', '"mail$" is not made of', 'send, mail', ['send', 'mail']],
    [
      askActions,
      'Actions it may do',
      'resource:*',
      '"resource:*" is not made of',
      'send,prompt:p, resource:x:/a,b, get',
      ['send', 'prompt:p', 'resource:x:/a,b', 'get'],
    ],
  ] as const)('%o says at once what is wrong', async (question, said, wrong, why, right, expected) => {
    const { place, ask } = asking();
    const answer = question(ask);
    await shown(place, said);
    place.type(`${wrong}\r`);
    await shown(place, why);
    place.type(`\u0015${right}\r`);
    expect(await answer).toEqual(expected);
  });
  test('a choice is made with the arrows, and no name of it moves the terminal', async () => {
    const { place, ask } = asking();
    const choices = [
      { value: 'keychain', name: 'keychain', description: 'the system one' },
      { value: 'file', name: 'file\u001b[31m' },
    ];
    const answer = ask.select({ message: 'Store', flag: '--key-store', choices });
    await shown(place, 'the system one');
    place.type('\u001b[B\r');
    expect(await answer).toBe('file');
    expect(place.err()).not.toContain('\u001b[31m');
  });
  test('a secret is not shown, may not be empty, and twice means the same', async () => {
    const { place, ask } = asking();
    const answer = ask.secret({ message: 'Passphrase', flag: '--passphrase-file', repeat: true });
    await shown(place, 'Passphrase');
    place.type('\r');
    await shown(place, 'An empty answer');
    place.type('hunter2\r');
    await shown(place, 'Passphrase (again)');
    place.type('hunter3\r');
    await shown(place, 'not the same');
    place.type('hunter2\r');
    await shown(place, /not the same[\s\S]*Passphrase \(again\)/);
    place.type('hunter2\r');
    expect(await answer).toBe('hunter2');
    expect(place.err()).not.toContain('hunter');
    expect(place.out()).toBe('');
  });
  test('goes to stderr, in plain text where there is no colour', async () => {
    const { place, ask } = asking();
    const answer = ask.confirm({ message: 'Delete did:web:x\u202e?', flag: '--yes' });
    await shown(place, 'Delete did:web:x?');
    place.type('y\r');
    await answer;
    expect(place.out()).toBe('');
    expect(place.err()).not.toMatch(/\u001b\[\d*(;\d+)*m/);
  });
  test('Ctrl-C ends with 130 and no word', async () => {
    const { place, ask } = asking();
    const answer = ask.input({ message: 'Name', flag: '--name' });
    await shown(place, 'Name');
    place.type('\u0003');
    await expect(answer).rejects.toMatchObject({ name: 'Interrupted', exitCode: 130 });
  });
  test.each(['input', 'confirm', 'secret', 'select'] as const)('Ctrl-D at %s is no answer: 130', async (kind) => {
    const { place, ask } = asking();
    const question = { message: 'Name', flag: '--name', choices: [{ value: 1, name: 'one' }] };
    const answer = ask[kind](question);
    await shown(place, 'Name');
    place.type('\u0004');
    await expect(answer).rejects.toMatchObject({ name: 'Interrupted', exitCode: 130 });
  });
  test('being stopped and continued loses nothing', async () => {
    const { place, ask } = asking();
    const answer = ask.input({ message: 'Name', flag: '--name' });
    await shown(place, 'Name');
    place.type('ab');
    await shown(place, 'Name ab');
    // What readline does on Ctrl-Z and `fg`.
    place.io.stdin.pause();
    process.emit('SIGCONT');
    place.type('c\r');
    expect(await answer).toBe('abc');
  });
  test('SIGTERM at a question ends with 143', async () => {
    const { place, ask } = asking();
    const answer = ask.input({ message: 'Name', flag: '--name' });
    await shown(place, 'Name');
    place.interrupt(143);
    await expect(answer).rejects.toMatchObject({ name: 'Interrupted', exitCode: 143 });
  });
});

const importing = ['key', 'import', '-', '--id', 'did:web:acme.com:agents:bot#key-1', '--key-store', 'file'];

test('a folder in the place of a secret on stdin is named, not read as empty', async () => {
  const place = world();
  const program = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
  const folder = openSync(place.cwd, 'r');
  const { status, stderr } = spawnSync(process.execPath, [program, ...importing], {
    env: { AIP_HOME: `${place.io.userHome}/h`, AIP_KEY_PASSPHRASE: PASSPHRASE },
    stdio: [folder, 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  closeSync(folder);
  expect([status, stderr]).toEqual([
    3,
    expect.stringContaining('The key file on stdin cannot be read: it is a folder'),
  ]);
});

const missing = noPty();
if (missing !== null) console.warn(`not tested on a terminal: ${missing}`);
describe.skipIf(missing !== null)(`on a real terminal${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  test('a secret on stdin is not typed where it is seen', async () => {
    const place = world();
    const program = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
    const env = { PATH: process.env['PATH'] ?? '', AIP_HOME: `${place.io.userHome}/h`, NO_COLOR: '1' };
    const argv = [process.execPath, program, ...importing];
    const { code, output } = play({ argv, env, cwd: place.cwd, steps: [] });
    expect([code, output]).toEqual([2, expect.stringContaining('which would show the key file as it is typed')]);
  });
  test('a secret comes late in a pipe that does not wait', async () => {
    const place = world();
    const program = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
    const script = [
      'import os, subprocess, sys, time',
      'end, start = os.pipe()',
      'os.set_blocking(end, False)',
      'child = subprocess.Popen(sys.argv[1:], stdin=end)',
      'os.close(end); time.sleep(1)',
      `os.write(start, b"ed25519:${'7'.repeat(64)}\\n"); os.close(start)`,
      'sys.exit(child.wait())',
    ].join('\n');
    const { status, stderr } = spawnSync('python3', ['-c', script, process.execPath, program, ...importing], {
      env: { AIP_HOME: `${place.io.userHome}/h`, AIP_KEY_PASSPHRASE: PASSPHRASE },
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  const trust = async (send: string, argv: readonly string[] = [], env: Record<string, string> = {}) => {
    const place = world();
    place.file('.aiprc', 'hooks: [./hook.mjs]');
    const program = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
    return play({
      argv: [process.execPath, program, 'config', 'trust', ...argv],
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: place.io.userHome,
        AIP_HOME: `${place.io.userHome}/h`,
        TERM: 'xterm',
        ...env,
      },
      cwd: place.cwd,
      steps: send === '' ? [] : [{ expect: '(y/N)', send }],
    });
  };
  test('a yes is kept', async () => {
    const { code, output, missed } = await trust('y\r');
    expect({ code, missed }).toEqual({ code: 0, missed: [] });
    expect(output).toContain('trusted ');
  });
  test('Enter alone is a no, and changes nothing', async () => {
    const { code, output } = await trust('\r');
    expect(code).toBe(2);
    expect(output).toContain('nothing was changed');
  });
  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s: 130, no stack, the cursor back', async (_key, typed) => {
    const { code, output } = await trust(typed);
    expect(code).toBe(130);
    expect(output).not.toContain('Error');
    expect(output.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(output.lastIndexOf('\u001b[?25l'));
  });
  test.each([
    [['--no-input'], {}],
    [[], { CI: 'true' }],
  ])('%j with %j asks nothing', async (argv, env) => {
    const { code, output } = await trust('', argv, env);
    expect(code).toBe(2);
    expect(output).toContain('give --yes');
    expect(output).not.toContain('(y/N)');
  });
});

/** Waits until the question has drawn the text. */
async function shown(place: { err: () => string }, text: string | RegExp): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    if (typeof text === 'string' ? place.err().includes(text) : text.test(place.err())) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never shown: ${String(text)} in ${JSON.stringify(place.err())}`);
}
