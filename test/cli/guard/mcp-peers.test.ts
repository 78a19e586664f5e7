/**
 * The guard between the official clients and servers that others publish. AIP_TEST_MCP names a folder where
 * @modelcontextprotocol/sdk, client, server, node, server-everything, server-filesystem and server-memory are installed, and in whose
 * `py` is a virtual environment with mcp-server-git and mcp-server-time.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BINARY } from '../../kit/built/program.js';
import { guarded, type Guarded } from '../../kit/guard.js';
import { freePort } from '../../kit/servers/free-port.js';

type Any = Record<string, any>;
const PEERS = process.env.AIP_TEST_MCP ?? null;
const SDK_SERVER = fileURLToPath(new URL('../../kit/mcp/sdk-server.mjs', import.meta.url));

interface Client {
  listTools(): Promise<Any>;
  callTool(call: object): Promise<Any>;
}

/** The package, its transports, its options. */
const CLIENTS = [
  ['version 1', '@modelcontextprotocol/sdk/client/index.js', '@modelcontextprotocol/sdk/client/', {}],
  [
    'version 2',
    '@modelcontextprotocol/client',
    '@modelcontextprotocol/client',
    { versionNegotiation: { mode: 'auto' } },
  ],
] as const satisfies readonly Which[];
type Which = readonly [string, string, string, object];

async function load(name: string): Promise<Any> {
  const file = createRequire(join(PEERS!, 'package.json')).resolve(name);
  const modern = file.replace('/dist/cjs/', '/dist/esm/').replace(/\.cjs$/, '.mjs');
  return (await import(pathToFileURL(existsSync(modern) ? modern : file).href)) as Any;
}

async function connected([, module, , options]: Which, transport: unknown): Promise<Client> {
  const { Client } = await load(module);
  const client = new Client({ name: 'test', version: '1' }, options);
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client as Client;
}

/** A client that starts the guard itself. */
async function overStreams(which: Which, place: Guarded, server: readonly string[], name: string): Promise<Client> {
  const { StdioClientTransport } = await load(which[2].endsWith('/') ? `${which[2]}stdio.js` : `${which[2]}/stdio`);
  const args = [BINARY, 'mcp', 'guard', '-p', 'coder', '--name', name, '--', ...server];
  const { env, folder: cwd } = place;
  return connected(which, new StdioClientTransport({ command: process.execPath, args, env, cwd, stderr: 'ignore' }));
}

/** A client of a guard that listens before the server at `url`. */
async function overHttp(which: Which, place: Guarded, url: string, name: string): Promise<Client> {
  const child = place.start([
    'mcp',
    'guard',
    '-p',
    'coder',
    '--name',
    name,
    '--url',
    url,
    '--listen',
    '127.0.0.1:0',
    '--json',
  ]);
  const { url: guard } = JSON.parse(await lineOf(child)) as { url: string };
  const token = readFileSync(join(place.home, 'serve.token'), 'utf8').trim();
  const { StreamableHTTPClientTransport } = await load(
    which[2].endsWith('/') ? `${which[2]}streamableHttp.js` : which[2],
  );
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  return connected(which, new StreamableHTTPClientTransport(new URL(guard), { requestInit }));
}

/** The first line that a program writes. */
function lineOf(child: ChildProcess, marker = '\n'): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    const take = (part: Buffer): void => {
      out += part.toString();
      if (out.includes(marker)) resolve(out.trim().split('\n')[0]!);
    };
    child.stdout!.on('data', take);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${out}`)));
  });
}

function started(argv: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(argv[0]!, argv.slice(1), { env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

const names = async (client: Client): Promise<string[]> =>
  ((await client.listTools()).tools as Any[]).map(({ name }) => name as string).sort();

if (PEERS === null) {
  test('the official MCP clients and published servers', (context) =>
    context.skip('AIP_TEST_MCP names no folder where they are installed'));
} else {
  const node = (name: string): string => join(PEERS, 'node_modules/.bin', name);

  test('mcp init drafts a passport of everything that passport create takes', { timeout: 60_000 }, async () => {
    const place = await guarded();
    const draft = place.run(['mcp', 'init', '--name', 'every', '--', node('mcp-server-everything')]);
    expect(draft.stderr).toMatch(/"format"(?: is|s are) left out/);
    writeFileSync(join(place.folder, 'draft.json'), draft.stdout);
    const from = ['--domain', 'acme.com', '--from', 'draft.json', '--key-store', 'file', '--no-input'];
    place.env.AIP_KEY_PASSPHRASE = 'correct horse';
    expect(place.run(['passport', 'create', 'every', ...from])).toMatchObject({ status: 0 });
  });

  describe.each(CLIENTS)('the SDK of %s', (...which) => {
    test('everything, over streams', { timeout: 60_000 }, async () => {
      const place = await guarded({ actions: ['every.echo'], constraints: {} });
      const client = await overStreams(which, place, [node('mcp-server-everything')], 'every');
      expect(await names(client)).toEqual(['echo']);
      const echo = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
      expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hi' }]);
      const env = await client.callTool({ name: 'get-env', arguments: {} });
      expect(env.isError).toBe(true);
      expect(env.content[0].text).toMatch(/^AIP-E201 /);
    });

    test(
      'filesystem: structured output, and a path that the passport does not allow',
      { timeout: 60_000 },
      async () => {
        const place = await guarded({
          actions: [
            {
              name: 'files.read_text_file',
              params: { type: 'object', properties: { path: { type: 'string', pattern: '^/.*/docs/[^/]+$' } } },
            },
          ],
          constraints: {},
        });
        const docs = join(place.folder, 'docs');
        mkdirSync(docs);
        for (const path of [join(docs, 'a.txt'), join(place.folder, 'secret.txt')]) writeFileSync(path, 'text');
        const client = await overStreams(which, place, [node('mcp-server-filesystem'), place.folder], 'files');
        expect(await names(client)).toEqual(['read_text_file']);
        const read = (path: string) => client.callTool({ name: 'read_text_file', arguments: { path } });
        expect((await read(join(docs, 'a.txt'))).structuredContent).toEqual({ content: 'text' });
        expect((await read(join(place.folder, 'secret.txt'))).content[0].text).toMatch(/^AIP-E211 /);
      },
    );

    test('memory: what is declared runs, what is not does not', { timeout: 60_000 }, async () => {
      const place = await guarded({ actions: ['read_graph'], constraints: {} });
      const client = await overStreams(which, place, [node('mcp-server-memory')], 'memory');
      expect(await names(client)).toEqual(['read_graph']);
      expect((await client.callTool({ name: 'read_graph', arguments: {} })).isError).toBeFalsy();
      const no = await client.callTool({ name: 'delete_entities', arguments: { entityNames: ['x'] } });
      expect(no.content[0].text).toMatch(/^AIP-E201 /);
    });

    test('git and time, which speak both eras', { timeout: 180_000 }, async () => {
      const place = await guarded({ actions: ['git.git_status', 'time.get_current_time'], constraints: {} });
      const repository = join(place.folder, 'repository');
      spawnSync('git', ['init', '-q', repository]);
      const git = await overStreams(which, place, [join(PEERS, 'py/bin/mcp-server-git')], 'git');
      expect(await names(git)).toEqual(['git_status']);
      const status = await git.callTool({ name: 'git_status', arguments: { repo_path: repository } });
      expect([status.isError ?? false, status.content[0].text]).toEqual([false, expect.stringContaining('branch')]);
      const no = await git.callTool({ name: 'git_reset', arguments: { repo_path: repository } });
      expect(no.content[0].text).toMatch(/^AIP-E201 /);
      const time = await overStreams(which, place, [join(PEERS, 'py/bin/mcp-server-time')], 'time');
      const now = await time.callTool({ name: 'get_current_time', arguments: { timezone: 'UTC' } });
      expect(now.content[0].text).toContain('UTC');
    });

    test('everything, over HTTP', { timeout: 60_000 }, async () => {
      const place = await guarded({ actions: ['every.echo', 'every.trigger-long-running-operation'], constraints: {} });
      const port = await freePort();
      const server = started([node('mcp-server-everything'), 'streamableHttp'], { PORT: String(port) });
      await new Promise<void>((resolve) => {
        const heard = (part: Buffer): void => {
          if (part.toString().includes('listening')) resolve();
        };
        server.stdout!.on('data', heard);
        server.stderr!.on('data', heard);
      });
      const client = await overHttp(which, place, `http://127.0.0.1:${port}/mcp`, 'every');
      expect(await names(client)).toEqual(['echo', 'trigger-long-running-operation']);
      const echo = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
      expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hi' }]);
      const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } };
      expect((await client.callTool(long)).content[0].text).toContain('completed');
      const env = await client.callTool({ name: 'get-env', arguments: {} });
      expect(env.content[0].text).toMatch(/^AIP-E201 /);
    });

    test('a server of the SDK of version 2, over HTTP', { timeout: 60_000 }, async () => {
      const place = await guarded({ actions: ['pay.refund'], constraints: { monetary_limit: 100 } });
      const server = started([process.execPath, SDK_SERVER, PEERS]);
      let ran = '';
      server.stderr!.on('data', (part: Buffer) => (ran += part.toString()));
      const client = await overHttp(which, place, await lineOf(server), 'pay');
      expect(await names(client)).toEqual(['refund']);
      const yes = await client.callTool({ name: 'refund', arguments: { amount: 50 } });
      expect(yes.content).toEqual([{ type: 'text', text: 'refunded 50' }]);
      const no = await client.callTool({ name: 'refund', arguments: { amount: 10_000 } });
      expect(no.content[0].text).toMatch(/^AIP-E202 /);
      expect(ran).toBe('refund 50\n');
    });
  });
}
