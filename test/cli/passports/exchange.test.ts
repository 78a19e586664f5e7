import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readPassport } from '../../../src/protocol/passport.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, inFiles, made, settled, signed, type Household } from '../../kit/native/household.js';
import { olderPassport, passport } from '../../kit/native/passport-cases.js';
import { page, PRINCIPAL, publicKeyText, SUPPORT } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';
import { fixture, INTENTS } from '../../kit/native/vectors.js';
import { world } from '../../kit/world.js';

describe('aip passport import', () => {
  test('makes a passport known, once its principal is pinned', async () => {
    const machine = household();
    const file = fixture('passport-support-agent.json');
    const refused = await machine.failure('passport', 'import', file);
    expect(refused).toMatchObject({ code: 'PASSPORT_REFUSED', exit_code: 10 });
    expect(refused.hint).toContain('aip principal add did:web:acme.com --public-key <key>');
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    expect((await machine.run('intent', 'verify', fixture('intent-refund.json'), '--at', INTENTS.at)).code).toBe(10);
    const { value } = await machine.json<JsonObject>('passport', 'import', file);
    expect(value).toMatchObject({ agent_id: SUPPORT, result: 'imported' });
    expect((await machine.json<JsonObject>('passport', 'import', file)).value.result).toBe('known already');
    expect((await machine.run('intent', 'verify', fixture('intent-refund.json'))).code).toBe(0);
  });

  test('a copy of one that is known does not become the file that is written next', async () => {
    const imported = async (machine: Household, from: string) => {
      const { value } = await machine.json<JsonObject>('passport', 'import', from);
      const [known] = (await machine.json<JsonObject[]>('passport', 'list')).value;
      return [value.result, known!['passport']];
    };
    const machine = household();
    const path = await made(machine);
    const copy = machine.file('archive.json', readFileSync(path, 'utf8'));
    expect(await imported(machine, copy)).toEqual(['known already', path]);
    rmSync(path);
    expect(await imported(machine, copy)).toEqual(['known already', copy]);
    const file = fixture('passport-support-agent.json');
    const piped = await settled({ stdin: readFileSync(file, 'utf8') });
    expect(await imported(piped, '-')).toEqual(['known already', file]);
  });

  test('what passport create says for another machine can be pasted there', async () => {
    const maker = household();
    const { err } = await maker.run(
      ...['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'look'],
      ...inFiles(maker),
    );
    const words = [...err.matchAll(/^ {2}aip (.+)$/gm)].map(([, line]) => line!.split(' '));
    expect(words.map(([noun, verb]) => `${noun} ${verb}`)).toEqual(['principal add', 'passport import']);
    const other = household();
    const copy = other.file('bot.passport.json', readFileSync(maker.at('bot.passport.json'), 'utf8'));
    for (const line of words) {
      const { code, err: problem } = await other.run(
        ...line.map((word) => (word === 'bot.passport.json' ? copy : word)),
      );
      expect(code, problem).toBe(0);
    }
    expect((await other.json<JsonObject[]>('passport', 'list')).value).toMatchObject([{ agent_name: 'bot' }]);
    // Who has an older passport of the agent has its principal, too.
    const { err: later } = await maker.run('passport', 'renew', 'bot', '--expires', '30d', '--yes');
    expect(later).not.toContain('principal add');
  });

  test('one that was edited is no reason to pin another key', async () => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    const refused = await machine.failure('passport', 'import', fixture('passport-edited-limit.json'));
    expect(refused).toMatchObject({ code: 'PASSPORT_REFUSED', hint: 'get it again from its principal' });
  });

  test("without the principal's key every command says where to run it", async () => {
    const machine = await settled();
    for (const argv of [
      ['passport', 'rotate', 'support-agent-v1'],
      ['mandate', 'issue', 'support-agent-v1'],
    ])
      expect(await machine.failure(...argv)).toMatchObject({
        code: 'KEY_NOT_FOUND',
        hint: `run this where ${PRINCIPAL}#key-1 lives`,
      });
  });

  test('keeps what was signed: members left out stay out', async () => {
    const machine = await settled({ passport: 'passport-without-optional-members.json' });
    expect((await machine.run('intent', 'verify', fixture('intent-by-minimal-passport.json'))).code).toBe(0);
    const { value } = await machine.json<JsonObject[]>('passport', 'list');
    expect(value[0]).toMatchObject({ status: 'valid' });
    // What `show` prints is the document, and not what was read into it.
    const shown = machine.file('shown.json', (await machine.run('passport', 'show', 'minimal', '--json')).out);
    expect((await machine.run('passport', 'verify', shown)).code).toBe(0);
  });

  test('takes the largest passport that can be read, and reads it again', async () => {
    const actions = Array.from({ length: 180 }, (_, i) => ({ name: `a${i}`, params: { title: 't'.repeat(300) } }));
    const document = passport('largest', { actions: [...actions, 'send_email'] });
    const text = JSON.stringify(document);
    expect(text.length).toBeGreaterThan(60_000);
    const machine = household({ stdin: text });
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    expect((await machine.run('passport', 'import', '-')).code).toBe(0);
    const { value } = await machine.json<JsonObject[]>('passport', 'list');
    expect(value[0]).toMatchObject({ status: 'valid' });
    expect((await machine.run('passport', 'show', 'largest')).code).toBe(0);
  });

  test('a passport comes from stdin wherever its file may be named', async () => {
    const text = readFileSync(fixture('passport-support-agent.json'), 'utf8');
    const machine = await settled({ passport: 'passport-operator.json', stdin: text });
    const verify = ['intent', 'verify', fixture('intent-refund.json'), '--passport', '-', '--at', INTENTS.at];
    expect((await machine.run(...verify)).code).toBe(0);
    const document = (await household({ stdin: text }).json<JsonObject>('passport', 'show', '-')).value;
    expect(document).toEqual(JSON.parse(text));
    const wrong = await household({ stdin: '{}' }).failure('passport', 'show', '-');
    expect(wrong.message).toContain('stdin is not a valid passport');
  });

  test('an expired one is not to be had by pinning its principal again', async () => {
    const machine = await settled({ passport: 'passport-operator.json' });
    const failure = await machine.failure('passport', 'import', fixture('passport-expired.json'));
    expect(failure).toMatchObject({ code: 'PASSPORT_REFUSED', hint: 'get it again from its principal' });
  });

  test('an edited or expired one is shown as what it is', async () => {
    const machine = await settled({ passport: 'passport-operator.json' });
    const edited = (await machine.run('passport', 'show', fixture('passport-edited-limit.json'))).out;
    expect(edited).toMatch(/^ {2}signature {3}NOT VERIFIED: The passport does not carry a valid signature/m);
    expect(edited).not.toMatch(/\bok\b/);
    expect((await machine.run('passport', 'show', fixture('passport-expired.json'))).out).toContain('Z EXPIRED\n');
  });

  test('replaces by a later one, and by an earlier one only when told to', async () => {
    const machine = await settled({ passport: 'passport-rotated-twice.json' });
    const older = machine.file('older.json', page(olderPassport()));
    const failure = await machine.failure('passport', 'import', older);
    expect(failure).toMatchObject({ code: 'USAGE', exit_code: 2 });
    expect(failure.hint).toContain('--older');
    expect((await machine.json<JsonObject>('passport', 'import', older, '--older')).value.result).toBe('replaced');
    const later = fixture('passport-rotated-twice.json');
    expect((await machine.json<JsonObject>('passport', 'import', later)).value.result).toBe('replaced');
  });

  test.each([
    ['2026-02-18T12:00:00Z', '2026-02-18T12:00:00.500Z'],
    ['2026-02-18T12:00:00.5Z', '2026-02-18T12:00:00.75Z'],
    ['2026-02-18T12:00:00.25Z', '2026-02-18T12:00:01Z'],
  ])('orders by time, not by spelling: %s before %s', async (earlier, later) => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    const at = (name: string, issued_at: string) => machine.file(name, page(passport('timed', { issued_at })));
    const [first, second] = [at('first.json', earlier), at('second.json', later)];
    expect((await machine.run('passport', 'import', first)).code).toBe(0);
    expect((await machine.json<JsonObject>('passport', 'import', second)).value.result).toBe('replaced');
    expect((await machine.run('passport', 'import', first)).code).toBe(2);
  });
});

describe('aip passport export', () => {
  test('writes did.json of agent and domain where a web server would have them', async () => {
    const machine = await settled();
    const { value } = await machine.json<JsonObject[]>(
      'passport',
      'export',
      'support-agent-v1',
      '--out',
      machine.at('public'),
    );
    expect(value.map(({ url }) => url)).toEqual([
      'https://acme.com/.well-known/did.json',
      'https://acme.com/agents/support-agent-v1/did.json',
    ]);
    for (const { did, path } of value) {
      const document = JSON.parse(readFileSync(String(path), 'utf8')) as { id: string };
      expect(document.id).toBe(did);
    }
    // Once more changes nothing.
    const texts = () => value.map(({ path }) => readFileSync(String(path), 'utf8'));
    const before = texts();
    const again = ['passport', 'export', 'support-agent-v1', '--out', machine.at('public')];
    const { code, out } = await machine.run(...again);
    expect(code).toBe(0);
    const columns = out
      .trimEnd()
      .split('\n')
      .map((line) => line.indexOf('serve as https://'));
    expect([columns.length, new Set(columns).size]).toEqual([2, 1]);
    expect(texts()).toEqual(before);
    expect((await machine.run(...again, '--force')).code).toBe(0);
    expect(texts()).toEqual(before);
  });

  test('adds its keys to a did.json of others, and changes no number in it', async () => {
    const machine = await settled();
    const file = machine.file(
      'public/.well-known/did.json',
      '{"id":"did:web:acme.com","service":[{"id":"#hub","n":12345678901234567890,"f":1.10}],"verificationMethod":[{"id":"#other"}]}',
    );
    const exported = ['passport', 'export', 'support-agent-v1', '--out', machine.at('public')];
    const { value, code } = await machine.json<JsonObject[]>(...exported);
    expect([code, value[0]]).toMatchObject([0, { kept: ['did:web:acme.com#other', 'did:web:acme.com#hub'], lost: [] }]);
    const text = readFileSync(file, 'utf8');
    for (const part of ['12345678901234567890', '"#other"', '"#hub"', 'did:web:acme.com#key-1'])
      expect(text).toContain(part);
    const forced = await machine.run(...exported, '--force');
    expect([forced.code, forced.err]).toEqual([
      0,
      expect.stringContaining('did:web:acme.com#other, did:web:acme.com#hub'),
    ]);
  });

  test.each([
    ['{"id":"did:web:evil.com","service":[{"id":"#hub"}]}', 'did:web:acme.com#hub'],
    ['{"id":', 'not strict JSON'],
  ])('leaves %s as it is, and names what --force would drop', async (text, named) => {
    const machine = await settled();
    const file = machine.file('public/.well-known/did.json', text);
    const failed = await machine.failure('passport', 'export', 'support-agent-v1', '--out', machine.at('public'));
    expect([failed.code, failed.message]).toEqual(['EXISTS', expect.stringContaining(named)]);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(existsSync(machine.at('public/agents'))).toBe(false);
  });

  test('prints the public key as OpenSSL and JOSE read it', async () => {
    const machine = await settled();
    const raw = publicKeyText('agent').slice('ed25519:'.length);
    const { out: pem } = await machine.run('passport', 'export', 'support-agent-v1', '--format', 'pem');
    expect(createPublicKey(pem).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')).toBe(raw);
    const { out: jwk } = await machine.run('passport', 'export', SUPPORT, '--format', 'jwk');
    const key = createPublicKey({ key: JSON.parse(jwk) as JsonWebKey, format: 'jwk' });
    expect(key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')).toBe(raw);
    expect(JSON.parse(jwk)).not.toHaveProperty('d');
  });

  test.each([
    [['nobody'], 3],
    [['support-agent-v1', '--format', 'p12'], 2],
    [['nowhere.json'], 3],
  ])('%j is exit %d', async (args, exit) => {
    const machine = await settled();
    expect((await machine.run('passport', 'export', ...args)).code).toBe(exit);
  });
});

describe('aip passport delete', () => {
  test('destroys the keys and forgets the passport; the file and the log stay', async () => {
    const machine = household();
    const path = await made(machine);
    const intent = await signed(machine, path, '.env', 'i.json');
    await machine.run('intent', 'verify', intent);
    const { value } = await machine.json<JsonObject>('passport', 'delete', 'support-agent-v1', '--yes');
    expect(value).toEqual({ agent_id: SUPPORT, deleted_keys: [`${SUPPORT}#key-1`], keys_not_found: [] });
    expect(existsSync(machine.at('.env')) ? readFileSync(machine.at('.env'), 'utf8') : '').not.toContain('ed25519:');
    expect(readPassport(readFileSync(path)).agent.id).toBe(SUPPORT);
    expect(stored(machine.state)).toMatchObject({ passports: 0, pins: 1, entries: 1 });
    expect((await machine.run('intent', 'sign', '-p', path, '-a', 'send_email')).code).toBe(4);
  });

  test('destroys a key that the passport no longer names, too', async () => {
    const machine = household();
    await made(machine);
    for (const env of ['.env2', '.env3'])
      await machine.run('passport', 'rotate', 'support-agent-v1', '--env-file', machine.at(env), '--overlap', '0s');
    const { value } = await machine.json<JsonObject>('passport', 'delete', 'support-agent-v1', '--yes');
    expect(value.deleted_keys).toEqual([3, 2, 1].map((n) => `${SUPPORT}#key-${n}`));
    for (const env of ['.env', '.env2', '.env3'])
      expect(existsSync(machine.at(env)) ? readFileSync(machine.at(env), 'utf8') : '').not.toContain('ed25519:');
  });

  test('a key that was moved is not called destroyed: it still signs', async () => {
    const machine = household();
    await made(machine);
    renameSync(machine.at('.env'), machine.at('moved.env'));
    const { out, err } = await machine.run('passport', 'delete', 'support-agent-v1', '--yes');
    expect(out).not.toContain('destroyed');
    expect(err.replace(/\s+/g, ' ')).toContain(
      `not found at env: ${machine.at('.env')}; if it was moved, it still signs`.replace(/\s+/g, ' '),
    );
    const other = household();
    await made(other);
    renameSync(other.at('.env'), other.at('moved.env'));
    const { code, value } = await other.json<JsonObject>('passport', 'delete', 'support-agent-v1', '--yes');
    expect([code, value]).toEqual([
      0,
      {
        agent_id: SUPPORT,
        deleted_keys: [],
        keys_not_found: [{ key_id: `${SUPPORT}#key-1`, key_store: 'env', key_ref: other.at('.env') }],
      },
    ]);
  });

  test("leaves another agent's key, which the env file has got since", async () => {
    const machine = household();
    await made(machine);
    const moved = readFileSync(machine.at('.env'), 'utf8');
    writeFileSync(machine.at('.env'), '');
    const other = ['passport', 'create', 'other', '--domain', 'acme.com', '-a', 'look', '-e', machine.at('.env')];
    expect((await machine.run(...other, '-o', machine.at('other.json'))).code).toBe(0);
    const held = readFileSync(machine.at('.env'), 'utf8');
    const { value } = await machine.json<JsonObject>('passport', 'delete', 'support-agent-v1', '--yes');
    expect(value).toMatchObject({ deleted_keys: [], keys_not_found: [{ key_id: `${SUPPORT}#key-1` }] });
    expect(readFileSync(machine.at('.env'), 'utf8')).toBe(held);
    // One that nothing here knows is no key of the agent either.
    writeFileSync(machine.at('.env'), moved);
    expect((await machine.run('passport', 'delete', 'other', '--yes')).code).toBe(0);
    expect(readFileSync(machine.at('.env'), 'utf8')).toBe(moved);
  });

  test('says which keys are gone, where the next one cannot be destroyed', async () => {
    const machine = household();
    await made(machine);
    await machine.run('passport', 'rotate', 'support-agent-v1', '--key-store', 'file', '--yes');
    renameSync(machine.at('.env'), machine.at('real.env'));
    symlinkSync(machine.at('real.env'), machine.at('.env'));
    const failure = await machine.failure('passport', 'delete', 'support-agent-v1', '--yes');
    expect(failure).toMatchObject({
      ...{ code: 'KEYSTORE_DENIED', exit_code: 4 },
      message: expect.stringContaining(`Destroyed before that: ${SUPPORT}#key-2; the passport is still known.`),
    });
    rmSync(machine.at('.env'));
    const { value } = await machine.json<JsonObject>('passport', 'delete', 'support-agent-v1', '--yes');
    expect(value).toMatchObject({ deleted_keys: [], keys_not_found: [{ key_id: `${SUPPORT}#key-1` }] });
  });

  test('keeps the keys with --keep-key', async () => {
    const machine = household();
    await made(machine);
    const before = readFileSync(machine.at('.env'), 'utf8');
    expect((await machine.run('passport', 'delete', 'support-agent-v1', '--keep-key', '--yes')).code).toBe(0);
    expect(readFileSync(machine.at('.env'), 'utf8')).toBe(before);
  });

  test('names in its question what is destroyed, keys that were kept before among them', async () => {
    const machine = household();
    const path = await made(machine);
    const asked = async (...argv: string[]) =>
      (await machine.failure('passport', 'delete', 'support-agent-v1', ...argv)).message;
    expect(await asked('--keep-key')).toContain('to forget its passport (');
    expect((await machine.run('passport', 'delete', 'support-agent-v1', '--keep-key', '--yes')).code).toBe(0);
    const again = ['passport', 'create', 'support-agent-v1', '--domain', 'acme.com', '-a', 'send_email'];
    expect((await machine.run(...again, ...inFiles(machine, 'second.env'), '--out', `${path}.2`)).code).toBe(0);
    expect(await asked()).toContain('to destroy key-2, key-1 (');
  });

  test('does nothing unasked: exit 2 names --yes', async () => {
    const machine = await settled();
    const failure = await machine.failure('passport', 'delete', 'support-agent-v1');
    expect(failure).toMatchObject({ code: 'ANSWER_NEEDED', exit_code: 2 });
    expect(failure.hint).toContain('--yes');
    expect(stored(machine.state)).toMatchObject({ passports: 1 });
    expect((await machine.run('passport', 'delete', 'nobody', '--yes')).code).toBe(3);
  });
});

test('where nothing is known, a machine of a mesh is told what its passports wait for', async () => {
  const pin = 'aip principal add';
  expect((await world().run('passport', 'list')).err).not.toContain(pin);
  expect((await world({ env: { AIP_MESH_URL: 'https://mesh.example' } }).run('passport', 'list')).err).toContain(pin);
});
