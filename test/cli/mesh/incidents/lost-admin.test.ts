/** The first admin's API key is lost: who holds the data folder makes another, and the lost one counts no more. */
import { readFileSync, renameSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Home } from '../../../kit/mesh/homes.js';

const BOT = 'did:web:acme.com:agents:bot';

describe('an admin key that is lost', { timeout: 120_000 }, () => {
  test('is replaced by a start with --new-admin-key, which keeps what else is in force', async () => {
    const admin = new Home();
    const { running, mesh_public_key: publicKey } = await admin.serve();
    const file = admin.config().mesh!.key_file!;
    await admin.json('revoke', BOT, '--reason', 'r', '--yes', '--unseen');
    const { key_id: verifier } = await admin.json<{ key_id: string }>('mesh', 'key', 'create', '--role', 'verifier');
    await running.stop();
    const lost = admin.at('lost.key');
    renameSync(file, lost);

    const again = await admin.serve();
    const refused = await admin.run(['reinstate', BOT, '--yes']);
    expect(refused.code).not.toBe(0);
    await again.running.stop();

    const { mesh_public_key: same, url } = await admin.serve('--new-admin-key');
    expect(same).toBe(publicKey);
    expect(await admin.json('reinstate', BOT, '--yes')).toMatchObject({ status: 'active' });
    const keys = await admin.json<{ key_id: string; role: string; revoked_at: string | null }[]>('mesh', 'key', 'list');
    const inForce = keys.filter(({ revoked_at }) => revoked_at === null);
    expect(inForce.map(({ role }) => role).sort()).toEqual(['admin', 'verifier']);
    expect(inForce.map(({ key_id }) => key_id)).toContain(verifier);
    const answer = await fetch(`${url}/v1/mesh/keys`, {
      headers: { authorization: `Bearer ${readFileSync(lost, 'utf8').trim()}` },
    });
    expect(answer.status).toBe(401);
  });

  test('is no signer where another key signs: nobody is told that nobody can give a command', async () => {
    const admin = new Home();
    const { running } = await admin.serve();
    const signer = 'ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    await admin.json('mesh', 'key', 'create', '--role', 'operator', '--public-key', signer);
    await running.stop();
    const { running: again } = await admin.serve('--new-admin-key', '--require-signed-commands');
    expect((await again.stop()).err).not.toContain('nobody can give a command');
  });

  test('is of the home: a server that follows one refuses the flag', async () => {
    const region = new Home();
    const refused = await region.run([
      ...['mesh', 'serve', '--listen', '127.0.0.1:0', '--follow', 'http://127.0.0.1:9', '--new-admin-key'],
    ]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('--new-admin-key is for home') as string });
  });
});
