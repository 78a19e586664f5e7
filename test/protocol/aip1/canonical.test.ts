import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jcsText, referenceText } from '../../../src/protocol/aip1/encoding/canonical.js';
import { parseExact, plainJson, type Value } from '../../../src/protocol/aip1/encoding/numbers.js';

const read = (text: string): Value => parseExact(Buffer.from(text, 'utf8'));
const escaped = (text: string) => referenceText(read(text), 'escaped');
const raw = (text: string) => referenceText(read(text), 'raw');

describe('the reference text', () => {
  // Left: JSON as it travels; right: what json.dumps(sort_keys=True) of Python 3.11 writes after whole floats became integers.
  test.each([
    ['500.0', '500'],
    ['-0.0', '0'],
    ['-0', '0'],
    ['45.50', '45.5'],
    ['1e-7', '1e-07'],
    ['1.5e-7', '1.5e-07'],
    ['0.00001', '1e-05'],
    ['0.0001', '0.0001'],
    ['5e-324', '5e-324'],
    ['1.2345e-10', '1.2345e-10'],
    ['1e16', '10000000000000000'],
    ['1e23', '99999999999999991611392'],
    ['123456789.125', '123456789.125'],
    ['12345678901234567890', '12345678901234567890'],
    ['-9007199254740993', '-9007199254740993'],
    ['9007199254740991', '9007199254740991'],
    ['1.2345678901234567e+19', '12345678901234567168'],
    ['[null,true,false]', '[null,true,false]'],
    ['{ "b" : 1 , "a" : { "d" : [ ] , "c" : { } } }', '{"a":{"c":{},"d":[]},"b":1}'],
    ['"\\u00e9"', '"\\u00e9"'],
    ['"é😀"', '"\\u00e9\\ud83d\\ude00"'],
    ['"\\u007f\\n\\t\\u0001\\"\\\\/"', '"\\u007f\\n\\t\\u0001\\"\\\\/"'],
    ['{"10":1,"9":2,"B":3,"a":4}', '{"10":1,"9":2,"B":3,"a":4}'],
    ['{"\\ue000":1,"😀":2}', '{"\\ue000":1,"\\ud83d\\ude00":2}'],
  ])('%s is signed as %s', (text, expected) => {
    expect(escaped(text)).toBe(expected);
  });

  test('raw text keeps what JSON need not escape', () => {
    expect(raw('"\\u00e9\\ud83d\\ude00\\u007f\\u0001"')).toBe('"é😀\u007f\\u0001"');
  });

  test('both spellings of any value read back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = JSON.stringify(value);
        const exact = read(bytes);
        expect(plainJson(read(referenceText(exact, 'escaped')))).toEqual(plainJson(read(referenceText(exact, 'raw'))));
        expect(referenceText(read(referenceText(exact, 'escaped')), 'escaped')).toBe(referenceText(exact, 'escaped'));
      }),
    );
  });

  test('different values have different texts', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same =
          referenceText(read(JSON.stringify(a)), 'escaped') === referenceText(read(JSON.stringify(b)), 'escaped');
        expect(same).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      }),
    );
  });

  test('a number that is not finite has no text', () => {
    expect(() => referenceText(Infinity, 'escaped')).toThrow(TypeError);
    expect(() => referenceText([0.1, NaN], 'raw')).toThrow(TypeError);
  });
});

describe('JCS', () => {
  test('is offered where it can write the value', () => {
    expect(jcsText(read('{"b":1e-7,"a":1e21}'))).toBe('{"a":1e+21,"b":1e-7}');
  });

  test('is not offered for integers that it would round', () => {
    expect(jcsText(read('{"a":[12345678901234567890]}'))).toBeNull();
    expect(jcsText(read('9007199254740993'))).toBeNull();
  });
});

describe('exact integers', () => {
  test.each(['9007199254740993', '-9007199254740993', '12345678901234567890', `1${'0'.repeat(300)}`])(
    '%s',
    (digits) => {
      expect(read(digits)).toBe(BigInt(digits));
      expect(plainJson(read(`{"a":[${digits}]}`))).toEqual({ a: [digits] });
    },
  );

  test.each([
    ['"12345678901234567890"', '12345678901234567890'],
    ['1234567890123456.5', 1234567890123456.5],
    ['0.12345678901234567', 0.12345678901234567],
    ['1e0000000000000000001', 10],
    ['9007199254740991', 9007199254740991],
    ['"\\"12345678901234567890"', '"12345678901234567890'],
    ['"a\\\\"', 'a\\'],
  ])('%s is no such integer', (text, value) => {
    expect(read(text)).toBe(value);
  });

  test('are exact wherever they stand', () => {
    expect(read('[12345678901234567890,{"a":-9007199254740992,"b":[1]}]')).toEqual([
      12345678901234567890n,
      { a: -9007199254740992n, b: [1] },
    ]);
  });

  test('members named like what every object has stay members', () => {
    const value = read('{"__proto__":12345678901234567890,"constructor":1}') as Record<string, Value>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Object.keys(plainJson(value) as object)).toEqual(['__proto__', 'constructor']);
  });

  test.each(['1e999', '-1e999', `1${'0'.repeat(400)}`, '01', '0x1', 'NaN', '[1,]'])('%s is refused', (text) => {
    expect(() => read(text)).toThrow();
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(sorted)];
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return ['object', ...members.map(([name, member]) => [name, sorted(member)])];
}
