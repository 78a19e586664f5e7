import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readPassport } from '../../../src/protocol/passport.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { GUIDE_FLAGS, household, inFiles, type Household } from '../../kit/native/household.js';
import { SUPPORT } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';

const guide = (machine: Household, ...more: string[]) => [
  ...['passport', 'create', 'support-agent-v1', ...GUIDE_FLAGS],
  ...inFiles(machine),
  ...more,
];
const documentIn = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as JsonObject & { constraints: JsonObject };

describe('aip passport create', () => {
  test("makes the guide's agent, and says all that the contract names", async () => {
    const machine = household();
    const { code, value } = await machine.json<JsonObject>(...guide(machine));
    expect(code).toBe(0);
    expect(Object.keys(value)).toEqual([
      'agent_id',
      'key_id',
      'public_key',
      'passport',
      'key_store',
      'key_ref',
      'principal',
      'principal_public_key',
      'warnings',
    ]);
    expect(value).toMatchObject({
      agent_id: SUPPORT,
      key_id: `${SUPPORT}#key-1`,
      passport: 'support-agent-v1.passport.json',
      key_store: 'env',
      principal: 'did:web:acme.com',
    });
    const path = machine.at('support-agent-v1.passport.json');
    expect(documentIn(path)).toMatchObject({
      version: 1,
      agent_id: SUPPORT,
      domain: 'acme.com',
      actions: ['send_email', 'issue_refund'],
      denied_actions: [],
      constraints: {
        monetary_limit: '100.00',
        currency: 'USD',
        allowed_domains: ['acme.com'],
        rate_limit: '10/hour',
      },
      issued_at: '2026-02-18T14:23:45Z',
      expires_at: '2026-05-19T14:23:45Z',
      previous_keys: [],
      issuer_key_id: 'did:web:acme.com#key-1',
    });
    expect(value.public_key).toBe(documentIn(path).public_key);
    expect((await machine.run('passport', 'verify', path)).code).toBe(0);
    expect(stored(machine.state)).toMatchObject({ passports: 1, pins: 1 });
  });

  test('--out - prints the passport and makes no file; rotate does so too', async () => {
    const machine = household();
    const { code, out, err } = await machine.run(...guide(machine, '--out', '-'));
    expect(code, err).toBe(0);
    expect(readPassport(Buffer.from(out)).agent.id).toBe(SUPPORT);
    expect(err).toContain(`created ${SUPPORT}\n`);
    const rotated = await machine.run(
      ...['passport', 'rotate', 'support-agent-v1', '--env-file', machine.at('.env2'), '-o', '-'],
    );
    expect(rotated.code, rotated.err).toBe(0);
    expect(readPassport(Buffer.from(rotated.out)).document.key_id).toBe(`${SUPPORT}#key-2`);
    expect(existsSync(machine.at('-'))).toBe(false);
  });
  test('--out - leaves no place for --json', async () => {
    const machine = household();
    const { code, out, err } = await machine.run(...guide(machine, '--out', '-', '--json'));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Both --json and --out - would write to stdout');
    expect(existsSync(machine.at('.env'))).toBe(false);
  });
  test('keeps private keys private: mode 0600, and not in the passport', async () => {
    const machine = household();
    await machine.run(...guide(machine));
    expect(statSync(machine.at('.env')).mode & 0o777).toBe(0o600);
    const { value } = await machine.json<JsonObject[]>('principal', 'list');
    expect(value[0]).toMatchObject({ principal: 'did:web:acme.com', source: 'created', key_store: 'file' });
  });

  test('says to a person where everything is, and what comes next', async () => {
    const machine = household();
    const { out, err } = await machine.run(...guide(machine));
    expect(out).toMatch(/^created did:web:acme\.com:agents:support-agent-v1\n/);
    for (const label of ['passport', 'public key', 'private key', 'signed by', 'principal key'])
      expect(out).toContain(`\n  ${label.padEnd(13)}  `);
    expect(err).toMatch(
      / and there:\n {2}aip principal add did:web:acme\.com --public-key ed25519:[0-9a-f]{64}\n {2}aip passport import support-agent-v1\.passport\.json\n/,
    );
    expect(err).toMatch(
      /\nnext: aip intent sign --passport support-agent-v1\.passport\.json --action send_email \| aip intent verify -\n$/,
    );
  });

  // What is pasted from here is the first thing that a new user sees decided.
  test.each([
    [
      ['--param', 'send:to:email', '--param', 'send:n:integer'],
      '--action send --param to=someone@acme.com --param n:=1 ',
    ],
    [['--param', 'send:to:url!'], '--action send | '],
    [['--param', 'send:site:url', '--param', 'send:now:boolean'], '--param site=https://acme.com/ --param now:=true'],
    [['--deny', 'send'], null],
  ])('the intent to try first has the params that the passport asks for: %j', async (flags, expected) => {
    const machine = household();
    const make = ['bot', '--domain', 'acme.com', '--key-store', 'file', '--allowed-domain', 'acme.com', '-a', 'send'];
    const { err } = await machine.run('passport', 'create', ...make, ...flags);
    if (expected === null) return expect(err).toMatch(/\nnext: aip passport show bot\.passport\.json\n$/);
    expect(err).toContain(expected);
    const sign = /next: aip (.*) \| aip intent verify -/
      .exec(err)![1]!
      .replace('bot.passport.json', machine.at('bot.passport.json'))
      .split(' ');
    expect(await machine.run(...sign, '-o', machine.at('first.json'))).toMatchObject({ err: '', code: 0 });
    expect((await machine.run('intent', 'verify', machine.at('first.json'))).out).toMatch(/^ok send /);
  });

  test('makes one principal key a domain, and uses it again', async () => {
    const machine = household();
    await machine.run(...guide(machine));
    const second = [
      'passport',
      'create',
      'trader',
      '--domain',
      'acme.com',
      '-a',
      'trade',
      ...inFiles(machine, '.env2'),
    ];
    const { value } = await machine.json<JsonObject>(...second);
    expect(stored(machine.state)).toMatchObject({ passports: 2, pins: 1 });
    expect((await machine.run('passport', 'verify', machine.at(String(value.passport)))).code).toBe(0);
  });

  test('takes every form of constraint, and metadata', async () => {
    const machine = household();
    const flags = [
      ...['--constraint', 'max_orders_per_hour:=5', '--constraint', 'allowed_symbols:=["ACME","GLOBEX"]'],
      ...['--constraint', 'require_approval:={"above":50}', '--constraint', 'geo_restriction:=["US"]'],
      ...['--daily-limit', '1000', '--currency', 'EUR', '--deny', 'wire', '--expires', '90d'],
      ...['--metadata', 'owner=support', '--metadata', 'ticket:=42'],
    ];
    const create = ['passport', 'create', 'trader', '--domain', 'acme.com', '-a', 'trade', ...inFiles(machine)];
    expect((await machine.run(...create, ...flags, '--out', machine.at('p.json'))).code).toBe(0);
    expect(documentIn(machine.at('p.json'))).toMatchObject({
      denied_actions: ['wire'],
      constraints: {
        max_orders_per_hour: 5,
        allowed_symbols: ['ACME', 'GLOBEX'],
        require_approval: { above: 50 },
        geo_restriction: ['US'],
        daily_limit: 1000,
        currency: 'EUR',
      },
      metadata: { owner: 'support', ticket: 42 },
      expires_at: '2026-05-19T14:23:45Z',
    });
  });

  test('reads the value of a constraint as what the constraint takes', async () => {
    const machine = household();
    const given = ['max_instances=10', 'require_stop_loss=true', 'allowed_symbols=["ACME"]', 'rate_limit=10/hour'];
    const flags = [...given, 'monetary_limit=99.50', 'x-ticket=42'].flatMap((text) => ['--constraint', text]);
    const create = ['passport', 'create', 'trader', '--domain', 'acme.com', '-a', 'trade', ...inFiles(machine)];
    expect((await machine.run(...create, ...flags, '--out', machine.at('p.json'))).code).toBe(0);
    expect(documentIn(machine.at('p.json')).constraints).toEqual({
      max_instances: 10,
      require_stop_loss: true,
      allowed_symbols: ['ACME'],
      rate_limit: '10/hour',
      monetary_limit: '99.50',
      currency: 'USD',
      'x-ticket': '42',
    });
  });

  test('takes the rest from a file, and flags come first', async () => {
    const machine = household();
    const template = machine.file(
      'bot.json',
      JSON.stringify({
        name: 'bot',
        domain: 'acme.com',
        actions: ['deploy', { name: 'ship', params: { type: 'object', required: ['to'] } }],
        denied_actions: ['drop'],
        constraints: { rate_limit: '5/day', monetary_limit: 10 },
        metadata: { team: 'ops' },
      }),
    );
    const flags = ['--monetary-limit', '20', '-a', 'restart', '--out', machine.at('p.json'), ...inFiles(machine)];
    expect((await machine.run('passport', 'create', '--from', template, ...flags)).code).toBe(0);
    expect(documentIn(machine.at('p.json'))).toMatchObject({
      agent_name: 'bot',
      actions: ['deploy', { name: 'ship', params: { type: 'object', required: ['to'] } }, 'restart'],
      denied_actions: ['drop'],
      constraints: { rate_limit: '5/day', monetary_limit: 20, currency: 'USD' },
      metadata: { team: 'ops' },
    });
  });

  test('takes that file from stdin', async () => {
    const machine = household({ stdin: '{"name":"bot","domain":"acme.com","actions":["deploy"]}' });
    const { code } = await machine.run('passport', 'create', '--from', '-', ...inFiles(machine));
    expect(code).toBe(0);
    expect(existsSync(machine.at('bot.passport.json'))).toBe(true);
  });

  test('warns of what is permitted too widely, and makes it all the same', async () => {
    const machine = household();
    const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'issue_refund', ...inFiles(machine)];
    const { code, value, err } = await machine.json<{ warnings: { code: string }[] }>(...create);
    expect(code).toBe(0);
    expect(value.warnings.length).toBeGreaterThan(0);
    expect(err).not.toContain('warning:');
  });

  test('keeps money exact', async () => {
    for (const [given, kept] of [
      ['100', 100],
      ['0.1', 0.1],
      ['100.00', '100.00'],
      ['12345678901234.10', '12345678901234.10'],
    ] as const) {
      const machine = household();
      const create = ['passport', 'create', 'b', '--domain', 'acme.com', '-a', 'pay', ...inFiles(machine)];
      await machine.run(...create, '--monetary-limit', given);
      expect(documentIn(machine.at('b.passport.json')).constraints.monetary_limit).toBe(kept);
    }
  });
});

describe('where the principal keeps its key, when the agent has its own in a file', () => {
  const create = (machine: Household, ...more: string[]) => [
    ...['passport', 'create', 'b', '--domain', 'acme.com', '-a', 'x', '-e', machine.at('.env'), ...more],
  ];

  test('is an encrypted file where a passphrase was given', async () => {
    const machine = household();
    expect((await machine.run(...create(machine))).code).toBe(0);
    const { value } = await machine.json<JsonObject[]>('principal', 'list');
    expect(value[0]).toMatchObject({ key_store: 'file' });
  });

  // The keychain of other systems cannot be hidden from a test.
  test.skipIf(process.platform !== 'linux').each([
    [{ AIP_KEY_PASSPHRASE: '' }, []],
    [{ AIP_KEY_STORE: 'keychain' }, []],
    [{}, ['--principal-key-store', 'keychain']],
  ])('is a keychain otherwise, and without one the hint says what else: %o %j', async (env, more) => {
    const machine = household({ env: { DBUS_SESSION_BUS_ADDRESS: '', ...env } });
    const failure = await machine.failure(...create(machine, ...more));
    expect(failure).toMatchObject({ code: 'KEYSTORE_MISSING', exit_code: 4 });
    expect(failure.hint).toContain('--principal-key-store file');
    expect(existsSync(machine.at('.env'))).toBe(false);
    expect(existsSync(machine.at('b.passport.json'))).toBe(false);
  });

  test('is never the environment', async () => {
    const machine = household();
    expect((await machine.run(...create(machine, '--principal-key-store', 'env'))).code).toBe(2);
  });
});

describe('asks only a person', () => {
  test.each([
    ['the name', ['--domain', 'acme.com', '-a', 'x'], '<name>'],
    ['the domain', ['bot', '-a', 'x'], '--domain <domain>'],
    ['the actions', ['bot', '--domain', 'acme.com'], '--action <name>'],
  ])('for %s: without a terminal exit 2 names the flag', async (_, args, flag) => {
    const machine = household({ stdin: 'bot\nbot\nbot\n' });
    const failure = await machine.failure('passport', 'create', ...args, ...inFiles(machine));
    expect(failure).toMatchObject({ code: 'ANSWER_NEEDED', exit_code: 2 });
    expect(failure.hint).toContain(flag);
    expect(existsSync(machine.at('.env'))).toBe(false);
  });

  test.each([{ tty: true, env: { CI: '1' } }, { tty: { stdout: true, stderr: true } }])(
    'in CI and in pipes: %o',
    async (how) => {
      const machine = household(how);
      expect(await machine.run('passport', 'create', '--domain', 'acme.com')).toMatchObject({ code: 2, out: '' });
    },
  );

  test('with --no-input nobody', async () => {
    const machine = household({ tty: true });
    expect((await machine.run('passport', 'create', '--no-input')).code).toBe(2);
  });

  test('for a passphrase: exit 2 names where it may come from, and no key is left', async () => {
    const machine = household({ env: { AIP_KEY_PASSPHRASE: '' } });
    const { code, err } = await machine.run('passport', 'create', 'b', ...GUIDE_FLAGS, '--key-store', 'file');
    expect(code).toBe(2);
    expect(err).toMatch(/AIP_KEY_PASSPHRASE|--passphrase-file/);
    expect(existsSync(machine.at('b.passport.json'))).toBe(false);
    expect(stored(machine.state)).toMatchObject({ passports: 0, pins: 0 });
  });
});

describe('overwrites nothing', () => {
  test('a file that is there', async () => {
    const machine = household();
    machine.file('support-agent-v1.passport.json', 'precious');
    const failure = await machine.failure(...guide(machine));
    expect(failure).toMatchObject({ code: 'EXISTS', exit_code: 2 });
    expect(readFileSync(machine.at('support-agent-v1.passport.json'), 'utf8')).toBe('precious');
    expect(existsSync(machine.at('.env'))).toBe(false);
    expect(failure.hint).toContain('--force');
    expect((await machine.run(...guide(machine), '--force')).code).toBe(0);
    expect(readFileSync(machine.at('support-agent-v1.passport.json'), 'utf8')).toContain('issuer_signature');
  });

  test('an agent that is known, and its key', async () => {
    const machine = household();
    await machine.run(...guide(machine));
    const before = readFileSync(machine.at('.env'), 'utf8');
    const failure = await machine.failure(...guide(machine, '--out', machine.at('other.json')));
    expect(failure).toMatchObject({ code: 'EXISTS', exit_code: 2 });
    expect(failure.hint).toContain('aip passport rotate support-agent-v1');
    expect(failure.hint).toContain('to change what it may do: aip passport update support-agent-v1');
    expect(readFileSync(machine.at('.env'), 'utf8')).toBe(before);
    expect(existsSync(machine.at('other.json'))).toBe(false);
  });

  test('a key in an env file', async () => {
    const machine = household();
    machine.file('.env', `AGENT_PRIVATE_KEY=ed25519:${'ab'.repeat(32)}\n`);
    chmodSync(machine.at('.env'), 0o600);
    const { code } = await machine.run(...guide(machine));
    expect(code).toBe(2);
    expect(readFileSync(machine.at('.env'), 'utf8')).toBe(`AGENT_PRIVATE_KEY=ed25519:${'ab'.repeat(32)}\n`);
    expect(existsSync(machine.at('support-agent-v1.passport.json'))).toBe(false);
    // The same command with another file works: nothing half-made is in its way.
    expect((await machine.run(...guide(machine, '--env-file', machine.at('.env2')))).code).toBe(0);
  });

  test('with an env file that git tracks', async (context) => {
    const machine = household();
    const git = (...args: string[]) => spawnSync('git', args, { cwd: machine.cwd, encoding: 'utf8' });
    if (git('init', '-q').status !== 0) context.skip('git is not installed');
    machine.file('.env', 'OTHER=1\n');
    git('add', '.env');
    const { code, err } = await machine.run(...guide(machine));
    expect(code).toBe(4);
    expect(err).toContain('git');
    expect(readFileSync(machine.at('.env'), 'utf8')).toBe('OTHER=1\n');
  });

  test('when the folder cannot be written, the new key is taken back', async () => {
    const machine = household();
    mkdirSync(machine.at('closed'));
    writeFileSync(machine.at('closed/file'), '');
    // A file where a folder would have to be: even root cannot write below it.
    const { code } = await machine.run(...guide(machine, '--out', machine.at('closed/file/p.json')));
    expect(code).toBe(3);
    expect(stored(machine.state)).toMatchObject({ passports: 0 });
    expect(existsSync(machine.at('.env')) && readFileSync(machine.at('.env'), 'utf8')).not.toMatch(/ed25519:/);
    expect((await machine.run(...guide(machine))).code).toBe(0);
    expect(readPassport(readFileSync(machine.at('support-agent-v1.passport.json'))).agent.id).toBe(SUPPORT);
  });
});
