/** The policy commands take passports that this machine knows by their names, as all other commands do. */
import { expect, test } from 'vitest';
import type { RedteamReport } from '../../../src/app/redteam/report.js';
import { household } from '../../kit/native/household.js';

test('redteam, policy replay and policy diff, and a file that has the name of nothing known', async () => {
  const home = household();
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'refund', '--monetary-limit', '100'];
  const made = await home.run(...create, '--key-store', 'file', '--out', home.at('bot.json'));
  expect(made.code, made.err).toBe(0);
  const found = await home.json<RedteamReport>('redteam', '-p', 'bot', '--runs', '60');
  expect([found.code, found.value.agent_id]).toEqual([15, 'did:web:acme.com:agents:bot']);
  // A case is run from wherever it is kept.
  const cases = found.value.constraints.flatMap(({ examples }) => examples.map((each) => each.case));
  expect((await home.run('policy', 'test', home.file('cases.json', JSON.stringify(cases)))).code).toBe(15);
  const own = { name: 'own', intent: { action: 'refund', params: { amount: 500 } }, expect: 'AIP-E202' };
  const ownCase = home.file('own.json', JSON.stringify(own));
  expect((await home.run('policy', 'test', ownCase, '-p', 'bot')).code).toBe(0);
  const replay = await home.json<{ agent_id: string }>('policy', 'replay', '-p', 'did:web:acme.com:agents:bot');
  expect([replay.code, replay.value.agent_id]).toEqual([0, 'did:web:acme.com:agents:bot']);
  expect(await home.run('policy', 'diff', 'bot', home.at('bot.json'))).toMatchObject({
    code: 0,
    out: 'they allow the same\n',
  });
  // Drafts, as `mcp init` and `passport request` write them.
  const draft = { actions: ['refund', 'ship'], constraints: { monetary_limit: 100 } };
  const request = { ...draft, type: 'passport-request', version: 1, agent_id: 'did:web:acme.com:agents:bot' };
  for (const [name, json] of Object.entries({ draft, request })) {
    const path = home.file(`${name}.json`, JSON.stringify(json));
    const diff = await home.json<{ differences: { path: string }[] }>('policy', 'diff', 'bot', path);
    expect([diff.code, diff.value.differences.map((each) => each.path)]).toEqual([
      0,
      ['actions.ship', 'constraints.currency'],
    ]);
    expect((await home.json<RedteamReport>('redteam', '-p', path, '--runs', '20')).value.agent_id).toContain(
      'example.com',
    );
  }
  for (const command of [
    ['redteam', '-p', 'nobody'],
    ['policy', 'replay', '-p', 'nobody'],
    ['policy', 'diff', 'bot', 'nobody'],
    ['policy', 'test', ownCase, '-p', 'nobody'],
  ])
    expect(await home.run(...command)).toMatchObject({ code: 3, err: expect.stringContaining('nobody') as string });
});
