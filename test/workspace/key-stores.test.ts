import { expect, test } from 'vitest';
import { KEYS } from '../../src/cli/config/keys.js';
import { text } from '../../src/cli/help/topics/keys.js';
import { KEY_OPTIONS } from '../../src/cli/input/key-place.js';
import { keyStores } from '../../src/workspace/keys.js';
import {
  DEFAULT_KEY_STORE,
  GUARDED_KEY_STORES,
  isGuarded,
  KEY_STORE_NAMES,
  KEY_STORES,
} from '../../src/workspace/key-stores.js';
import { passphrasesOf } from '../../src/workspace/passphrases.js';
import { localWorkspace } from '../../src/workspace/workspace.js';
import { SYSTEM } from '../../src/workspace/world.js';

test('flags, config and help are made from the table', () => {
  expect(KEY_OPTIONS[0]!.choices).toEqual(KEY_STORE_NAMES);
  for (const name of KEY_STORE_NAMES) expect(KEYS.key_store.kind.read(name)).toBe(name);
  expect(KEYS.key_store.kind.read('nowhere')).toBeUndefined();
  expect(KEYS.key_store.fallback).toBe(DEFAULT_KEY_STORE);
  for (const { name, meaning } of KEY_STORES) {
    expect(text()).toContain(meaning);
    expect(isGuarded(name)).toBe(GUARDED_KEY_STORES.includes(name));
  }
});

test('plain text is for no key of a principal', () => {
  expect(GUARDED_KEY_STORES).not.toContain('env');
});

test('a store is opened when it is asked for, once, and a name that is in no row is refused', async () => {
  const read: string[] = [];
  const env = new Proxy({}, { get: (_, name) => void read.push(String(name)) });
  const workspace = localWorkspace({
    ...SYSTEM,
    env,
    cwd: '/',
    platform: 'linux',
    userHome: '/nonexistent',
    home: '/nonexistent/home',
    onlyReads: false,
    owner: null,
    notice: () => undefined,
    askSecret: null,
    signal: new AbortController().signal,
  });
  const open = keyStores(workspace, {});
  expect(read).toEqual([]);
  expect(await open('env')).toBe(await open('env'));
  expect((await open('file')).name).toBe('file');
  await expect(open('cloud' as never)).rejects.toMatchObject({ code: 'USAGE', hint: 'keychain, file or env' });
  await expect(open('__proto__' as never)).rejects.toMatchObject({ code: 'USAGE' });
});

test('what fails to be built is built anew, and what was built is closed in reverse order', async () => {
  const workspace = localWorkspace({ ...SYSTEM } as never);
  let tries = 0;
  const build = () =>
    workspace.once('it', async () => {
      tries += 1;
      if (tries === 1) throw new Error('not yet');
      return tries;
    });
  await expect(build()).rejects.toThrow('not yet');
  expect([await build(), await build()]).toEqual([2, 2]);
  const ended: string[] = [];
  workspace.afterwards(() => void ended.push('first'));
  workspace.afterwards(() => {
    ended.push('second');
    throw new Error('stuck');
  });
  await expect(workspace.close()).rejects.toThrow('stuck');
  expect(ended).toEqual(['second', 'first']);
  expect(await build()).toBe(3);
});

test('a weak passphrase is warned of once, and a pipe of one read once, for all that a command opens and makes', async () => {
  const notices: string[] = [];
  const workspace = localWorkspace({
    ...SYSTEM,
    env: { AIP_KEY_PASSPHRASE: 'weak' },
    cwd: '/',
    platform: 'linux',
    userHome: '/nonexistent',
    home: '/nonexistent/home',
    onlyReads: false,
    owner: null,
    notice: (notice) => notices.push(notice),
    askSecret: null,
    signal: new AbortController().signal,
  });
  for (const places of [{}, { envFile: '.env' }, {}]) {
    const { fresh } = await passphrasesOf(workspace, places);
    expect(await fresh()).toBe('weak');
  }
  expect(notices).toEqual([expect.stringContaining('weak')]);
  expect(await passphrasesOf(workspace, { passphraseFd: 3 })).toBe(await passphrasesOf(workspace, { passphraseFd: 3 }));
  expect(await passphrasesOf(workspace, { passphraseFd: 4 })).not.toBe(
    await passphrasesOf(workspace, { passphraseFd: 3 }),
  );
});
