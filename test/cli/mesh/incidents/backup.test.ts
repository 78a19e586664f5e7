/** A mesh that is backed up and put back: nothing acknowledged is lost without being named. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { BINARY } from '../../../kit/built/program.js';
import { Home } from '../../../kit/mesh/homes.js';

const SLOW = 120_000;
const agent = (n: number) => `did:web:acme.com:agents:a${n}`;

/** A stopped mesh whose backup lacks a revocation: its folder, and the backup. */
async function revokedSince() {
  const admin = new Home();
  const { running } = await admin.serve();
  const file = admin.at('mesh.backup');
  await admin.json('mesh', 'backup', file);
  await admin.json('revoke', agent(1), '--reason', 'after it', '--yes', '--unseen');
  await running.stop();
  return { admin, file, data: dirname(admin.config().mesh!.key_file!) };
}

const AGAIN = [`aip revoke ${agent(1)} --reason 'after it' --yes --unseen`];

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

  test.runIf(process.platform !== 'win32')(
    'a backup that has no room names its own file, and leaves nothing',
    async () => {
      const admin = new Home();
      const { running } = await admin.serve();
      await running.stop();
      const file = admin.at('mesh.backup');
      const shell = ['-c', 'ulimit -f 80; exec "$@"', 'sh', process.execPath, BINARY, 'mesh', 'backup', file];
      const { status, stderr } = spawnSync('sh', shell, { cwd: admin.folder, env: admin.env, encoding: 'utf8' });
      expect([status, stderr]).toEqual([3, expect.stringContaining(`The state file ${file}.new cannot be written`)]);
      expect(readdirSync(admin.folder).filter((name) => name.startsWith('mesh.backup'))).toEqual([]);
    },
  );

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

  test.each([
    ['between the store and its write-ahead log', ['mesh.db']],
    ['after both', ['mesh.db', 'mesh.db-wal']],
  ])('what a restore moved aside before it was killed %s is read by the next one', async (_, moved) => {
    const { admin, file, data } = await revokedSince();
    copyFileSync(file, join(data, 'mesh.db.restoring'));
    for (const name of moved.filter((each) => existsSync(join(data, each))))
      renameSync(join(data, name), join(data, name.replace('mesh.db', 'mesh.db.before-0a1b2c3d')));
    const path = join(data, 'mesh.db.before-0a1b2c3d');
    expect(await admin.json('mesh', 'restore', file, '--yes')).toMatchObject({
      ...{ head: 0, term: 2, moved: path, give_again: AGAIN },
    });
    // The term is in the store itself.
    expect(await admin.json('mesh', 'restore', file, '--yes')).toMatchObject({ term: 3, give_again: [] });
    await admin.serve();
  });

  test('a store that cannot be read is moved aside, and said not to be compared', async () => {
    const { admin, file, data } = await revokedSince();
    for (const [text, end] of [
      ['', '-wal'],
      ['no store at all', '-shm'],
    ] as const) {
      rmSync(join(data, `mesh.db${end}`), { force: true });
      writeFileSync(join(data, 'mesh.db'), text);
      const said = await admin.run(['mesh', 'restore', file, '--yes', '--json']);
      expect(said).toMatchObject({ code: 0, err: expect.stringContaining('"not_compared"') as string });
      expect(JSON.parse(said.out)).toMatchObject({ head: 0, term: 2, give_again: [] });
    }
    await admin.serve();
  });

  test('a write-ahead log that was left without its store is not read into what is restored', async () => {
    const { admin, file, data } = await revokedSince();
    rmSync(join(data, 'mesh.db'));
    if (!existsSync(join(data, 'mesh.db-wal'))) writeFileSync(join(data, 'mesh.db-wal'), 'x');
    await admin.json('mesh', 'restore', file, '--yes');
    expect(readdirSync(data).filter((name) => /before-\w+-wal$/.test(name))).toHaveLength(1);
    await admin.serve();
    expect(await admin.json('status', agent(1))).toMatchObject({ status: 'active', source: 'mesh' });
  });

  test('a backup of a newer version is refused, named, before anything is moved', async () => {
    const { admin, file, data } = await revokedSince();
    const newer = new Database(file, 1_000);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    const refused = await admin.run(['mesh', 'restore', file, '--yes']);
    expect(refused).toMatchObject({
      code: 3,
      err: expect.stringContaining(`${file} was written by a newer`) as string,
    });
    expect(readdirSync(data).filter((name) => name.includes('before'))).toEqual([]);
  });

  test('a file of shipped logs that cannot be read, or be made, hides nothing that must be given again', async () => {
    const { admin, file, data } = await revokedSince();
    for (const name of readdirSync(data).filter((each) => each.startsWith('shipped.db'))) rmSync(join(data, name));
    mkdirSync(join(data, 'shipped.db'));
    expect(await admin.json('mesh', 'restore', file, '--yes')).toMatchObject({ term: 2, give_again: AGAIN });
  });

  test('a mesh that has gone on elsewhere is not restored beside it: both would be of one term', async () => {
    const { admin, file, data } = await revokedSince();
    await admin.json('mesh', 'migrate', '--from', data, '--to', admin.at('moved'), '--yes');
    const refused = await admin.run(['mesh', 'restore', file, '--yes']);
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('Nothing was restored') as string });
    expect(refused.err).toContain('it has gone on elsewhere, in term 2');
    expect(readdirSync(data).filter((name) => name.includes('before'))).toEqual([]);
  });
});
