/** The mesh remembers for a machine what who can write its state would like forgotten. */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { Home } from '../../kit/mesh/homes.js';

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
