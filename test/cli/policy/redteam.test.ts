import { expect, test } from 'vitest';
import type { RedteamReport } from '../../../src/app/redteam/report.js';
import { household } from '../../kit/native/household.js';

interface SarifLog {
  readonly runs: readonly { tool: { driver: { rules: unknown[] } }; results: unknown[] }[];
}

const passport = (actions: unknown): string =>
  JSON.stringify({
    ...{ version: 1, serial: 1, agent_id: 'did:web:acme.com:agents:bot', agent_name: 'bot', domain: 'acme.com' },
    ...{ principal: 'did:web:acme.com', key_id: 'did:web:acme.com:agents:bot#key-1' },
    public_key: 'ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
    actions,
    constraints: { monetary_limit: 100 },
    ...{ issued_at: '2026-02-18T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
  });
const CLOSED = [
  {
    name: 'refund',
    params: {
      type: 'object',
      required: ['amount'],
      properties: { amount: { type: 'number' } },
      additionalProperties: false,
    },
  },
];

test('a passport that is closed, and one that is open, with cases that policy test fails on', async () => {
  const home = household();
  const closed = home.file('closed.json', passport(CLOSED));
  const answer = await home.json<RedteamReport>('redteam', '-p', closed, '--runs', '300');
  expect([answer.code, answer.value]).toMatchObject([0, { attacks: 300, stopped: 300, through: 0, seed: 1 }]);
  const open = home.file('open.json', passport(['refund']));
  const found = await home.json<RedteamReport>('redteam', '-p', open, '--runs', '300', '--seed', '3');
  expect(found.code).toBe(15);
  const cases = found.value.constraints.flatMap(({ examples }) => examples.map((each) => each.case));
  expect(cases.length).toBeGreaterThan(0);
  const file = home.file('cases.json', JSON.stringify(cases));
  expect((await home.run('policy', 'test', file)).code).toBe(15);
  // With the line that the report gives, they pass.
  const line = found.value.constraints.flatMap(({ examples }) => examples)[0]!.line;
  home.file('open.json', passport([line]));
  const after = await home.run('policy', 'test', file);
  expect([after.code, after.out]).toMatchObject([0, expect.stringContaining(`${cases.length} of ${cases.length}`)]);
});

test('every format says it, and the same seed gives the same bytes', async () => {
  const home = household();
  const open = home.file('open.json', passport(['refund']));
  for (const format of ['human', 'json', 'junit', 'sarif', 'github']) {
    const one = await home.run('redteam', '-p', open, '--runs', '40', '--format', format);
    const two = await home.run('redteam', '-p', open, '--runs', '40', '--format', format);
    expect([format, one.code, one.out === two.out]).toEqual([format, 15, true]);
    expect(one.out).toContain('monetary_limit');
  }
});

test('reports for CI say what they are of: the command, the finding and its place in the checkout, a finding each', async () => {
  const home = household();
  const open = home.file('open.json', passport(['refund', { name: 'pay', params: { type: 'object' } }]));
  const said = async (format: string) =>
    (await home.run('redteam', '-p', open, '--runs', '300', '--format', format)).out;
  expect(await said('junit')).toContain('<testsuite name="aip redteam" ');
  expect(await said('github')).toMatch(/^::error file=open\.json,title=GOT_THROUGH::OPEN monetary_limit /);
  const { runs } = JSON.parse(await said('sarif')) as SarifLog;
  expect(runs[0]!.tool.driver.rules).toEqual([
    expect.objectContaining({
      id: 'GOT_THROUGH',
      shortDescription: { text: 'An attack of aip redteam on a limit of this passport was accepted.' },
    }),
  ]);
  expect(runs[0]!.results).toEqual([
    expect.objectContaining({
      ruleId: 'GOT_THROUGH',
      ruleIndex: 0,
      locations: [{ physicalLocation: { artifactLocation: { uri: 'open.json' }, region: { startLine: 1 } } }],
      partialFingerprints: { 'findingAndPlace/v1': 'open.json:monetary_limit:GOT_THROUGH' },
      properties: { agent_id: 'did:web:acme.com:agents:bot', action: 'monetary_limit' },
    }),
  ]);
});

test('wrong flags end with 2, and a passport that is none or allows nothing with 3', async () => {
  const home = household();
  expect((await home.run('redteam')).code).toBe(2);
  expect((await home.run('redteam', '-p', 'nobody-here')).code).toBe(3);
  expect((await home.run('redteam', '-p', home.at('none.json'))).code).toBe(3);
  expect((await home.run('redteam', '-p', home.file('x.json', '{"version":1}'))).code).toBe(3);
  expect((await home.run('redteam', '-p', home.file('p.json', passport(CLOSED)), '--runs', '0')).code).toBe(2);
  expect((await home.run('redteam', '-p', home.file('q.json', passport([])))).code).toBe(3);
});
