/** What the server says of agents, as its own config has it. */
import { expect, test } from 'vitest';
import { Home } from '../../kit/mesh/homes.js';

test('the dashboard computes scores as the config of the server says', { timeout: 120_000 }, async () => {
  const admin = new Home();
  admin.set('trust', { initial_score: 0.9, success_increment: 0 });
  const { url } = await admin.serve();
  const verifier = new Home();
  const agent = await verifier.agent();
  const { key } = await verifier.join(admin);
  await verifier.follow();
  expect((await verifier.verify(await verifier.intent())).success).toBe(true);

  const ask = async (path: string): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    return (await answer.json()) as Record<string, unknown>;
  };
  expect((await ask('/v1/logs?wait=20s')).entries).toHaveLength(1);
  expect((await ask('/v1/mesh/fleet')).agents).toMatchObject([{ agent_id: agent, trust_score: 0.9 }]);
});
