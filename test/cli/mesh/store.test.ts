/** `aip mesh serve --store` as processes: one is killed and comes back, and nobody notices but its own streams. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { Home } from '../../kit/mesh/homes.js';
import { describePostgres, QUICK } from '../../kit/postgres.js';

const agent = (n: number): string => `did:web:acme.com:agents:a${n}`;

describePostgres('servers on one database', QUICK, (cluster) => {
  test('one is killed; its verifier goes on at the other, and it comes back to the same mesh', async () => {
    const { url } = await cluster().database();
    const env = { AIP_MESH_STORE: url, AIP_MESH_MAX_PROPAGATION_TIME_MS: '10000' };
    const [first, second, verifier] = [new Home(env), new Home(env), new Home()];
    const a = await first.serve();
    const admin = first.config().mesh!.key_file!;
    // The same key on each server, as the help says.
    const folder = second.at('node');
    mkdirSync(folder, { mode: 0o700 });
    copyFileSync(join(dirname(admin), 'mesh.key'), join(folder, 'mesh.key'));
    const flags = ['mesh', 'serve', '--data', folder, '--listen', '127.0.0.1:0', '--json'];
    const serve = async () => {
      const running = second.start(flags);
      return { running, ...(JSON.parse(await running.says(/^\{.*\}\n/m)) as { url: string; mesh_public_key: string }) };
    };
    let b = await serve();
    expect(b.mesh_public_key).toBe(a.mesh_public_key);
    // The admin's key is at the first one: the second is not configured by a file that is not there.
    expect(second.config().mesh).not.toHaveProperty('key_file');
    expect((await second.run(['mesh', 'status'])).err).toContain('no API key for its mesh');
    const { key } = await first.json<{ key: string }>('mesh', 'key', 'create', '--role', 'verifier', '--label', 'v');
    const following = verifier.start(['mesh', 'follow', '--json'], {
      AIP_MESH_URL: b.url,
      AIP_MESH_KEY: key,
      AIP_MESH_PUBLIC_KEY: a.mesh_public_key,
      AIP_MESH_REGIONS: JSON.stringify([{ name: 'a', endpoint: a.url }]),
    });
    await following.notes(/live with/);
    await first.json('revoke', agent(1), '--reason', 'r', '--yes', '--unseen');
    await following.says(/agents:a1/);
    await b.running.stop('SIGKILL');
    await following.notes(/live with[^\n]*\n[\s\S]*live with/);
    await first.json('revoke', agent(2), '--reason', 'r', '--yes', '--unseen');
    await following.says(/agents:a2/);
    b = await serve();
    const status = await first.json<{ head: number }>('mesh', 'status');
    expect(status.head).toBe(2);
    await b.running.stop();
    await following.stop();
    await a.running.stop();
    const promoted = await first.run(['mesh', 'promote', '--yes', '--json']);
    expect(promoted).toMatchObject({ code: 3, err: expect.stringContaining('nothing to promote') as string });
    expect(promoted.err).toContain('aip mesh serve --store <url>');
    // What is to be served is the database, never the folder beside it: that would begin another log under the same key.
    const anew = await first.json<{ serve: string }>('mesh', 'promote', '--home-is-off', '--yes');
    expect(anew).toMatchObject({ head: 2, term: 2, serve: 'aip mesh serve' });
  }, 120_000);

  test('a database that holds no log is not taken for the mesh whose key is in the folder', async () => {
    const [{ url }, { url: other }] = [await cluster().database(), await cluster().database()];
    const admin = new Home({ AIP_MESH_STORE: url });
    const { running } = await admin.serve();
    await running.stop();
    const data = dirname(admin.config().mesh!.key_file!);
    const start = ['mesh', 'serve', '--listen', '127.0.0.1:0', '--json'];
    const refused = await admin.run(start, { env: { AIP_MESH_STORE: other } });
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(refused.err).toContain(`The database holds no mesh, and ${data} holds the key of one. Nothing was changed.`);
    expect(refused.err).toContain('AIP_MESH_STORE');
    // The first admin's key shows that the mesh was served, whatever the service's command line says.
    const standing = await admin.run([...start, '--new-log'], { env: { AIP_MESH_STORE: other } });
    expect(standing).toMatchObject({ code: 3, out: '', err: refused.err });
    // A mesh of a folder that is to be served from a database is copied there first.
    const folder = new Home();
    await (await folder.serve()).running.stop();
    const unmoved = await folder.run(start, { env: { AIP_MESH_STORE: other } });
    expect(unmoved.err).toContain(`aip mesh migrate --from ${dirname(folder.config().mesh!.key_file!)} --to <url>`);
    // Nothing was made there: a first start begins it, also under a key that was placed by hand.
    const placed = new Home({ AIP_MESH_STORE: other });
    mkdirSync(placed.at('node'), { mode: 0o700 });
    copyFileSync(join(data, 'mesh.key'), placed.at('node/mesh.key'));
    const begin = [...start, '--data', placed.at('node')];
    expect((await placed.run(begin)).err).toContain('--new-log');
    await placed.serve('--data', placed.at('node'), '--new-log');
    await admin.serve();
  }, 120_000);
});
