/** The kill switch from a program: the guide's test 4, with a mesh and without. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MeshOptions } from '../../../src/index.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { multikeyText } from '../../../src/protocol/identity/public-key-forms.js';
import { bundle } from '../../kit/bundle.js';
import { network, until, type NetworkMesh } from '../../kit/mesh/network.js';
import { MESH_PUBLIC_KEY } from '../../kit/mesh/server.js';
import { publicKeyText } from '../../kit/native/parts.js';
import { AGENT, supportAgent, workshop } from '../workshop.js';
import { scratch } from '../../kit/scratch.js';

const GOOD = {
  url: 'http://127.0.0.1:1',
  key: `aipm_admin_${'0'.repeat(12)}_${'0'.repeat(64)}`,
  publicKey: MESH_PUBLIC_KEY,
};
const live = () => workshop({ clock: Date.now });

async function meshed(): Promise<NetworkMesh & { options: MeshOptions }> {
  const mesh = await network();
  onTestFinished(() => mesh.close());
  const { url } = mesh;
  return { ...mesh, options: { url, key: mesh.mesh.keys.admin.text, publicKey: MESH_PUBLIC_KEY } };
}

async function agentIn(workspace: ReturnType<typeof live>) {
  const passport = await supportAgent(workspace);
  const intent = () => workspace.createIntent({ passport, action: 'send_email', params: { to: 'user@acme.com' } });
  return async () => {
    const decision = await workspace.verifyIntent(await intent());
    return { code: decision.error_code, revocation: decision.revocation };
  };
}

describe('revokeAgent and reinstateAgent', () => {
  test('take a did:key for its key', async () => {
    const key = publicKeyText('stranger');
    const agentId = `did:key:${multikeyText(parsePublicKey(key)!)}`;
    expect(await live().revokeAgent({ agentId, reason: 'leak' })).toMatchObject({ agent_id: key, status: 'revoked' });
  });

  test('without a mesh act on this machine alone, at once', async () => {
    const workspace = live();
    const acts = await agentIn(workspace);
    expect((await acts()).code).toBeNull();
    const change = await workspace.revokeAgent({ agentId: AGENT, reason: 'Security test', revokedBy: 'security_team' });
    expect(change).toMatchObject({ status: 'revoked', seq: null, durable: true, connected: 0, changed: true });
    expect((await acts()).code).toBe('AIP-E401');
    expect((await workspace.again({ clock: Date.now }).revokeAgent({ agentId: AGENT, reason: 'again' })).changed).toBe(
      false,
    );
    expect(await workspace.reinstateAgent({ agentId: AGENT })).toMatchObject({ status: 'active', changed: true });
    expect(await acts()).toEqual({ code: null, revocation: { status: 'active', age_ms: null, degraded: false } });
  });

  test('with a mesh act everywhere: whoever follows it refuses within moments', async () => {
    const { options, mesh } = await meshed();
    const [here, there] = [live(), live()];
    const [acts, actsThere] = [await agentIn(here), await agentIn(there)];
    here.configureMesh(options);
    there.configureMesh({ ...options, key: mesh.keys.verifier.text });
    expect([(await acts()).code, (await actsThere()).code]).toEqual([null, null]);
    await until(() => mesh.server.hub.size === 2, 'both follow');
    const change = await here.revokeAgent({ agentId: AGENT, reason: 'Security test' });
    expect(change).toMatchObject({ status: 'revoked', seq: 1, propagated_to: 2, connected: 2 });
    expect([(await acts()).code, (await actsThere()).code]).toEqual(['AIP-E401', 'AIP-E401']);
    expect(await here.reinstateAgent({ agentId: AGENT })).toMatchObject({ status: 'active', propagated_to: 2 });
    expect([(await acts()).code, (await actsThere()).code]).toEqual([null, null]);
    await expect(there.revokeAgent({ agentId: AGENT, reason: 'r' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('a program for which its API key has no room decides what the mesh confirms, and nothing without it', async () => {
    const { options, mesh, listening, post } = await meshed();
    const { key } = (await post('admin', '/v1/mesh/keys', { role: 'verifier', max_verifiers: 1 })).json;
    const [counted, other] = [live(), live()];
    const [acts, actsUncounted] = [await agentIn(counted), await agentIn(other)];
    for (const each of [counted, other]) each.configureMesh({ ...options, key: String(key) });
    expect((await acts()).code).toBeNull();
    await until(() => mesh.server.hub.size === 1, 'the first one follows');
    expect((await actsUncounted()).code).toBeNull();
    expect((await actsUncounted()).code).toBeNull();
    await listening.close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await acts()).toMatchObject({ code: null });
    expect((await actsUncounted()).code).toBe('AIP-E405');
  });

  test('closing waits for a verification that waits for the mesh, and leaves nothing that follows it', async () => {
    const { options, mesh } = await meshed();
    const workspace = live();
    const passport = await supportAgent(workspace);
    const request = { passport, action: 'send_email', params: { to: 'user@acme.com' } };
    const [intent, next] = await Promise.all([workspace.createIntent(request), workspace.createIntent(request)]);
    workspace.configureMesh(options);
    let answered = false;
    const verifying = workspace.verifyIntent(intent).then(() => (answered = true));
    await workspace.close();
    expect(answered).toBe(true);
    await verifying;
    // Configured anew while the first one is still being opened.
    const again = workspace.verifyIntent(next);
    workspace.configureMesh(options);
    await again;
    await workspace.close();
    await until(() => mesh.server.hub.size === 0, 'nobody follows');
  });

  test('a mesh that is gone: last-known judges and says so, deny refuses, and revoking fails aloud', async () => {
    const { options, listening } = await meshed();
    await listening.close();
    const lenient = live();
    const strict = live();
    const [acts, actsStrictly] = [await agentIn(lenient), await agentIn(strict)];
    lenient.configureMesh(options);
    strict.configureMesh({ ...options, onStale: 'deny', maxAge: '1s' });
    expect(await acts()).toMatchObject({ code: null, revocation: { degraded: true } });
    expect((await actsStrictly()).code).toBe('AIP-E405');
    await expect(lenient.revokeAgent({ agentId: AGENT, reason: 'r' })).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: true,
    });
  });

  test('a mesh that answers nothing of use is not waited for by every verification', async () => {
    let asked = 0;
    const ill = createServer((request, response) => {
      // What follows in the background says its name, what a verification waits for does not.
      if (!request.url!.includes('verifier=')) asked++;
      response.writeHead(503).end();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void ill.close());
    await once(ill, 'listening');
    const workspace = live();
    const acts = await agentIn(workspace);
    const { port } = ill.address() as AddressInfo;
    workspace.configureMesh({ ...GOOD, url: `http://127.0.0.1:${port}` });
    let waited = 0;
    for (let i = 0; i < 10; i++) {
      const before = asked;
      // There never was a copy: nobody has said that it is active.
      expect(await acts()).toMatchObject({ code: null, revocation: { status: 'unknown', degraded: true } });
      if (asked > before) waited++;
    }
    // The first one, and another for each second that this takes.
    expect(waited).toBeGreaterThan(0);
    expect(waited).toBeLessThan(10);
  });

  test.each([
    [{ agentId: 'support-agent-v1', reason: 'r' }, '"agentId"'],
    [{ agentId: AGENT, reason: '' }, '"reason"'],
    [{ agentId: AGENT, reason: 'a\u0000b' }, '"reason"'],
    [{ agentId: AGENT }, '"reason"'],
    [{ agentId: AGENT, reason: 'r', revoked_by: 'x' }, 'revoked_by'],
    [{ agentId: AGENT, reason: 'r', revokedBy: 7 }, '"revokedBy"'],
  ])('refuse %j', async (asked, says) => {
    await expect(live().revokeAgent(asked as never)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(says) as string,
    });
  });
});

describe('configureMesh', () => {
  test.each([
    [{}, 'which mesh'],
    [{ ...GOOD, url: 'mesh.acme.com' }, '"url"'],
    [{ ...GOOD, key: 'secret' }, 'API key'],
    [{ ...GOOD, publicKey: 'ed25519:00' }, 'public key'],
    [{ ...GOOD, regions: [{ name: 'eu', endpoint: 'nowhere' }] }, '"regions"'],
    [{ ...GOOD, replicationMode: 'maybe' }, '"replicationMode"'],
    [{ ...GOOD, maxPropagationTimeMs: 0 }, '"maxPropagationTimeMs"'],
    [{ ...GOOD, maxAge: 'soon' }, '"maxAge"'],
    [{ ...GOOD, onStale: 'allow' }, '"onStale"'],
    [{ ...GOOD, max_age: '1s' }, 'max_age'],
  ])('refuses %j', (options, says) => {
    expect(() => live().configureMesh(options as never)).toThrow(says);
  });

  test.each([
    ['sync', 'late', 1],
    ['async', 'pending', 0],
  ] as const)(
    '%s: a region that has not stored it is named, and told of when it was waited for',
    async (replicationMode, state, told) => {
      const { options } = await meshed();
      const workspace = live();
      const regions = [{ name: 'eu', endpoint: 'http://127.0.0.1:1' }];
      workspace.configureMesh({ ...options, replicationMode, regions, maxPropagationTimeMs: 50 });
      const change = await workspace.revokeAgent({ agentId: AGENT, reason: 'r' });
      const known = { ms: null, last_seq: null, last_seen: null };
      const expected = replicationMode === 'sync' ? [{ region: 'eu', state, ...known }] : [];
      expect(change.regions.filter((row) => replicationMode === 'sync' || row.state === 'late')).toEqual(expected);
      expect(workspace.notices.filter((notice) => notice.includes('not stored in time in eu'))).toHaveLength(told);
    },
  );

  test('does not keep a program alive that has nothing else to do', async () => {
    const { options } = await meshed();
    const path = join(scratch(), 'program.ts');
    const library = fileURLToPath(new URL('../../../src/index.js', import.meta.url)).replace(/\.js$/, '.ts');
    writeFileSync(
      path,
      `import { openWorkspace } from ${JSON.stringify(library)};
       const workspace = openWorkspace({ home: ${JSON.stringify(scratch())} });
       workspace.configureMesh(${JSON.stringify(options)});
       const change = await workspace.revokeAgent({ agentId: ${JSON.stringify(AGENT)}, reason: 'r' });
       console.log(change.seq);`,
    );
    const child = spawn(process.execPath, [await bundle(path)], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect(out).toBe('1\n');
  });
});
