import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Libsql from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WATCHDOG_MS } from '../../../src/guard/hook/call.js';
import { HOOK_CLIENTS } from '../../../src/guard/hook/clients.js';
import { BINARY } from '../../kit/built/program.js';
import { AGENT, ask, guarded, served, type Guarded } from '../../kit/guard.js';
import { openMcp, speakMcp } from '../../kit/mcp/stdio.js';
import { noPty, play } from '../../kit/terminal.js';

const event = (tool: string, input: object, more: object = {}) =>
  JSON.stringify({ hook_event_name: 'PreToolUse', cwd: '/repo', tool_name: tool, tool_input: input, ...more });
const denied = (stdout: string): string =>
  (JSON.parse(stdout) as { hookSpecificOutput: { permissionDecision: string; permissionDecisionReason: string } })
    .hookSpecificOutput.permissionDecisionReason;

/** With the service at hand and without it, the answers are the same. */
const WAYS: readonly (readonly [string, (place: Guarded) => Promise<unknown>])[] = [
  ['in process', async () => undefined],
  ['by the service', (place) => served(place, '--as', 'coder')],
];

describe.each(WAYS)('%s', (_, prepare) => {
  test('a yes is no objection, a no begins with its code', async () => {
    const place = await guarded();
    await prepare(place);
    const hook = (stdin: string, ...argv: string[]) =>
      place.run(['hook', 'claude', '--passport', 'coder', ...argv], stdin);
    expect(hook(event('Bash', { command: 'ls' }))).toEqual({ status: 0, stdout: '{}\n', stderr: '' });
    expect(JSON.parse(hook(event('Bash', { command: 'ls' }), '--grant').stdout)).toMatchObject({
      hookSpecificOutput: { permissionDecision: 'allow' },
    });
    const no = hook(event('WebFetch', { url: 'https://a.example' }));
    expect(no.status).toBe(0);
    expect(denied(no.stdout)).toMatch(/^AIP-E201 ACTION_NOT_DECLARED: /);
    expect(denied(no.stdout)).toMatch(/`aip passport update did:web:\S+:agents:coder --add-action \w+`/);
    expect(denied(hook(event('mcp__pay__refund', { amount: 10_000 })).stdout)).toMatch(/^AIP-E202 /);
    expect(hook(event('mcp__pay__refund', { amount: 10 })).stdout).toBe('{}\n');
    expect(hook(event('WebFetch', { url: 'x' }), '--map', 'WebFetch=shell').stdout).toBe('{}\n');
    expect((await place.workspace.getVerificationLogs()).map(({ action }) => action).reverse()).toEqual([
      'shell',
      'shell',
      'fetch_url',
      'pay.refund',
      'pay.refund',
      'shell',
    ]);
  });

  test('a verification hook that never ends: the tool is refused, and nothing waits for ever', async () => {
    const place = await guarded();
    writeFileSync(join(place.home, 'endless.mjs'), 'export default { verify() { while (true) {} } };');
    writeFileSync(join(place.home, 'config.json'), '{"hooks":["endless.mjs"]}');
    await prepare(place);
    const { status, stdout, stderr } = await place.ran(
      ['hook', 'claude', '-p', 'coder'],
      event('Bash', { command: 'ls' }),
    );
    expect([status === 2 ? stderr : denied(stdout)]).toEqual([expect.stringMatching(/HOOK_FAILED|more than \d+ ms/)]);
  });

  test("a server's tool is never the action of its bare name, unless a map says so", async () => {
    const place = await guarded();
    await prepare(place);
    const claude = (tool: string, ...argv: string[]) =>
      place.run(['hook', 'claude', '-p', 'coder', ...argv], event(tool, { amount: 1 })).stdout;
    expect(claude('issue_refund')).toBe('{}\n');
    for (const tool of ['mcp__evil__issue_refund', 'mcp__evil__shell', 'mcp__evil__Bash'])
      expect(denied(claude(tool))).toMatch(/^AIP-E201 ACTION_NOT_DECLARED: .*evil\./);
    expect(claude('mcp__pay__issue_refund', '--map', 'mcp__pay__issue_refund=issue_refund')).toBe('{}\n');
    for (const tool_name of ['issue_refund', 'Shell', 'read_file']) {
      const mcp = { hook_event_name: 'beforeMCPExecution', tool_name, tool_input: '{"amount":1}', command: 'npx evil' };
      const { stdout } = place.run(['hook', 'cursor', '-p', 'coder'], JSON.stringify(mcp));
      expect(JSON.parse(stdout)).toMatchObject({
        permission: 'deny',
        agent_message: expect.stringContaining('AIP-E201'),
      });
    }
  });

  test('what it cannot decide is exit 2 with a sentence, whatever comes', async () => {
    const place = await guarded();
    await prepare(place);
    for (const stdin of [
      '',
      '{',
      '[]',
      '{"a":1,"a":2}',
      event('Bash', {}, { hook_event_name: 'Stop' }),
      // Read as another number: the agent's own reader may keep its digits.
      event('issue_refund', { order: [9007199254740992] }).replace('0992', '0993'),
      event('issue_refund', { amount: 0 }).replace(':0}', ':100.00000000000000001}'),
      '\u0000',
      'x'.repeat(3_000_000),
    ]) {
      const { status, stdout, stderr } = place.run(['hook', 'claude', '-p', 'coder'], stdin);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      // By itself: one that is ended from outside says another sentence.
      expect(stderr.trim()).toMatch(/^aip hook: (?!it was told to stop|it took)/);
    }
    for (const argv of [
      ['hook'],
      ['hook', 'nobody'],
      ['hook', 'claude', '--what'],
      ['hook', 'claude', '-p', 'stranger'],
    ])
      expect(place.run(argv, event('Bash', {})).status).toBe(2);
    expect(await place.workspace.getVerificationLogs()).toEqual([]);
  });

  test('a path of an event without a working folder is one of the folder that the hook runs in', async () => {
    const place = await guarded();
    await prepare(place);
    const input = event('Read', { file_path: 'state.db' }, { cwd: undefined });
    const hook = (cwd: string): string =>
      spawnSync(process.execPath, [BINARY, 'hook', 'claude', '-p', 'coder'], {
        env: place.env,
        cwd,
        input,
      }).stdout.toString();
    expect(denied(hook(place.home))).toMatch(/^AIP-E210 .*own_files/);
    expect(hook(place.folder)).toBe('{}\n');
  });

  test('hooks whose configuration is a link are not reached where it really lies', async () => {
    const place = await guarded();
    await prepare(place);
    const [project, kept] = [join(place.folder, 'project'), join(place.folder, 'dotfiles')];
    for (const folder of [join(project, '.claude'), join(project, 'src'), kept]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(kept, 'claude.json'), '{}');
    symlinkSync(join(kept, 'claude.json'), join(project, '.claude/settings.json'));
    symlinkSync(join(kept, 'codex'), join(project, '.codex'));
    const write = (file_path: string): string =>
      place.run(
        ['hook', 'claude', '-p', 'coder'],
        event('Write', { file_path, content: 'x' }, { cwd: join(project, 'src') }),
      ).stdout;
    for (const name of ['claude.json', 'codex/hooks.json'])
      expect(denied(write(join(kept, name)))).toMatch(/own_files/);
    expect(write(join(kept, 'vimrc'))).toBe('{}\n');
  });

  test('file tools do not reach the files of aip and of hooks, by no way around', async () => {
    const place = await guarded();
    await prepare(place);
    const link = join(place.folder, 'link');
    symlinkSync(place.home, link);
    symlinkSync(join(place.home, 'keys'), join(place.folder, 'docs'));
    symlinkSync(join(place.home, 'new.json'), join(place.folder, 'x '));
    const paths = [
      // The system takes a step up after the link before it.
      `${place.folder}/docs/../config.json`,
      // With its blank, and to a file that is yet to be made.
      `${place.folder}/x `,
      `${place.home}/x\n*** Add File: y\n/../config.json`,
      join(place.home, 'state.db'),
      join(link, 'x', 'y'),
      `${place.home}/a/../state.db`,
      join(place.folder, '.claude/settings.json'),
      '/another/project/.claude/settings.json',
    ];
    linkSync(join(place.home, 'state.db'), join(place.folder, 'notes.txt'));
    paths.push(
      join(place.folder, 'notes.txt'),
      '/proc/self/cwd/a.txt',
      `/proc/1/root${place.home}/state.db`,
      '/dev/fd/9',
    );
    for (const file_path of paths) {
      const { stdout } = place.run(['hook', 'claude', '-p', 'coder'], event('Write', { file_path, content: 'x' }));
      expect(denied(stdout)).toMatch(/^AIP-E210 .*own_files/);
    }
    // A search shows what it finds.
    const grep = event('Grep', { pattern: '.', path: join(place.home, 'keys'), output_mode: 'content' });
    expect(denied(place.run(['hook', 'claude', '-p', 'coder'], grep).stdout)).toMatch(/own_files/);
    const above = event('Grep', { pattern: '.', path: dirname(place.home) });
    expect(denied(place.run(['hook', 'claude', '-p', 'coder'], above).stdout)).toMatch(
      /own_files: this search goes down/,
    );
    // An honest one lies beside.
    expect(place.run(['hook', 'claude', '-p', 'coder'], event('Grep', { pattern: '.' })).stdout).toBe('{}\n');
    const { stdout } = place.run(
      ['hook', 'claude', '-p', 'coder'],
      event('Write', { file_path: join(place.folder, 'a.txt'), content: 'x' }),
    );
    expect(stdout).toBe('{}\n');
  });

  test('nor do tools of another name, whatever a map says', async () => {
    const place = await guarded({ actions: ['write_file', 'filesystem.write_file', 'chat.post'] });
    await prepare(place);
    const write = event('mcp__filesystem__write_file', { path: join(place.home, 'config.json'), content: '{}' });
    for (const map of [[], ['--map', 'mcp__filesystem__write_file=write_file']])
      expect(denied(place.run(['hook', 'claude', '-p', 'coder', ...map], write).stdout)).toMatch(/own_files/);
    const move = event('mcp__filesystem__moveFile', { source: dirname(place.home), destination: '/elsewhere' });
    expect(denied(place.run(['hook', 'claude', '-p', 'coder'], move).stdout)).toMatch(
      /own_files: this folder holds the files of aip/,
    );
    const post = event('mcp__chat__post', { text: `See ${place.home}/config.json` });
    expect(place.run(['hook', 'claude', '-p', 'coder'], post).stdout).toBe('{}\n');
  });

  test('nor the hooks where a variable of the agent puts them, nor what a process holds', async () => {
    const place = await guarded();
    await prepare(place);
    place.env.CLAUDE_CONFIG_DIR = join(place.folder, 'claude');
    const hook = (tool: string, input: object): string =>
      place.run(['hook', 'claude', '-p', 'coder'], event(tool, input)).stdout;
    expect(denied(hook('Write', { file_path: join(place.folder, 'claude/settings.json'), content: 'x' }))).toMatch(
      /own_files/,
    );
    place.env.COPILOT_HOME = join(place.folder, 'copilot');
    for (const file of ['hooks/other.json', 'settings.json'])
      expect(denied(hook('Write', { file_path: join(place.folder, 'copilot', file), content: 'x' }))).toMatch(
        /own_files/,
      );
    for (const file_path of ['/proc/self/environ', '/proc/1/environ', '/proc/1/mem'])
      expect(denied(hook('Read', { file_path }))).toMatch(/own_files/);
    expect(denied(hook('Grep', { pattern: 'AIP', path: '/proc/self/' }))).toMatch(/own_files/);
    for (const file_path of ['/proc/self/cmdline', join(place.folder, 'claude/notes.md')])
      expect(hook('Read', { file_path })).toBe('{}\n');
  });

  test('a file of 500 KB is decided', async () => {
    const place = await guarded();
    await prepare(place);
    const { status, stdout } = place.run(
      ['hook', 'claude', '-p', 'coder'],
      event('Write', { file_path: '/a', content: 'é'.repeat(250_000) }),
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '{}\n' });
  });
});

test('file tools do not reach the files that flags name', async () => {
  const place = await guarded();
  const [config, passphrase] = [join(place.folder, 'aip.json'), join(place.folder, 'passphrase')];
  writeFileSync(config, JSON.stringify({ hook: { passport: 'coder' } }));
  writeFileSync(passphrase, 'correct horse\n', { mode: 0o600 });
  const read = (file_path: string): string =>
    place.run(['hook', 'claude', '--config', 'aip.json', '--passphrase-file', passphrase], event('Read', { file_path }))
      .stdout;
  for (const path of [config, passphrase]) expect(denied(read(path))).toMatch(/own_files/);
  expect(read(join(place.folder, 'a.txt'))).toBe('{}\n');
  place.env.AIP_SOCKET = join(place.folder, 'run/aip.sock');
  expect(denied(read(join(place.folder, 'run/aip.sock')))).toMatch(/own_files/);
  delete place.env.AIP_SOCKET;
  await served(place, '--as', 'coder', '--passphrase-file', passphrase);
  const { stdout } = place.run(['hook', 'claude', '-p', 'coder'], event('Read', { file_path: passphrase }));
  expect(denied(stdout)).toMatch(/own_files/);
});

test("without a key, or by a passport that is not the service's, it decides or fails by itself", async () => {
  const place = await guarded({}, ['coder', 'payer']);
  await served(place, '--as', 'coder');
  expect(place.run(['hook', 'claude', '-p', 'payer'], event('Bash', {})).stdout).toBe('{}\n');
  const [entry] = await place.workspace.getVerificationLogs();
  expect(entry!.agent_id).toMatch(/payer$/);
  delete place.env.AGENT_PRIVATE_KEY;
  expect(place.run(['hook', 'claude', '-p', 'payer'], event('Bash', {}))).toMatchObject({ status: 2, stdout: '' });
});

test.each([
  ['says nothing', () => undefined],
  ['says no HTTP', (write: (text: string) => void) => write('yes\n')],
  ['breaks off', (write: (text: string) => void) => write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}')],
  [
    'answers with something else',
    (write: (text: string) => void) => write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'),
  ],
  ['fails', (write: (text: string) => void) => write('HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}')],
])('a service that %s is exit 2', async (what, behave) => {
  const place = await guarded();
  const socket = join(place.home, 'serve', 'aip.sock');
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  const server = createServer((peer) => {
    peer.on('error', () => undefined);
    peer.once('data', () => {
      behave((text) => void peer.write(text));
      if (what !== 'says nothing') peer.end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  const child = place.start(['hook', 'claude', '-p', 'coder']);
  child.stdin!.end(event('Bash', {}));
  let out = '';
  child.stdout!.on('data', (part: Buffer) => (out += part.toString()));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

test.each(WAYS)('%s: an end by a signal is exit 2: the tool would run otherwise', async (_, prepare) => {
  const place = await guarded();
  await prepare(place);
  const child = place.start(['hook', 'claude', '-p', 'coder']);
  // It waits for the rest of its input.
  child.stdin!.write('{');
  setTimeout(() => child.kill('SIGTERM'), 800);
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(2);
});

test('an event without an end is given up, and nothing of it is left waiting', async () => {
  const place = await guarded();
  await served(place, '--as', 'coder');
  const child = place.start(['hook', 'claude', '-p', 'coder']);
  child.stdin!.on('error', () => undefined);
  // The agent keeps its end open.
  child.stdin!.write('x'.repeat(3_000_000));
  let err = '';
  child.stderr!.on('data', (part: Buffer) => (err += part.toString()));
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(2);
  expect(err).toContain('the event is too large');
});

test.skipIf(noPty() !== null).each(WAYS)('at a terminal, %s, it says at once what it is for', async (_, prepare) => {
  const place = await guarded();
  await prepare(place);
  const argv = [process.execPath, BINARY, 'hook', 'claude', '-p', 'coder'];
  const { output, code } = play({ argv, env: place.env as Record<string, string>, cwd: place.home, steps: [] });
  expect([code, output]).toEqual([2, expect.stringContaining('aip hook install claude -p coder; to try it')]);
  expect(output).not.toContain(`${WATCHDOG_MS} ms`);
});

test('it gives up in time while another process holds the state: an agent that waits for long runs the tool', async () => {
  const place = await guarded();
  const other = new Libsql(join(place.home, 'state.db'));
  onTestFinished(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  const began = performance.now();
  const { status, stdout, stderr } = place.run(['hook', 'claude', '-p', 'coder'], event('Bash', {}));
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^aip hook: /);
  expect(performance.now() - began).toBeLessThan(1.5 * WATCHDOG_MS);
});

test('a service and a guard say soon that another process holds the state, and are there for others then', async () => {
  const place = await guarded();
  const { socket } = await served(place, '--as', 'coder');
  const tools = join(place.folder, 'tools.json');
  writeFileSync(tools, JSON.stringify([{ name: 'refund', inputSchema: { type: 'object' } }]));
  const server = fileURLToPath(new URL('../../kit/servers/mcp-server.mjs', import.meta.url));
  const mcp = speakMcp(place, ['--', process.execPath, server, join(place.folder, 'seen'), tools]);
  await openMcp(mcp);
  await mcp.ask('tools/list');
  const other = new Libsql(join(place.home, 'state.db'));
  onTestFinished(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  const began = performance.now();
  const guard = { agent_id: AGENT, action: 'shell', params: {} };
  const [decided, healthy, called, pinged] = await Promise.all([
    ask(socket!, '/v1/guard', guard),
    new Promise((resolve) => setTimeout(resolve, 500)).then(() => ask(socket!, '/healthz')),
    mcp.call('refund', { amount: 5 }),
    mcp.ask('ping'),
  ]);
  expect(performance.now() - began).toBeLessThan(2 * WATCHDOG_MS);
  expect([decided.status, decided.json.message]).toEqual([503, expect.stringContaining('locked')]);
  expect([healthy.status, pinged.error]).toEqual([200, undefined]);
  expect(called.error.message).toContain('the call did not run');
});

test('what a service took of the time is not there for the decision after it', async () => {
  const place = await guarded();
  const socket = join(place.home, 'serve/aip.sock');
  mkdirSync(dirname(socket), { mode: 0o700 });
  const no = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}';
  // What is left is less than it takes to load the program.
  const server = createServer((peer) => {
    // The hook ends by itself, and leaves what it was told unread.
    peer.on('error', () => undefined);
    setTimeout(() => peer.end(no), WATCHDOG_MS - 40);
  });
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  const { status, stdout, stderr } = await place.ran(['hook', 'claude', '-p', 'coder'], event('Bash', {}));
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: `aip hook: it took more than ${WATCHDOG_MS} ms.\n`,
  });
});

test('a number outside of the input may have any digits, and so may one inside that keeps them', async () => {
  const place = await guarded();
  const given = event('issue_refund', { id: 2 ** 60 }, { at: 1 }).replace('"at":1', '"at":1780000000123456789');
  expect(place.run(['hook', 'claude', '-p', 'coder'], given)).toEqual({ status: 0, stdout: '{}\n', stderr: '' });
});

test('every agent waits at least twice as long as the hook takes', () => {
  for (const { waitsMs } of Object.values(HOOK_CLIENTS)) expect(waitsMs).toBeGreaterThanOrEqual(2 * WATCHDOG_MS);
});

test('--ask: the agent asks its user, but not instead of approvers whom the passport names', async () => {
  const hook = (place: Guarded, client: string, ...argv: string[]) =>
    place.run(['hook', client, '-p', 'coder', ...argv], event('Bash', { command: 'ls' })).stdout;
  const place = await guarded({ constraints: { require_approval: true } });
  expect(denied(hook(place, 'claude'))).toMatch(/^AIP-E209 /);
  expect(JSON.parse(hook(place, 'claude', '--ask'))).toMatchObject({
    hookSpecificOutput: { permissionDecision: 'ask' },
  });
  expect(await place.workspace.getVerificationLogs({ limit: 2 })).toMatchObject([
    { error_code: 'AIP-E209', details: { asked: true } },
    { error_code: 'AIP-E209', details: expect.not.objectContaining({ asked: true }) },
  ]);
  // Where a question would run the tool, it is a no.
  expect(JSON.parse(hook(place, 'codex', '--ask'))).toMatchObject({
    hookSpecificOutput: { permissionDecision: 'deny' },
  });
});
