import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { AT, envelopeParts, KEYS, signed, text } from '../../kit/conformance/parts.js';
import { household, settled } from '../../kit/native/household.js';

const SIGN = ['intent', 'sign', '-p', 'support-agent-v1', '-a', 'issue_refund', '--dialect', 'aip-1'];
const PARAMS = ['--param', 'order_id=8472', '--param', 'amount:=50'];
const members = (object: unknown) => Object.keys(object as object);

describe('aip intent sign --dialect aip-1', () => {
  test('writes what the reference writes, member for member', async () => {
    const machine = await settled();
    const { code, value } = await machine.json<JsonObject>(...SIGN, ...PARAMS);
    expect(code).toBe(0);
    const sample = { ...envelopeParts('sample'), proof: signed('sample').proof } as JsonObject;
    expect(members(value)).toEqual(members(sample));
    for (const name of ['agent', 'principal', 'intent', 'boundaries', 'proof'])
      expect(members(value[name])).toEqual(members(sample[name]));
    expect(value).toMatchObject({
      verification_tier: 'tier_1',
      ttl: 300,
      issued_at: '2026-02-18T14:23:45Z',
      expires_at: '2026-02-18T14:28:45Z',
      boundaries: {
        allowed_actions: ['send_email', 'issue_refund'],
        monetary_limit: { per_transaction: 100, per_day: 0, currency: 'USD' },
      },
    });
    expect(value.entropy).toMatch(/^nonce:[0-9a-f]{32}$/);
  });

  test('is verified here, once', async () => {
    const machine = await settled();
    await machine.run(...SIGN, ...PARAMS, '--tier', '2', '--ttl', '10m', '-o', machine.at('e.json'));
    const first = await machine.json('intent', 'verify', machine.at('e.json'));
    const warned = first.value.warnings.map(({ code }) => code);
    expect([first.code, first.value.dialect, warned]).toEqual([0, 'aip-1', ['unmeasured']]);
    expect((await machine.run('intent', 'verify', machine.at('e.json'))).code).toBe(11);
    const document = JSON.parse(readFileSync(machine.at('e.json'), 'utf8')) as JsonObject;
    expect([document.verification_tier, document.ttl]).toEqual(['tier_2', 600]);
  });

  test('warns, and with --check refuses, what a verifier would refuse', async () => {
    const machine = await settled();
    const over = ['--param', 'amount:=500'];
    const warned = await machine.run(...SIGN, ...over);
    expect(warned.code).toBe(0);
    expect(warned.err).toContain('AIP-E202 MONETARY_LIMIT');
    const { code, value } = await machine.json(...SIGN, ...over, '--check');
    expect([code, value.error_code, value.dialect]).toEqual([12, 'AIP-E202', 'aip-1']);
  });

  test.each([
    ['a tier of a native intent', ['--dialect', 'native', '--tier', '1']],
    ['a ttl of a native intent', ['--dialect', 'native', '--ttl', '60s']],
    ['no such tier', ['--tier', '3']],
    ['a ttl beyond a day', ['--ttl', '2d']],
    ['a ttl of nothing', ['--ttl', '0s']],
    ['a ttl of half a second', ['--ttl', '500ms']],
    ['no such dialect', ['--dialect', 'aip-2']],
    ['an integer that JSON readers round', ['--param', 'id:=12345678901234567890']],
    ['the next integer after 2^53', ['--param', 'id:=9007199254740993']],
    ['an action of nothing', ['-a', '']],
    ['a target too long', ['-t', 't'.repeat(5000)]],
    ['more than a document holds', ['--param', `memo=${'m'.repeat(70_000)}`]],
  ])('signs no %s', async (_, flags) => {
    const machine = await settled();
    const { code, out, err } = await machine.run(...SIGN, ...flags);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: .* \[USAGE\]$/m);
  });
});

describe('aip intent inspect', () => {
  test('recognises an envelope and judges nothing', async () => {
    const machine = household();
    const file = machine.file('e.json', text(signed('inspected')));
    const { code, value } = await machine.json<JsonObject>('intent', 'inspect', file);
    expect(code).toBe(0);
    expect(value).toMatchObject({ verified: false, well_formed: true, dialect: 'aip-1' });
    expect(value.signed_bytes).toMatch(/^\{"@context":"https:\/\/aip\.protocol\/v1",/);
    const { out } = await machine.run('intent', 'inspect', file);
    expect(out).toMatch(/^NOT VERIFIED AIP-1 envelope/);
    expect(out).toContain('transfer_funds');
  });

  test('shows large integers as they were signed', async () => {
    const machine = household();
    const large = signed('large', { 'intent.parameters': { id: 12345678901234567890n } });
    const { value } = await machine.json<JsonObject>('intent', 'inspect', machine.file('e.json', text(large)));
    expect(value.signed_bytes).toContain('"id":12345678901234567890');
    expect(value).toHaveProperty('intent.intent.parameters.id', '12345678901234567890');
  });

  test.each([
    ['a member is missing', signed('m', { 'agent.id': undefined }), 'AIP-E103'],
    ['a member is unknown', signed('u', { 'intent.note': 1 }), 'AIP-E103'],
    ['the version is another', signed('v', { protocol_version: '2.0.0' }), 'AIP-E104'],
  ])('says where an envelope breaks: %s', async (_, document, expected) => {
    const machine = household();
    const file = machine.file('e.json', text(document));
    const { code, out } = await machine.run('intent', 'inspect', file);
    expect([code, out.split(' ').slice(0, 2)]).toEqual([10, ['MALFORMED', expected]]);
    const { value } = await machine.json<JsonObject>('intent', 'inspect', file);
    expect(value).toMatchObject({ verified: false, well_formed: false, offset: null });
  });

  test('control characters of a stranger do not reach the terminal', async () => {
    const machine = household();
    const nasty = signed('nasty', { 'intent.target': '\u001b[2J\u0007' });
    const { out } = await machine.run('intent', 'inspect', machine.file('e.json', text(nasty)));
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    const verified = await machine.run(
      ...['intent', 'verify', machine.file('e.json', text(nasty)), '--at', AT, '--public-key', `ed25519:${KEYS.agent}`],
    );
    expect(verified.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
