import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePem, encodeEncryptedPem, encodePlainPem } from '../../../src/adapters/keys/file/pem.js';
import { readReferencePassport, referencePassportFiles } from '../../../src/protocol/aip1/passport-folder.js';
import type { ValueObject } from '../../../src/protocol/aip1/encoding/numbers.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import { readPassport } from '../../../src/protocol/passport.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { AGENT, bent, envelopeParts, KEYS, SEEDS, WIDE } from '../../kit/conformance/parts.js';
import { household, PASSPHRASE, settled, type Household } from '../../kit/native/household.js';
import { SUPPORT } from '../../kit/native/parts.js';

const salt = new Uint8Array(16).fill(7);

interface Folder {
  readonly boundaries?: Record<string, unknown>;
  readonly id?: string;
  readonly framework?: string;
  readonly principal?: string;
  readonly key?: string;
  readonly pem?: string | null;
}

/** A folder as the reference writes it. */
function folder(machine: Household, more: Folder = {}): string {
  const { agent, principal } = envelopeParts('folder') as Record<string, ValueObject>;
  const speaker = {
    identity: bent(agent!, {
      ...(more.id === undefined ? {} : { id: more.id }),
      'attestation.framework_id': more.framework ?? null,
    }),
    principal: bent(principal!, more.principal === undefined ? {} : { id: more.principal }),
    boundaries: { ...WIDE, ...more.boundaries } as ValueObject,
  };
  const files = referencePassportFiles(speaker, fromHex(more.key ?? KEYS.agent)!);
  for (const [name, text] of Object.entries(files)) machine.file(`bot/${name}`, text);
  const { pem = encodePlainPem(SEEDS.agent) } = more;
  if (pem !== null) machine.file('bot/private.pem', pem);
  return machine.at('bot');
}

const IMPORT = ['--key-store', 'file', '-o'];

describe('aip passport import <folder>', () => {
  test('says what of it is not kept', async () => {
    const machine = household();
    const path = folder(machine, { framework: 'did:web:langchain.com', boundaries: { data_access: ['crm'] } });
    const { code, err } = await machine.run('passport', 'import', path, ...IMPORT, machine.at('bot.passport.json'));
    expect(code).toBe(0);
    expect(err).toContain('no place for framework_id, data_access');
  });

  test('refuses a cap beyond all integers as any other that is too large', async () => {
    const machine = household();
    const monetary_limit = { per_transaction: 10n ** 25n, per_day: 0, currency: 'USD' };
    const path = folder(machine, { boundaries: { monetary_limit } });
    const { code, err } = await machine.run('passport', 'import', path, ...IMPORT, machine.at('bot.passport.json'));
    expect(code).toBe(2);
    expect(err).toContain('monetary_limit');
  });

  test.each([
    ['plain', encodePlainPem(SEEDS.agent)],
    ['encrypted', encodeEncryptedPem(SEEDS.agent, PASSPHRASE, salt, salt)],
  ])('takes over an agent whose key is %s', async (_, pem) => {
    const machine = household();
    const { code, value, err } = await machine.json<JsonObject>(
      ...['passport', 'import', folder(machine, { pem }), ...IMPORT, machine.at('bot.passport.json')],
    );
    expect([code, err]).toEqual([0, expect.not.stringContaining('chmod')]);
    expect(value).toMatchObject({ agent_id: AGENT, result: 'imported', key_store: 'file' });
    const passport = readPassport(readFileSync(machine.at('bot.passport.json')));
    expect(toHex(passport.currentKey.key.publicKey)).toBe(KEYS.agent);
    expect(passport.document.constraints).toEqual({ monetary_limit: 500, daily_limit: 5000, currency: 'USD' });
    const sign = ['intent', 'sign', '-p', 'procurement-bot', '-a', 'transfer_funds', '--param', 'amount:=1'];
    for (const dialect of ['native', 'aip-1']) {
      const { out } = await machine.run(...sign, '--dialect', dialect);
      expect((await machine.run('intent', 'verify', machine.file('i.json', out))).code).toBe(0);
    }
  });

  test('a list that allows everything is narrowed, or refused', async () => {
    const machine = household();
    const path = folder(machine, { boundaries: { allowed_actions: [] } });
    const refused = await machine.failure('passport', 'import', path, ...IMPORT, machine.at('p.json'));
    expect(refused).toMatchObject({ code: 'USAGE' });
    expect(refused.hint).toContain('--action');
    const { code } = await machine.run(
      ...['passport', 'import', path, ...IMPORT, machine.at('p.json'), '--action', 'read_invoice'],
    );
    expect(code).toBe(0);
    expect([...readPassport(readFileSync(machine.at('p.json'))).actions.keys()]).toEqual(['read_invoice']);
  });

  test.each<[string, Folder, string, number]>([
    ['no private key', { pem: null }, 'NOT_FOUND', 3],
    ['a key of another agent', { pem: encodePlainPem(SEEDS.stranger) }, 'UNREADABLE', 3],
    ['a key that is none', { pem: 'not a key' }, 'UNREADABLE', 3],
    ['an id that is no agent id', { id: 'bot-7' }, 'UNREADABLE', 3],
    ['the principal of another domain', { principal: 'did:web:acne.com' }, 'USAGE', 2],
    [
      'an amount finer than its currency',
      { boundaries: { monetary_limit: { per_transaction: 0.001, per_day: 0, currency: 'USD' } } },
      'USAGE',
      2,
    ],
    ['an unknown member', { boundaries: { rate_limit: '1/hour' } }, 'UNREADABLE', 3],
  ])('a folder with %s changes nothing', async (_, more, failure, exit) => {
    const machine = household();
    const path = folder(machine, more);
    const failed = await machine.failure('passport', 'import', path, ...IMPORT, machine.at('p.json'));
    expect([failed.code, failed.exit_code]).toEqual([failure, exit]);
    const { value } = await machine.json<JsonObject[]>('passport', 'list');
    expect(value).toEqual([]);
  });

  test('a wrong passphrase opens nothing', async () => {
    const machine = household();
    const path = folder(machine, { pem: encodeEncryptedPem(SEEDS.agent, PASSPHRASE, salt, salt) });
    const wrong = ['--passphrase-file', machine.file('wrong', 'another one\n')];
    const failed = await machine.failure('passport', 'import', path, ...IMPORT, machine.at('p.json'), ...wrong);
    expect([failed.code, failed.exit_code]).toEqual(['WRONG_PASSPHRASE', 4]);
  });

  test('a known agent is not replaced', async () => {
    const machine = household();
    const path = folder(machine);
    expect((await machine.run('passport', 'import', path, ...IMPORT, machine.at('a.json'))).code).toBe(0);
    const again = await machine.failure('passport', 'import', path, ...IMPORT, machine.at('b.json'));
    expect(again.code).toBe('EXISTS');
  });
});

describe('aip passport export --format aip-1', () => {
  const EXPORT = ['passport', 'export', 'support-agent-v1', '--format', 'aip-1', '--out'];

  test('writes no private key unless it is told to', async () => {
    const machine = await settled();
    const { code, value, err } = await machine.json<JsonObject>(...EXPORT, machine.at('out'));
    expect(code).toBe(0);
    expect(value).toMatchObject({ agent_id: SUPPORT, private_key: 'none' });
    expect(err).toContain('allowed_domains, rate_limit');
    const read = (name: string) => readFileSync(machine.at(`out/${name}`));
    const passport = readReferencePassport(read('passport.json'), read('public.pem').toString());
    expect(passport.identity.id).toBe(SUPPORT);
    expect(() => read('private.pem')).toThrow(/ENOENT/);
  });

  test('encrypts the private key', async () => {
    const machine = await settled();
    const { value } = await machine.json<JsonObject>(...EXPORT, machine.at('out'), '--with-private-key');
    expect(value.private_key).toBe('encrypted');
    const path = machine.at('out/private.pem');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const passport = readReferencePassport(readFileSync(machine.at('out/passport.json')), null);
    const seed = decodePem(readFileSync(path, 'latin1'), PASSPHRASE);
    expect(toHex(publicKeyOf(seed))).toBe(toHex(passport.publicKey));
  });

  test('leaves it in plain text only when that is said, and says so', async () => {
    const machine = await settled();
    const { code, err } = await machine.run(...EXPORT, machine.at('out'), '--with-private-key', '--unencrypted');
    expect(code).toBe(0);
    expect(err).toContain('private.pem is not encrypted');
    const path = machine.at('out/private.pem');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(decodePem(readFileSync(path, 'latin1'), null, { allowPlain: true })).toHaveLength(32);
  });

  test('asks for a passphrase that nobody can be asked for', async () => {
    const machine = await settled({ env: { AIP_KEY_PASSPHRASE: undefined as never } });
    const failed = await machine.failure(...EXPORT, machine.at('out'), '--with-private-key');
    expect([failed.code, failed.exit_code]).toEqual(['ANSWER_NEEDED', 2]);
    expect(() => statSync(machine.at('out/private.pem'))).toThrow(/ENOENT/);
  });

  test('replaces nothing without --force', async () => {
    const machine = await settled();
    const all = [...EXPORT, machine.at('out'), '--with-private-key'];
    expect((await machine.run(...all)).code).toBe(0);
    expect((await machine.failure(...all)).code).toBe('EXISTS');
    expect((await machine.run(...all, '--force')).code).toBe(0);
  });

  test.each([
    ['a private key in another form', ['--format', 'jwk', '--with-private-key']],
    ['a private key in did.json', ['--format', 'did', '--with-private-key']],
    ['a folder on stdout', ['--format', 'aip-1', '--out', '-']],
    ['no key in plain text', ['--format', 'aip-1', '--unencrypted']],
  ])('%s is exit 2', async (_, flags) => {
    const machine = await settled();
    const { code, out } = await machine.run('passport', 'export', 'support-agent-v1', ...flags);
    expect([code, out]).toEqual([2, '']);
  });

  test('and import again gives the same agent', async () => {
    const machine = await settled();
    await machine.run(...EXPORT, machine.at('out'), '--with-private-key');
    const other = household();
    const { code, value } = await other.json<JsonObject>(
      'passport',
      'import',
      machine.at('out'),
      ...IMPORT,
      other.at('p.json'),
    );
    expect([code, value.agent_id]).toEqual([0, SUPPORT]);
  });
});
