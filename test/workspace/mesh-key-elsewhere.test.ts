/** A mesh whose own key lives in an ssh-agent: first start, restart, the agent gone and back, backup and restore; no private key in its folder. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parsePublicKey } from '../../src/protocol/identity/keys.js';
import { backUpMesh, restoreMesh } from '../../src/workspace/mesh/backup.js';
import { promoteMesh } from '../../src/workspace/mesh/region.js';
import { serveMesh, type ServingOptions } from '../../src/workspace/mesh/serving.js';
import { SYSTEM } from '../../src/workspace/world.js';
import { sshAgent } from '../kit/servers/key-services.js';
import { until } from '../kit/mesh/network.js';
import { listener, post, region } from '../kit/mesh/several/regions.js';
import { scratch } from '../kit/scratch.js';

const AGENT = 'did:web:acme.com:agents:bot';
const ADDRESS = 'ssh-agent:mesh@host' as const;

async function mesh() {
  const agent = await sshAgent('mesh@host');
  if (agent === null) return null;
  const data = scratch();
  const troubles: string[] = [];
  const env = { ...process.env, SSH_AUTH_SOCK: agent.socket };
  const add = (...words: string[]) => execFileSync('ssh-add', words, { env, stdio: 'ignore' });
  let admin = '';
  const serve = async (options: Partial<ServingOptions> = {}) => {
    const serving = await serveMesh(
      { ...SYSTEM, env },
      {
        ...{ data, host: '127.0.0.1', port: 0, tls: null, requireSignedCommands: false, operatorKey: null },
        onKeyTrouble: (message) => troubles.push(message),
        onBug: (error) => troubles.push(`bug: ${String(error)}`),
        ...options,
      },
    );
    onTestFinished(() => serving.close());
    admin = serving.newAdminKey ?? admin;
    return serving;
  };
  let count = 0;
  const revoke = (url: string, id = `cmd-${count++}-of-this-test`) =>
    post(url, admin, '/v1/mesh/commands?wait=100ms', { cmd_id: id, action: 'revoke', agent_id: AGENT, reason: 'r' });
  const key = async (url: string, role: string) =>
    String((await post(url, admin, '/v1/mesh/keys', { role, label: role })).json['key']);
  return { agent, data, troubles, env, add, serve, revoke, key };
}

test('it signs from there after every start, and no private key lies in its folder', async ({ skip }) => {
  const here = await mesh();
  if (here === null) return skip('OpenSSH is not installed');
  const { data, serve, revoke, key } = here;
  const first = await serve({ keyAddress: ADDRESS });
  expect(first.keyAddress).toBe(ADDRESS);
  const raw = Buffer.from(here.agent.publicKey.split(' ')[1]!, 'base64').subarray(-32);
  expect(Buffer.from(parsePublicKey(first.publicKey)!)).toEqual(raw);
  const client = listener(first.url, await key(first.url, 'verifier'), first.publicKey);
  await until(() => client.state === 'live', 'live');
  expect((await revoke(first.url)).json).toMatchObject({ seq: 1 });
  await until(() => client.check(AGENT).status === 'revoked', 'the deny');
  expect(client.alarms).toEqual([]);
  await first.close();
  expect(readFileSync(join(data, 'mesh.key'), 'utf8')).toBe(`${ADDRESS}\n`);
  for (const name of readdirSync(data))
    expect(readFileSync(join(data, name), 'latin1')).not.toMatch(/PRIVATE KEY|^ed25519:[0-9a-f]{64}\n$/);
  const second = await serve();
  expect([second.publicKey, second.keyAddress]).toEqual([first.publicKey, ADDRESS]);
  expect((await revoke(second.url)).json).toMatchObject({ seq: 2 });
  // Under another name the same key is still the mesh's; another key is not.
  await second.close();
  await expect(serve({ keyAddress: 'ssh-agent:other' })).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
  const renamed = await serve({ keyAddress: `ssh-agent:${here.agent.fingerprint}` as const });
  expect(readFileSync(join(data, 'mesh.key'), 'utf8')).toBe(`ssh-agent:${here.agent.fingerprint}\n`);
  expect((await revoke(renamed.url)).json).toMatchObject({ seq: 3 });
});

test('an agent that is locked refuses commands until it is unlocked, said once; the server goes on', async ({
  skip,
}) => {
  const here = await mesh();
  if (here === null) return skip('OpenSSH is not installed');
  const { serve, revoke, troubles, agent, add, env } = here;
  const { url } = await serve({ keyAddress: ADDRESS });
  const file = join(agent.folder, 'other');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'mesh@host', '-f', file]);
  // The key is taken out, and another one has its name.
  const kept = join(agent.folder, 'kept.pub');
  writeFileSync(kept, execFileSync('ssh-add', ['-L'], { env }));
  add('-q', '-D');
  add('-q', file);
  const refused = await revoke(url, 'cmd-while-it-is-gone');
  expect([refused.status, refused.json]).toMatchObject([503, { code: 'STORE_UNAVAILABLE', retryable: true }]);
  await revoke(url);
  expect(troubles).toEqual([expect.stringContaining('The ssh-agent refused')]);
  expect(troubles.join()).not.toContain('bug');
});

test('its backup holds the address, and what is restored or promoted from it signs from there', async ({ skip }) => {
  const here = await mesh();
  if (here === null) return skip('OpenSSH is not installed');
  const { data, serve, revoke, key, env } = here;
  const home = await serve({ keyAddress: ADDRESS });
  await revoke(home.url);
  const backup = join(data, 'mesh.backup');
  expect(backUpMesh(data, backup, false)).toMatchObject({ seq: 1, keyAddress: ADDRESS });
  const following = await region(home, { url: home.url, key: await key(home.url, 'region') });
  await following.close();
  await home.close();
  const restored = scratch();
  await restoreMesh(SYSTEM, backup, restored);
  const again = await serve({ data: restored });
  expect(again.publicKey).toBe(home.publicKey);
  expect((await revoke(again.url)).json).toMatchObject({ seq: 2 });
  await again.close();
  const later = { ...SYSTEM, clock: () => SYSTEM.clock() + 60_000, env };
  const promotion = { folder: following.data, keyFile: null, homeIsOff: true, staleMs: 0, regionKey: null, ca: null };
  await expect(promoteMesh(later, promotion)).rejects.toMatchObject({ code: 'USAGE' });
  expect(await promoteMesh(later, { ...promotion, key: ADDRESS })).toMatchObject({
    publicKey: home.publicKey,
    term: 2,
  });
  expect((await revoke((await serve({ data: following.data })).url)).json).toMatchObject({ seq: 2 });
});

test('a key that lies in the folder is not passed over', async ({ skip }) => {
  const here = await mesh();
  if (here === null) return skip('OpenSSH is not installed');
  const { data, serve } = here;
  await (await serve()).close();
  const path = join(data, 'mesh.key');
  const before = readFileSync(path);
  await expect(serve({ keyAddress: ADDRESS })).rejects.toMatchObject({ code: 'USAGE' });
  expect(readFileSync(path)).toEqual(before);
  // Put away, it is still the key of this mesh, and another one is refused.
  renameSync(path, `${path}.kept`);
  await expect(serve({ keyAddress: ADDRESS })).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
  expect(readdirSync(data)).not.toContain('mesh.key');
});
