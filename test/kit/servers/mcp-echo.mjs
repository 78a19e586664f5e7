/** The fastest MCP server that there is, for benchmarks: one tool, which says what it was told. */
import { createInterface } from 'node:readline';

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const tools = [{ name: 'echo', inputSchema: { type: 'object' } }];
  const content = [{ type: 'text', text: JSON.stringify(params?.arguments ?? null) }];
  const result = method === 'tools/list' ? { tools } : method === 'tools/call' ? { content } : {};
  if (id !== undefined) process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
});
