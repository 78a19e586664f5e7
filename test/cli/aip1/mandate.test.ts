import { describe, expect, test } from 'vitest';
import { AIP1_CODES } from '../../../src/protocol/aip1/codes.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { AGENT, AT, KEYS, mandate, NOW, PRINCIPAL, SEEDS, signed, text, WIDE } from '../../kit/conformance/parts.js';
import { household, PASSPHRASE, type Household } from '../../kit/native/household.js';

const CREATE =
  'passport create procurement-bot --domain acme.com --action transfer_funds --monetary-limit 100 --key-store file';

/** A machine that holds the principal's key and knows one agent. */
async function office(): Promise<Household> {
  const machine = household();
  const { code } = await machine.run(...CREATE.split(' '), '-o', machine.at('p.json'));
  expect(code).toBe(0);
  return machine;
}

async function issued(machine: Household, ...flags: string[]): Promise<{ path: string; value: JsonObject }> {
  const path = machine.at(`m${flags.length}.json`);
  const { code, err } = await machine.run('mandate', 'issue', ...flags, '-o', path);
  expect([code, err]).toEqual([0, '']);
  const { out } = await machine.run('mandate', 'verify', path, '--json');
  return { path, value: JSON.parse(out) as JsonObject };
}

describe('aip mandate issue', () => {
  test('grants what the passport allows, for 30 days, and verifies here', async () => {
    const { value } = await issued(await office(), 'procurement-bot');
    expect(value).toMatchObject({
      valid: true,
      issuer: PRINCIPAL,
      subject: AGENT,
      expires_at: '2026-03-20T14:23:45.000Z',
      error_code: null,
      boundaries: {
        allowed_actions: ['transfer_funds'],
        monetary_limit: { per_transaction: 100, per_day: 0, currency: 'USD' },
      },
    });
  });

  test('by itself does not outlive the passport, and grants nothing of one that is over', async () => {
    const machine = household();
    await machine.run(...CREATE.split(' '), '--expires', '1h', '-o', machine.at('p.json'));
    expect((await issued(machine, 'procurement-bot')).value['expires_at']).toBe('2026-02-18T15:23:45.000Z');
    const longer = await issued(machine, 'procurement-bot', '--expires', '2d');
    expect(longer.value['expires_at']).toBe('2026-02-20T14:23:45.000Z');
    Object.assign(machine.io, { now: () => Date.parse('2026-02-18T15:23:45Z') });
    const { code, out, err } = await machine.run('mandate', 'issue', 'procurement-bot');
    expect([code, out, err]).toEqual([10, '', expect.stringContaining('AIP-E104 PASSPORT_EXPIRED')]);
  });

  test('no longer counts when its key is denied, whatever time it is judged as of', async () => {
    const machine = await office();
    const { path } = await issued(machine, 'procurement-bot');
    expect((await machine.run('revoke', `${PRINCIPAL}#key-1`, '--reason', 'leak', '--yes')).code).toBe(0);
    for (const at of [[], ['--at', '2026-02-19T00:00:00Z']]) {
      const { code, value } = await machine.json<JsonObject>('mandate', 'verify', path, ...at);
      expect([code, value['valid'], value['error_code']]).toEqual([13, false, 'AIP-E400']);
      expect(value['details']).toMatchObject({ role: 'mandate', reason: 'leak' });
    }
  });

  test('grants what flags say, to an agent that only its id is known of', async () => {
    const machine = await office();
    const flags =
      '-a read --deny drop --per-transaction 99.95 --per-day 1000 --currency EUR --geo DE,FR --expires never';
    const { value } = await issued(machine, 'did:web:acme.com:agents:other', ...flags.split(' '));
    expect(value).toMatchObject({
      valid: true,
      subject: 'did:web:acme.com:agents:other',
      expires_at: null,
      boundaries: {
        allowed_actions: ['read'],
        denied_actions: ['drop'],
        monetary_limit: { per_transaction: 99.95, per_day: 1000, currency: 'EUR' },
        geo_restriction: 'DE,FR',
      },
    });
  });

  test('to an agent named after a class, in the name of its domain', async () => {
    const machine = await office();
    const agent = 'did:web:acme.com:agents:TradingAgent';
    const { value } = await issued(machine, agent, '-a', 'trade', '--geo', 'de, fr', '--currency', 'eur');
    expect(value).toMatchObject({ valid: true, issuer: PRINCIPAL, subject: agent });
    expect(value.boundaries).toMatchObject({ geo_restriction: 'DE,FR', monetary_limit: { currency: 'EUR' } });
  });

  test('says what of the passport a mandate cannot hold', async () => {
    const machine = await office();
    const more = 'passport create mailer --domain acme.com --action mail --allowed-domain acme.com --key-store file';
    await machine.run(...more.split(' '), '-o', machine.at('mailer.json'));
    const { code, err } = await machine.run('mandate', 'issue', 'mailer');
    expect(code).toBe(0);
    expect(err).toContain('AIP-1 has no words for allowed_domains');
  });

  test.each([
    ['--geo', ''],
    ['--geo', 'DE,'],
    ['--geo', 'Germany'],
    ['--currency', ''],
    ['--currency', '$'],
    ['--expires', '0s'],
  ])('%s "%s" is wrong use', async (flag, value) => {
    const machine = await office();
    const { code } = await machine.run('mandate', 'issue', AGENT, '-a', 'transfer_funds', flag, value);
    expect(code).toBe(2);
  });

  test('a cap beyond all integers is wrong use, not a crash', async () => {
    const machine = await office();
    const monetary_limit = { per_transaction: 'N' };
    const written = JSON.stringify({ allowed_actions: ['read'], monetary_limit }).replace(
      '"N"',
      '12345678901234567890',
    );
    const { code, err } = await machine.run('mandate', 'issue', AGENT, '--boundaries', machine.file('b.json', written));
    expect(code).toBe(2);
    expect(err).toContain('beyond 2^53');
  });

  test('grants the boundaries in a file', async () => {
    const machine = await office();
    const file = machine.file('b.json', text(WIDE));
    const { value } = await issued(machine, 'did:key:z6Mk', '--issuer', PRINCIPAL, '--boundaries', file);
    expect(value).toMatchObject({ valid: false, subject: 'did:key:z6Mk', error_code: 'AIP-E406', boundaries: WIDE });
  });

  test.each([
    ['nothing said of what it allows', ['did:web:acme.com:agents:other'], 2],
    ['caps without actions', ['procurement-bot', '--per-day', '10'], 2],
    ['an agent whose principal nobody can tell', ['did:key:z6Mk', '-a', 'x'], 2],
    ['a principal whose key is not here', ['did:web:acne.com:agents:other', '-a', 'x'], 4],
    ['no such agent', ['nobody'], 3],
    ['an amount of nothing', ['procurement-bot', '-a', 'x', '--per-day', '0'], 2],
    ['an amount below nothing', ['procurement-bot', '-a', 'x', '--per-transaction', '-5'], 2],
    ['an amount finer than a number', ['procurement-bot', '-a', 'x', '--per-day', '0.0000001'], 2],
    ['a term that is none', ['procurement-bot', '--expires', 'soon'], 2],
    ['a currency too long', ['procurement-bot', '-a', 'x', '--currency', 'X'.repeat(17)], 2],
    ['boundaries that are none', ['procurement-bot', '--boundaries', 'list'], 2],
    ['boundaries of another shape', ['procurement-bot', '--boundaries', 'shape'], 2],
    ['boundaries with a value of another form', ['procurement-bot', '--boundaries', 'value'], 2],
    ['boundaries that are no JSON', ['procurement-bot', '--boundaries', 'text'], 3],
    ['boundaries twice over', ['procurement-bot', '-a', 'x', '--boundaries', 'shape'], 2],
  ])('signs nothing with %s', async (_, flags, exit) => {
    const machine = await office();
    const files: Record<string, string> = {
      list: machine.file('list', '[]'),
      shape: machine.file('shape', '{"allowed":["x"]}'),
      value: machine.file('value', '{"allowed_actions":["x"],"time_window":"always"}'),
      text: machine.file('text', 'x'),
    };
    const { code, out } = await machine.run('mandate', 'issue', ...flags.map((flag) => files[flag] ?? flag));
    expect([code, out]).toEqual([exit, '']);
  });

  test('with a wrong passphrase signs nothing', async () => {
    const machine = await office();
    const wrong = machine.file('wrong', `${PASSPHRASE}?\n`);
    const { code, out } = await machine.run('mandate', 'issue', 'procurement-bot', '--passphrase-file', wrong);
    expect([code, out]).toEqual([4, '']);
  });
});

describe('aip mandate verify', () => {
  const KEY = ['--issuer-key', `ed25519:${KEYS.issuer}`];
  const judged = async (document: string, ...flags: string[]) => {
    const machine = household();
    return machine.json<JsonObject>('mandate', 'verify', machine.file('m.json', document), '--at', AT, ...flags);
  };

  test('a key in hand, and a key of a principal', async () => {
    expect((await judged(text(mandate()), ...KEY)).code).toBe(0);
    const byPrincipal = text(mandate({ by: SEEDS.principal }));
    const flags = ['--principal-key', `${PRINCIPAL}=ed25519:${KEYS.principal}`];
    expect((await judged(byPrincipal, ...flags)).code).toBe(0);
    expect((await judged(byPrincipal)).value.error_code).toBe('AIP-E406');
    expect((await judged(text(mandate()), ...flags)).value.error_code).toBe('AIP-E406');
  });

  test.each([
    ['tampered', text(mandate()).replace('500', '501'), [], 'MANDATE_INVALID'],
    ['signed by a stranger', text(mandate({ by: SEEDS.stranger })), [], 'MANDATE_INVALID'],
    ['expired', text(mandate({ issuedAt: NOW - 90_000_000, lifetimeMs: 3_600_000 })), [], 'MANDATE_EXPIRED'],
    ['not in force yet', text(mandate({ issuedAt: NOW + 60_000 })), [], 'MANDATE_EXPIRED'],
    ['for another agent', text(mandate()), ['--agent', 'did:web:acme.com:agents:other'], 'MANDATE_SUBJECT_MISMATCH'],
    ['an envelope', text(signed('not a mandate')), [], 'MANDATE_INVALID'],
    ['no JSON', 'mandate', [], 'MANDATE_INVALID'],
    ['empty', '', [], 'MANDATE_INVALID'],
  ] as const)('%s is refused', async (_, document, flags, name) => {
    const { code, value } = await judged(document, ...KEY, ...flags);
    expect([code, value.valid, value.error_code, value.error_message]).toEqual([
      13,
      false,
      AIP1_CODES[name].code,
      name,
    ]);
    const machine = household();
    const { out } = await machine.run('mandate', 'verify', machine.file('m', document), '--at', AT, ...KEY, ...flags);
    expect(out).toContain(`REFUSED ${AIP1_CODES[name].code} ${name}`);
  });

  test.each([
    [['nowhere.json'], 3],
    [['m.json', '--issuer-key', 'ed25519:00'], 2],
    [['m.json', '--at', 'soon'], 2],
  ])('%s', async (args, exit) => {
    const machine = household();
    machine.file('m.json', text(mandate()));
    const { code, out } = await machine.run(
      'mandate',
      'verify',
      ...args.map((arg) => (arg === 'm.json' ? machine.at(arg) : arg)),
    );
    expect([code, out]).toEqual([exit, '']);
  });
});
