/**
 * The guard between the official clients and a server that others publish. AIP_TEST_MCP names a folder where
 * @modelcontextprotocol/sdk, /client and /server-everything are installed.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished, test, expect } from 'vitest';
import { guarded, PROGRAM } from '../../kit/guard.js';

type Any = Record<string, any>;
const PEERS = process.env.AIP_TEST_MCP;

/** Client, its module, the module of its transport, its options. */
const CLIENTS = [
  ['version 1', '@modelcontextprotocol/sdk/client/index.js', '@modelcontextprotocol/sdk/client/stdio.js', {}],
  [
    'version 2',
    '@modelcontextprotocol/client',
    '@modelcontextprotocol/client/stdio',
    { versionNegotiation: { mode: 'auto' } },
  ],
] as const;

test.each(CLIENTS)('the SDK of %s', { timeout: 60_000 }, async (_, client, transport, options) => {
  const server = join(PEERS ?? '', 'node_modules/.bin/mcp-server-everything');
  if (PEERS === undefined || !existsSync(server)) {
    console.log('The official MCP clients were not tried: AIP_TEST_MCP names no folder where they are installed');
    return;
  }
  const place = await guarded({ actions: ['every.echo'], constraints: {} });
  const load = async (name: string): Promise<Any> => {
    const file = createRequire(join(PEERS, 'package.json')).resolve(name);
    return (await import(pathToFileURL(file.replace('/dist/cjs/', '/dist/esm/')).href)) as Any;
  };
  const [{ Client }, { StdioClientTransport }] = [await load(client), await load(transport)];
  const speaker = new Client({ name: 'test', version: '1' }, options);
  const args = [PROGRAM, 'mcp', 'guard', '-p', 'coder', '--name', 'every', '--', server];
  await speaker.connect(
    new StdioClientTransport({ command: process.execPath, args, env: place.env, stderr: 'ignore' }),
  );
  onTestFinished(() => speaker.close());
  expect((await speaker.listTools()).tools.map(({ name }: Any) => name as string)).toEqual(['echo']);
  const echo = await speaker.callTool({ name: 'echo', arguments: { message: 'hi' } });
  expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hi' }]);
  const env = await speaker.callTool({ name: 'get-env', arguments: {} });
  expect(env.isError).toBe(true);
  expect(env.content[0].text).toMatch(/^AIP-E201 /);
});
