/** Passports that travel: a narrowed limit holds on every machine with the speed of a revocation. */
import { describe, expect, test } from 'vitest';
import { Home } from '../../kit/mesh/homes.js';

const SLOW = 120_000;
const DID = 'did:web:acme.com';

async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean, ms = 15_000): Promise<T> {
  for (const end = Date.now() + ms; ;) {
    const answer = await ask();
    if (good(answer) || Date.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** An admin who issues, and a machine that verifies, both of one mesh; the principal is pinned on both and registered. */
async function fleet() {
  const admin = new Home();
  const served = await admin.serve();
  await admin.agent();
  const [{ public_key }] = await admin.json<[{ public_key: string }]>('principal', 'list');
  const verifier = new Home();
  await verifier.join(admin);
  await verifier.json('principal', 'add', DID, '--public-key', public_key, '--yes');
  const register = () => admin.json('mesh', 'principal', 'add', DID, '--public-key', public_key);
  return { admin, verifier, served, public_key, register };
}

describe('a passport at the mesh', { timeout: SLOW }, () => {
  test('is in force everywhere: fetched by the machine that lacks it, and the older one is refused there', async () => {
    const { admin, verifier, register } = await fleet();
    expect((await admin.run(['passport', 'publish', 'bot'])).code).toBe(5);
    expect(await register()).toMatchObject({ did: DID, changed: true });
    await verifier.follow();
    const old = await admin.intent();
    expect(await admin.json('passport', 'publish', 'bot')).toMatchObject({
      serial: 1,
      changed: true,
      propagated_to: 1,
    });
    expect(await admin.json('passport', 'publish', 'bot')).toMatchObject({ serial: 1, changed: false });
    // It was never imported there.
    const first = await until(
      () => admin.intent().then((intent) => verifier.verify(intent)),
      ({ code }) => code === 0,
    );
    expect(first).toMatchObject({ code: 0 });

    const updated = await admin.json(
      'passport',
      'update',
      'bot',
      '--remove-action',
      'send_email',
      '--add-action',
      'look',
    );
    expect(updated).toMatchObject({ serial: 2, published: { serial: 2, changed: true, propagated_to: 1 } });
    const narrowed = await until(
      () => verifier.verify(old),
      ({ error_code }) => error_code === 'AIP-E201',
    );
    expect(narrowed).toMatchObject({ code: 12, error_code: 'AIP-E201' });
    // Whoever presents the older document.
    expect(await verifier.json('passport', 'list')).toMatchObject([{ agent_id: `${DID}:agents:bot` }]);
  });

  test('is refused without the key of a registered principal, below the serial in force, and over a leap', async () => {
    const { admin, register, public_key } = await fleet();
    const before = await admin.run(['passport', 'renew', 'bot', '--expires', '60d', '--yes']);
    expect(before.err.match(/carries no passports of/g)).toHaveLength(1);
    expect(before.err).toContain(
      `An admin changes that:\n  aip mesh principal add ${DID} --public-key ${public_key}\n`,
    );
    await register();
    expect((await admin.run(['mesh', 'principal', 'add', DID])).code).toBe(2);
    await admin.json('passport', 'publish', 'bot');
    await admin.json('passport', 'renew', 'bot', '--expires', '30d', '--no-publish');
    expect(await admin.json('passport', 'publish', 'bot')).toMatchObject({ serial: 3 });
    expect(await admin.json('mesh', 'passport', 'withdraw', 'bot')).toMatchObject({ serial: null, changed: true });
    expect(await admin.json('mesh', 'principal', 'remove', DID, '--key', public_key)).toMatchObject({ removed: 1 });
    const refused = await admin.run(['passport', 'publish', 'bot', '--force']);
    expect([refused.code, refused.err]).toEqual([5, expect.stringContaining('PRINCIPAL_UNKNOWN')]);
    expect(refused.err).toMatch(
      /^hint: as an admin: aip mesh principal add did:web:\S+ --public-key ed25519:[0-9a-f]{64}$/m,
    );
    expect((await admin.run(['mesh', 'principal', 'remove', DID])).code).toBe(3);
    const nothing = await admin.run(['mesh', 'passport', 'withdraw', 'bot']);
    expect(nothing.out).toContain('withdrawn did:web:acme.com:agents:bot (none was demanded)');
  });

  test('is published when it is made, where the mesh carries those of its principal; a narrowed key is said of the fleet', async () => {
    const { admin, verifier, register, served } = await fleet();
    await register();
    await verifier.follow();
    const create = (name: string, ...flags: string[]) => [
      ...['passport', 'create', name, '--domain', 'acme.com', '--action', 'look', '--key-store', 'file', ...flags],
    ];
    const made = await admin.run(create('second'));
    expect([made.code, made.out]).toEqual([
      0,
      expect.stringMatching(/in force as event \d+ of the mesh\n {2}applied by 1 of 1/),
    ]);
    const kept = await admin.run(create('third', '--no-publish'));
    expect([kept.code, kept.err]).toEqual([0, expect.stringContaining('Only this machine has it')]);
    // A laptop that only joined knows the published name, and the nearest of a mistyped one.
    const laptop = new Home();
    await laptop.join(admin, 'operator');
    expect(await laptop.json('status', 'second')).toMatchObject({ agent_id: `${DID}:agents:second`, source: 'mesh' });
    const typo = await laptop.run(['revoke', 'secnod', '--reason', 'leak', '--yes']);
    expect([typo.code, typo.err]).toEqual([3, expect.stringContaining('second@acme.com')]);
    const rotated = await admin.run(['passport', 'rotate', 'second', '--overlap', '0s', '--yes']);
    expect([rotated.code, rotated.out]).toEqual([
      0,
      expect.stringMatching(/key-1 is denied through the mesh\n +applied by 1 of 1 verifier[^]*applied by 1 of 1/),
    ]);
    await served.running.stop();
    const alone = await admin.run(['passport', 'rotate', 'second', '--overlap', '0s', '--yes']);
    expect([alone.code, alone.err]).toEqual([
      5,
      expect.stringMatching(
        /denied on this machine only: .* To deny it everywhere.*: aip revoke ed25519:[0-9a-f]{64} /,
      ),
    ]);
    expect(alone.err).not.toContain('Nothing was changed');
  });

  test('names of members of an older version are said by doctor and status, and stop a publication', async () => {
    const { admin, served, register } = await fleet();
    await register();
    const { key } = await admin.json<{ key: string }>('mesh', 'key', 'create', '--role', 'verifier');
    const stop = new AbortController();
    await fetch(`${served.url}/v1/mesh/stream?verifier=old-1`, {
      headers: { authorization: `Bearer ${key}` },
      signal: stop.signal,
    });
    const look = new Home({ AIP_MESH_KEY: key, AIP_MESH_URL: served.url, AIP_MESH_PUBLIC_KEY: served.mesh_public_key });
    const doctor = await look.run(['doctor', '--json']);
    expect(JSON.parse(doctor.out)).toContainEqual(
      expect.objectContaining({ check: 'mesh', status: 'warning', message: expect.stringContaining('old-1') }),
    );
    expect((await admin.run(['mesh', 'status'])).out).toContain('of an older version, and deaf to passports: old-1');
    const refused = await admin.run(['passport', 'publish', 'bot']);
    expect([refused.code, refused.err]).toEqual([5, expect.stringContaining('old-1')]);
    expect((await admin.run(['passport', 'publish', 'bot', '--force'])).code).toBe(5);
    stop.abort();
  });
});
