import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { addonPaths } from '../../../src/adapters/keys/keychain/addon.js';
import { keychain } from '../../../src/adapters/keys/keychain/store.js';
import { formatSeed } from '../../../src/protocol/identity/keys.js';
import { expectFailure, KEY_ID, keyStoreContract, seedOf, wordsOf } from '../../contract/key-store.js';
import { Ring, whyNoRing } from '../../kit/keyring/ring.js';

/** The keychain for real: keytar, libsecret, D-Bus and gnome-keyring. */

const reason = whyNoRing();
if (reason !== null) console.log(`skipped: the tests with a real keyring: ${reason}`);

describe.skipIf(reason !== null)('with an unlocked ring', () => {
  const ring = new Ring();
  beforeAll(async () => {
    await ring.startBus(false);
    await ring.startDaemon('a password');
  });
  afterAll(() => ring.stop());
  afterEach(async () => {
    const store = keychain({ env: ring.env, folder: ring.home });
    await store.delete(KEY_ID);
    await store.delete(KEY_ID.replace('#key-1', '#key-2'));
  });

  keyStoreContract(() => ({
    store: keychain({ env: ring.env, folder: ring.home }),
    reopened: keychain({ env: ring.env, folder: ring.home }),
    strayRef: 'did:web:acme.com:agents:nobody#key-1',
    holdsMany: true,
  }));

  test('the addon shipped inside the package does it where install scripts are off', async () => {
    const shipped = addonPaths().filter((path) => path.includes('prebuilds'));
    expect(shipped.length).toBeGreaterThan(0);
    const store = keychain({
      env: ring.env,
      folder: ring.home,
      addons: [join(ring.home, 'not-built', 'keytar.node'), ...shipped],
    });
    await store.create(KEY_ID, seedOf(7));
    expect(await keychain({ env: ring.env, folder: ring.home }).read(KEY_ID)).toEqual(seedOf(7));
  });

  test('the bus is found through XDG_RUNTIME_DIR as well', async () => {
    const { DBUS_SESSION_BUS_ADDRESS: _, ...env } = ring.env;
    const store = keychain({ env: { ...env, XDG_RUNTIME_DIR: ring.home }, folder: ring.home });
    await store.create(KEY_ID, seedOf(7));
    expect(await store.read(KEY_ID)).toEqual(seedOf(7));
  });

  test('an item that is no key is UNREADABLE, and not quoted', async () => {
    const junk = 'ed25519:' + '07'.repeat(31);
    const { callKeychain } = await import('../../../src/adapters/keys/keychain/child.js');
    await callKeychain({ addons: addonPaths(), op: 'create', service: 'aip', account: KEY_ID, secret: junk }, ring.env);
    const failure = await expectFailure(keychain({ env: ring.env, folder: ring.home }).read(KEY_ID), 'UNREADABLE');
    expect(wordsOf(failure)).not.toContain('070707');
  });
});

describe.skipIf(reason !== null)('with a ring that is locked again', () => {
  const ring = new Ring();
  beforeAll(async () => {
    await ring.startBus(true);
    await ring.startDaemon('a password');
    await keychain({ env: ring.env, folder: ring.home }).create(KEY_ID, seedOf(7));
    await ring.stopDaemon();
    await ring.startDaemon(null);
  });
  afterAll(() => ring.stop());

  test('reading says locked, not missing', async () => {
    const failure = await expectFailure(keychain({ env: ring.env, folder: ring.home }).read(KEY_ID), 'KEYSTORE_LOCKED');
    expect(failure.exitCode).toBe(4);
    expect(failure.message).toContain('locked');
    expect(failure.hint).toContain('--key-store file');
    expect(failure.retryable).toBe(true);
  });

  test('a key that may be behind the lock is not said to be missing', async () => {
    await expectFailure(
      keychain({ env: ring.env, folder: ring.home }).read('did:web:acme.com#key-1'),
      'KEYSTORE_LOCKED',
    );
  });

  test('making one says locked, and quotes no key', async () => {
    const failure = await expectFailure(
      keychain({ env: ring.env, folder: ring.home }).create('did:web:acme.com#key-1', seedOf(8)),
      'KEYSTORE_LOCKED',
    );
    expect(wordsOf(failure)).not.toContain(formatSeed(seedOf(8)).slice(8));
  });

  test('deleting says locked, not "was not there"', async () => {
    await expectFailure(keychain({ env: ring.env, folder: ring.home }).delete(KEY_ID), 'KEYSTORE_LOCKED');
  });

  test('once it is unlocked, the key is still there', async () => {
    await ring.stopDaemon();
    await ring.startDaemon('a password');
    expect(await keychain({ env: ring.env, folder: ring.home }).read(KEY_ID)).toEqual(seedOf(7));
  });
});

describe.skipIf(reason !== null)('with a service that is not in order', () => {
  const ring = new Ring();
  beforeAll(() => ring.startBus(false));
  afterAll(() => ring.stop());

  test.each(['read', 'create', 'delete'] as const)('none on the bus: %s says so', async (op) => {
    const store = keychain({ env: ring.env, folder: ring.home });
    const failure = await expectFailure(
      op === 'create' ? store.create(KEY_ID, seedOf(7)) : store[op](KEY_ID),
      'KEYSTORE_MISSING',
    );
    expect(failure.message).toContain('no secret service');
    expect(failure.hint).toMatch(/--key-store file.*--key-store env/);
  });

  test('one without a ring holds no key, and takes none', async () => {
    await ring.startDaemon(null);
    const store = keychain({ env: ring.env, folder: ring.home });
    await expectFailure(store.read(KEY_ID), 'KEY_NOT_FOUND');
    expect(await store.delete(KEY_ID)).toBe(false);
    const failure = await expectFailure(store.create(KEY_ID, seedOf(7)), 'KEYSTORE_MISSING');
    expect(failure.message).toContain('no default keyring');
  });

  test('one that hangs is given up', async () => {
    ring.freezeDaemon();
    const failure = await expectFailure(
      keychain({ env: ring.env, folder: ring.home }).read(KEY_ID),
      'KEYSTORE_TIMEOUT',
    );
    expect(failure.message).toContain('did not answer');
  }, 15_000);
});
