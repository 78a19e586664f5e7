import { describe, expect, test } from 'vitest';
import { AIP1_CODES } from '../../../src/protocol/aip1/codes.js';
import { EXIT_OF_CONCERN } from '../../../src/protocol/codes.js';
import type { Decision } from '../../../src/verify/decision.js';
import { filesOf, flagsOf, isTypeable, machineOf } from '../../kit/conformance/command-line.js';
import {
  AGENT,
  AT,
  KEYS,
  macked,
  mandate,
  passport,
  PRINCIPAL,
  SEEDS,
  signed,
  text,
} from '../../kit/conformance/parts.js';
import { conformanceSuite } from '../../kit/conformance/suite.js';
import { household, type Household } from '../../kit/native/household.js';
import { line } from '../../kit/native/parts.js';
import { refund } from '../../kit/native/intent-parts.js';
import { stored } from '../../kit/native/standing.js';

const TYPEABLE = conformanceSuite().cases.filter(isTypeable);
const firstOf = (code: string | null) => TYPEABLE.findIndex(({ expect: expected }) => expected.code === code);
/** The library judges all of them; here are those that need a flag of their own, and of the others a sample that shows every code. */
const CASES = TYPEABLE.filter(
  ({ given, expect: expected }, i) =>
    i % 5 === 0 || i === firstOf(expected.code) || String(Object.keys(given)) !== 'public_key',
);
const EXITS = new Map(Object.values(AIP1_CODES).map(({ code, concern }) => [code, EXIT_OF_CONCERN[concern]]));

describe('conformance cases at the command line', () => {
  test.each(CASES)('$name', async (each) => {
    const machine = await machineOf(each);
    const files = filesOf(each, machine);
    const flags = flagsOf(each, machine);
    for (const file of files.slice(0, -1)) await machine.run('intent', 'verify', file, ...flags);
    const { code, value } = await machine.json('intent', 'verify', files.at(-1)!, ...flags);
    const { expect: expected } = each;
    if (value.dialect === 'native') {
      // What is no JSON object with a member of an envelope has no dialect to be judged in.
      expect([code, value.error_code, expected.code]).toEqual([10, 'AIP-E100', 'AIP-E103']);
      return;
    }
    expect(value.error_code).toBe(expected.code);
    expect(code).toBe(expected.code === null ? 0 : (EXITS.get(expected.code) ?? 12));
    if (expected.warnings !== undefined)
      expect(value.warnings.map((warning) => warning.code)).toEqual(expected.warnings);
  });

  test('the sample shows every code that can be shown', () => {
    const shown = (cases: typeof CASES) => [...new Set(cases.map(({ expect: { code } }) => code))].sort();
    expect(shown(CASES)).toEqual(shown(TYPEABLE));
  });
});

const key = (signer: keyof typeof KEYS) => `ed25519:${KEYS[signer]}`;
const PUBLIC = ['--at', AT, '--public-key', key('agent')];
const ISSUER = ['--issuer-key', key('issuer')];
const envelope = (name: string, bends = {}) => text(signed(name, bends));

/** An envelope whose agent allows itself more than anybody else does. */
const widened = (name: string) =>
  envelope(name, {
    'intent.parameters': { amount: 900_000 },
    'boundaries.monetary_limit': { per_transaction: 1_000_000, per_day: 0, currency: 'USD' },
  });

describe('an agent that widened its own boundaries', () => {
  const verified = async (machine: Household, ...flags: string[]) =>
    machine.json('intent', 'verify', machine.file('wide.json', widened('wide')), '--at', AT, ...flags);

  test('is flagged where nobody knows better', async () => {
    const { code, value } = await verified(household(), '--public-key', key('agent'));
    expect(code).toBe(0);
    expect(value.warnings.map((each) => each.code)).toEqual(['self_declared_boundaries', 'unbound_key']);
  });

  test('is refused as soon as its passport is known', async () => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', key('principal'));
    await machine.run('passport', 'import', machine.file('agent.passport.json', JSON.stringify(passport())));
    // A key that the user names does not make the passport less known.
    for (const flags of [[], ['--public-key', key('agent')], ['--public-key', key('stranger')]]) {
      const { code, value } = await verified(machine, ...flags);
      expect([code, value.error_code, value.details?.bound]).toEqual([12, 'AIP-E202', 'passport']);
      expect(value.warnings).toEqual([]);
    }
  });

  test('is refused as soon as a mandate is given', async () => {
    const machine = household();
    const flags = ['--public-key', key('agent'), '--mandate', machine.file('m.json', text(mandate())), ...ISSUER];
    const { code, value } = await verified(machine, ...flags);
    expect([code, value.error_code, value.details?.bound]).toEqual([12, 'AIP-E202', 'mandate']);
  });

  test('is refused where a mandate is required and none is given', async () => {
    const { code, value } = await verified(household(), '--public-key', key('agent'), '--require-mandate');
    expect([code, value.error_code]).toEqual([13, 'AIP-E405']);
  });

  test('cannot name the key itself', async () => {
    const { code, value } = await verified(household());
    expect([code, value.error_code]).toEqual([10, 'AIP-E100']);
  });
});

describe('what an envelope leaves behind', () => {
  test('is nothing when it is none, or of another version', async () => {
    const machine = household({ stdin: '' });
    const rubbish = ['{"proof":1}', '{"@type":"Mandate"}', envelope('v', { protocol_version: '2.0.0' })];
    for (const each of rubbish) {
      const { code, value } = await machine.json('intent', 'verify', machine.file('x.json', each), ...PUBLIC);
      expect([code, value.success, value.agent_id]).toEqual([10, false, null]);
    }
    await machine.run('passport', 'list');
    expect(stored(machine.state)).toMatchObject({ entries: 0, nonces: 0 });
  });

  test('is its nonce, its amount and its entry when it is accepted', async () => {
    const machine = household();
    const file = machine.file('x.json', envelope('kept'));
    expect((await machine.run('intent', 'verify', file, ...PUBLIC)).code).toBe(0);
    expect(stored(machine.state)).toMatchObject({ entries: 1, nonces: 1, usages: 1 });
    expect((await machine.json('intent', 'verify', file, ...PUBLIC)).value.error_code).toBe('AIP-E102');
    expect(stored(machine.state)).toMatchObject({ entries: 2, nonces: 1, usages: 1 });
    expect((await machine.run('logs', 'verify')).code).toBe(0);
  });

  test('is its entry alone when its signature does not hold', async () => {
    const machine = household();
    const forged = text(signed('forged', {}, SEEDS.stranger));
    expect((await machine.run('intent', 'verify', machine.file('x.json', forged), ...PUBLIC)).code).toBe(10);
    expect(stored(machine.state)).toMatchObject({ entries: 1, nonces: 0, usages: 0 });
    const real = machine.file('y.json', envelope('forged'));
    expect((await machine.run('intent', 'verify', real, ...PUBLIC)).code).toBe(0);
  });

  test('is nothing with --dry-run', async () => {
    const machine = household();
    const file = machine.file('x.json', envelope('dry'));
    for (let i = 0; i < 2; i++)
      expect((await machine.run('intent', 'verify', file, ...PUBLIC, '--dry-run')).code).toBe(0);
    expect(stored(machine.state)).toMatchObject({ entries: 0, nonces: 0, usages: 0 });
  });

  test('counts against the cap of 24 hours, whoever verifies next', async () => {
    const machine = household();
    const spend = (n: number) =>
      machine.json('intent', 'verify', machine.file(`${n}.json`, envelope(`day ${n}`, SPENDING)), ...PUBLIC);
    expect((await spend(1)).code).toBe(0);
    expect((await spend(2)).code).toBe(0);
    const { code, value } = await spend(3);
    expect([code, value.error_code, value.details?.window]).toEqual([12, 'AIP-E202', '24h']);
  });
});

const SPENDING = {
  'intent.parameters': { amount: 400.5 },
  'boundaries.monetary_limit': { per_transaction: 500, per_day: 1000, currency: 'USD' },
};

const SMALL = { 'intent.parameters': { amount: 1 } };

describe('both dialects in one stream', () => {
  test.each(['1', '4'])('with --jobs %s', async (jobs) => {
    const lines = Array.from({ length: 80 }, (_, i) =>
      i % 4 === 0
        ? line(refund(`stream ${i}`))
        : i % 4 === 1
          ? envelope(`stream ${i}`, SMALL)
          : i % 4 === 2
            ? text(signed(`stream ${i}`, SMALL, SEEDS.stranger))
            : text(macked(`stream ${i}`, SMALL)),
    ).map((each) => each.trim());
    const machine = household({ stdin: `${lines.join('\n')}\n` });
    const hmac = machine.file('shared.key', `${'cc'.repeat(32)}\n`);
    const { code, out } = await machine.run(
      ...['intent', 'verify', '-', '--ndjson', '--jobs', jobs, ...PUBLIC, '--hmac-key-file', hmac],
    );
    const answers = out
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each) as Decision);
    expect(answers.map((each) => each.error_code)).toEqual(
      lines.map((_, i) => [expect.stringMatching(/^AIP-E10[23]$/), null, 'AIP-E100', null][i % 4]),
    );
    expect(answers.map((each) => each.dialect)).toEqual(lines.map((_, i) => (i % 4 === 0 ? 'native' : 'aip-1')));
    expect(code).toBe(10);
    expect(stored(machine.state)).toMatchObject({ entries: 80, nonces: 40 });
  });
});

test('a shared key counts for the agent that it is bound to, and one for all is warned of', async () => {
  const machine = household();
  const shared = machine.file('shared.key', `${'cc'.repeat(32)}\n`);
  const verified = async (name: string, ...flags: string[]) => {
    const path = machine.file(`${name}.json`, text(macked(name, SMALL)));
    const { value } = await machine.json('intent', 'verify', path, '--at', AT, ...flags);
    return [value.error_code, value.warnings.map(({ code }) => code).includes('shared_key')];
  };
  expect(await verified('bound', '--hmac-key', `${AGENT}=${shared}`)).toEqual([null, false]);
  expect(await verified('other', '--hmac-key', `did:web:acme.com:agents:x=${shared}`)).toEqual(['AIP-E100', false]);
  expect(await verified('all', '--hmac-key-file', shared)).toEqual([null, true]);
  // Attacks 2: a key that is bound to the agent speaks for it, and the shared one no more.
  const own = ['--public-key', `${AGENT}=${key('agent')}`];
  expect(await verified('own', '--hmac-key-file', shared, ...own)).toEqual(['AIP-E100', false]);
});

describe('flags about envelopes that do not mean anything', () => {
  const file = (machine: Household) => machine.file('x.json', envelope('flags'));
  test.each([
    ['--public-key', 'ed25519:00', 2],
    ['--public-key', `ed25519:01${'00'.repeat(31)}`, 2],
    ['--public-key', KEYS.agent, 2],
    ['--public-key', 'nowhere.pem', 3],
    ['--issuer-key', key('issuer'), 2],
    ['--min-tier', '3', 2],
    ['--min-tier', 'tier_1', 2],
    ['--hmac-key-file', 'nowhere.key', 3],
    ['--hmac-key', `${AGENT}=nowhere.key`, 3],
    ['--hmac-key', 'nowhere.key', 2],
    ['--hmac-key', `${AGENT}=`, 2],
    ['--hmac-key', 'no agent=nowhere.key', 2],
    ['--mandate', 'nowhere.json', 3],
    ['--registry', 'nowhere.json', 3],
  ])('%s %s', async (flag, value, exit) => {
    const machine = household();
    const { code, out, err } = await machine.run('intent', 'verify', file(machine), flag, value);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toMatch(/^error: .* \[(USAGE|NOT_FOUND)\]$/m);
  });

  test.each([
    ['a list', '[]'],
    ['another member', '{"agents":[]}'],
    ['frameworks that are none', '{"frameworks":"langchain"}'],
    ['a hash that is a number', '{"builds":{"x":1}}'],
    ['no JSON', 'frameworks:'],
  ])('a registry that is %s', async (_, content) => {
    const machine = household();
    const registry = machine.file('registry.json', content);
    const { code, out } = await machine.run('intent', 'verify', file(machine), ...PUBLIC, '--registry', registry);
    expect([code, out]).toEqual([3, '']);
  });

  test.each([
    ['short', 'cc'.repeat(31)],
    ['empty', ''],
    ['long', 'cc'.repeat(600)],
    ['16 bytes', 'sixteen bytes of'],
  ])('a shared key that is %s', async (_, content) => {
    const machine = household();
    const shared = machine.file('shared.key', content);
    const { code, out, err } = await machine.run('intent', 'verify', file(machine), '--hmac-key-file', shared);
    expect([code, out]).toEqual([2, '']);
    if (content !== '') expect(err).not.toContain(content.slice(0, 16));
  });

  test('two mandates for one agent', async () => {
    const machine = household();
    const files = ['a', 'b'].map((name) => machine.file(`${name}.json`, text(mandate())));
    const flags = files.flatMap((path) => ['--mandate', path]);
    expect((await machine.run('intent', 'verify', file(machine), ...PUBLIC, ...flags, ...ISSUER)).code).toBe(2);
  });

  test('a public key in a PEM file is as good as text', async () => {
    const machine = household();
    const der = Buffer.from(`302a300506032b6570032100${KEYS.agent}`, 'hex').toString('base64');
    const pem = machine.file('public.pem', `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`);
    const { code } = await machine.run('intent', 'verify', file(machine), '--at', AT, '--public-key', pem);
    expect(code).toBe(0);
  });
});

test('an agent that the reference named after a class is stopped like any other', async () => {
  const machine = household();
  const id = 'did:web:localhost:agents:TradingAgent';
  const verified = (name: string) =>
    machine.json('intent', 'verify', machine.file(`${name}.json`, envelope(name, { 'agent.id': id })), ...PUBLIC);
  expect((await verified('class-before')).code).toBe(0);
  expect((await machine.run('revoke', id, '--reason', 'gone rogue', '--yes')).code).toBe(0);
  const { code, value } = await verified('class-after');
  expect([code, value.error_code]).toEqual([13, 'AIP-E400']);
  const file = machine.file('class-again.json', envelope('class-again', { 'agent.id': id }));
  expect((await machine.run('intent', 'verify', file, ...PUBLIC)).out).toContain(`aip status ${id}`);
  expect((await machine.json('status', id)).value).toMatchObject({ status: 'revoked', agent_id: id });
});
