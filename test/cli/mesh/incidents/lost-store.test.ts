/** The store of a served mesh is lost and its key is there: no start makes an empty log in its place, where everyone would be active. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Home } from '../../../kit/mesh/homes.js';

const SLOW = 120_000;
const BOT = 'did:web:acme.com:agents:bot';
const START = ['mesh', 'serve', '--listen', '127.0.0.1:0', '--json'];

/** A mesh that revoked an agent and was stopped, its data folder, and a backup. */
async function stopped() {
  const admin = new Home();
  const { running, mesh_public_key: publicKey } = await admin.serve();
  await admin.json('revoke', BOT, '--reason', 'r', '--yes', '--unseen');
  const backup = admin.at('mesh.backup');
  await admin.json('mesh', 'backup', backup);
  await running.stop();
  const data = dirname(admin.config().mesh!.key_file!);
  return { admin, data, backup, publicKey, path: join(data, 'mesh.db') };
}

function remove(data: string, ...but: string[]): void {
  for (const name of readdirSync(data)) if (!but.includes(name)) rmSync(join(data, name), { recursive: true });
}

describe('a store that is lost', { timeout: SLOW }, () => {
  test('is not begun anew beside what shows that it was there; a backup puts it back', async () => {
    const { admin, data, backup, path } = await stopped();
    const adminKey = admin.at('admin.key');
    copyFileSync(join(data, 'admin.key'), adminKey);
    for (const left of ['shipped.db', 'admin.key', 'snapshot.ndjson', 'mesh.db.restoring']) {
      if (!existsSync(join(data, left))) copyFileSync(backup, join(data, left));
      remove(data, 'mesh.key', left);
      const refused = await admin.run(START);
      expect(refused).toMatchObject({ code: 3, out: '' });
      expect(refused.err).toContain(`is gone, and ${join(data, left)} shows that it was there. Nothing was changed.`);
      expect(refused.err).toContain(`aip mesh restore <backup> --data ${data}`);
      expect(refused.err.includes('--store')).toBe(left !== 'shipped.db');
      expect(readdirSync(data).sort()).toEqual([left, 'mesh.key'].sort());
    }
    symlinkSync(join(admin.folder, 'not-mounted'), path);
    rmSync(join(data, 'mesh.db.restoring'));
    expect(await admin.run(START)).toMatchObject({
      code: 3,
      err: expect.stringContaining('is a link that leads nowhere') as string,
    });
    rmSync(path);
    await admin.json('mesh', 'restore', backup, '--data', data, '--yes');
    renameSync(adminKey, join(data, 'admin.key'));
    await admin.serve();
    expect(await admin.json('status', BOT)).toMatchObject({ status: 'revoked', source: 'mesh' });
  });

  test.each([
    ['between the store and its write-ahead log', ['mesh.db']],
    ['after both', ['mesh.db', 'mesh.db-wal']],
  ])('that a restore moved aside and ended %s is named with the command that puts it back', async (_, ends) => {
    const { admin, data, backup, path } = await stopped();
    for (const name of ends)
      renameSync(join(data, name), join(data, name.replace('mesh.db', 'mesh.db.before-0a1b2c3d')));
    copyFileSync(backup, `${path}.restoring`);
    const refused = await admin.run(START);
    expect(refused.code).toBe(3);
    const [, command] = /put back what was moved aside: (mv [^;]*);/.exec(refused.err) ?? [];
    execFileSync('sh', ['-c', command!], { cwd: data });
    await admin.serve();
    expect(await admin.json('status', BOT)).toMatchObject({ status: 'revoked', source: 'mesh' });
  });

  test('with a write-ahead log that is not of what was moved aside is put back by a backup alone', async () => {
    const { admin, path } = await stopped();
    renameSync(path, `${path}.before-0a1b2c3d`);
    const refused = await admin.run(START);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain('aip mesh restore <backup>');
    expect(refused.err).not.toContain('mv ');
  });

  test.each([
    ['its key and the lock of a server', ['mesh.key', 'mesh.db.lock']],
    ['its key, as a second server on a database has it, whose --store was forgotten', ['mesh.key']],
  ])('is not begun anew beside %s', async (_, left) => {
    const { admin, data, backup } = await stopped();
    copyFileSync(join(data, 'admin.key'), admin.at('admin.key'));
    remove(data, ...left);
    const refused = await admin.run(START);
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(refused.err).toContain(`${data} holds the key of a mesh, and no store. Nothing was changed.`);
    expect(refused.err).toContain(`aip mesh restore <backup> --data ${data}`);
    expect(refused.err).toContain('--store <url>');
    expect(readdirSync(data).sort()).toEqual([...left].sort());
    await admin.json('mesh', 'restore', backup, '--data', data, '--yes');
    renameSync(admin.at('admin.key'), join(data, 'admin.key'));
    await admin.serve();
    expect(await admin.json('status', BOT)).toMatchObject({ status: 'revoked', source: 'mesh' });
  });

  test('is not begun anew where it was copied from a server that runs, without its write-ahead log', async () => {
    const admin = new Home();
    const { running } = await admin.serve();
    await admin.json('revoke', BOT, '--reason', 'r', '--yes', '--unseen');
    const data = dirname(admin.config().mesh!.key_file!);
    await running.stop('SIGKILL');
    renameSync(join(data, 'mesh.db-wal'), admin.at('wal'));
    const refused = await admin.run(START);
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('put mesh.db-wal back') as string });
    for (const end of ['-wal', '-shm']) rmSync(join(data, `mesh.db${end}`), { force: true });
    renameSync(admin.at('wal'), join(data, 'mesh.db-wal'));
    await admin.serve();
    expect(await admin.json('status', BOT)).toMatchObject({ status: 'revoked', source: 'mesh' });
  });

  test('is not what a first start left that ended before it had made the store', async () => {
    const admin = new Home();
    const folder = admin.at('node');
    mkdirSync(folder, { mode: 0o700 });
    admin.file('node/mesh.db.lock', '');
    await admin.serve('--data', folder);
  });

  test('is not a key that was placed by hand before the first start, where --new-log says so', async () => {
    const { admin, data, publicKey } = await stopped();
    const folder = admin.at('node');
    mkdirSync(folder, { mode: 0o700 });
    copyFileSync(join(data, 'mesh.key'), join(folder, 'mesh.key'));
    const first = await admin.serve('--data', folder, '--new-log');
    expect(first.mesh_public_key).toBe(publicKey);
    await first.running.stop();
    const second = await admin.serve('--data', folder);
    await second.running.stop();
    // What was there once is not begun anew, whatever the service's command line says.
    rmSync(join(folder, 'mesh.db'));
    expect((await admin.run([...START, '--data', folder, '--new-log'])).err).toContain('shows that it was there');
  });
});
