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
      'on this machine alone: aip suspend --everyone --local',
    );
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
});
