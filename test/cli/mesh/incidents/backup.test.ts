/** A mesh that is backed up and put back: nothing acknowledged is lost without being named. */
import { readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Home } from '../../../kit/mesh/homes.js';

const SLOW = 120_000;
const agent = (n: number) => `did:web:acme.com:agents:a${n}`;

describe('backup and restore', { timeout: SLOW }, () => {
  test('the file is private; what was given after it is listed as commands, and the log goes on under a greater term', async () => {
    const admin = new Home();
    const served = await admin.serve();
    await admin.json('revoke', agent(1), '--reason', 'before', '--yes', '--unseen');
    await admin.json('suspend', agent(3), '--for', '1h', '--reason', 'before', '--yes', '--unseen');
    const file = admin.at('mesh.backup');
    expect(await admin.json('mesh', 'backup', file)).toMatchObject({ head: 2, term: 1 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await admin.run(['mesh', 'backup', file])).code).toBe(2);
    expect((await admin.run(['mesh', 'backup', file, '--force'])).code).toBe(0);
    await admin.json('revoke', agent(2), '--reason', 'after it', '--yes', '--unseen');
    await admin.json('reinstate', agent(3), '--yes');
    // A server has it.
    expect((await admin.run(['mesh', 'restore', file, '--yes'])).code).toBe(3);
    await served.running.stop();
    expect((await admin.run(['mesh', 'restore', file])).code).toBe(2);
    const restored = await admin.json<{ give_again: string[] }>('mesh', 'restore', file, '--yes');
    expect(restored).toMatchObject({ head: 2, term: 2, reinstated_beyond: [agent(3)] });
    expect(restored.give_again).toEqual([`aip revoke ${agent(2)} --reason 'after it' --yes --unseen`]);

    const again = await admin.serve();
    expect(again.mesh_public_key).toBe(served.mesh_public_key);
    expect(await admin.json('status', agent(1))).toMatchObject({ status: 'revoked' });
    expect(await admin.json('revoke', agent(2), '--reason', 'after it', '--yes', '--unseen')).toMatchObject({ seq: 3 });
  });

  test('a backup of another mesh is refused, and the mesh that is there stays as it was', async () => {
    const [other, admin] = [new Home(), new Home()];
    const strange = await other.serve();
    await other.json('mesh', 'backup', other.at('mesh.backup'));
    await strange.running.stop();
    const served = await admin.serve();
    await admin.json('revoke', agent(1), '--reason', 'r', '--yes', '--unseen');
    await served.running.stop();
    const data = dirname(admin.config().mesh!.key_file!);
    const before = readdirSync(data)
      .filter((name) => name.startsWith('mesh.db'))
      .sort();
    const refused = await admin.run(['mesh', 'restore', other.at('mesh.backup'), '--yes']);
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('Nothing was restored') as string });
    expect(
      readdirSync(data)
        .filter((name) => name.startsWith('mesh.db'))
        .sort(),
    ).toEqual(before);
    await admin.serve();
    expect(await admin.json('status', agent(1))).toMatchObject({ status: 'revoked', source: 'mesh' });
  });

  test('passports, API keys and principals of after the backup are listed as well', async () => {
    const admin = new Home();
    const served = await admin.serve();
    const agent = await admin.agent();
    const [{ public_key }] = await admin.json<[{ public_key: string }]>('principal', 'list');
    const did = 'did:web:acme.com';
    await admin.json('mesh', 'principal', 'add', did, '--public-key', public_key);
    await admin.json('passport', 'publish', 'bot');
    const leaked = await admin.json<{ key_id: string }>('mesh', 'key', 'create', '--role', 'operator');
    const file = admin.at('mesh.backup');
    await admin.json('mesh', 'backup', file);
    await admin.json('mesh', 'key', 'revoke', leaked.key_id, '--yes');
    const made = await admin.json<{ key_id: string }>('mesh', 'key', 'create', '--role', 'verifier', '--label', 'us-1');
    await admin.json('passport', 'renew', 'bot', '--expires', '30d');
    await admin.json('mesh', 'principal', 'add', 'did:web:partner.example', '--public-key', public_key);
    await served.running.stop();
    const restored = await admin.json<{ give_again: string[] }>('mesh', 'restore', file, '--yes');
    expect(restored).toMatchObject({ keys_beyond: [{ key_id: made.key_id, role: 'verifier', label: 'us-1' }] });
    expect(restored.give_again).toEqual([
      `aip mesh key revoke ${leaked.key_id} --yes`,
      `aip mesh principal add did:web:partner.example --public-key ${public_key}`,
      `aip passport publish ${agent}  # serial 2, where it was signed`,
    ]);
    await admin.serve();
    expect(await admin.json('passport', 'publish', agent)).toMatchObject({ serial: 2, changed: true });
  });

  test('what is no backup is refused, and nothing is touched', async () => {
    const admin = new Home();
    const served = await admin.serve();
    await served.running.stop();
    expect((await admin.run(['mesh', 'restore', admin.file('x', 'no backup at all'), '--yes'])).code).toBe(3);
    expect((await admin.run(['mesh', 'restore', admin.at('none'), '--yes'])).code).toBe(3);
    expect((await admin.run(['mesh', 'backup', admin.at('y'), '--data', admin.at('nowhere')])).code).toBe(3);
    await admin.serve();
  });
});
