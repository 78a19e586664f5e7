import { existsSync, mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GUIDE_FLAGS, household, inFiles, type Household } from '../../kit/native/household.js';
import { stored } from '../../kit/native/standing.js';

describe('makes nothing of what it cannot use', () => {
  const cases: readonly [string, readonly string[], number, string][] = [
    ['a name in capitals', ['Bot', '--domain', 'acme.com', '-a', 'x'], 2, 'USAGE'],
    ['a name with a slash', ['../bot', '--domain', 'acme.com', '-a', 'x'], 2, 'USAGE'],
    ['a name of 64 letters', ['b'.repeat(64), '--domain', 'acme.com', '-a', 'x'], 2, 'USAGE'],
    ['a domain in capitals', ['b', '--domain', 'ACME.com', '-a', 'x'], 2, 'USAGE'],
    ['a URL as domain', ['b', '--domain', 'https://acme.com', '-a', 'x'], 2, 'USAGE'],
    ['a wildcard action', ['b', '--domain', 'acme.com', '-a', '*'], 2, 'USAGE'],
    ['an action given twice', ['b', '--domain', 'acme.com', '-a', 'x', '-a', 'x'], 2, 'USAGE'],
    ['an unknown constraint', ['b', '--domain', 'acme.com', '-a', 'x', '--constraint', 'foo=1'], 2, 'USAGE'],
    ['a misspelt limit', ['b', '--domain', 'acme.com', '-a', 'x', '--monetary-limit', '1,000'], 2, 'USAGE'],
    ['a negative limit', ['b', '--domain', 'acme.com', '-a', 'x', '--monetary-limit', '-1'], 2, 'USAGE'],
    ['a limit finer than a cent', ['b', '--domain', 'acme.com', '-a', 'x', '--monetary-limit', '0.001'], 2, 'USAGE'],
    ['a currency that is none', ['b', '--domain', 'acme.com', '-a', 'x', '--currency', 'XXZ'], 2, 'USAGE'],
    ['a domain that is none', ['b', '--domain', 'acme.com', '-a', 'x', '--allowed-domain', 'a b'], 2, 'USAGE'],
    ['a rate that is none', ['b', '--domain', 'acme.com', '-a', 'x', '--rate-limit', '10/week'], 2, 'USAGE'],
    ['a constraint without a value', ['b', '--domain', 'acme.com', '-a', 'x', '--constraint', 'x'], 2, 'USAGE'],
    [
      'a constraint given twice',
      ['b', '--domain', 'acme.com', '-a', 'x', '--metadata', 'a=1', '--metadata', 'a=2'],
      2,
      'USAGE',
    ],
    [
      'a constraint given twice, once by its own flag',
      ['b', '--domain', 'acme.com', '-a', 'x', '--monetary-limit', '6', '--constraint', 'monetary_limit=5'],
      2,
      'USAGE',
    ],
    ['JSON that is none', ['b', '--domain', 'acme.com', '-a', 'x', '--constraint', 'x-a:={'], 2, 'USAGE'],
    ['no time at all', ['b', '--domain', 'acme.com', '-a', 'x', '--expires', '0s'], 2, 'USAGE'],
    ['a time without a unit', ['b', '--domain', 'acme.com', '-a', 'x', '--expires', '90'], 2, 'USAGE'],
    ['a template that is not there', ['b', '--from', 'nowhere.json'], 3, 'NOT_FOUND'],
    ['an unknown key store', ['b', '--domain', 'acme.com', '-a', 'x', '--key-store', 'cloud'], 2, 'USAGE'],
    ['the environment without a file', ['b', '--domain', 'acme.com', '-a', 'x', '--key-store', 'env'], 2, 'USAGE'],
    ['a key as an argument', ['b', '--domain', 'acme.com', '-a', 'x', '--private-key', 'ed25519:00'], 2, 'USAGE'],
  ];

  test.each(cases)('%s', async (_, args, exit, code) => {
    const machine = household();
    const flags = args.includes('--key-store') ? [] : inFiles(machine);
    const failure = await machine.failure('passport', 'create', ...args, ...flags);
    expect(failure).toMatchObject({ code, exit_code: exit });
    expect(failure.message).toMatch(/^[^\n]+$/);
    expect(existsSync(machine.at('.env'))).toBe(false);
    expect(existsSync(machine.at('b.passport.json'))).toBe(false);
    if (existsSync(machine.state)) expect(stored(machine.state)).toMatchObject({ passports: 0, pins: 0 });
  });

  test('and names the code that a verifier would refuse it with', async () => {
    const machine = household();
    const flags = ['--domain', 'acme.com', '-a', 'x', '--constraint', 'foo=1', ...inFiles(machine)];
    expect((await machine.failure('passport', 'create', 'b', ...flags)).message).toContain(
      '(AIP-E103): constraint "foo"',
    );
  });

  test.each([
    ['not JSON', '{', 3],
    ['empty', '', 3],
    ['a list', '[]', 2],
    ['an unknown member', '{"name":"b","admin":true}', 2],
    ['actions that are no list', '{"name":"b","domain":"acme.com","actions":"all"}', 2],
    ['an action that is a number', '{"name":"b","domain":"acme.com","actions":[1]}', 2],
    ['denials that are no list', '{"name":"b","domain":"acme.com","actions":["x"],"denied_actions":"y"}', 2],
    ['a denial that is an object', '{"name":"b","domain":"acme.com","actions":["x"],"denied_actions":[{}]}', 2],
    ['constraints that are a list', '{"name":"b","domain":"acme.com","actions":["x"],"constraints":[]}', 2],
    ['metadata that is a text', '{"name":"b","domain":"acme.com","actions":["x"],"metadata":"x"}', 2],
    ['a name that is a number', '{"name":7,"domain":"acme.com","actions":["x"]}', 2],
    ['a domain that is a number', '{"name":"b","domain":7,"actions":["x"]}', 2],
    [
      'a schema with a misspelt word',
      '{"name":"b","domain":"acme.com","actions":[{"name":"x","params":{"maximun":1}}]}',
      2,
    ],
    ['a schema that is a text', '{"name":"b","domain":"acme.com","actions":[{"name":"x","params":"any"}]}', 2],
    [
      'a schema of another place',
      '{"name":"b","domain":"acme.com","actions":[{"name":"x","params":{"$ref":"https://evil.com/s"}}]}',
      2,
    ],
    [
      'a pattern that never ends',
      '{"name":"b","domain":"acme.com","actions":[{"name":"x","params":{"properties":{"a":{"pattern":"("}}}}]}',
      2,
    ],
    ['an action declared twice', '{"name":"b","domain":"acme.com","actions":["x",{"name":"x"}]}', 2],
    ['a member given twice', '{"name":"b","name":"c"}', 3],
    ['too much', `{"name":"b","metadata":{"a":"${'a'.repeat(70_000)}"}}`, 3],
    ['too deep', `{"name":"b","metadata":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`, 3],
  ])('a template with %s', async (_, text, exit) => {
    const machine = household();
    const { code, out, err } = await machine.run(
      'passport',
      'create',
      '--from',
      machine.file('t.json', text),
      ...inFiles(machine),
    );
    expect([code, out]).toEqual([exit, '']);
    expect(err).toMatch(/^error: [^\n]+ \[[A-Z_]+\]$/m);
    expect(existsSync(machine.at('.env'))).toBe(false);
  });

  test.each([
    ['monetary_limt', ' (did you mean monetary_limit?)'],
    ['rate-limit', ' (did you mean rate_limit?)'],
    ['spread', ''],
  ])('a constraint %s, and names the one that is near it', async (name, meant) => {
    const flags = ['--domain', 'acme.com', '-a', 'x', '--constraint', `${name}:=1`];
    const { err } = await household().run('passport', 'create', 'b', ...flags);
    expect(err).toContain(`"${name}": is not a constraint that this version knows${meant}; it is 1.`);
  });

  test('a passport that fits into a document on one line, and not as it would be written', async () => {
    const machine = household();
    const actions = Array.from({ length: 256 }, (_, i) => ({ name: `a${i}`, params: { title: 't'.repeat(300) } }));
    const template = machine.file(
      'big.json',
      JSON.stringify({ name: 'b', domain: 'acme.com', actions: actions.slice(0, 175) }),
    );
    const { code, err } = await machine.run('passport', 'create', '--from', template, ...inFiles(machine));
    expect(code).toBe(2);
    expect(err).not.toContain('bug');
  });
});

const made = (machine: Household, ...more: string[]) =>
  machine.run('passport', 'create', 'support-agent-v1', ...GUIDE_FLAGS, ...inFiles(machine), ...more);

test('a folder that --force would replace is told before anything is in force', async () => {
  const machine = household();
  mkdirSync(machine.at('folder'));
  expect((await made(machine, '--out', machine.at('folder'), '--force')).code).toBe(3);
  expect(stored(machine.state)).toMatchObject({ passports: 0 });
  expect((await made(machine)).code).toBe(0);
});

test.skipIf(!existsSync('/dev/full'))(
  'of a passport that its device did not take is said that it is in force',
  async () => {
    const machine = household();
    const { code, err } = await made(machine, '--out', '/dev/full');
    expect(code).not.toBe(0);
    expect(err).toContain('The passport is in force all the same.');
    expect(err).toContain('aip passport show support-agent-v1 --json');
    expect(stored(machine.state)).toMatchObject({ passports: 1 });
  },
);
