/** A program on a machine that `aip mesh join` made part of a mesh, and that says nothing of a mesh itself. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { network, until } from '../../kit/mesh/network.js';
import { MESH_PUBLIC_KEY } from '../../kit/mesh/server.js';
import { AGENT, supportAgent, workshop, type Workshop } from '../workshop.js';

const live = () => workshop({ clock: Date.now });

async function meshed() {
  const mesh = await network();
  onTestFinished(() => mesh.close());
  return mesh;
}

/** As `aip mesh join <url> --key-file <file>` leaves the home; `changes` are made to the config's groups. */
function joinTo(
  home: Workshop,
  url: string,
  key: string | null,
  changes: Record<string, Record<string, unknown>> = {},
) {
  const file = join(home.folder, 'mesh.key');
  if (key !== null) {
    writeFileSync(file, `${key}\n`);
    chmodSync(file, 0o600);
  }
  const mesh = { url, public_key: MESH_PUBLIC_KEY, key_file: file, ...changes['mesh'] };
  writeConfig(home, JSON.stringify({ ...changes, mesh }));
}

function writeConfig(home: Workshop, text: string): void {
  const path = join(home.folder, 'home', 'config.json');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function agentIn(workspace: Workshop) {
  const passport = await supportAgent(workspace);
  return async () => {
    const intent = await workspace.createIntent({ passport, action: 'send_email', params: { to: 'user@acme.com' } });
    const { error_code: code, revocation } = await workspace.verifyIntent(intent);
    return { code, revocation };
  };
}

describe('a program in a home that was joined to a mesh', () => {
  test('hears of a revocation without a word of its own', async () => {
    const { url, mesh } = await meshed();
    const [operator, joined] = [live(), live()];
    operator.configureMesh({ url, key: mesh.keys.admin.text, publicKey: MESH_PUBLIC_KEY });
    joinTo(joined, url, mesh.keys.verifier.text);
    const acts = await agentIn(joined);
    // A busy machine may not hear the mesh within the time of one decision.
    let first = await acts();
    for (let turn = 0; turn < 20 && first.revocation.degraded; turn++) first = await acts();
    expect(first).toMatchObject({ code: null, revocation: { status: 'active', degraded: false } });
    await until(() => mesh.server.hub.size === 1, 'it follows');
    await operator.revokeAgent({ agentId: AGENT, reason: 'Security test' });
    expect(await acts()).toMatchObject({ code: 'AIP-E401', revocation: { status: 'revoked' } });
  });

  test('sends no key to another machine over plain http, unless somebody permitted it', async () => {
    const elsewhere = 'HTTP://mesh.invalid:4180';
    const { verifier } = (await meshed()).mesh.keys;
    const options = { url: elsewhere, key: verifier.text, publicKey: MESH_PUBLIC_KEY };
    expect(() => live().configureMesh(options)).toThrow(/plain http/);
    expect(() =>
      live().configureMesh({ ...options, url: 'https://mesh.invalid', regions: [{ name: 'eu', endpoint: elsewhere }] }),
    ).toThrow(/plain http/);
    expect(() => live().configureMesh({ ...options, insecureHttp: 1 as never })).toThrow(/insecureHttp/);
    live().configureMesh({ ...options, insecureHttp: true });
    const [byHand, permitted] = [live(), live()];
    joinTo(byHand, elsewhere, verifier.text);
    await expect(agentIn(byHand).then((acts) => acts())).rejects.toMatchObject({ code: 'USAGE' });
    joinTo(permitted, elsewhere, verifier.text, { mesh: { insecure_http: true } });
    expect(await (await agentIn(permitted))()).toMatchObject({ code: null, revocation: { degraded: true } });
  });

  test('holds to the policy for a stale copy that the machine has', async () => {
    const { url, mesh, listening } = await meshed();
    await listening.close();
    const [lenient, strict] = [live(), live()];
    joinTo(lenient, url, mesh.keys.verifier.text);
    joinTo(strict, url, mesh.keys.verifier.text, { revocation: { on_stale: 'deny', max_age: '1s' } });
    expect(await (await agentIn(lenient))()).toMatchObject({ code: null, revocation: { degraded: true } });
    expect((await (await agentIn(strict))()).code).toBe('AIP-E405');
  });

  test('without a key that it can read says so, and knows what the copy of the machine knows', async () => {
    const { url } = await meshed();
    const joined = live();
    joinTo(joined, url, null);
    expect(await (await agentIn(joined))()).toMatchObject({ code: null, revocation: { degraded: true } });
    expect(joined.notices).toEqual([expect.stringContaining('its API key cannot be read')]);
    await expect(joined.revokeAgent({ agentId: AGENT, reason: 'r' })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test.each([
    ['no JSON', '{"mesh":', 'is not JSON'],
    ['a block given twice', '{"revocation":{"on_stale":"deny"},\n"revocation":{}}', 'on line 2'],
    ['a mesh without the key to believe it by', '{"mesh":{"url":"https://mesh.acme.com"}}', 'public key of the mesh'],
    ['a URL that is none', `{"mesh":{"url":7,"public_key":"${MESH_PUBLIC_KEY}"}}`, 'no http(s) URL'],
    ['regions that are none', `{"mesh":{"url":"https://m.acme.com","regions":"eu"}}`, '"regions"'],
    [
      'a policy that is none',
      `{"mesh":{"url":"https://m.acme.com","public_key":"${MESH_PUBLIC_KEY}"},"revocation":{"on_stale":"maybe"}}`,
      '"onStale"',
    ],
  ])('a config with %s is no yes', async (_, text, says) => {
    const joined = live();
    const acts = await agentIn(joined);
    writeConfig(joined, text);
    await expect(acts()).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(says) as string,
    });
  });

  test('what the program configures itself counts alone', async () => {
    const { url, mesh } = await meshed();
    const joined = live();
    writeConfig(joined, '{"mesh":');
    joined.configureMesh({ url, key: mesh.keys.verifier.text, publicKey: MESH_PUBLIC_KEY });
    expect((await (await agentIn(joined))()).code).toBeNull();
  });

  test('a config that names no mesh is none', async () => {
    const alone = live();
    writeConfig(alone, '{"domain":"acme.com","mesh":{}}');
    expect(await (await agentIn(alone))()).toMatchObject({ revocation: { age_ms: null, degraded: false } });
  });
});
