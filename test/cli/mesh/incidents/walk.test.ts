/** The incidents of the runbook on two machines and a laptop that only joined: every sentence that is printed is true on each of them. */
import { describe, expect, test } from 'vitest';
import { Home, type Running, type Said } from '../../../kit/mesh/homes.js';

const SLOW = 180_000;
const DID = 'did:web:acme.com';
const BOT = `${DID}:agents:bot`;

interface Fleet {
  /** Serves the mesh, and signs passports. */
  readonly issuer: Home;
  readonly server: Running;
  /** Verifies, and follows as `us-1`. */
  readonly verifier: Home;
  readonly follower: Running;
  /** Joined as an operator, and knows nothing else. */
  readonly laptop: Home;
}

async function fleet(): Promise<Fleet> {
  const [issuer, verifier, laptop] = [new Home(), new Home(), new Home()];
  const { running } = await issuer.serve();
  await issuer.agent('bot', 'file');
  const [{ public_key }] = await issuer.json<[{ public_key: string }]>('principal', 'list');
  await issuer.json('mesh', 'principal', 'add', DID, '--public-key', public_key);
  await issuer.json('passport', 'publish', 'bot');
  await verifier.json('principal', 'add', DID, '--public-key', public_key, '--yes');
  await verifier.join(issuer);
  await laptop.join(issuer, 'operator');
  // Confirmations are waited for, however busy this machine is.
  for (const home of [issuer, laptop]) home.set('mesh', { max_propagation_time_ms: 20_000 });
  const follower = verifier.start(['mesh', 'follow', '--json', '--label', 'us-1']);
  await follower.notes(/live with/);
  return { issuer, server: running, verifier, follower, laptop };
}

/** Asks until the answer is good, and gives the last one: what another process does next is waited for. */
async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
  for (const end = Date.now() + 20_000; ;) {
    const answer = await ask();
    if (good(answer) || Date.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const absent = (mesh: Home): Promise<number> =>
  until(
    async () => (await mesh.json<{ absent: unknown[] }>('mesh', 'status')).absent.length,
    (count) => count === 1,
  );

const told = ({ code, out }: Said): [number | null, string] => [code, out];

describe('an incident, walked through', { timeout: SLOW }, () => {
  test('a leak: a typo names the nearest, a key is stopped by its id, and all three say the same', async () => {
    const { issuer, verifier, laptop } = await fleet();
    const mistyped = await laptop.run(['revoke', 'bto', '--reason', 'leak', '--yes']);
    expect([mistyped.code, mistyped.err]).toEqual([3, expect.stringContaining('did you mean bot@acme.com?')]);
    // A list that is empty on the laptop is not pointed at.
    expect(mistyped.err).not.toContain('aip passport list');
    const strange = await laptop.run(['revoke', `${DID}:agents:bto`, '--reason', 'leak', '--yes']);
    expect([strange.code, strange.err]).toEqual([3, expect.stringContaining(`near it: ${BOT}`)]);

    const stopped = await laptop.run(['revoke', `${BOT}#key-1`, '--reason', 'leak', '--yes']);
    expect(told(stopped)).toEqual([
      0,
      expect.stringMatching(/^REVOKED ed25519:[0-9a-f]{64} \(.*#key-1\)\n.*applied by 1 of 1 verifier/s),
    ]);
    const key = /ed25519:[0-9a-f]{64}/.exec(stopped.out)![0];
    const intent = await issuer.intent();
    expect(await verifier.verify(intent)).toMatchObject({ code: 13, error_code: 'AIP-E406' });
    for (const home of [issuer, verifier, laptop]) {
      expect(await home.json('status', `${BOT}#key-1`)).toMatchObject({ status: 'revoked', denied_by: key });
      const { stopped: list } = await home.json<{ stopped: { subject: string }[] }>('status');
      expect(list.map(({ subject }) => subject)).toEqual([key, `${DID}:agents:bto`]);
    }

    // Lifted by an admin: the laptop, which has not heard of it, does not call for a second revocation.
    const forbidden = await laptop.run(['reinstate', `${DID}:agents:bto`, '--yes']);
    expect([forbidden.code, forbidden.err]).toEqual([4, expect.not.stringContaining('--local')]);
    await issuer.json('reinstate', `${DID}:agents:bto`, '--yes');
    const { stopped: left } = await laptop.json<{ stopped: { subject: string; repair: string | null }[] }>('status');
    expect(left.find(({ subject }) => subject.endsWith('bto'))?.repair ?? 'aip mesh follow').toBe('aip mesh follow');

    // A verifier whose own key is stopped goes on listening, and its word counts for nothing.
    const { verifiers } = await issuer.json<{ verifiers: { verifier: string }[] }>('mesh', 'status');
    issuer.set('mesh', { max_propagation_time_ms: 100 });
    const denied = await issuer.run(['revoke', verifiers[0]!.verifier, '--reason', 'stolen', '--yes', '--unseen']);
    expect(told(denied)).toEqual([5, expect.stringContaining('applied by 0 of 1 verifier')]);
    expect((await issuer.run(['mesh', 'status'])).out).toContain('stream, its key is stopped');
  });

  test('a rotation and a narrowed limit hold on the other machine; without the mesh, what is said is said of one', async () => {
    const { issuer, verifier, server } = await fleet();
    const before = await issuer.intent();
    const rotated = await issuer.run(['passport', 'rotate', 'bot', '--overlap', '0s', '--yes']);
    expect(told(rotated)).toEqual([
      0,
      expect.stringMatching(/denied through the mesh\n +applied by 1 of 1 verifier[^]*in force as event/),
    ]);
    expect((await verifier.verify(before)).code).toBeGreaterThanOrEqual(10);
    const fresh = await until(
      () => issuer.intent().then((intent) => verifier.verify(intent)),
      ({ success }) => success,
    );
    expect(fresh).toMatchObject({ success: true });

    await server.stop();
    const alone = await issuer.run(['passport', 'renew', 'bot', '--expires', '20d', '--yes']);
    expect([alone.code, alone.err]).toEqual([
      5,
      expect.stringContaining(`once that is mended, on this machine: aip passport publish ${BOT}`),
    ]);
    expect(alone.err).toContain('Only this machine has it');
    expect(alone.err).not.toContain('Nothing was changed');
    expect((await issuer.run(['doctor'])).out.match(/nothing listens there/g)).toHaveLength(1);
    const again = await issuer.serve();
    issuer.set('mesh', { url: again.url });
    // What the mesh has is older, and takes nothing from this machine.
    await issuer.run(['intent', 'verify', await issuer.intent(), '--dry-run']);
    // The follower looks for the mesh at its old address.
    const late = await issuer.run(['passport', 'publish', 'bot', '--json']);
    expect([late.code, JSON.parse(late.out)]).toEqual([5, expect.objectContaining({ serial: 3, changed: true })]);
  });

  test('a dead verifier is missed by every command; one that leaves is not, and its follower ends', async () => {
    const { issuer, verifier, laptop, follower } = await fleet();
    await follower.stop('SIGKILL');
    expect(await absent(issuer)).toBe(1);
    const revoked = await laptop.run(['revoke', 'bot', '--reason', 'odd', '--yes']);
    expect(told(revoked)).toEqual([5, expect.stringContaining('applied by 0 of 1 verifier; us-1 absent since')]);
    expect([revoked.out, revoked.err]).toEqual([
      expect.stringContaining('(last-known: may still accept)'),
      expect.stringContaining('has not confirmed in time and may still accept'),
    ]);
    const lifted = await issuer.run(['reinstate', 'bot', '--yes']);
    expect([lifted.code, lifted.out, lifted.err]).toEqual([
      5,
      expect.stringContaining('us-1 absent since'),
      expect.stringContaining('may go on refusing until it hears of it'),
    ]);
    expect(lifted.out + lifted.err).not.toContain('may still accept');
    expect((await issuer.run(['mesh', 'drill', '--json'])).code).toBe(15);
    expect((await issuer.run(['doctor'])).out).toContain('On the roster, and not listening: us-1.');

    const second = verifier.start(['mesh', 'follow', '--json', '--label', 'us-1']);
    await second.notes(/live with/);
    expect((await verifier.run(['mesh', 'leave', '--yes'])).code).toBe(0);
    const ended = await second.ended;
    expect([ended.code, ended.err]).toEqual([0, expect.stringContaining('This machine has left the mesh')]);
    expect(told(await issuer.run(['revoke', 'bot', '--reason', 'odd', '--yes']))).toEqual([
      0,
      expect.stringContaining('no verifier listens now'),
    ]);
  });
});
