import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../../src/adapters/process/foreground.js';
import { runSubprocess } from '../../../src/adapters/process/subprocess.js';
import type { Decision } from '../../../src/verify/decision.js';
import { bundle } from '../../kit/bundle.js';
import { openAt } from '../../kit/state/temporary.js';
import { noPty, play } from '../../kit/terminal.js';
import { world, type World } from '../../kit/world.js';

const PASSPHRASE = 'correct horse';
const SEED = `ed25519:${'07'.repeat(32)}`;

/** A world with a passport `bot` that may deploy, and refund up to 100 USD. */
async function staged(env: Readonly<Record<string, string>> = {}): Promise<World & { passport: string; home: string }> {
  const place = world({ env: { AIP_KEY_PASSPHRASE: PASSPHRASE, ...env } });
  const home = join(place.io.userHome, 'home');
  const passport = join(place.cwd, 'bot.passport.json');
  // The principal's key is here as well, which every command says; tests of that look at `place` itself.
  const run: World['run'] = async (...argv) => {
    const answer = await place.run(argv[0]!, '--home', home, ...argv.slice(1));
    return { ...answer, err: answer.err.replace(/^.*principal_key_here.*\n/m, '') };
  };
  const made = await place.run(
    ...['passport', 'create', 'bot', '--home', home, '--domain', 'acme.com', '-a', 'deploy', '-a', 'issue_refund'],
    // Some tests run it as a process, whose clock is the real one.
    ...['--expires', 'never', '--monetary-limit', '100', '--key-store', 'file', '--out', passport],
  );
  expect(made.code, made.err).toBe(0);
  return { ...place, run, passport, home };
}

/** A command that leaves a file with what it was given. */
function witness(place: World) {
  const path = join(place.cwd, 'ran.json');
  const script = `require('fs').writeFileSync(${JSON.stringify(path)}, JSON.stringify({ argv: process.argv.slice(1), env: process.env }))`;
  return {
    command: ['--', process.execPath, '-e', script, '--'],
    ran: (): { argv: string[]; env: Record<string, string> } | null =>
      existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as never) : null,
  };
}

const entriesOf = (home: string) => [...openAt(join(home, 'state.db')).entries({})];

describe('aip exec', () => {
  test('runs the command after the intent was accepted and logged', async () => {
    const place = await staged();
    const { command, ran } = witness(place);
    const { code, out, err } = await place.run(
      'exec',
      '-p',
      'bot',
      '-a',
      'deploy',
      ...command,
      'a b',
      '--json',
      '$HOME',
    );
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(
      /^ok deploy by did:web:acme\.com:agents:bot\nwarning: "monetary_limit" found nothing to measure/,
    );
    const [entry] = entriesOf(place.home);
    expect(entry).toMatchObject({ action: 'deploy', status: 'success' });
    // No shell: nothing in an argument means anything.
    expect(ran()!.argv).toEqual(['a b', '--json', '$HOME']);
    expect(ran()!.env).toMatchObject({
      AIP_INTENT_HASH: entry!.intent_hash,
      AIP_AGENT_ID: 'did:web:acme.com:agents:bot',
    });
  });

  test('gives the command no key and no passphrase', async () => {
    const place = await staged({
      AGENT_PRIVATE_KEY: SEED,
      AIP_MESH_KEY: 'let me in',
      AIP_WEBHOOK_SECRET: 'whsec_let me in',
      AIP_PAGERDUTY_KEY: 'let me in',
      AIP_MONITOR_SLACK_URL: 'https://hooks.slack.example/let-me-in',
      agent_private_key: SEED,
      KEPT: 'yes',
    });
    const { command, ran } = witness(place);
    expect((await place.run('exec', '-p', 'bot', '-a', 'deploy', ...command)).code).toBe(0);
    const { env } = ran()!;
    expect(env['KEPT']).toBe('yes');
    expect(Object.keys(env).filter((name) => /private_key|passphrase|mesh_key/i.test(name))).toEqual([]);
    expect(JSON.stringify(env)).not.toMatch(/let.me.in/);
    expect(JSON.stringify(env)).not.toContain(SEED);
    expect(JSON.stringify(env)).not.toContain(PASSPHRASE);
  });

  test('signs with a key from an env file, for a target; a pinned principal is not looked up', async () => {
    const place = await staged();
    const envFile = join(place.cwd, '.env');
    const flags = ['--domain', 'acme.com', '-a', 'deploy', '--key-store', 'env', '--env-file', envFile];
    const out = join(place.cwd, 'other.json');
    const made = await place.run('passport', 'create', 'other', '--home', place.home, ...flags, '-o', out);
    expect(made.code, made.err).toBe(0);
    const { command, ran } = witness(place);
    const how = ['--env-file', envFile, '--resolve', '--target', 'production'];
    const { code, err } = await place.run('exec', '-p', 'other', '-a', 'deploy', ...how, ...command);
    expect(code, err).toBe(0);
    expect(ran()!.env['AIP_AGENT_ID']).toBe('did:web:acme.com:agents:other');
    expect(readFileSync(envFile, 'utf8')).toContain('AGENT_PRIVATE_KEY=');
  });

  test('with --json the decision is on stderr', async () => {
    const place = await staged();
    const { command } = witness(place);
    const { code, out, err } = await place.run('exec', '-p', 'bot', '-a', 'deploy', '--json', ...command);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(JSON.parse(err)).toMatchObject({ success: true, action: 'deploy', error_code: null });
  });

  test('with --quiet a yes says nothing, and a refusal does', async () => {
    const place = await staged();
    const { command } = witness(place);
    expect((await place.run('exec', '-q', '-p', 'bot', '-a', 'deploy', ...command)).err).toBe('');
    expect((await place.run('exec', '-q', '-p', 'bot', '-a', 'drop_tables', ...command)).err).toContain('AIP-E201');
  });

  test.each([
    ['an action it may not do', ['-a', 'drop_tables'], 12, 'AIP-E201'],
    ['more than its limit', ['-a', 'issue_refund', '--param', 'amount:=100.01'], 12, 'AIP-E202'],
    ['an amount that is none', ['-a', 'issue_refund', '--params', '{"amount":"lots"}'], 12, 'AIP-E211'],
  ])('%s is not run', async (_what, flags, exit, codeName) => {
    const place = await staged();
    const { command, ran } = witness(place);
    const { code, out, err } = await place.run('exec', '-p', 'bot', '--json', ...flags, ...command);
    expect({ code, out }).toEqual({ code: exit, out: '' });
    expect((JSON.parse(err.trim().split('\n').at(-1)!) as Decision).error_code).toBe(codeName);
    expect(ran()).toBeNull();
    expect(entriesOf(place.home)).toMatchObject([{ status: 'failed', error_code: codeName }]);
  });

  test('an edited passport is not run (E103)', async () => {
    const place = await staged();
    const { command, ran } = witness(place);
    const edited = readFileSync(place.passport, 'utf8').replace('"monetary_limit": 100', '"monetary_limit": 100000');
    writeFileSync(place.passport, edited);
    const flags = ['-p', place.passport, '-a', 'issue_refund', '--param', 'amount:=5000'];
    const { code, err } = await place.run('exec', ...flags, ...command);
    expect(code).toBe(10);
    expect(err).toContain('AIP-E103');
    expect(ran()).toBeNull();
  });

  test.each([
    ['no passport', ['-a', 'deploy'], 2, 'Whose intent'],
    ['no action', ['-p', 'bot'], 2, 'There is no action'],
    ['an unknown passport', ['-p', 'nobody', '-a', 'deploy'], 3, 'nobody'],
    ['a country that is none', ['-p', 'bot', '-a', 'deploy', '--geo', 'USA'], 2, 'two-letter'],
    ['a param that does not parse', ['-p', 'bot', '-a', 'deploy', '--param', 'x:=}'], 2, 'not JSON'],
    ['an intent that is not there', ['--intent', '/nonexistent/i.json', '-a', 'deploy'], 3, 'There is no file'],
    ['a signed intent without the action that is meant', ['--intent', 'i.json'], 2, 'Which action'],
    ['params for a signed intent', ['--intent', 'i.json', '--param', 'a=b'], 2, '--param would change'],
    [
      'more for a signed intent',
      ['--intent', 'i', '--params', '{}', '--target', 't'],
      2,
      '--params and --target would',
    ],
  ])('%s: nothing is run or spent', async (_what, flags, exit, words) => {
    const place = await staged();
    const { command, ran } = witness(place);
    const { code, out, err } = await place.run('exec', ...flags, ...command);
    expect({ code, out }).toEqual({ code: exit, out: '' });
    expect(err).toContain(words);
    expect(ran()).toBeNull();
    expect(entriesOf(place.home)).toEqual([]);
  });

  test('a command that is not there is noticed before anything is spent', async () => {
    const place = await staged();
    for (const name of ['no-such-command', './no/such', '', place.cwd]) {
      const { code, err } = await place.run('exec', '-p', 'bot', '-a', 'deploy', '--', name);
      expect(code).toBe(3);
      expect(err).toContain('Nothing was signed or spent');
    }
    expect((await place.run('exec', '-p', 'bot', '-a', 'deploy')).code).toBe(2);
    expect(entriesOf(place.home)).toEqual([]);
  });

  test('a command before -- is refused: its flags would be taken for ours', async () => {
    const place = await staged();
    for (const words of [['true'], ['true', '-a', 'deploy'], ['true', '--', 'x'], ['true', '--json', '--']]) {
      const { code, out, err } = await place.run('exec', '-p', 'bot', '-a', 'issue_refund', ...words);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('stands before --');
      expect(err.includes("(in PowerShell: '--')")).toBe(!words.includes('--'));
    }
    expect(entriesOf(place.home)).toEqual([]);
  });

  test('a command that the system will not start is a failure that says so', async () => {
    const place = await staged();
    const path = place.file('broken', '#!/nonexistent/interpreter\n');
    chmodSync(path, 0o755);
    const { code, err } = await place.run('exec', '-p', 'bot', '-a', 'deploy', '--', path);
    expect(code).toBe(3);
    expect(err).toContain('could not be started (ENOENT). The intent was accepted and is spent.');
  });

  test('an interrupt before the start starts nothing', async () => {
    const place = await staged();
    const { command, ran } = witness(place);
    const running = place.run('exec', '-p', 'bot', '-a', 'deploy', ...command);
    place.interrupt(130);
    expect((await running).code).toBe(130);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(ran()).toBeNull();
  });
});

describe('aip exec --intent', () => {
  async function signed(...flags: string[]) {
    const place = await staged();
    const intent = join(place.cwd, 'intent.json');
    const { code, err } = await place.run('intent', 'sign', '--home', place.home, '-p', 'bot', '-o', intent, ...flags);
    expect(code, err).toBe(0);
    return { place, intent, ...witness(place) };
  }

  test('runs the command once, and not again', async () => {
    const { place, intent, command, ran } = await signed('-a', 'deploy');
    expect((await place.run('exec', '--intent', intent, '-a', 'deploy', ...command)).code).toBe(0);
    expect(ran()).not.toBeNull();
    const again = await place.run('exec', '--intent', intent, '-a', 'deploy', '--json', ...command);
    expect(again.code).toBe(11);
    expect(JSON.parse(again.err)).toMatchObject({ error_code: 'AIP-E301', source: intent });
  });
  test('for another action than the one named runs and spends nothing', async () => {
    const { place, intent, command, ran } = await signed('-a', 'deploy');
    const { code, err } = await place.run('exec', '--intent', intent, '-a', 'issue_refund', ...command);
    expect(code).toBe(2);
    expect(err).toContain('asks for "deploy", not for "issue_refund". Nothing was spent or run.');
    expect(ran()).toBeNull();
    expect((await place.run('exec', '--intent', intent, '-a', 'deploy', ...command)).code).toBe(0);
  });
  test('that was changed after it was signed is refused', async () => {
    const { place, intent, command, ran } = await signed('-a', 'issue_refund', '--param', 'amount:=5');
    writeFileSync(intent, readFileSync(intent, 'utf8').replace('"amount":5', '"amount":50'));
    expect((await place.run('exec', '--intent', intent, '-a', 'issue_refund', ...command)).code).toBe(10);
    expect(ran()).toBeNull();
  });
  test.each(['', 'no json', '[]', '{"agent_id":1}'])('that is none (%j) is refused', async (text) => {
    const place = await staged();
    const { command, ran } = witness(place);
    const intent = place.file('bad.json', text);
    const { code, err } = await place.run('exec', '--intent', intent, '-a', 'deploy', ...command);
    expect(code).toBe(10);
    expect(err).toContain('AIP-E100');
    expect(ran()).toBeNull();
  });
});

describe('as a process', () => {
  async function start(script: string, ...flags: string[]) {
    const place = await staged();
    const file = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
    // A real clock: the passport was issued in the standing clock's past.
    const argv = [file, 'exec', '-q', '--home', place.home, '-p', 'bot', '-a', 'deploy', ...flags];
    const child = spawn(process.execPath, [...argv, '--', process.execPath, '-e', script], {
      cwd: place.cwd,
      env: { PATH: process.env['PATH'], AIP_KEY_PASSPHRASE: PASSPHRASE },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    const ended = new Promise<{ code: number | null }>((resolve) => child.once('close', (code) => resolve({ code })));
    const saying = async (text: string): Promise<void> => {
      while (!said.out.includes(text) && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect(said.out + said.err).toContain(text);
    };
    return { child, said, ended, saying };
  }

  test('the streams are those of the command', async () => {
    const { child, said, ended } = await start(
      `process.stdin.pipe(process.stdout); process.stderr.write('aside')`,
      '--json',
    );
    child.stdin.end('from outside');
    expect(await ended).toEqual({ code: 0 });
    expect(said.out).toBe('from outside');
    expect(said.err).toMatch(/^\{"warning":.*principal_key_here.*\}\n\{"success":true.*\}\naside$/);
  });
  test.each([0, 1, 7, 12, 255])('its exit code %i is passed on', async (code) => {
    const { ended } = await start(`process.exit(${code})`);
    expect(await ended).toEqual({ code });
  });
  test.each([
    ['SIGKILL', 137],
    ['SIGTERM', 143],
  ] as const)('a command that dies of %s is exit %i', async (signal, code) => {
    const { ended } = await start(`process.kill(process.pid, '${signal}'); setTimeout(() => {}, 9999)`);
    expect(await ended).toEqual({ code });
  });
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)(
    '%s reaches the command, which decides',
    async (signal) => {
      const { child, said, ended, saying } = await start(
        `process.on('${signal}', () => { console.log('heard'); setTimeout(() => process.exit(9), 50) }); console.log('up'); setTimeout(() => {}, 20000)`,
      );
      await saying('up');
      child.kill(signal);
      expect(await ended).toEqual({ code: 9 });
      expect(said.out).toBe('up\nheard\n');
    },
  );
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s that comes while it is judged is not lost', async (signal, code) => {
    const { child, ended } = await start('setTimeout(() => {}, 3000)');
    // The warning comes before the verdict.
    child.stderr.once('data', () => child.kill(signal));
    expect(await ended).toEqual({ code });
  });
  test('a second signal reaches it as well', async () => {
    const { child, said, ended, saying } = await start(
      `let n = 0; process.on('SIGTERM', () => { console.log('heard ' + ++n); if (n === 2) process.exit(5) }); console.log('up'); setTimeout(() => {}, 20000)`,
    );
    await saying('up');
    child.kill('SIGTERM');
    await saying('heard 1');
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 5 });
    expect(said.out).toBe('up\nheard 1\nheard 2\n');
  });
  const pty = noPty();
  if (pty !== null) console.warn(`skipped, the terminal's Ctrl-C: ${pty}`);
  test.skipIf(pty !== null)('Ctrl-C at a terminal reaches it once, not from the terminal and from aip', async () => {
    const place = await staged();
    const script = `let n = 0; process.on('SIGINT', () => { console.log('heard ' + ++n); setTimeout(() => process.exit(6), 300) }); console.log('up'); setTimeout(() => {}, 15000)`;
    const file = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
    const { output, code, missed } = play({
      argv: [
        process.execPath,
        file,
        'exec',
        '--home',
        place.home,
        '-p',
        'bot',
        '-a',
        'deploy',
        '--',
        process.execPath,
        '-e',
        script,
      ],
      env: { PATH: process.env['PATH']!, AIP_KEY_PASSPHRASE: PASSPHRASE },
      cwd: place.cwd,
      steps: [
        { expect: 'up', send: '\u0003' },
        { expect: 'heard 1', send: '' },
      ],
    });
    expect({ code, missed }).toEqual({ code: 6, missed: [] });
    expect(output).not.toContain('heard 2');
  });
  test('a reader that went away does not turn a failure into a yes', async () => {
    const { child, ended } = await start(`setTimeout(() => process.exit(7), 200)`);
    child.stdout.destroy();
    expect(await ended).toEqual({ code: 7 });
  });
});

describe('finding a program', () => {
  const place = { env: { PATH: '/nonexistent:bin' }, cwd: '/' };
  test('in the folders of PATH, in order, relative ones from the current folder', () => {
    expect(findProgram('sh', { ...place, env: { PATH: '/nonexistent:bin' } })).toBe('/bin/sh');
    expect(findProgram('bin/sh', place)).toBe('/bin/sh');
    expect(findProgram('/bin/sh', place)).toBe('/bin/sh');
  });
  test.each(['', '.', '..', 'no-such', './no-such', '/bin', '/bin/', '/etc/passwd', 'sh\0'])('not %j', (name) => {
    expect(findProgram(name, place)).toBeNull();
  });
  test('not a folder, and not a file without the right to run it', () => {
    const { cwd, file } = world();
    mkdirSync(join(cwd, 'folder'));
    file('data', 'x');
    for (const name of ['folder', 'data']) expect(findProgram(name, { env: { PATH: cwd }, cwd })).toBeNull();
  });
});

test('on Windows a program is an .exe in a folder of PATH, and never by its name alone in the current one', async () => {
  const { cwd, file } = world();
  for (const name of ['bin/git.exe', 'bin/npx', 'bin/npx.cmd', 'here.exe'])
    chmodSync(file(name, '#!/bin/sh\necho git'), 0o755);
  const bin = join(cwd, 'bin');
  const place = { env: { Path: `:${bin}` }, cwd };
  const find = (name: string) => findProgram(name, place, 'win32');
  for (const name of ['git', 'git.exe']) expect(find(name)).toBe(join(bin, 'git.exe'));
  expect(find('./here')).toBe(join(cwd, 'here.exe'));
  for (const name of ['', 'npx', 'npx.cmd', 'here', 'here.exe', 'bin\\none']) expect(find(name)).toBeNull();

  const { platform } = process;
  onTestFinished(() => void Object.defineProperty(process, 'platform', { value: platform }));
  Object.defineProperty(process, 'platform', { value: 'win32' });
  const bounds = { ...place, timeoutMs: 10_000, maxOutputBytes: 100 };
  expect(await runSubprocess('git', [], bounds)).toMatchObject({ kind: 'exited', stdout: 'git\n' });
  expect(await runSubprocess('here', [], bounds)).toEqual({ kind: 'unstarted', reason: 'ENOENT' });
});

describe('what became of it', () => {
  test.each([
    [0, 'ok'],
    [7, 'error'],
  ])('a command that ends with %i is logged as %s, and its token is told to nobody', async (code, status) => {
    const place = await staged();
    const { code: ended, err } = await place.run(
      ...['exec', '-p', 'bot', '-a', 'deploy', '--json', '--', process.execPath, '-e', `process.exit(${code})`],
    );
    expect(ended, err).toBe(code);
    expect(JSON.parse(err.split('\n')[0]!)).toMatchObject({ success: true, outcome_token: null });
    const { out } = await place.run('logs', 'tail', '--type', 'outcome', '--json');
    expect(JSON.parse(out)).toMatchObject({ type: 'outcome', of: 1, status, exit_code: code, claimed: false });
  });
});
