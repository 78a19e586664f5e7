import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { household, type Household } from '../../kit/native/household.js';

const KEY = join('keys', 'did_web_acme.com_agents_bot_key-1.pem');

/** A home with the keys of a principal and of `bot` in files, and a second folder for a copy of it. */
async function homes() {
  const machine = household();
  const [home, copy] = [machine.at('home'), machine.at('copy')];
  const flags = ['--domain', 'acme.com', '--action', 'deploy', '--key-store', 'file', '-o', machine.at('bot.json')];
  expect((await machine.run('passport', 'create', 'bot', ...flags, '--home', home)).code).toBe(0);
  const original = readFileSync(join(home, KEY), 'utf8');
  return { machine, home, copy, original };
}
const signs = (machine: Household, home: string) =>
  machine.run('intent', 'sign', '-p', machine.at('bot.json'), '-a', 'deploy', '--home', home);
const deletes = (machine: Household, home: string) =>
  machine.json('passport', 'delete', 'bot', '--yes', '--home', home);

describe('a home whose state remembers the paths of another', () => {
  test('destroys its own key file, and leaves that of the original', async () => {
    const { machine, home, copy, original } = await homes();
    cpSync(home, copy, { recursive: true });
    expect((await deletes(machine, copy)).value).toMatchObject({
      deleted_keys: ['did:web:acme.com:agents:bot#key-1'],
      keys_not_found: [],
    });
    expect(existsSync(join(copy, KEY))).toBe(false);
    expect(readFileSync(join(home, KEY), 'utf8')).toBe(original);
    expect((await signs(machine, home)).code).toBe(0);
    expect((await deletes(machine, home)).value).toMatchObject({ deleted_keys: ['did:web:acme.com:agents:bot#key-1'] });
    expect(existsSync(join(home, KEY))).toBe(false);
  });

  test('keeps a key that only the original has, and says where it is', async () => {
    const { machine, home, copy, original } = await homes();
    cpSync(home, copy, { recursive: true });
    rmSync(join(copy, 'keys'), { recursive: true });
    const { code, value, err } = await deletes(machine, copy);
    expect([code, value]).toMatchObject([0, { deleted_keys: [], keys_not_found: [] }]);
    expect(err).toContain('key_stays');
    expect(err).toContain(join(home, KEY));
    expect(readFileSync(join(home, KEY), 'utf8')).toBe(original);
  });

  test('signs with its own key file, not with that of the original', async () => {
    const { machine, home, copy } = await homes();
    cpSync(home, copy, { recursive: true });
    rmSync(join(home, 'keys'), { recursive: true });
    expect((await signs(machine, copy)).code).toBe(0);
    expect((await machine.run('doctor', '--home', copy)).out).toContain('2 private keys are where they belong');
    // In place of a key of its own it has another: the key of the original is not taken instead.
    cpSync(join(copy, KEY), join(home, KEY), { recursive: true });
    cpSync(join(copy, 'keys', 'did_web_acme.com_key-1.pem'), join(copy, KEY));
    expect((await signs(machine, copy)).code).toBe(4);
  });

  test('signs with the key file of a store that is named, also where the state knows nothing of it or knows another place', async () => {
    const { machine, home, copy } = await homes();
    const key = (await machine.run('key', 'export', 'did:web:acme.com', '--public', '--home', home)).out.trim();
    cpSync(join(home, 'keys'), join(copy, 'keys'), { recursive: true });
    expect((await machine.run('principal', 'add', 'did:web:acme.com', '--public-key', key, '--home', copy)).code).toBe(
      0,
    );
    const named = ['intent', 'sign', '-p', machine.at('bot.json'), '-a', 'deploy', '--key-store', 'file'];
    expect((await machine.run(...named, '--home', copy)).code).toBe(0);
    // As where the key came from another store, and was copied into this one by hand.
    const state = new Database(join(home, 'state.db'), 1000);
    state.statement("UPDATE keys SET store = 'keychain', ref = key_id").run([]);
    state.close();
    expect((await machine.run(...named, '--home', home)).code).toBe(0);
  });

  test('rotates in its own folder', async () => {
    const { machine, home, copy, original } = await homes();
    cpSync(home, copy, { recursive: true });
    expect((await machine.run('passport', 'rotate', 'bot', '--home', copy)).code).toBe(0);
    expect(existsSync(join(copy, KEY.replace('key-1', 'key-2')))).toBe(true);
    expect(existsSync(join(home, KEY.replace('key-1', 'key-2')))).toBe(false);
    expect(readFileSync(join(home, KEY), 'utf8')).toBe(original);
  });

  test('works on where it was moved', async () => {
    const { machine, home, copy } = await homes();
    renameSync(home, copy);
    expect((await signs(machine, copy)).code).toBe(0);
    expect((await deletes(machine, copy)).value).toMatchObject({ deleted_keys: ['did:web:acme.com:agents:bot#key-1'] });
    expect(existsSync(join(copy, KEY))).toBe(false);
  });
});
