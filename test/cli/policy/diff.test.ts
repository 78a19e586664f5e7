import { expect, test } from 'vitest';
import type { PolicyDifference } from '../../../src/app/policy/diff.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household } from '../../kit/native/household.js';

const CLOSED = {
  type: 'object',
  required: ['amount'],
  properties: { amount: { type: 'number' } },
  additionalProperties: false,
};
const passport = (more: JsonObject): JsonObject => ({
  ...{ version: 1, serial: 1, agent_id: 'did:web:acme.com:agents:bot', agent_name: 'bot', domain: 'acme.com' },
  ...{ principal: 'did:web:acme.com', key_id: 'did:web:acme.com:agents:bot#key-1' },
  public_key: 'ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
  actions: ['refund', 'send_email'],
  constraints: {},
  ...{ issued_at: '2026-02-18T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
  ...more,
});

/** `direction path: old -> new` for each. */
async function between(old: JsonObject, next: JsonObject): Promise<{ lines: string[]; all: PolicyDifference[] }> {
  const home = household();
  const files = [
    home.file('old.json', JSON.stringify(passport(old))),
    home.file('new.json', JSON.stringify(passport(next))),
  ];
  const { code, value } = await home.json<{ differences: PolicyDifference[] }>('policy', 'diff', ...files);
  expect(code).toBe(0);
  const lines = value.differences.map(
    ({ path, direction, example }) => `${direction} ${path}: ${example?.old ?? '-'} -> ${example?.new ?? '-'}`,
  );
  return { lines, all: value.differences };
}

const limits = (constraints: JsonObject): JsonObject => ({ constraints });

test.each<[string, JsonObject, JsonObject, string[]]>([
  [
    'another currency',
    limits({ currency: 'USD', monetary_limit: 100 }),
    limits({ currency: 'JPY', monetary_limit: 100 }),
    ['wider constraints.currency: AIP-E202 -> accept', 'narrower constraints.currency: accept -> AIP-E202'],
  ],
  [
    'another currency where none was named, and the params need not say one',
    { actions: ['refund'], constraints: { monetary_limit: 100 } },
    { actions: ['refund'], constraints: { currency: 'EUR', monetary_limit: 100 } },
    ['wider constraints.currency: AIP-E202 -> accept', 'narrower constraints.currency: accept -> AIP-E202'],
  ],
  [
    'an approval above what the limit allows, which what shows no amount needs too',
    limits({ monetary_limit: 100 }),
    limits({ monetary_limit: 100, require_approval: { above: 1000 } }),
    ['narrower constraints.require_approval: accept -> AIP-E209'],
  ],
  [
    'an environment more that needs a person',
    limits({ require_approval: { environments: ['production'] } }),
    limits({ require_approval: { environments: ['production', 'staging'] } }),
    ['narrower constraints.require_approval: accept -> AIP-E209'],
  ],
  [
    'an environment that needs a person no longer',
    limits({ require_approval: { environments: ['production', 'staging'] } }),
    limits({ require_approval: { environments: ['production'] } }),
    ['wider constraints.require_approval: AIP-E209 -> accept'],
  ],
  ['nothing', limits({ monetary_limit: 5 }), limits({ monetary_limit: 5 }), []],
  ['what allows nothing', {}, { serial: 9, metadata: { team: 'a' }, constraints: { 'x-note': 1 } }, []],
  [
    'a limit that is raised',
    limits({ monetary_limit: 100 }),
    limits({ monetary_limit: 500 }),
    ['wider constraints.monetary_limit: AIP-E202 -> accept'],
  ],
  [
    'a limit that is lowered',
    limits({ monetary_limit: 100 }),
    limits({ monetary_limit: 50 }),
    ['narrower constraints.monetary_limit: accept -> AIP-E202'],
  ],
  [
    'a limit that is new',
    {},
    limits({ monetary_limit: 50 }),
    ['narrower constraints.monetary_limit: accept -> AIP-E202'],
  ],
  ['a limit that is gone', limits({ max_instances: 5 }), {}, ['wider constraints.max_instances: AIP-E207 -> accept']],
  [
    'a domain',
    limits({ allowed_domains: ['acme.com'] }),
    limits({ allowed_domains: ['acme.com', 'partner.example'] }),
    ['wider constraints.allowed_domains: AIP-E203 -> accept'],
  ],
  [
    'one value for another',
    limits({ allowed_symbols: ['AAPL'] }),
    limits({ allowed_symbols: ['MSFT'] }),
    [
      'wider constraints.allowed_symbols: AIP-E204 -> accept',
      'narrower constraints.allowed_symbols: accept -> AIP-E204',
    ],
  ],
  [
    'a denied value',
    limits({ denied_regions: ['mars'] }),
    limits({ denied_regions: ['mars', 'moon'] }),
    ['narrower constraints.denied_regions: accept -> AIP-E206'],
  ],
  [
    'a rate',
    limits({ rate_limit: '5/hour' }),
    limits({ rate_limit: '2/hour' }),
    ['narrower constraints.rate_limit: accept -> AIP-E205'],
  ],
  [
    'a daily sum',
    limits({ daily_limit: 100 }),
    limits({ daily_limit: 300 }),
    ['wider constraints.daily_limit: AIP-E212 -> accept'],
  ],
  [
    'a daily sum that a rate lets nobody reach at once',
    limits({ rate_limit: '2/hour', monetary_limit: 100 }),
    limits({ rate_limit: '2/hour', monetary_limit: 100, daily_limit: 500 }),
    ['narrower constraints.daily_limit: accept -> AIP-E212'],
  ],
  [
    'a rate, and a param that has to be there no longer',
    limits({ max_refunds_per_hour: 10, require_ticket: true }),
    limits({ max_refunds_per_hour: 5 }),
    [
      'narrower constraints.max_refunds_per_hour: accept -> AIP-E205',
      'wider constraints.require_ticket: AIP-E208 -> accept',
    ],
  ],
  ['a person', {}, limits({ require_approval: true }), ['narrower constraints.require_approval: accept -> AIP-E209']],
  [
    'an hour',
    limits({ time_window: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00', tz: 'UTC' } }),
    limits({ time_window: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '16:00', tz: 'UTC' } }),
    ['wider constraints.time_window: AIP-E213 -> accept', 'narrower constraints.time_window: accept -> AIP-E213'],
  ],
  [
    'a country',
    limits({ geo_restriction: ['DE'] }),
    limits({ geo_restriction: ['DE', 'FR'] }),
    ['wider constraints.geo_restriction: AIP-E214 -> accept'],
  ],
  ['an action more', {}, { actions: ['refund', 'send_email', 'deploy'] }, ['wider actions.deploy: AIP-E201 -> accept']],
  ['an action less', {}, { actions: ['refund'] }, ['narrower actions.send_email: accept -> AIP-E201']],
  ['a denied action', {}, { denied_actions: ['refund'] }, ['narrower denied_actions.refund: accept -> AIP-E210']],
  [
    'a schema',
    {},
    { actions: [{ name: 'refund', params: CLOSED }, 'send_email'] },
    ['narrower actions.refund: accept -> AIP-E211'],
  ],
  ['an end', {}, { expires_at: '2026-06-01T00:00:00Z' }, ['narrower expires_at: accept -> AIP-E104']],
  ['the same in other words', limits({ require_approval: true }), limits({ require_approval: { count: 1 } }), []],
  [
    'how long an approval may count',
    limits({ require_approval: true }),
    limits({ require_approval: { ttl: '2h' } }),
    ['changed constraints.require_approval: - -> -'],
  ],
])('%s', async (_, old, next, lines) => {
  expect((await between(old, next)).lines).toEqual(lines);
});

const PEOPLE = Object.fromEntries(
  ['ada', 'bob', 'cat'].map((id, i) => [id, { id, public_key: `ed25519:${String(i + 11).repeat(32)}` }]),
);
const person = (id: string): JsonObject => PEOPLE[id]!;
const asking = (ids: string, more: JsonObject = {}): JsonObject =>
  limits({ require_approval: { approvers: ids.split(' ').map(person), ...more } });

test.each<[string, JsonObject, JsonObject, string[]]>([
  ['one more', asking('ada'), asking('ada bob'), ['wider approvers: bob: AIP-E209 -> accept']],
  ['one less', asking('ada bob'), asking('ada'), ['narrower approvers: bob: accept -> AIP-E209']],
  [
    'one for another',
    asking('ada bob'),
    asking('ada cat'),
    ['wider approvers: cat: AIP-E209 -> accept', 'narrower approvers: bob: accept -> AIP-E209'],
  ],
  [
    'another key of one',
    asking('ada bob'),
    limits({
      require_approval: { approvers: [{ id: 'ada', public_key: `ed25519:${'77'.repeat(32)}` }, person('bob')] },
    }),
    ['wider approvers: ada: AIP-E209 -> accept', 'narrower approvers: ada: accept -> AIP-E209'],
  ],
  ['a second one', asking('ada bob'), asking('ada bob', { count: 2 }), ['narrower count: ada: accept -> AIP-E209']],
  ['one is enough', asking('ada bob', { count: 2 }), asking('ada bob'), ['wider count: ada: AIP-E209 -> accept']],
  [
    'one less, of whom two have to',
    asking('ada bob cat', { count: 2 }),
    asking('ada bob', { count: 2 }),
    ['narrower approvers: cat+ada: accept -> AIP-E209'],
  ],
  [
    'one less, and one is enough then',
    asking('ada bob', { count: 2 }),
    asking('ada'),
    ['wider approvers: ada: AIP-E209 -> accept'],
  ],
  [
    'persons for the principal',
    limits({ require_approval: true }),
    asking('ada'),
    ['wider approvers: ada: AIP-E209 -> accept', 'narrower approvers: did:web:acme.com: accept -> AIP-E209'],
  ],
  [
    'the principal for persons, and in one environment only',
    asking('ada'),
    limits({ require_approval: { environments: ['production'] } }),
    [
      'wider require_approval: nobody: AIP-E209 -> accept',
      'wider approvers: did:web:acme.com: AIP-E209 -> accept',
      'narrower approvers: ada: accept -> AIP-E209',
    ],
  ],
  [
    'one more, and both have to',
    asking('ada'),
    asking('ada bob', { count: 2 }),
    ['narrower approvers: ada: accept -> AIP-E209'],
  ],
  [
    'from an amount on',
    asking('ada'),
    asking('ada', { above: 100 }),
    ['wider require_approval: nobody: AIP-E209 -> accept'],
  ],
  ['persons for nobody', {}, asking('ada'), ['narrower require_approval: nobody: accept -> AIP-E209']],
  ['nobody for persons', asking('ada'), {}, ['wider require_approval: nobody: AIP-E209 -> accept']],
  [
    'in one environment more, and somebody else',
    asking('ada', { environments: ['production'] }),
    asking('bob', { environments: ['production', 'staging'] }),
    [
      'narrower require_approval: nobody: accept -> AIP-E209',
      'wider approvers: bob: AIP-E209 -> accept',
      'narrower approvers: ada: accept -> AIP-E209',
    ],
  ],
])('who approves: %s', async (_, old, next, lines) => {
  const { all } = await between(old, next);
  const told = all.map(({ path, direction, example }) => {
    const by = example?.approved_by?.map(({ id }) => id).join('+') ?? 'any';
    return `${direction} ${path.split('.').at(-1)}: ${by === '' ? 'nobody' : by}: ${example?.old ?? '-'} -> ${example?.new ?? '-'}`;
  });
  expect(told).toEqual(lines);
});

test('an example flips with all changes together where there is one that does', async () => {
  const { all } = await between(
    limits({ monetary_limit: 100, currency: 'USD' }),
    limits({ monetary_limit: 500, currency: 'USD', require_ticket: true }),
  );
  const money = all.find(({ path }) => path === 'constraints.monetary_limit')!;
  expect(money.direction).toBe('wider');
  expect(money.example).toMatchObject({ old: 'AIP-E202', new: 'accept', history: 0 });
});

test('the line says who came and went, and whose word makes the difference', async () => {
  const home = household();
  const line = async (old: JsonObject, next: JsonObject): Promise<string> => {
    const files = [old, next].map((each, i) => home.file(`${i}.json`, JSON.stringify(passport(each))));
    return (await home.run('policy', 'diff', ...files)).out.replace(/ at \S+Z:/g, ':');
  };
  const both = 'constraints.require_approval.approvers  added cat; removed bob';
  expect(await line(asking('ada bob'), asking('ada cat'))).toBe(
    `wider    ${both};  refund {}, approved by cat (ed25519:13131313),: AIP-E209 -> accept\n` +
      `narrower ${both};  refund {}, approved by bob (ed25519:12121212),: accept -> AIP-E209\n`,
  );
  const fewer = await line(asking('ada bob', { count: 2 }), asking('ada'));
  expect(fewer).toContain('approvers  removed bob; count 2 -> 1;  refund {}, approved by ada (');
  expect(await line(limits({ require_approval: true }), asking('ada'))).toContain('the principal -> ada;');
  expect(await line(asking('ada'), {})).toContain('refund {}, approved by nobody,: AIP-E209 -> accept');
});

test('the line says over which time the same came before', async () => {
  const home = household();
  const own = { rate_limit: '2/hour', monetary_limit: 100 };
  const [few, sum] = [limits(own), limits({ ...own, daily_limit: 500 })];
  const files = [few, sum].map((each, i) => home.file(`${i}.json`, JSON.stringify(passport(each))));
  expect((await home.run('policy', 'diff', ...files)).out).toMatch(/ after \d+ of the same within 23 h at /);
});

test('a change far inside a long value is what the line shows', async () => {
  const home = household();
  const schema = (maximum: number): JsonObject => ({
    ...CLOSED,
    description: 'long '.repeat(60),
    properties: { amount: { type: 'number', maximum } },
  });
  const files = [10, 20].map((maximum, i) =>
    home.file(`${i}.json`, JSON.stringify(passport({ actions: [{ name: 'refund', params: schema(maximum) }] }))),
  );
  const { out } = await home.run('policy', 'diff', ...files);
  expect(out).toMatch(/ \.\.\..*"maximum":10.* -> \.\.\..*"maximum":20/);
});

test('a line each, and wrong use', async () => {
  const home = household();
  const old = home.file('old.json', JSON.stringify(passport(limits({ monetary_limit: 100 }))));
  const next = home.file('new.json', JSON.stringify(passport(limits({ monetary_limit: 500 }))));
  const { code, out } = await home.run('policy', 'diff', old, next);
  expect([code, out]).toMatchObject([
    0,
    expect.stringMatching(
      /^wider {4}constraints\.monetary_limit {2}100 -> 500; {2}refund \{"amount":100\.01\} at .*: AIP-E202 -> accept\n$/,
    ),
  ]);
  expect((await home.run('policy', 'diff', old, old)).out).toBe('they allow the same\n');
  expect((await home.run('policy', 'diff', old)).code).toBe(2);
  expect((await home.run('policy', 'diff', old, home.at('none.json'))).code).toBe(3);
  const other = home.file(
    'x.json',
    JSON.stringify(
      passport({ agent_id: 'did:web:acme.com:agents:b', agent_name: 'b', key_id: 'did:web:acme.com:agents:b#key-1' }),
    ),
  );
  expect((await home.run('policy', 'diff', old, other)).code).toBe(2);
});
