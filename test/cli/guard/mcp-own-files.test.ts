/** No server reaches the files of aip through its guard, whatever the passport says: the hook's rule at the guard's two entrances. */
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { AGENT, ask, guarded, served, type Guarded } from '../../kit/guard.js';
import { mcpHttpServer } from '../../kit/mcp/http.js';
import { openMcp, speakMcp } from '../../kit/mcp/stdio.js';

type Any = Record<string, any>;
/** Calls a tool, and gives its result. */
type Call = (name: string, args: object) => Promise<Any>;

const SERVER = fileURLToPath(new URL('../../kit/servers/mcp-server.mjs', import.meta.url));
const NAMES = ['read_file', 'write_file', 'edit_file', 'move_file', 'read_multiple_files', 'note'];
const TOOLS = NAMES.map((name) => ({ name, inputSchema: { type: 'object' } }));
const ACTIONS = [
  'write_file',
  'read_file',
  ...NAMES.slice(2).map((name) => `pay.${name}`),
  'resource:file:///proc/self/environ',
];
const WORDS = /^AIP-E210 ACTION_DENIED: own_files: tools do not reach the files of aip/;

/** A guard before a server on standard streams, whose own arguments end with `words`. */
async function overStdio(place: Guarded, argv: readonly string[] = [], words: readonly string[] = []) {
  const [seen, tools] = [join(place.folder, 'seen'), join(place.folder, 'tools.json')];
  writeFileSync(tools, JSON.stringify(TOOLS));
  const client = speakMcp(place, [...argv, '--', process.execPath, SERVER, seen, tools, ...words]);
  await openMcp(client);
  const call: Call = async (name, args) => (await client.call(name, args)).result;
  const ran = (): string[] =>
    [...readFileSync(seen, 'utf8').matchAll(/"method":"tools\/call".*?"name":"(\w+)"/g)].map(([, name]) => name!);
  return { call, ran, ask: client.ask };
}

/** A guard before a server over HTTP. */
async function overHttp(place: Guarded) {
  const server = await mcpHttpServer();
  server.tools = TOOLS;
  const argv = ['mcp', 'guard', '-p', 'coder', '--name', 'pay', '--url', server.url, '--listen', '127.0.0.1:0'];
  const child = place.start([...argv, '--json']);
  const url = await new Promise<string>((resolve) =>
    child.stdout!.once('data', (part: Buffer) => resolve((JSON.parse(part.toString()) as { url: string }).url)),
  );
  const { origin, pathname } = new URL(url);
  const token = readFileSync(join(place.home, 'serve.token'), 'utf8').trim();
  const version = '2026-07-28';
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const call: Call = async (name, args) => {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': version,
      'mcp-method': 'tools/call',
      'mcp-name': name,
    };
    const params = { name, arguments: args, _meta };
    const { json } = await ask(origin, pathname, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers);
    return (json as Any).result as Any;
  };
  return { call, ran: () => server.ran };
}

describe.each([
  ['on standard streams', overStdio],
  ['over HTTP', overHttp],
] as [string, (place: Guarded) => Promise<{ call: Call; ran: () => readonly string[] }>][])('%s', (_, start) => {
  test('no tool reaches them, by no way around, and the log says so', async () => {
    const place = await guarded({ actions: ACTIONS });
    symlinkSync(place.home, join(place.folder, 'link'));
    linkSync(join(place.home, 'state.db'), join(place.folder, 'notes.txt'));
    const { call, ran } = await start(place);
    const outside = join(place.folder, 'a.txt');
    const calls: [string, Any][] = [
      ['write_file', { path: join(place.home, 'config.json'), content: '{}' }],
      ['write_file', { path: join(place.home, 'mcp-pins/pay.json'), content: '{}' }],
      ['edit_file', { path: join(place.folder, 'link/config.json'), edits: [{ oldText: 'a', newText: 'b' }] }],
      ['edit_file', { path: join(place.folder, 'notes.txt'), edits: [] }],
      ['move_file', { source: join(place.home, 'state.db'), destination: outside }],
      ['move_file', { source: outside, destination: `${place.folder}/x/../home/keys/k.pem` }],
      // With the folder that holds them.
      ['move_file', { source: place.folder, destination: '/elsewhere' }],
      ['move_file', { source: '/', destination: '/elsewhere' }],
      ['read_multiple_files', { paths: [outside, join(place.home, 'keys/k.pem')] }],
      ['read_file', { path: join(place.folder, '.claude/settings.json') }],
      ['read_file', { path: '/proc/self/environ' }],
    ];
    for (const [name, args] of calls) {
      const result = await call(name, args);
      expect(result, JSON.stringify(args)).toMatchObject({
        isError: true,
        _meta: { 'aip/decision': { code: 'AIP-E210', name: 'ACTION_DENIED', details: { reason: 'own_files' } } },
      });
      expect(result.content[0].text).toMatch(/^AIP-E210 ACTION_DENIED: own_files: /);
    }
    expect(ran()).toEqual([]);
    const log = await place.workspace.getVerificationLogs();
    expect(log).toHaveLength(calls.length);
    expect(log.at(-1)).toMatchObject({
      agent_id: AGENT,
      action: 'write_file',
      target: 'mcp:pay',
      error_code: 'AIP-E210',
      details: { reason: 'own_files', path: join(place.home, 'config.json') },
      intent_hash: null,
    });
  });

  test('files of the project, and texts that mention a path, go on', async () => {
    const place = await guarded({ actions: ACTIONS });
    const { call, ran } = await start(place);
    const calls: [string, Any][] = [
      ['note', { path: place.folder }],
      ['write_file', { path: join(place.folder, 'config.json'), content: `See ${place.home}/config.json\n` }],
      ['edit_file', { path: 'src/main.ts', edits: [{ oldText: 'a/b', newText: '~/c' }] }],
      ['move_file', { source: join(place.folder, 'a'), destination: join(place.folder, 'home-of-b') }],
      ['note', { text: `the state is in ${place.home}/state.db` }],
    ];
    for (const [name, args] of calls) expect((await call(name, args)).isError, name).toBeUndefined();
    expect(ran()).toEqual(calls.map(([name]) => name));
  });
});

test('the words are those of the hook', async () => {
  const place = await guarded({ actions: ACTIONS });
  const path = join(place.home, 'config.json');
  const input = {
    hook_event_name: 'PreToolUse',
    cwd: place.folder,
    tool_name: 'Write',
    tool_input: { file_path: path },
  };
  const { stdout } = place.run(['hook', 'claude', '-p', 'coder'], JSON.stringify(input));
  const { hookSpecificOutput: said } = JSON.parse(stdout) as Any;
  const { call } = await overStdio(place);
  const { content } = await call('write_file', { path, content: '{}' });
  expect(content[0].text).toBe(said.permissionDecisionReason);
  expect(content[0].text).toMatch(WORDS);
});

test('relative to a folder that the server has for its root, by a resource, and in an answer to the server', async () => {
  const place = await guarded({ actions: ACTIONS });
  const root = join(place.folder, 'root');
  mkdirSync(join(root, 'docs'), { recursive: true });
  symlinkSync(place.home, join(root, 'docs', 'kept'));
  const {
    call,
    ask: asked,
    ran,
  } = await overStdio(place, ['--allow-elicitation'], [`--root=${root}`, 'x'.repeat(9000)]);
  expect((await call('read_file', { path: 'docs/kept/state.db' })).content[0].text).toMatch(WORDS);
  const { error } = await asked('resources/read', { uri: 'file:///proc/self/environ' });
  expect(error.message).toMatch(/^AIP-E210 ACTION_DENIED: own_files: this path leads into a process/);
  const answer = { name: 'note', arguments: {}, inputResponses: { file: { content: { path: `${place.home}/x` } } } };
  expect((await asked('tools/call', answer)).result.content[0].text).toMatch(WORDS);
  // An argument of that name does not stand in the place of the answers.
  const beside = await asked('tools/call', { ...answer, arguments: { inputResponses: 'x' } });
  expect(beside.result.content[0].text).toMatch(WORDS);
  const { inputResponses } = answer;
  expect((await asked('tasks/update', { taskId: 't', inputResponses })).error.message).toMatch(WORDS);
  expect(ran()).toEqual([]);
  expect((await call('read_file', { path: 'docs/a.txt' })).isError).toBeUndefined();
});

test('nor the files that flags name: passport, key, passphrase and config; the hook keeps them as well', async () => {
  const place = await guarded({ actions: ACTIONS });
  const exported = place.run(['passport', 'show', 'coder', '--json']).stdout;
  const file = (name: string, text: string): string => {
    writeFileSync(join(place.folder, name), text, { mode: 0o600 });
    return join(place.folder, name);
  };
  const passport = file('coder.passport.json', exported);
  const [config, phrase] = [file('aip.json', '{}'), file('phrase', 'correct horse\n')];
  const env = file('agent.env', `AGENT_PRIVATE_KEY=${place.env.AGENT_PRIVATE_KEY}\n`);
  const flags = ['-p', passport, '--config', config, '--passphrase-file', phrase, '--env-file', env];
  const { call } = await overStdio(place, flags);
  const hook = (file_path: string): string => {
    const input = { hook_event_name: 'PreToolUse', cwd: place.folder, tool_name: 'Read', tool_input: { file_path } };
    return place.run(['hook', 'claude', ...flags], JSON.stringify(input)).stdout;
  };
  for (const path of [passport, config, phrase, env]) {
    expect((await call('read_file', { path })).content[0].text, path).toMatch(WORDS);
    expect(hook(path), path).toContain('own_files');
  }
  await served(place, '--as', passport, '--env-file', env);
  const input = { hook_event_name: 'PreToolUse', cwd: place.folder, tool_name: 'Read', tool_input: { file_path: env } };
  expect(place.run(['hook', 'claude', '-p', 'coder'], JSON.stringify(input)).stdout).toContain('own_files');
});

test('--observe writes it down, and lets it run', async () => {
  const place = await guarded({ actions: ACTIONS });
  const { call, ran } = await overStdio(place, ['--observe']);
  expect((await call('write_file', { path: join(place.home, 'x'), content: '' })).isError).toBeUndefined();
  expect(ran()).toEqual(['write_file']);
  expect((await place.workspace.getVerificationLogs())[0]).toMatchObject({ details: { reason: 'own_files' } });
});
