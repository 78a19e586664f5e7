/** An MCP server of the older era for tests: what it is told goes into the file named by its first argument. */
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [seen, toolsFile] = process.argv.slice(2);
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
appendFileSync(seen, `${JSON.stringify({ env: Object.keys(process.env).sort() })}\n`);
process.stderr.write('the server is up\n');

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  appendFileSync(seen, `${line}\n`);
  const { id, method, params } = message;
  if (method === 'initialize')
    say({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'pay', version: '1' },
      },
    });
  else if (method === 'tools/list') say({ id, result: { tools: JSON.parse(readFileSync(toolsFile, 'utf8')) } });
  else if (method === 'ping') say({ id, result: {} });
  else if (method === 'tools/call' && params.name !== 'wait')
    say({ id, result: { content: [{ type: 'text', text: JSON.stringify(params.arguments) }] } });
  else if (method === 'resources/read') say({ id, result: { contents: [{ uri: params.uri, text: 'read' }] } });
  else if (method === 'prompts/get') say({ id, result: { messages: [] } });
  if (method === 'tools/call' && params.arguments?.end !== undefined) process.exit(params.arguments.end);
}
process.exit(7);
