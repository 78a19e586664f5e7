/** A server that is stopped in the middle (SIGSTOP), and one that comes back with an older store: what verifiers do meanwhile. */
import { describe, expect, test } from 'vitest';
import { Home, type Verdict } from '../../../kit/mesh/homes.js';

const SLOW = 120_000;
const BOT = 'did:web:acme.com:agents:bot';

/** Asks until the answer is good, and gives the last one. */
async function until(ask: () => Promise<Verdict>, good: (verdict: Verdict) => boolean): Promise<Verdict> {
  for (const end = Date.now() + 25_000; ;) {
    const verdict = await ask();
    if (good(verdict) || Date.now() > end) return verdict;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A mesh, and a machine that verifies, refuses by a copy older than 3 s, and follows. */
async function fleet() {
  const [admin, verifier] = [new Home(), new Home()];
  const served = await admin.serve();
  await verifier.agent();
  await verifier.join(admin);
  verifier.set('revocation', { on_stale: 'deny', max_age: '3s' });
  admin.set('mesh', { max_propagation_time_ms: 20_000 });
  const follower = await verifier.follow();
  const judge = async () => verifier.verify(await verifier.intent());
  return { admin, verifier, served, follower, judge };
}

describe('a server', { timeout: SLOW }, () => {
  test('that is frozen proves nothing: its verifiers refuse when their bound has passed, and go on with it afterwards', async () => {
    const { served, judge } = await fleet();
    expect(await until(judge, ({ success }) => success)).toMatchObject({ success: true });
    served.running.child.kill('SIGSTOP');
    try {
      const stale = await until(judge, ({ success }) => !success);
      expect(stale).toMatchObject({ code: 13, error_code: 'AIP-E405' });
      // It stays so, however often it is asked.
      expect(await judge()).toMatchObject({ error_code: 'AIP-E405' });
    } finally {
      served.running.child.kill('SIGCONT');
    }
    expect(await until(judge, ({ success }) => success)).toMatchObject({ success: true });
  });

  test('that comes back with a backup takes no deny from those who knew it, until it is lifted by name', async () => {
    const { admin, served, follower, judge } = await fleet();
    await admin.json('mesh', 'backup', admin.at('mesh.backup'));
    expect(await admin.json('revoke', BOT, '--reason', 'after the backup', '--yes', '--unseen')).toMatchObject({
      propagated_to: 1,
    });
    expect(await judge()).toMatchObject({ error_code: 'AIP-E401' });
    await served.running.stop();
    const { give_again } = await admin.json<{ give_again: string[] }>(
      'mesh',
      'restore',
      admin.at('mesh.backup'),
      '--yes',
    );
    expect(give_again).toEqual([`aip revoke ${BOT} --reason 'after the backup' --yes --unseen`]);
    await admin.serve('--listen', new URL(served.url).host);
    await follower.notes(/mesh_fork/);
    await follower.notes(/live with[^]*live with/);
    expect(follower.err.match(/mesh_fork/g)).toHaveLength(1);
    expect(await admin.json('status', BOT)).toMatchObject({ status: 'active' });
    expect(await judge()).toMatchObject({ error_code: 'AIP-E401' });
    await admin.json('reinstate', BOT, '--yes');
    expect(await until(judge, ({ success }) => success)).toMatchObject({ success: true });
  });
});
