import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, settled } from '../../kit/native/household.js';
import { PRINCIPAL, publicKeyBytes, publicKeyText } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';
import { fixture } from '../../kit/native/vectors.js';

const KEY = publicKeyText('principal');
const OTHER = publicKeyText('stranger');

describe('aip principal add --public-key', () => {
  test('pins a key once, under a name of its own', async () => {
    const machine = household();
    const add = (key: string) => machine.json<JsonObject[]>('principal', 'add', PRINCIPAL, '--public-key', key);
    expect((await add(KEY)).value).toEqual([
      { principal: PRINCIPAL, key_id: `${PRINCIPAL}#key-1`, public_key: KEY, changed: true, replaced: [] },
    ]);
    expect((await add(KEY)).value[0]).toMatchObject({ key_id: `${PRINCIPAL}#key-1`, changed: false });
    const second = await machine.run('principal', 'add', PRINCIPAL, '--public-key', OTHER);
    expect([second.code, second.err]).toEqual([2, expect.stringContaining('--replace')]);
    const agreed = await machine.json<JsonObject[]>('principal', 'add', PRINCIPAL, '--public-key', OTHER, '--yes');
    expect(agreed.value[0]).toMatchObject({ key_id: `${PRINCIPAL}#key-2`, changed: true });
    const { value } = await machine.json<JsonObject[]>('principal', 'list');
    expect(value.map(({ public_key, source, key_store }) => [public_key, source, key_store])).toEqual([
      [KEY, 'added', null],
      [OTHER, 'added', null],
    ]);
    expect((await machine.run('passport', 'import', fixture('passport-support-agent.json'))).code).toBe(0);
  });

  test('takes base64url as well', async () => {
    const text = Buffer.from(publicKeyBytes('principal')).toString('base64url');
    const { value } = await household().json<JsonObject[]>('principal', 'add', PRINCIPAL, '--public-key', text);
    expect(value[0]).toMatchObject({ public_key: KEY });
  });

  test.each([
    ['too short', KEY.slice(0, -2)],
    ['too long', `${KEY}00`],
    ['no hex', `ed25519:${'x'.repeat(64)}`],
    ['of another kind', KEY.replace('ed25519', 'rsa')],
    ['without its kind', KEY.slice('ed25519:'.length)],
    ['of low order', `ed25519:01${'00'.repeat(31)}`],
    ['all zero', `ed25519:${'00'.repeat(32)}`],
    ['not canonical', `ed25519:ee${'ff'.repeat(30)}7f`],
    ['empty', ''],
    ['a PEM', '-----BEGIN PUBLIC KEY-----'],
  ])('refuses a key that is %s', async (_, key) => {
    const machine = household();
    const { code, out, err } = await machine.run('principal', 'add', PRINCIPAL, '--public-key', key);
    expect([code, out]).toEqual([2, '']);
    // Who pastes a private key into the wrong place does not find it in a log.
    if (key.length > 20) expect(err).not.toContain(key);
    expect((await machine.json<unknown[]>('principal', 'list')).value).toEqual([]);
  });

  test.each([
    'acme.com',
    'did:web:ACME.com',
    'did:web:acme.com:agents:support-agent-v1',
    'did:key:z6Mk',
    'did:web:',
    'did:web:acme.com#key-1',
    'did:web:acme.com%3A99999',
    'did:web:acme..com',
    'did:web:acme.com/path',
    'did:web:127.0.0.1:x',
    '',
  ])('refuses %j as a principal', async (did) => {
    const machine = household();
    expect((await machine.run('principal', 'add', did, '--public-key', KEY)).code).toBe(2);
    expect((await machine.json<unknown[]>('principal', 'list')).value).toEqual([]);
  });

  test.each([[[]], [['--public-key', KEY, '--resolve']]])(
    'wants the key or --resolve, one of the two: %j',
    async (flags) => {
      expect((await household().run('principal', 'add', PRINCIPAL, ...flags)).code).toBe(2);
    },
  );
});

describe('a second key of a principal', () => {
  test('takes the place of the first with --replace, and that is said', async () => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', KEY);
    const { value } = await machine.json<JsonObject[]>(
      'principal',
      'add',
      PRINCIPAL,
      '--public-key',
      OTHER,
      '--replace',
    );
    expect(value[0]).toMatchObject({ changed: true, replaced: [`${PRINCIPAL}#key-1`] });
    const { value: list } = await machine.json<JsonObject[]>('principal', 'list');
    expect(list.map(({ public_key }) => public_key)).toEqual([OTHER]);
  });

  test('that the state does not take leaves the first one in force', async () => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', KEY);
    const database = new Database(machine.state, 1000);
    database.exec('CREATE TRIGGER broken BEFORE INSERT ON pins BEGIN INSERT INTO nowhere VALUES (1); END');
    database.close();
    const replace = await machine.run('principal', 'add', PRINCIPAL, '--public-key', OTHER, '--replace');
    expect(replace.code).not.toBe(0);
    const { value: list } = await machine.json<JsonObject[]>('principal', 'list');
    expect(list.map(({ public_key }) => public_key)).toEqual([KEY]);
  });

  test.each([
    ['its id', `${PRINCIPAL}#key-1`],
    ['its number', 'key-1'],
    ['its key', KEY],
  ])('is retired alone, by %s', async (_, named) => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', KEY);
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', OTHER, '--yes');
    const { value } = await machine.json<JsonObject>('principal', 'remove', PRINCIPAL, '--key', named);
    expect(value).toEqual({ principal: PRINCIPAL, key_id: `${PRINCIPAL}#key-1`, removed: 1, left: 1 });
    expect((await machine.run('principal', 'remove', PRINCIPAL, '--key', named)).code).toBe(3);
  });
});

describe('aip principal remove', () => {
  test('takes the belief in its passports with it', async () => {
    const machine = await settled();
    const refund = fixture('intent-refund.json');
    expect((await machine.run('intent', 'verify', refund, '--dry-run')).code).toBe(0);
    expect((await machine.json<JsonObject>('principal', 'remove', PRINCIPAL, '--yes')).value).toEqual({
      principal: PRINCIPAL,
      key_id: null,
      removed: 1,
      left: 0,
    });
    expect((await machine.run('intent', 'verify', refund, '--dry-run')).code).toBe(10);
    expect((await machine.run('principal', 'remove', PRINCIPAL, '--yes')).code).toBe(3);
  });

  test('does what a script says: nobody is there to be asked', async () => {
    const machine = await settled();
    expect((await machine.run('principal', 'remove', PRINCIPAL)).code).toBe(0);
    expect(stored(machine.state)).toMatchObject({ pins: 0 });
  });

  test.each(['did:web:ACME.com', 'did:web:acme.com.'])('does not call %s unpinned: it is no principal', async (did) => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', KEY);
    const { code, err } = await machine.run('principal', 'remove', did, '--yes');
    expect([code, err]).toEqual([2, expect.stringContaining('is not of the form')]);
  });
});
