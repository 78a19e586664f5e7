/** An agent that has to be stopped while the mesh cannot be told: each refusal names a command that stops it here. */
import { describe, expect, test } from 'vitest';
import { Home } from '../../../kit/mesh/homes.js';

const SLOW = 120_000;
const AGENT = 'did:web:acme.com:agents:rogue';
const STOP = ['--reason', 'too many', '--yes'];
const HERE = `on this machine: aip revoke ${AGENT} --reason 'too many' --local --yes`;

describe('the way out', { timeout: SLOW }, () => {
  test('of a machine whose API key was revoked is --local', async () => {
    const [admin, operator] = [new Home(), new Home()];
    await admin.serve();
    await operator.join(admin, 'operator');
    const keys = await admin.json<{ key_id: string; role: string }[]>('mesh', 'key', 'list');
    const { key_id } = keys.find(({ role }) => role === 'operator')!;
    await admin.json('mesh', 'key', 'revoke', key_id, '--yes');
    const refused = await operator.run(['revoke', AGENT, '--unseen', ...STOP]);
    expect([refused.code, refused.err]).toEqual([5, expect.stringContaining(`hint: ${HERE}; then get a key`)]);
    expect(await operator.json('revoke', AGENT, '--unseen', ...STOP, '--local')).toMatchObject({ status: 'revoked' });
  });

  test('of a key that permits no revocation names the agent that was meant', async () => {
    const [admin, verifier] = [new Home(), new Home()];
    await admin.serve();
    await verifier.join(admin, 'verifier');
    expect((await verifier.run(['revoke', AGENT, ...STOP])).err).toContain(
      `on this machine alone: aip revoke ${AGENT} --local`,
    );
    expect((await verifier.run(['suspend', '--everyone', '--for', '5m', ...STOP])).err).toContain(
      'on this machine alone: aip suspend --everyone --for 300s --local',
    );
    for (const nobody of [['revoke'], ['reinstate'], ['suspend', '--for', '5m']])
      expect(await verifier.run(nobody)).toMatchObject({
        code: 2,
        err: expect.not.stringMatching(/aip \w+ --everyone/) as string,
      });
    expect((await verifier.run(['reinstate', AGENT, ...STOP])).err).not.toContain('--local');
  });

  test('of a name that only the mesh can tell is the id, where the copy here has it', async () => {
    const [admin, operator] = [new Home(), new Home()];
    const { running } = await admin.serve();
    await operator.join(admin, 'operator');
    await operator.json('suspend', AGENT, '--unseen', '--for', '1h', ...STOP);
    await running.stop();
    for (const command of [
      ['revoke', 'rogue', ...STOP, '--local'],
      ['status', 'rogue'],
    ]) {
      const { code, err } = await operator.run(command);
      expect([code, err]).toEqual([5, expect.stringContaining(`hint: give the whole id: ${AGENT}\n`)]);
    }
    const { err } = await operator.run(['status', 'nobody']);
    expect(err).toContain('hint: give the whole id: did:web:<domain>:agents:nobody\n');
  });

  test('of a URL or a key that is not the one of the mesh says what to compare', async () => {
    const [admin, other] = [new Home(), new Home()];
    const { url, mesh_public_key } = await admin.serve();
    const key = (await admin.json<{ key: string }>('mesh', 'key', 'create', '--role', 'observer')).key;
    const hint = async (at: string, meshKey: string) =>
      /^hint: (.*)$/m.exec((await other.run(['mesh', 'join', at, '--mesh-key', meshKey, '--key', key])).err)?.[1];
    expect(await hint(`${url}/path`, mesh_public_key)).toMatch(
      /^check the URL, which aip mesh serve printed .*upgraded first/,
    );
    expect(await hint(url.replace('http://', ''), mesh_public_key)).toBe('give the URL that aip mesh serve printed');
    expect(await hint(url, `ed25519:${'3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29'}`)).toMatch(
      /compare the key that aip mesh serve printed with .*--mesh-key of aip mesh join$/,
    );
    const unknown = await admin.run(['mesh', 'key', 'revoke', '000000000000', '--yes']);
    expect([unknown.code, unknown.err]).toEqual([3, expect.stringContaining('hint: aip mesh key list\n')]);
  });

  test('of a new mesh is the key that its own home makes', async () => {
    const home = new Home();
    const served = home.start(['mesh', 'serve', '--listen', '127.0.0.1:0', '--home', 'served']);
    const said = await served.says(/[^]*observer.*\n/);
    expect(said).toContain('(umask 077; aip --home served mesh key create --role verifier --label <machine>');
    expect(said).toContain('  aip --home served mesh key create --role observer --label <who>\n');
    // The machine that joins has a home of its own.
    expect(said).toMatch(/^  aip mesh join http/m);
    await served.stop();
  });
});
