/** A server of the official SDK, version 2, over HTTP: the later era, and the older one where a client speaks that. Its first argument is the folder of the SDK. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.argv[2]}/package.json`);
const load = (name) => {
  const file = require.resolve(name);
  const found = ['.mjs', '.js'].map((end) => file.replace(/\.cjs$/, end)).find(existsSync);
  return import(pathToFileURL(found).href);
};
const [{ createMcpHandler, McpServer }, { toNodeHandler }, { z }] = [
  await load('@modelcontextprotocol/server'),
  await load('@modelcontextprotocol/node'),
  await load('zod'),
];
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'pay', version: '1.0.0' });
  server.registerTool(
    'refund',
    { description: 'refunds', inputSchema: z.object({ amount: z.number(), region: z.string().optional() }) },
    ({ amount }) => {
      process.stderr.write(`refund ${amount}\n`);
      return { content: [{ type: 'text', text: `refunded ${amount}` }] };
    },
  );
  return server;
});
const server = createServer(toNodeHandler(handler));
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}/mcp\n`));
