import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { GUIDE_FLAGS, household, made, PASSPHRASE, settled, signed } from '../../kit/native/household.js';
import { SUPPORT } from '../../kit/native/parts.js';

describe('aip passport rotate', () => {
  test('lets both keys verify during the overlap, and the old one no longer after it', async () => {
    const machine = household();
    const path = await made(machine);
    const old = await signed(machine, path, '.env', 'old.json');
    const oldAgain = await signed(machine, path, '.env', 'old-again.json');
    // The clock stands still here, so the overlap is told by --at.
    const { value } = await machine.json<JsonObject>(
      'passport',
      'rotate',
      path,
      '--env-file',
      machine.at('.env2'),
      '--overlap',
      '1h',
    );
    expect(value).toMatchObject({
      key_id: `${SUPPORT}#key-2`,
      previous_key_id: `${SUPPORT}#key-1`,
      previous_valid_until: '2026-02-18T15:23:45Z',
    });
    const fresh = await signed(machine, path, '.env2', 'fresh.json');
    expect(JSON.parse(readFileSync(fresh, 'utf8'))).toMatchObject({ key_id: `${SUPPORT}#key-2` });
    const verify = (file: string, ...flags: string[]) => machine.json('intent', 'verify', file, ...flags);
    expect((await verify(old)).code).toBe(0);
    expect((await verify(fresh)).code).toBe(0);
    const late = await verify(oldAgain, '--at', '2026-02-18T15:23:45Z', '--max-age', '2h', '--allow-future');
    expect([late.code, late.value.error_code]).toEqual([10, 'AIP-E105']);
    expect(late.value.details).toMatchObject({ valid_until: '2026-02-18T15:23:45.000Z' });
    expect((await verify(oldAgain, '--at', '2026-02-18T15:23:44Z', '--max-age', '2h', '--allow-future')).code).toBe(0);
  });

  test.each([
    ['rotate', '--env-file', '.env2'],
    ['renew', '--expires', '30d'],
  ])('%s replaces its own file, and another only with --force', async (verb, flag, value) => {
    const machine = household();
    const path = await made(machine);
    const precious = machine.file('other.json', 'precious');
    const given = [flag, value.startsWith('.') ? machine.at(value) : value];
    const command = ['passport', verb, 'support-agent-v1', ...given, '--out', precious];
    expect(await machine.failure(...command)).toMatchObject({ code: 'EXISTS', exit_code: 2 });
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(existsSync(machine.at('.env2'))).toBe(false);
    expect((await machine.run('passport', verb, path, ...given, '--out', path)).code).toBe(0);
    const again = command.map((word) => (word === machine.at('.env2') ? machine.at('.env3') : word));
    const more = verb === 'renew' ? ['--expires', '40d'] : [];
    expect((await machine.run(...again, ...more, '--force')).code).toBe(0);
    expect(readFileSync(precious, 'utf8')).toContain('issuer_signature');
  });

  test('ends the old key at once with --overlap 0s', async () => {
    const machine = household();
    const path = await made(machine);
    const old = await signed(machine, path, '.env', 'old.json');
    await machine.run('passport', 'rotate', 'support-agent-v1', '--env-file', machine.at('.env2'), '--overlap', '0s');
    const { code, value } = await machine.json('intent', 'verify', old);
    expect([code, value.error_code]).toEqual([10, 'AIP-E105']);
  });

  test('--overlap 0s names an earlier key that still verifies, and what ends it', async () => {
    const machine = household();
    const path = await made(machine);
    const old = await signed(machine, path, '.env', 'old.json');
    const rotate = (env: string, ...flags: string[]) =>
      machine.run('passport', 'rotate', 'support-agent-v1', '--env-file', machine.at(env), ...flags);
    expect((await rotate('.env2')).err).not.toContain('still verifies');
    const { err } = await rotate('.env3', '--overlap', '0s');
    const said = /(\S+#key-\d+) still verifies until \S+; to end it: aip (revoke \S+) \[/.exec(
      err.replace(/\s+/g, ' '),
    );
    expect(said?.[1]).toBe(`${SUPPORT}#key-1`);
    await machine.run(...said![2]!.split(' '), '--reason', 'leaked', '--yes');
    expect((await machine.json('intent', 'verify', old)).code).not.toBe(0);
  });

  test('takes the place of the passport before it: that one is not believed again', async () => {
    const machine = household();
    const path = await made(machine);
    const before = machine.file('before.json', readFileSync(path, 'utf8'));
    const rotate = ['passport', 'rotate', path, '--env-file', machine.at('.env2'), '--overlap', '0s'];
    expect((await machine.run(...rotate)).code).toBe(0);
    // With the old passport the old key would be the current one for ever.
    const old = await signed(machine, before, '.env', 'old.json', '--key-store', 'env');
    const { code, value } = await machine.json('intent', 'verify', old, '--passport', before);
    expect([code, value.error_code]).toEqual([10, 'AIP-E103']);
    expect((await machine.run('passport', 'import', before)).code).toBe(10);
  });

  test('keeps the limits, the term and the notes', async () => {
    const machine = household();
    const where = ['--key-store', 'env', '--env-file', machine.at('.env'), '--principal-key-store', 'file'];
    const flags = ['--expires', '30d', '--metadata', 'owner=ops', '--deny', 'wire'];
    await machine.run('passport', 'create', 'support-agent-v1', ...GUIDE_FLAGS, ...where, ...flags);
    const path = machine.at('support-agent-v1.passport.json');
    const before = JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
    await machine.run('passport', 'rotate', path, '--env-file', machine.at('.env2'));
    const after = JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
    for (const member of ['actions', 'denied_actions', 'constraints', 'metadata', 'expires_at'])
      expect(after[member]).toEqual(before[member]);
    expect(after.public_key).not.toBe(before.public_key);
    expect((after.previous_keys as JsonObject[])[0]).toEqual({
      key_id: before.key_id,
      public_key: before.public_key,
      valid_until: '2026-02-19T14:23:45Z',
    });
    expect((await machine.run('passport', 'verify', path)).code).toBe(0);
  });

  test('never has more former keys than a passport may carry', async () => {
    const machine = household();
    const path = await made(machine);
    for (let n = 2; n <= 11; n++) {
      const { code, err } = await machine.run('passport', 'rotate', path, '--env-file', machine.at(`.env${n}`));
      expect(code).toBe(0);
      // The ninth rotation within the overlap ends the first key early.
      const dropped = n < 10 ? undefined : `#key-${n - 9}`;
      expect(/(#key-\d+) verifies no longer/.exec(err.replace(/\s+/g, ' '))?.[1]).toBe(dropped);
    }
    const document = JSON.parse(readFileSync(path, 'utf8')) as { key_id: string; previous_keys: { key_id: string }[] };
    expect(document.key_id).toBe(`${SUPPORT}#key-11`);
    expect(document.previous_keys.map(({ key_id }) => key_id)).toEqual(
      [10, 9, 8, 7, 6, 5, 4, 3].map((n) => `${SUPPORT}#key-${n}`),
    );
  });

  test('refuses what would not fit into a document, and takes the new key back', async () => {
    const machine = household();
    const create = async (name: string, pad: number) => {
      const metadata = { pad: 'x'.repeat(pad) };
      const from = machine.file('t.json', JSON.stringify({ name, domain: 'acme.com', actions: ['x'], metadata }));
      const flags = ['--key-store', 'env', '--env-file', machine.at(`.env-${name}`), '--principal-key-store', 'file'];
      const out = machine.at(`${name}.json`);
      expect((await machine.run('passport', 'create', '--from', from, ...flags, '--out', out)).code).toBe(0);
      return readFileSync(out).length;
    };
    const empty = await create('bot1', 0);
    expect(await create('bot2', 65_500 - empty)).toBe(65_500);
    const before = readFileSync(machine.at('bot2.json'), 'utf8');
    const failure = await machine.failure('passport', 'rotate', 'bot2', '--env-file', machine.at('.env2'));
    expect(failure).toMatchObject({ code: 'USAGE', exit_code: 2 });
    expect(readFileSync(machine.at('bot2.json'), 'utf8')).toBe(before);
    expect(existsSync(machine.at('.env2')) ? readFileSync(machine.at('.env2'), 'utf8') : '').not.toContain('ed25519:');
    expect((await machine.run('passport', 'verify', machine.at('bot2.json'))).code).toBe(0);
  });

  test.each([
    ['nobody', ['nobody'], 3],
    ['a key that would replace the one in use', ['support-agent-v1'], 2],
    ['an overlap that is none', ['support-agent-v1', '--overlap', 'soon'], 2],
  ])('refuses %s', async (_, args, exit) => {
    const machine = household();
    const path = await made(machine);
    const before = readFileSync(path, 'utf8');
    expect((await machine.run('passport', 'rotate', ...args)).code).toBe(exit);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('that the state does not take leaves passport and key as they were', async () => {
    const machine = household();
    const path = await made(machine);
    const before = readFileSync(path, 'utf8');
    const change = (sql: string): void => {
      const database = new Database(machine.state, 1000);
      database.exec(sql);
      database.close();
    };
    const rotate = ['passport', 'rotate', path, '--env-file', machine.at('.env2')];
    change('CREATE TRIGGER broken BEFORE INSERT ON passports BEGIN INSERT INTO nowhere VALUES (1); END');
    expect((await machine.run(...rotate)).code).not.toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect((await machine.run('intent', 'verify', await signed(machine, path, '.env', 'old.json'))).code).toBe(0);
    change('DROP TRIGGER broken');
    expect((await machine.run(...rotate)).code).toBe(0);
    expect((await machine.run('intent', 'verify', await signed(machine, path, '.env2', 'i.json'))).code).toBe(0);
  });

  test('needs the principal, who may be elsewhere', async () => {
    const machine = await settled();
    const failure = await machine.failure(
      'passport',
      'rotate',
      'support-agent-v1',
      '--env-file',
      machine.at('.env2'),
      '--out',
      machine.at('p.json'),
    );
    expect(failure).toMatchObject({ code: 'KEY_NOT_FOUND', exit_code: 4 });
    expect(existsSync(machine.at('.env2'))).toBe(false);
    expect(existsSync(machine.at('p.json'))).toBe(false);
  });
});

test('what is typed while a key is opened takes nothing from a term, an overlap or a mandate, and adds nothing', async () => {
  const machine = household();
  let now = machine.io.now();
  Object.assign(machine.io, { now: () => now });
  Object.defineProperty(machine.io.env, 'AIP_KEY_PASSPHRASE', {
    get: () => {
      now += 120_000;
      return PASSPHRASE;
    },
  });
  const time = (text: unknown) => Date.parse(String(text));
  const path = await made(machine, ['--expires', '1d']);
  const created = JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
  expect([time(created['issued_at']), time(created['expires_at'])]).toEqual([now, now + 86_400_000]);
  const flags = ['--env-file', machine.at('.env2'), '--overlap', '1m', '--expires', '2d'];
  const { value } = await machine.json<JsonObject>('passport', 'rotate', path, ...flags);
  expect([time(value['previous_valid_until']), time(value['expires_at'])]).toEqual([now + 60_000, now + 172_800_000]);
  expect((await machine.run('mandate', 'issue', 'support-agent-v1', '-o', machine.at('m.json'))).code).toBe(0);
  const mandate = JSON.parse(readFileSync(machine.at('m.json'), 'utf8')) as JsonObject;
  expect([time(mandate['issued_at']), time(mandate['expires_at'])]).toEqual([now, time(value['expires_at'])]);
});
