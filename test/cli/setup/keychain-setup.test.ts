/** `init` and `doctor` with real keychains: open, locked again, and one that never answers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeBus, Ring, whyNoRing } from '../../kit/keyring/ring.js';
import { world } from '../../kit/world.js';

const reason = whyNoRing();
if (reason !== null) console.log(`skipped: init and doctor with a real keyring: ${reason}`);

interface Shown {
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly hint: string | null;
}

function machine(env: Readonly<Record<string, string>>) {
  const place = world({ env: { ...env, AIP_KEY_STORE: 'keychain' } });
  const home = join(place.io.userHome, 'home');
  const doctor = async () => {
    const { code, out } = await place.run('doctor', '--json', '--home', home);
    const findings = JSON.parse(out) as Shown[];
    return { code, findings, keyStore: findings.find(({ check }) => check === 'key store')! };
  };
  return { home, doctor, init: () => place.run('init', '--home', home, '--domain', 'acme.com', '--json') };
}

describe.skipIf(reason !== null)('with a keyring', () => {
  const ring = new Ring();
  beforeAll(async () => {
    await ring.startBus(false);
    await ring.startDaemon('a password');
  });
  afterAll(() => ring.stop());

  test('init keeps the principal key in it, and doctor asks it without opening the key', async () => {
    const { init, doctor } = machine(ring.env);
    const { code, out, err } = await init();
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ key_store: 'keychain', key_ref: 'did:web:acme.com#key-1', changed: true });
    const report = await doctor();
    expect(report.code).toBe(0);
    expect(report.keyStore).toMatchObject({ status: 'ok', message: 'The keychain answers.' });
    expect(report.findings.find(({ check }) => check === 'key')!.message).toContain(
      '1 in the keychain or elsewhere was not asked for',
    );
    expect(JSON.parse((await init()).out)).toMatchObject({ changed: false });
  });

  test('that is locked again, each says so with exit 4', async () => {
    await ring.stopDaemon();
    await ring.startDaemon(null);
    const { init, doctor, home } = machine(ring.env);
    const { code, err } = await init();
    expect(code).toBe(4);
    expect(JSON.parse(err)).toMatchObject({ code: 'KEYSTORE_LOCKED' });
    expect(existsSync(join(home, 'config.json'))).toBe(false);
    expect(await doctor()).toMatchObject({
      code: 4,
      keyStore: { status: 'failed', message: expect.stringContaining('locked') as unknown },
    });
  });
});

const noBus = process.platform === 'linux' ? null : 'only Linux reaches its keychain over a bus';
if (noBus !== null) console.log(`skipped: a bus that never answers: ${noBus}`);
test.skipIf(noBus !== null)('a keychain that never answers is given up, and named', async () => {
  const bus = new FakeBus();
  try {
    const { init, doctor, home } = machine({ DBUS_SESSION_BUS_ADDRESS: await bus.listen() });
    const { code, err } = await init();
    expect(code).toBe(4);
    expect(JSON.parse(err)).toMatchObject({ exit_code: 4 });
    expect(existsSync(join(home, 'config.json'))).toBe(false);
    expect(await doctor()).toMatchObject({ code: 4, keyStore: { status: 'failed' } });
  } finally {
    await bus.close();
  }
});
