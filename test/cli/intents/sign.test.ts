import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Decision } from '../../../src/verify/decision.js';
import { household, inFiles, made, settled, signed } from '../../kit/native/household.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S, SUPPORT } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';
import { fixture, INTENTS } from '../../kit/native/vectors.js';

const BY = ['intent', 'sign', '-p', 'support-agent-v1'];

describe('aip intent sign', () => {
  test('prints one line that a verifier accepts', async () => {
    const machine = await settled();
    const { code, out, err } = await machine.run(
      ...BY,
      '-a',
      'issue_refund',
      '--param',
      'order_id=8472',
      '--param',
      'amount:=50',
    );
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^\{[^\n]+\}\n$/);
    const intent = JSON.parse(out) as JsonObject;
    expect(Object.keys(intent)).toEqual(['agent_id', 'action', 'params', 'key_id', 'timestamp', 'nonce', 'signature']);
    expect(intent).toMatchObject({
      agent_id: SUPPORT,
      params: { order_id: '8472', amount: 50 },
      key_id: `${SUPPORT}#key-1`,
      timestamp: NOW_S,
      nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
      signature: expect.stringMatching(/^[0-9a-f]{128}$/),
    });
    expect((await machine.run('intent', 'verify', machine.file('i.json', out))).code).toBe(0);
  });

  test('names the action that a mistyped one is near', async () => {
    const machine = await settled();
    const { err } = await machine.run(...BY, '-a', 'isue_refund', '--param', 'amount:=50');
    expect(err).toContain('does not declare the action "isue_refund"; the nearest that it declares is "issue_refund".');
    expect((await machine.run(...BY, '-a', 'drop_tables')).err).toContain('does not declare the action "drop_tables".');
  });

  test('keeps nothing: it only rehearses', async () => {
    const machine = await settled();
    const before = stored(machine.state);
    await machine.run(...BY, '-a', 'issue_refund');
    expect(stored(machine.state)).toEqual(before);
  });

  test('never gives the same nonce twice', async () => {
    const machine = await settled();
    const nonces = new Set<unknown>();
    for (let i = 0; i < 20; i++) {
      const { out } = await machine.run(...BY, '-a', 'issue_refund');
      nonces.add((JSON.parse(out) as JsonObject).nonce);
    }
    expect(nonces.size).toBe(20);
  });

  test('takes the request from a file or stdin, and flags come first', async () => {
    const request = JSON.stringify({
      action: 'send_email',
      params: { to: 'a@acme.com', cc: 'b@acme.com' },
      target: 'x',
    });
    const machine = await settled({ stdin: request });
    const path = machine.file('request.json', request);
    const fromFile = JSON.parse((await machine.run(...BY, path)).out) as JsonObject;
    expect(fromFile).toMatchObject({
      action: 'send_email',
      target: 'x',
      params: { to: 'a@acme.com', cc: 'b@acme.com' },
    });
    const fromStdin = JSON.parse(
      (await machine.run(...BY, '-', '-t', 'y', '--param', 'to=c@acme.com')).out,
    ) as JsonObject;
    expect(fromStdin).toMatchObject({ target: 'y', params: { to: 'c@acme.com', cc: 'b@acme.com' } });
    const params = machine.file('params.json', '{"amount":7}');
    const mixed = await machine.run(...BY, '-a', 'issue_refund', '--params', `@${params}`, '--param', 'note=x');
    expect(JSON.parse(mixed.out)).toMatchObject({ params: { amount: 7, note: 'x' } });
  });

  test('is indented for a person, and means the same', async () => {
    const machine = await settled({ tty: { stdout: true } });
    const { out } = await machine.run(...BY, '-a', 'issue_refund');
    expect(out).toMatch(/^\{\n {2}"agent_id"/);
    expect((await machine.run('intent', 'verify', machine.file('i.json', out))).code).toBe(0);
  });

  test('keeps odd names and values as they are', async () => {
    const machine = await settled();
    const params =
      '{"__proto__":{"x":1},"constructor":"c","":"empty","\\u0000":0,"deep":[[[{}]]],"z":1e21,"é":"\u2028"}';
    const { out } = await machine.run(...BY, '-a', 'issue_refund', '--params', params);
    expect((JSON.parse(out) as JsonObject).params).toEqual(JSON.parse(params));
    expect((await machine.run('intent', 'verify', machine.file('i.json', out))).code).toBe(0);
  });

  test('takes the country that the verifier will be given', async () => {
    const machine = household();
    const rule = ['--constraint', 'geo_restriction:=["DE"]'];
    await machine.run('passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'trade', ...rule, ...inFiles(machine));
    const sign = ['intent', 'sign', '-p', 'bot', '-a', 'trade', '-e', machine.at('.env'), '--check'];
    expect((await machine.run(...sign)).code).toBe(12);
    expect((await machine.run(...sign, '--geo', 'FR')).code).toBe(12);
    const { code, out, err } = await machine.run(...sign, '--geo', 'de');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const file = machine.file('i.json', out);
    const elsewhere = await machine.run('intent', 'verify', file, '--geo', 'FR', '--dry-run');
    expect([elsewhere.code, elsewhere.out]).toEqual([12, expect.stringContaining('next: Act from an allowed country')]);
    expect((await machine.run('intent', 'verify', file, '--geo', 'DE')).code).toBe(0);
  });

  test.each([
    ['intent sign', '-p', 'bot', '-a', 'trade'],
    ['serve', '--as', 'bot'],
    ['hook claude', '-p', 'bot'],
    ['mcp guard', '-p', 'bot', '--', 'true'],
  ])('%s: a country that is none is wrong use', async (command, ...rest) => {
    const { code, err } = await household().run(...command.split(' '), '--geo', 'Germany', ...rest);
    expect([code, err]).toEqual([2, expect.stringContaining('two-letter country code')]);
  });

  test.each([
    ['over the limit', ['-a', 'issue_refund', '--param', 'amount:=101'], 'AIP-E202', 12],
    ['to evil.com', ['-a', 'send_email', '--param', 'to=x@evil.com'], 'AIP-E203', 12],
    ['not declared', ['-a', 'wire'], 'AIP-E201', 12],
    ['six minutes old', ['-a', 'issue_refund', '--timestamp', String(NOW_S - 400)], 'AIP-E302', 11],
    ['from tomorrow', ['-a', 'issue_refund', '--timestamp', String(NOW_S + 86_400)], 'AIP-E303', 11],
  ])('warns of what a verifier would refuse, and with --check refuses: %s', async (_, args, refusal, exit) => {
    const machine = await settled();
    const warned = await machine.run(...BY, ...args);
    expect(warned.code).toBe(0);
    expect(warned.err).toMatch(new RegExp(`^warning: a verifier would refuse this: ${refusal} `));
    const json = await machine.run(...BY, ...args, '--json');
    expect(JSON.parse(json.err)).toMatchObject({ code: refusal });
    const checked = await machine.run(...BY, ...args, '--check', '--json', '-o', machine.at('i.json'));
    expect([checked.code, (JSON.parse(checked.out) as Decision).error_code]).toEqual([exit, refusal]);
    expect(checked.out).not.toContain('"signature":"');
    expect(existsSync(machine.at('i.json'))).toBe(false);
  });

  test('writes a file, replaces one that exists, and writes to a pipe', async () => {
    const machine = await settled();
    const path = machine.at('out/i.json');
    expect(await machine.run(...BY, '-a', 'issue_refund', '-o', path)).toMatchObject({ code: 0, out: '' });
    const before = readFileSync(path, 'utf8');
    expect(before).toMatch(/^[^\n]+\n$/);
    // A second intent to the same name is what a script makes; readers see the old one or the new one.
    expect((await machine.run(...BY, '-a', 'issue_refund', '-o', path)).code).toBe(0);
    expect(readFileSync(path, 'utf8')).not.toBe(before);
    expect(readdirSync(machine.at('out'))).toEqual(['i.json']);
    expect(await machine.run(...BY, '-a', 'issue_refund', '-o', '/dev/null')).toMatchObject({ code: 0, err: '' });
    expect(statSync('/dev/null').isFile()).toBe(false);
  });

  test('does not write over a passport', async () => {
    const machine = await settled();
    const { out } = await machine.run('passport', 'show', 'support-agent-v1', '--json');
    const path = machine.file('bot.json', out);
    const before = readFileSync(path, 'utf8');
    expect((await machine.failure(...BY, '-a', 'issue_refund', '-o', path)).code).toBe('EXISTS');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('finds the key where the passport was made, and in the file that is named', async () => {
    const machine = household();
    const path = await made(machine);
    const intent = await signed(machine, path, '.env', 'i.json');
    expect((await machine.run('intent', 'verify', intent)).code).toBe(0);
    // The state knows where the key was written.
    expect((await machine.run(...BY, '-a', 'issue_refund')).code).toBe(0);
  });
});

describe('aip intent sign does not sign', () => {
  test.each([
    ['for nobody', ['intent', 'sign', '-a', 'x'], 2],
    ['for an unknown name', ['intent', 'sign', '-p', 'nobody', '-a', 'x'], 3],
    ['for an unknown id', ['intent', 'sign', '-p', 'did:web:acme.com:agents:nobody', '-a', 'x'], 3],
    ['for a file that is not there', ['intent', 'sign', '-p', 'nowhere.json', '-a', 'x'], 3],
    ['for what is no passport', ['intent', 'sign', '-p', fixture('intent-refund.json'), '-a', 'x'], 3],
    ['for a passport cut short', ['intent', 'sign', '-p', fixture('passport-cut-short.json'), '-a', 'x'], 3],
    ['nothing', BY, 2],
    ['an empty action', [...BY, '-a', ''], 2],
    ['an action of 129 letters', [...BY, '-a', 'a'.repeat(129)], 2],
    ['a target of 2049 letters', [...BY, '-a', 'x', '-t', 't'.repeat(2049)], 2],
    ['a param without a value', [...BY, '-a', 'x', '--param', 'amount'], 2],
    ['a param without a name', [...BY, '-a', 'x', '--param', '=5'], 2],
    ['a param given twice', [...BY, '-a', 'x', '--param', 'a=1', '--param', 'a=2'], 2],
    ['a param that is no JSON', [...BY, '-a', 'x', '--param', 'a:={'], 2],
    ['a number beyond doubles', [...BY, '-a', 'x', '--param', 'a:=1e400'], 2],
    ['params that are a list', [...BY, '-a', 'x', '--params', '[]'], 2],
    ['params that are no JSON', [...BY, '-a', 'x', '--params', '{'], 2],
    ['params of a file that is not there', [...BY, '-a', 'x', '--params', '@nowhere.json'], 3],
    ['more than a document holds', [...BY, '-a', 'x', '--param', `a=${'x'.repeat(66_000)}`], 2],
    ['what is dated before time', [...BY, '-a', 'x', '--timestamp', '-1'], 2],
    ['what is dated in words', [...BY, '-a', 'x', '--timestamp', 'now'], 2],
    ['in an unknown dialect', [...BY, '-a', 'x', '--dialect', 'klingon'], 2],
    ['a request with a stranger in it', [...BY, fixture('intent-refund.json')], 2],
    ['a request that is not there', [...BY, 'nowhere.json'], 3],
    ['a request cut short', [...BY, fixture('intent-cut-short.json')], 3],
  ])('%s', async (_, args, exit) => {
    const machine = await settled();
    const { code, out, err } = await machine.run(...args);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toMatch(/^error: [^\n]+ \[[A-Z_]+\]$/m);
    expect(err.split('\n').every((text) => text.length < 600)).toBe(true);
  });

  test('a number whose digits would be lost, and says that it is the digits', async () => {
    const machine = await settled();
    const { code, err } = await machine.run(...BY, '-a', 'x', '--param', 'id:=12345678901234567890');
    expect(code).toBe(2);
    expect(err).toContain('"id" is not JSON after :=: number with more digits than can be kept (for text write id=');
  });

  test('with a key that is not there, nor with one of another', async () => {
    const without = await settled({ env: { AGENT_PRIVATE_KEY: '' } });
    expect(await without.run(...BY, '-a', 'issue_refund')).toMatchObject({ code: 4, out: '' });
    const stranger = await settled({ signer: 'stranger' });
    const { code, out, err } = await stranger.run(...BY, '-a', 'issue_refund');
    expect([code, out]).toEqual([4, '']);
    expect(err).toContain('[KEY_NOT_FOUND]');
  });

  test.each(['rubbish', 'ed25519:12', `ed25519:${'zz'.repeat(32)}`])(
    'with a variable that holds no key: %s',
    async (text) => {
      const machine = await settled({ env: { AGENT_PRIVATE_KEY: text } });
      const { code, out, err } = await machine.run(...BY, '-a', 'issue_refund');
      expect([code, out]).toEqual([3, '']);
      expect(err).not.toContain(text);
    },
  );
});

describe('aip intent inspect', () => {
  test('decodes without judging, and says so', async () => {
    const machine = household();
    const file = fixture('intent-amount-changed.json');
    const { code, out } = await machine.run('intent', 'inspect', file);
    expect(code).toBe(0);
    expect(out).toMatch(/^NOT VERIFIED /);
    const { value } = await machine.json<JsonObject>('intent', 'inspect', file);
    expect(value).toMatchObject({ verified: false, well_formed: true, dialect: 'native' });
    expect(value.intent).toMatchObject({ params: { amount: 51 } });
    expect(existsSync(machine.state)).toBe(false);
  });

  test.each(INTENTS.vectors.filter(({ expect: { code } }) => code === 'AIP-E100'))(
    'exit 10: $name',
    async ({ intent }) => {
      const { code, value } = await household().json<JsonObject>('intent', 'inspect', fixture(intent));
      expect([code, value.well_formed, value.verified]).toEqual([10, false, false]);
      expect(value.reason).toMatch(/^[^\n]+$/);
    },
  );

  test('shows a time beyond all years, and hostile text as harmless', async () => {
    const machine = household();
    const odd = machine.file('odd.json', line(refund('odd', { timestamp: 2 ** 53 - 1, target: '\u001b[2J\u202eboo' })));
    const { code, out } = await machine.run('intent', 'inspect', odd);
    expect(code).toBe(0);
    expect(out).toContain('beyond the year 9999');
    expect(out).not.toMatch(/[\u001b\u202e]/);
  });
});
