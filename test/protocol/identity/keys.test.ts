import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey, formatSeed, parsePublicKey, parseSeed } from '../../../src/protocol/identity/keys.js';

const bytes = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const hex = 'fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0';
const base64url = '__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA';

describe.each([
  ['public key', parsePublicKey, formatPublicKey],
  ['seed', parseSeed, formatSeed],
])('%s', (_name, parse, format) => {
  test.each([
    `ed25519:${hex}`,
    `ed25519:${hex.toUpperCase()}`,
    base64url,
    `${base64url}=`,
    `ed25519:${base64url}`,
    `ed25519:${base64url}=`,
  ])('%s is read', (text) => {
    expect(parse(text)).toEqual(bytes);
  });

  test('is written as lower-case hex and read back', () => {
    expect(format(bytes)).toBe(`ed25519:${hex}`);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        expect(parse(format(key))).toEqual(key);
        expect(parse(Buffer.from(key).toString('base64url'))).toEqual(key);
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['the prefix alone', 'ed25519:'],
    ['hex without the prefix', hex],
    ['another prefix', `ed448:${hex}`],
    ['the prefix in capitals', `ED25519:${hex}`],
    ['the prefix twice', `ed25519:ed25519:${hex}`],
    ['62 digits', `ed25519:${hex.slice(2)}`],
    ['63 digits', `ed25519:${hex.slice(1)}`],
    ['65 digits', `ed25519:${hex}0`],
    ['66 digits', `ed25519:${hex}00`],
    ['0x', `ed25519:0x${hex.slice(2)}`],
    ['a letter past f', `ed25519:g${hex.slice(1)}`],
    ['space before', ` ed25519:${hex}`],
    ['space after the prefix', `ed25519: ${hex}`],
    ['newline after', `ed25519:${hex}\n`],
    ['newline after base64url', `${base64url}\n`],
    ['full-width digits', `ed25519:${'０'.repeat(64)}`],
    ['42 base64url digits', base64url.slice(1)],
    ['44 base64url digits', `${base64url}A`],
    ['two paddings', `${base64url}==`],
    ['padding in front', `=${base64url}`],
    ['standard base64', base64url.replaceAll('_', '/').replaceAll('-', '+')],
    ['another spelling of the last digit', `${base64url.slice(0, -1)}B`],
    ['a dot', `${base64url.slice(0, -1)}.`],
  ])('%s is null', (_form, text) => {
    expect(parse(text)).toBeNull();
  });

  test('any text but one of 32 bytes is null and never an error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.base64String(),
          fc.string().map((s) => `ed25519:${s}`),
        ),
        (text) => {
          const key = parse(text);
          expect(key === null || key.length === 32).toBe(true);
        },
      ),
    );
  });

  test.each([0, 31, 33, 64])('%i bytes are not written', (length) => {
    const key = new Uint8Array(length).fill(0xaa);
    expect(() => format(key)).toThrow(RangeError);
    expect(() => format(key)).not.toThrow(/aa/);
  });

  test('the bytes are a copy, not a window on a shared pool', () => {
    expect(parse(base64url)!.buffer.byteLength).toBe(32);
    expect(parse(`ed25519:${hex}`)!.buffer.byteLength).toBe(32);
  });
});

describe('hex', () => {
  test('goes and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromHex(toHex(value).toUpperCase())).toEqual(value);
        expect(toHex(value)).toMatch(/^(?:[0-9a-f]{2})*$/);
      }),
    );
  });

  test('a window is written alone', () => {
    expect(toHex(bytes.subarray(1, 3))).toBe('fefd');
  });

  test.each(['0', 'abc', '0g', '0x00', ' 00', '00 ', '00\n', '0٣', '-1', 'é0'])('%j is null', (text) => {
    expect(fromHex(text)).toBeNull();
  });
});
