/** A server that is started by what starts any server. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { guarded } from '../../kit/guard.js';

const SERVER = fileURLToPath(new URL('../../kit/servers/mcp-server.mjs', import.meta.url));

test.each(['init', 'pin'])('mcp %s asks for a name of its own', async (verb) => {
  const place = await guarded();
  const tools = join(place.folder, 'tools.json');
  writeFileSync(tools, JSON.stringify([{ name: 'refund', inputSchema: { type: 'object' } }]));
  const server = ['--', process.execPath, SERVER, join(place.folder, 'seen'), tools];
  const said = (...flags: string[]) => place.run(['mcp', verb, ...flags, ...server]);
  expect(said()).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/is named node, .*--name .*\[server_name\]/),
  });
  expect(said('--name', 'pay').stderr).not.toContain('server_name');
});
