/** The red team against the real verifier, and against verifiers that lack one check each. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { OpenThrowaway } from '../../../src/app/policy/cases.js';
import { attacksOnLimits } from '../../../src/app/redteam/attacks-limits.js';
import { exact, limitsOf, ONE } from '../../../src/app/redteam/limits.js';
import { mustNotGoTo } from '../../../src/app/redteam/oracle-destinations.js';
import { attackPassport, type RedteamReport } from '../../../src/app/redteam/report.js';
import type { Dice } from '../../../src/app/redteam/scene.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { CONSTRAINT_CHECKS } from '../../../src/verify/constraints.js';
import { PASSED } from '../../../src/verify/decision.js';
import { WHETHER, WHO } from '../../../src/verify/dialects/native/pipeline.js';
import { throwawayVerifiers } from '../../../src/workspace/verification.js';
import type { World } from '../../../src/workspace/world.js';

let open: OpenThrowaway;
beforeAll(async () => {
  const world = { random: (n: number) => new Uint8Array(randomBytes(n)), ticks: () => 0 } as unknown as World;
  open = await throwawayVerifiers({ world });
});

const closed = (properties: Record<string, string>, required = Object.keys(properties)): JsonObject => ({
  ...{ type: 'object', required, additionalProperties: false },
  properties: Object.fromEntries(Object.entries(properties).map(([name, type]) => [name, { type }])),
});
const PASSPORT_ACTIONS: JsonObject[] = [
  {
    name: 'issue_refund',
    params: closed({ amount: 'number', ticket: 'string', currency: 'string' }, ['amount', 'ticket']),
  },
  { name: 'send_email', params: closed({ to: 'string', subject: 'string' }, ['to']) },
  { name: 'place_order', params: closed({ symbol: 'string', quantity: 'integer', env: 'string', region: 'string' }) },
];
const PASSPORT: JsonObject = {
  ...{ version: 1, serial: 3, agent_id: 'did:web:acme.com:agents:bot', agent_name: 'bot', domain: 'acme.com' },
  ...{ principal: 'did:web:acme.com', key_id: 'did:web:acme.com:agents:bot#key-1' },
  public_key: 'ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
  actions: PASSPORT_ACTIONS,
  denied_actions: ['drop_table'],
  constraints: {
    ...{ monetary_limit: 100, daily_limit: 250, currency: 'USD', allowed_domains: ['acme.com'], rate_limit: '10/hour' },
    ...{ max_orders_per_hour: 3, allowed_symbols: ['AAPL', 'MSFT'], denied_regions: ['mars'], max_quantity: 50 },
    ...{
      min_quantity: 2,
      require_ticket: true,
      require_approval: { environments: ['production'] },
      geo_restriction: ['DE'],
    },
    time_window: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00', tz: 'UTC' },
  },
  ...{ issued_at: '2026-02-18T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
};

const attack = (passport: JsonObject, runs: number, seed = 1, untilThrough = false): Promise<RedteamReport> =>
  attackPassport(passport, { seed, runs, named: 'bot.json', untilThrough }, open, () => Promise.resolve());
const reached = ({ constraints }: RedteamReport): string[] => constraints.map(({ constraint }) => constraint).sort();

describe('the verifier as it is', () => {
  test('stops every attack on a passport that leaves nothing open, and every part is attacked', async () => {
    const report = await attack(PASSPORT, 1300);
    expect(report.constraints.flatMap(({ examples }) => examples)).toEqual([]);
    expect(report).toMatchObject({ attacks: 1300, stopped: 1300, through: 0 });
    expect(report.honest.every(({ accepted }) => accepted)).toBe(true);
    expect(reached(report)).toEqual(
      [
        ...Object.keys(PASSPORT['constraints'] as object),
        ...[
          'action',
          'format',
          'hooks',
          'nonce',
          'params',
          'passport',
          'revocation',
          'signature',
          'timestamp',
          'trust',
        ],
      ].sort(),
    );
    const codes = new Set(report.constraints.flatMap(({ stopped }) => Object.keys(stopped)));
    const expected =
      '100 101 102 103 104 201 202 203 204 205 206 207 208 209 211 212 213 214 301 302 303 304 401 402 403 404 405 406';
    expect([...codes]).toEqual(expect.arrayContaining(expected.split(' ').map((code) => `AIP-E${code}`)));
  });
  test('a denied number sent as text, and a denied text sent as number, are tried and stopped', async () => {
    const limits = { denied_ports: [22, '443'] };
    const report = await attack({ ...PASSPORT, actions: ['connect'], constraints: limits }, 300);
    expect(report.constraints.flatMap(({ examples }) => examples)).toEqual([]);
    expect(report.constraints.find(({ constraint }) => constraint === 'denied_ports')!.stopped).toHaveProperty(
      'AIP-E206',
    );
  });
  test.each(['currency', 'ccy', 'currency_code'])('an action that must say its %s is attacked', async (name) => {
    const choice = { type: 'string', enum: ['USD', 'EUR'] };
    for (const says of [choice, { type: 'string' }]) {
      const params = { ...closed({ amount: 'number' }), required: ['amount', name] };
      const properties = { amount: { type: 'number' }, [name]: says };
      const actions = [{ name: 'pay', params: { ...params, properties } }];
      const report = await attack({ ...PASSPORT, actions, constraints: { monetary_limit: 100, currency: 'EUR' } }, 200);
      expect(reached(report)).toContain('monetary_limit');
    }
  });
  test('an action that takes its amount as a text of decimals is attacked', async () => {
    const params = closed({ price: 'string' });
    const properties = { price: { type: 'string', pattern: '^[0-9]+\\.[0-9]{2}$' } };
    const actions = [{ name: 'pay', params: { ...params, properties } }];
    const report = await attack({ ...PASSPORT, actions, constraints: { monetary_limit: 100 } }, 100);
    expect(report.honest).toEqual([{ action: 'pay', accepted: true, code: null }]);
    expect(reached(report)).toContain('monetary_limit');
  });
  test('the same seed gives the same answer, another one other values', async () => {
    const [one, again, other] = [
      await attack(PASSPORT, 100, 7),
      await attack(PASSPORT, 100, 7),
      await attack(PASSPORT, 100, 8),
    ];
    expect(again).toEqual(one);
    expect(other.seed).not.toBe(one.seed);
  });
});

describe('what a passport leaves open', () => {
  const { constraints: _, ...rest } = PASSPORT;
  const limits = { monetary_limit: 100, allowed_domains: ['acme.com'] };
  test.each<[string, JsonObject, string[]]>([
    ['no schema', { actions: ['issue_refund'] }, ['left out', 'under an invented name']],
    [
      'a schema that takes more than it declares',
      {
        actions: [
          {
            name: 'pay',
            params: {
              type: 'object',
              required: ['amount', 'to'],
              properties: { amount: { type: 'number' }, to: { type: 'string' } },
            },
          },
        ],
      },
      ['under an invented name'],
    ],
    [
      'a schema that makes nothing mandatory',
      { actions: [{ name: 'pay', params: closed({ amount: 'number', to: 'string' }, []) }] },
      ['left out'],
    ],
    ['nothing', { actions: [{ name: 'pay', params: closed({ amount: 'number', to: 'string' }) }] }, []],
  ])('%s', async (_name, actions, kinds) => {
    const report = await attack({ ...rest, ...actions, constraints: limits }, 250);
    const through = report.constraints.flatMap(({ examples }) => examples);
    expect([...new Set(through.map(({ kind }) => kind))].sort()).toEqual(kinds);
    for (const { line, why, ...each } of through) {
      expect([why === null, (line as JsonObject)['name']]).toEqual([false, each.action]);
      expect(each.case).toMatchObject({ passport: 'bot.json', expect: 'AIP-E211' });
    }
    // The line closes it.
    const lines = through.map(({ line }) => line as JsonObject);
    if (lines.length > 0)
      expect(await attack({ ...rest, actions: [lines.at(-1)!], constraints: limits }, 250)).toMatchObject({
        through: 0,
      });
  });
});

describe('a verifier that lacks', () => {
  const undo: (() => void)[] = [];
  afterEach(() => undo.splice(0).forEach((each) => each()));
  const replaced = <T extends object, K extends keyof T>(of: T, name: K, by: T[K]): void => {
    const own = of[name];
    undo.push(() => void (of[name] = own));
    of[name] = by;
  };
  const steps = [...WHO, ...WHETHER];
  test.each(steps.map(({ name }) => name))('the step %s is found', async (name) => {
    const step = steps.find((each) => each.name === name)! as unknown as { run: () => typeof PASSED };
    replaced(step, 'run', () => PASSED);
    const small = { ...PASSPORT, actions: [PASSPORT_ACTIONS[0]!], constraints: { monetary_limit: 100 } };
    expect((await attack(small, 4000, 1, true)).through).toBe(1);
  });
  // `given` is written by no passport.
  const kinds = (Object.keys(CONSTRAINT_CHECKS) as (keyof typeof CONSTRAINT_CHECKS)[]).filter(
    (kind) => kind !== 'given',
  );
  test.each(kinds)('the constraint %s is found', async (kind) => {
    const checks = CONSTRAINT_CHECKS as unknown as Record<string, () => []>;
    replaced(checks, kind, () => []);
    expect((await attack(PASSPORT, 4000, 1, true)).through).toBe(1);
  });
});

describe('the oracle reads by itself', () => {
  const limits = { monetary_limit: 100, currency: 'USD', allowed_domains: ['acme.com'] };
  const honest = { action: { name: 'pay', schema: null }, params: { amount: 1, to: 'a@acme.com' } };
  const tried = attacksOnLimits({ ...honest, limits: limitsOf({ constraints: limits }) }, {
    number: (below) => below - 1,
  } as Dice);
  const paramsOf = (start: string): JsonObject[] =>
    tried.filter(({ kind }) => kind.startsWith(start)).map(({ sent }) => sent.intent.params as JsonObject);

  test('amounts with codes and signs of a currency', () => {
    const prices = paramsOf('written ').map(({ price }) => price!);
    expect(prices).toEqual(['USD 100.01', '100.01 USD', 'USD100.01', 'USD $100.01', '100.01$']);
    expect(prices.filter((price) => (exact(price) ?? 0n) <= 100n * ONE)).toEqual([]);
  });

  test('addresses with a comment, a group, a name or a separator around them', () => {
    const goes = ({ note }: JsonObject): boolean => mustNotGoTo({ note: note! }, undefined, ['acme.com'], null);
    const sent = paramsOf('under any name: ');
    expect(sent).toHaveLength(5);
    expect(sent.filter((each) => !goes(each))).toEqual([]);
    const fair = sent.map(({ note }) => ({ note: String(note).replace('evil.example', 'acme.com') }));
    expect(fair.slice(0, 4).filter(goes)).toEqual([]);
  });
});

test('nothing that judges in the red team is of the verifier', () => {
  const folder = fileURLToPath(new URL('../../../src/app/redteam/', import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(15);
  for (const file of files) {
    if (file === 'run.ts' || file === 'report.ts') continue;
    const imports = [...readFileSync(join(folder, file), 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, path]) =>
      join(folder, file, '..', path!),
    );
    const values = join(folder, '../../protocol/json/values.js');
    const foreign = imports.filter((path) => !path.startsWith(folder) && path !== values);
    expect([file, foreign]).toEqual([file, []]);
  }
});
