import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, made, signed, type Household } from '../../kit/native/household.js';

/** An agent's machine that asked for a passport, and its principal's machine, which has made one before. */
async function asked(...more: string[]) {
  const office = household();
  await made(office);
  const agent = household();
  const flags = ['--domain', 'acme.com', '-a', 'send_email', '--constraint', 'rate_limit=5/hour', ...more];
  const file = agent.at('bot.request.json');
  const { code, value } = await agent.json<JsonObject>(
    ...['passport', 'request', 'bot', ...flags, '--key-store', 'env', '--env-file', agent.at('.env'), '-o', file],
  );
  expect(code).toBe(0);
  return { office, agent, file, value };
}
const sign = (office: Household, file: string, ...more: string[]) =>
  office.json<JsonObject>('passport', 'sign', file, '-o', office.at('bot.passport.json'), '--no-publish', ...more);

describe('a passport across two machines', () => {
  test('is asked for here, signed there, and verifies; the private key stays', async () => {
    const { office, agent, file, value } = await asked();
    expect(value).toMatchObject({ agent_id: 'did:web:acme.com:agents:bot', request: file, key_store: 'env' });
    const answer = await sign(office, file, '--expires', '30d', '--yes');
    expect([answer.code, answer.value['serial'], answer.value['public_key']]).toEqual([0, 1, value['public_key']]);
    expect(answer.err).toContain('action: send_email');
    const principal = (await office.json<JsonObject[]>('principal', 'list')).value[0]!['public_key'] as string;
    await agent.run('principal', 'add', 'did:web:acme.com', '--public-key', principal);
    const passport = office.at('bot.passport.json');
    expect((await agent.run('passport', 'import', passport)).code).toBe(0);
    const mail = await signed(agent, passport, '.env', 'mail.json');
    expect((await agent.json('intent', 'verify', mail)).code).toBe(0);
  });

  test('is not made beside it, and no principal either', async () => {
    const { office, agent, file } = await asked();
    const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'x', '--principal-key-store', 'file'];
    const made = [...create, '-e', agent.at('.env'), '-o', agent.at('own.json')];
    expect(await agent.failure(...made)).toMatchObject({ code: 'EXISTS', hint: expect.stringContaining('request') });
    expect((await agent.json('principal', 'list')).value).toEqual([]);
    expect((await sign(office, file, '--yes')).code).toBe(0);
    // One that was given up is made anew.
    writeFileSync(agent.at('.env'), '');
    expect((await agent.run(...made)).code).toBe(0);
  });

  test('what comes next names the files', async () => {
    const agent = household();
    const argv = ['passport', 'request', 'bot', '--domain', 'acme.com', '-a', 'look', '--key-store', 'file'];
    const { err } = await agent.run(...argv, '-o', agent.at('my request.json'));
    expect(err).toContain("\n  aip passport sign 'my request.json'\n");
    expect(err).toContain('\n  aip passport import bot.passport.json\n');
  });

  test('is signed once', async () => {
    const { office, file } = await asked();
    expect((await sign(office, file)).code).toBe(0);
    const failure = await office.failure('passport', 'sign', file, '-o', office.at('again.json'));
    expect([failure.exit_code, failure.message]).toEqual([2, expect.stringContaining('signed before')]);
  });

  test('replaces no key unless --replace-key, which --yes does not imply', async () => {
    const { office, file } = await asked();
    expect((await sign(office, file)).code).toBe(0);
    const other = household();
    const again = other.at('bot.request.json');
    await other.run(
      ...['passport', 'request', 'bot', '--domain', 'acme.com', '-a', 'x', '-o', again],
      ...['--key-store', 'env', '--env-file', other.at('.env')],
    );
    const out = ['-o', office.at('new.json')];
    const failure = await office.failure('passport', 'sign', again, '--yes', ...out);
    expect([failure.exit_code, failure.hint]).toEqual([2, expect.stringContaining('--replace-key')]);
    const { code, value } = await office.json<JsonObject>('passport', 'sign', again, '--replace-key', '--yes', ...out);
    expect([code, value['serial']]).toEqual([0, 2]);
    // A key id is one key's for good; the agent's machine learns the number with the passport.
    expect(value['key_id']).toBe('did:web:acme.com:agents:bot#key-2');
    const principal = (await office.json<JsonObject[]>('principal', 'list')).value[0]!['public_key'] as string;
    await other.run('principal', 'add', 'did:web:acme.com', '--public-key', principal);
    await other.run('passport', 'import', office.at('new.json'));
    const signed = await other.run('intent', 'sign', '-p', 'bot', '-a', 'x');
    expect([signed.code, signed.err]).toMatchObject([0, '']);
    expect((await office.run('intent', 'verify', office.file('intent.json', signed.out))).code).toBe(0);
    // The key's place keeps its name: nobody is told that no passport carries it.
    const anew = await other.failure(
      ...['passport', 'request', 'bot', '--domain', 'acme.com', '-a', 'x', '-o', other.at('third.json')],
      ...['--key-store', 'env', '--env-file', other.at('.env')],
    );
    expect(anew).toMatchObject({ code: 'EXISTS', hint: expect.stringContaining('aip passport update') as string });
    const rotated = await office.json<JsonObject>('passport', 'rotate', 'bot', '--yes', '--key-store', 'file');
    expect(rotated.value['key_id']).toBe('did:web:acme.com:agents:bot#key-3');
  });

  test('a machine that knew a passport of the agent before finds its key, too', async () => {
    const { office, file } = await asked();
    expect((await sign(office, file)).code).toBe(0);
    const principal = (await office.json<JsonObject[]>('principal', 'list')).value[0]!['public_key'] as string;
    const other = household();
    await other.run('principal', 'add', 'did:web:acme.com', '--public-key', principal);
    expect((await other.run('passport', 'import', office.at('bot.passport.json'))).code).toBe(0);
    const again = other.at('bot.request.json');
    const { code } = await other.run(
      ...['passport', 'request', 'bot', '--domain', 'acme.com', '-a', 'x', '-o', again],
      ...['--key-store', 'env', '--env-file', other.at('.env')],
    );
    expect(code).toBe(0);
    await office.run('passport', 'sign', again, '--replace-key', '--yes', '-o', office.at('new.json'));
    expect((await other.run('passport', 'import', office.at('new.json'))).code).toBe(0);
    const signed = await other.run('intent', 'sign', '-p', 'bot', '-a', 'x');
    expect([signed.code, signed.err]).toMatchObject([0, '']);
  });

  test('a deleted agent that is made again has no key under a number of before', async () => {
    const home = household();
    await home.agent('bot');
    await home.run('passport', 'rotate', 'bot', '--yes', '--key-store', 'file');
    await home.run('passport', 'delete', 'bot', '--yes');
    const create = 'passport create bot --domain acme.com -a x --key-store file --out'.split(' ');
    const { value } = await home.json<JsonObject>(...create, home.at('b.json'));
    expect(value['key_id']).toBe('did:web:acme.com:agents:bot#key-3');
  });

  test('is asked for again with the key that nobody has answered for', async () => {
    const { office, agent, file, value } = await asked();
    const again = agent.at('again.json');
    const ask = ['passport', 'request', 'bot', '--domain', 'acme.com', '-a', 'read', '--key-store', 'env'];
    const from = (out: string) => [...ask, '--env-file', agent.at('.env'), '-o', out];
    const told = await agent.json<JsonObject>(...from(again));
    expect([told.code, told.value['public_key']]).toEqual([0, value['public_key']]);
    const nonces = [file, again].map((path) => (JSON.parse(readFileSync(path, 'utf8')) as JsonObject)['nonce']);
    expect(nonces[0]).not.toBe(nonces[1]);
    expect((await sign(office, file)).code).toBe(0);
    expect((await sign(office, again, '--yes', '--force')).value).toMatchObject({ serial: 2 });
    // What is answered is changed by the principal: the request names its first key.
    const principal = (await office.json<JsonObject[]>('principal', 'list')).value[0]!['public_key'] as string;
    await agent.run('principal', 'add', 'did:web:acme.com', '--public-key', principal);
    await agent.run('passport', 'import', office.at('bot.passport.json'));
    const failure = await agent.failure(...from(agent.at('third.json')));
    expect(failure).toMatchObject({ code: 'EXISTS', hint: expect.stringContaining('aip passport update') });
  });

  test('keeps the key of the earlier request where the new one cannot be written', async () => {
    const { agent, value } = await asked();
    const flags = ['--domain', 'acme.com', '-a', 'x', '--key-store', 'env', '--env-file', agent.at('.env')];
    const request = (out: string) => agent.run('passport', 'request', 'bot', ...flags, '-o', agent.at(out));
    expect((await request('bot.request.json')).code).toBe(2);
    expect((await request('later.json')).code).toBe(0);
    const later = JSON.parse(readFileSync(agent.at('later.json'), 'utf8')) as JsonObject;
    expect(later['public_key']).toBe(value['public_key']);
  });

  test.each([
    ['edited', (text: string) => text.replace('send_email', 'send_money'), 3, 'signature does not hold'],
    ['of another type', (text: string) => text.replace('passport-request', 'mandate'), 3, '"type"'],
    ['with another member', (text: string) => text.replace('{', '{"x": 1,'), 3, 'unknown member'],
    ['that is no JSON', () => '{', 3, 'not strict JSON'],
  ])('is refused when %s', async (_, change, code, what) => {
    const { office, file } = await asked();
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    const failure = await office.failure('passport', 'sign', file, '--yes');
    expect([failure.exit_code, failure.message]).toEqual([code, expect.stringContaining(what)]);
  });

  test('that no passport could hold is not asked for', async () => {
    const agent = household();
    const flags = ['--domain', 'acme.com', '-a', 'x', '--key-store', 'env', '--env-file', agent.at('.env')];
    expect((await agent.run('passport', 'request', 'Bot', ...flags)).code).toBe(2);
    expect((await agent.run('passport', 'request', 'bot', ...flags, '--constraint', 'nonsense=1')).code).toBe(2);
  });
});
