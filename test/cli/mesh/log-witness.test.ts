/** The mesh remembers for a machine what who can write its state would like forgotten. */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { seal, START } from '../../../src/protocol/log/chain.js';
import { Home } from '../../kit/mesh/homes.js';
import { draft } from '../../kit/state/drafts.js';

const state = (home: Home): string => join(home.env.AIP_HOME!, 'state.db');

function kept(file: string): () => void {
  const files = [file, `${file}-wal`];
  for (const each of files) if (existsSync(each)) copyFileSync(each, `${each}.old`);
  return () => {
    for (const each of [...files, `${file}-shm`]) {
      rmSync(each, { force: true });
      if (existsSync(`${each}.old`)) copyFileSync(`${each}.old`, each);
    }
  };
}

async function shipped(home: Home, count: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { out } = await home.run(['logs', 'tail', '--mesh', '-n', '100', '--json']);
    if (out.trim().split('\n').filter(Boolean).length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the log was not shipped');
}

test(
  'a log that was cut, rewritten or replaced by an older copy is found by the mesh',
  { timeout: 240_000 },
  async () => {
    const admin = new Home();
    await admin.serve();
    const verifier = new Home();
    await verifier.agent();
    await verifier.join(admin);
    await verifier.verify(await verifier.intent());
    await verifier.follow();
    await shipped(verifier, 1);
    const back = kept(state(verifier));
    for (let i = 0; i < 3; i++) await verifier.verify(await verifier.intent());
    await shipped(verifier, 4);
    expect((await verifier.run(['logs', 'verify', '--mesh'])).code).toBe(0);
    expect((await verifier.run(['logs', 'verify'])).code).toBe(0);
    // An older copy, whole in itself, and with all that it remembers.
    back();
    const older = await verifier.run(['logs', 'verify', '--json']);
    expect([older.code, JSON.parse(older.out)]).toMatchObject([15, { ok: false }]);
    // Cut by hand, and the head and what is kept here changed with it.
    const database = new Database(state(verifier), 5000);
    database.exec('DELETE FROM statements');
    database.close();
    expect((await verifier.run(['logs', 'verify', '--mesh'])).code).toBe(15);
  },
);

test('a value is erased here and from what was shipped, by an admin who signs', { timeout: 240_000 }, async () => {
  const admin = new Home();
  await admin.run(['init', '--domain', 'ops.example', '--key-store', 'file']);
  await admin.serve('--operator-key', 'did:web:ops.example', '--log-retention', '90d');
  const agent = await admin.agent();
  const intent = admin.at('intent.json');
  const sign = [
    'intent',
    'sign',
    '--passport',
    'bot.passport.json',
    '--action',
    'send_email',
    '--param',
    'to=jane@acme.com',
  ];
  expect((await admin.run([...sign, '-o', intent])).code).toBe(0);
  expect((await admin.verify(intent)).code).toBe(0);
  await admin.follow();
  await shipped(admin, 1);
  const fleet = async (): Promise<string> => (await admin.run(['logs', 'tail', '--mesh', '-n', '9', '--json'])).out;
  expect(await fleet()).toContain('jane@acme.com');
  const erased = await admin.json<object>('logs', 'erase', '--agent', agent, '--param', 'to', '--mesh', '--yes');
  expect(erased).toMatchObject({ erased: 1, mesh_erased: 1 });
  expect(JSON.parse((await fleet()).split('\n')[0]!)).toMatchObject({ params: {}, nonce: null, intent_hash: null });
  expect((await admin.run(['logs', 'verify', '--mesh'])).code).toBe(0);
  // Of another machine, which signs nothing for an admin.
  const verifier = new Home();
  await verifier.join(admin);
  const refused = await verifier.run(['logs', 'erase', '--agent', agent, '--param', 'to', '--mesh', '--yes']);
  expect([refused.code, refused.err]).toMatchObject([4, expect.stringContaining('role admin')]);
});

test('a mesh that cannot be asked', { timeout: 120_000 }, async () => {
  const admin = new Home();
  const serving = await admin.serve();
  const verifier = new Home();
  await verifier.agent();
  await verifier.join(admin);
  await verifier.verify(await verifier.intent());
  const unshipped = await verifier.run(['logs', 'verify', '--mesh']);
  expect([unshipped.code, unshipped.err]).toMatchObject([0, expect.stringContaining('log_unshipped')]);
  await serving.running.stop();
  const passing = await verifier.run(['logs', 'verify']);
  expect([passing.code, passing.err]).toMatchObject([0, expect.stringContaining('mesh_not_asked')]);
  expect((await verifier.run(['logs', 'verify', '--mesh'])).code).toBe(5);
  const alone = new Home();
  expect((await alone.run(['logs', 'verify', '--mesh'])).code).toBe(2);
});

test(
  'a log that somebody made up under the id of another is dropped, and the owner ships',
  { timeout: 240_000 },
  async () => {
    const admin = new Home();
    await admin.run(['init', '--domain', 'ops.example', '--key-store', 'file']);
    const { url } = await admin.serve('--operator-key', 'did:web:ops.example');
    const owner = new Home();
    await owner.agent();
    await owner.verify(await owner.intent());
    const { log_id } = await owner.json<{ log_id: string }>('logs', 'verify');
    const thief = await admin.json<{ key: string; key_id: string }>('mesh', 'key', 'create', '--role', 'verifier');
    const random = (n: number): Uint8Array => new Uint8Array(n).fill(7);
    const { entry } = seal(draft({}), null, 'made-up', START, random);
    const headers = { authorization: `Bearer ${thief.key}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ log_id, verifier: 'made-up', entries: [entry] });
    expect((await fetch(`${url}/v1/logs`, { method: 'POST', headers, body })).status).toBe(200);
    await admin.json('mesh', 'key', 'revoke', thief.key_id, '--yes');
    await owner.join(admin);
    const refused = await owner.follow();
    await refused.notes(/no longer shipped/);
    expect((await refused.stop()).err).toContain('aip mesh log drop');
    expect((await admin.run(['mesh', 'log', 'drop', log_id, '--reason', 'made up'])).code).toBe(2);
    expect((await owner.run(['mesh', 'log', 'drop', log_id, '--reason', 'made up', '--yes'])).code).toBe(4);
    const dropped = await admin.json('mesh', 'log', 'drop', log_id, '--reason', 'made up', '--yes');
    expect(dropped).toMatchObject({ log_id, verifier: 'made-up', key_id: thief.key_id, entries: 1, dropped: true });
    const again = await admin.run(['mesh', 'log', 'drop', 'made-up', '--reason', 'made up', '--yes']);
    expect([again.code, again.err]).toEqual([3, expect.stringContaining('holds no such log')]);
    await owner.follow();
    await shipped(owner, 1);
    expect((await owner.run(['logs', 'verify', '--mesh'])).code).toBe(0);
    const said = await admin.run(['mesh', 'log', 'drop', log_id, '--reason', 'by mistake', '--yes']);
    expect([said.code, said.out, said.err]).toEqual([
      ...[0, expect.stringContaining(`dropped ${log_id}`), expect.stringContaining('aip mesh key revoke')],
    ]);
  },
);
