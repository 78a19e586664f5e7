import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, type Household } from '../../kit/native/household.js';

const BOT = 'did:web:acme.com:agents:bot#key-1';

/** A machine whose `bot` has its key in `store`, and whose principal has its own in a file; the passphrase opens both. */
async function machineWith(store: 'file' | 'env') {
  const machine = household();
  const place = ['--key-store', store, ...(store === 'env' ? ['-e', machine.at('.env')] : [])];
  const home = machine.at('home');
  const run = (...argv: string[]) => machine.run(...argv, '--home', home);
  const flags = ['--domain', 'acme.com', '-a', 'deploy', '--principal-key-store', 'file', '-o', machine.at('bot.json')];
  expect((await run('passport', 'create', 'bot', ...flags, ...place)).code).toBe(0);
  const signs = async () => (await run('intent', 'sign', '-p', machine.at('bot.json'), '-a', 'deploy')).code;
  return { machine, run, keys: join(home, 'keys'), signs };
}

/** Takes the file away, and leaves a copy that only the user may read. */
function lost(machine: Household, file: string): string {
  const backup = machine.at('backup.pem');
  copyFileSync(file, backup);
  chmodSync(backup, 0o600);
  rmSync(file);
  return backup;
}

describe('aip key import of a key that is known here', () => {
  test.each([
    ['an agent', 'did_web_acme.com_agents_bot_key-1.pem'],
    ['a principal', 'did_web_acme.com_key-1.pem'],
  ])('puts back that of %s, which was lost from its store', async (_, name) => {
    const { machine, run, keys, signs } = await machineWith('file');
    const backup = lost(machine, join(keys, name));
    const { code, out } = await run('key', 'import', backup, '--key-store', 'file', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { key_store: 'file', changed: true, pinned: false }]);
    expect(readdirSync(keys)).toContain(name);
    expect(await signs()).toBe(0);
    expect((await run('passport', 'renew', 'bot', '--expires', '9d', '--yes')).code).toBe(0);
    const again = await run('key', 'import', backup, '--key-store', 'file', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ changed: false });
  });

  test('puts it elsewhere, where the store that it is in does not open', async () => {
    const { machine, run, signs } = await machineWith('env');
    const env = machine.at('.env');
    const given = machine.file('given.key', readFileSync(env, 'utf8').split('=')[1]!);
    chmodSync(given, 0o600);
    chmodSync(env, 0o644);
    expect(await signs()).toBe(4);
    const { code, out } = await run('key', 'import', given, '--key-store', 'file');
    expect([code, out]).toEqual([0, expect.stringContaining(`env: ${env}`)]);
    expect(await signs()).toBe(0);
    expect(existsSync(env)).toBe(true);
    rmSync(given);
  });

  test('takes up a key file that a lost state left, and does not have it deleted', async () => {
    const { machine, run, keys, signs } = await machineWith('file');
    const home = machine.at('home');
    for (const name of readdirSync(home)) if (name !== 'keys') rmSync(join(home, name));
    const file = join(keys, 'did_web_acme.com_agents_bot_key-1.pem');
    for (const said of ['imported', 'held already']) {
      const { code, out, err } = await run('key', 'import', file, '--id', BOT, '--key-store', 'file');
      expect([code, out]).toEqual([0, expect.stringContaining(said)]);
      expect(err).not.toContain('delete it');
    }
    expect(await signs()).toBe(0);
  });

  test('takes the place of no other key, wherever the id is held', async () => {
    const { machine, run, keys } = await machineWith('file');
    const file = join(keys, 'did_web_acme.com_agents_bot_key-1.pem');
    const backup = lost(machine, file);
    const principal = readFileSync(join(keys, 'did_web_acme.com_key-1.pem'), 'utf8');
    writeFileSync(file, principal, { mode: 0o600 });
    const { code, err } = await run('key', 'import', backup, '--key-store', 'file', '--id', BOT);
    expect([code, err]).toEqual([2, expect.stringContaining('holds another key')]);
    expect(readFileSync(file, 'utf8')).toBe(principal);
  });
});

test('a hint to import what stands in the way can be pasted, whatever the folder is called', async () => {
  const { machine, run } = await machineWith('file');
  const there = machine.file('two words.json', '{}');
  const flags = ['--domain', 'acme.com', '-a', 'look', '--key-store', 'file', '-o', there, '--json'];
  const { err } = await run('passport', 'create', 'other', ...flags);
  const { hint } = JSON.parse(err) as JsonObject;
  expect(hint).toMatch(/aip passport import '.*two words\.json'$/);
});
