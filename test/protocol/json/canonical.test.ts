import { describe, expect, test } from 'vitest';
import { canonicalize, canonicalizeWithout } from '../../../src/protocol/json/canonical.js';
import { parseJsonText } from '../../../src/protocol/json/parse.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import vectors from '../../vectors/jcs-numbers.json' with { type: 'json' };

const numbers = vectors.numbers as [string, string | null][];

function double(bits: string): number {
  return Buffer.from(bits, 'hex').readDoubleBE();
}

describe('numbers (RFC 8785, appendix B)', () => {
  test.each(numbers.filter(([, text]) => text !== null))('%s is %s', (bits, text) => {
    expect(canonicalize(double(bits))).toBe(text);
  });

  test.each(numbers.filter(([, text]) => text === null))('%s has no text', (bits) => {
    expect(() => canonicalize(double(bits))).toThrow(TypeError);
  });
});

describe('the samples of RFC 8785', () => {
  test('section 3.2.2: literals, numbers and strings', () => {
    const value = parseJsonText(
      String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`,
      Number,
    );
    expect(canonicalize(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('section 3.2.3: names sorted by UTF-16 code units, not by code points', () => {
    const value = parseJsonText(String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`);
    const values = [...canonicalize(value).matchAll(/:"([^"]*)"/g)].map((match) => match[1]);
    expect(values).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });
});

describe('texts', () => {
  test.each<[Json, string]>([
    ['', '""'],
    ['/', '"/"'],
    ['"', String.raw`"\""`],
    ['\\', String.raw`"\\"`],
    ['\b\t\n\f\r', String.raw`"\b\t\n\f\r"`],
    ['\u0000\u000b\u001f', String.raw`"\u0000\u000b\u001f"`],
    ['\u007f', '"\u007f"'],
    ['\u2028\u2029', '"\u2028\u2029"'],
    ['<script>', '"<script>"'],
    ['é😀', '"é😀"'],
    [[], '[]'],
    [{}, '{}'],
    [[[], {}, [null]], '[[],{},[null]]'],
    [{ b: 1, a: 2, A: 3, '': 4, aa: 5 }, '{"":4,"A":3,"a":2,"aa":5,"b":1}'],
    [{ 10: 1, 9: 2, 1: 3 }, '{"1":3,"10":1,"9":2}'],
  ])('%j', (value, text) => {
    expect(canonicalize(value)).toBe(text);
  });

  test.each<[string, unknown]>([
    ['a lone high surrogate', 'a\ud800'],
    ['a lone low surrogate', ['\udc00']],
    ['a lone surrogate in a name', { '\ud800': 1 }],
    ['undefined', undefined],
    ['an undefined member', { a: undefined }],
    ['a hole in a list', [, 1]],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['NaN', NaN],
    ['Infinity in a list', [Infinity]],
  ])('%s has no canonical form', (_name, value) => {
    expect(() => canonicalize(value as Json)).toThrow(TypeError);
  });

  test('numbers that differ never share a text, and those that print alike are one', () => {
    expect(canonicalize([0.1 + 0.2, 0.3])).toBe('[0.30000000000000004,0.3]');
    expect(canonicalize(parseJsonText('[1.0, 1e0, 10e-1, 0.1e1]'))).toBe('[1,1,1,1]');
  });
});

describe('leaving a member out', () => {
  const intent: JsonObject = { signature: 'x', b: { signature: 'kept' }, a: 1 };

  test('only the top-level member of that name goes', () => {
    expect(canonicalizeWithout(intent, 'signature')).toBe('{"a":1,"b":{"signature":"kept"}}');
  });

  test('first, last and only members leave no comma behind', () => {
    expect(canonicalizeWithout({ a: 1, b: 2 }, 'a')).toBe('{"b":2}');
    expect(canonicalizeWithout({ a: 1, b: 2 }, 'b')).toBe('{"a":1}');
    expect(canonicalizeWithout({ a: 1 }, 'a')).toBe('{}');
  });

  test('an absent member changes nothing, and the object stays whole', () => {
    expect(canonicalizeWithout(intent, 'signatur')).toBe(canonicalize(intent));
    expect(intent['signature']).toBe('x');
  });

  test('__proto__ is a name like any other', () => {
    const value = parseJsonText('{"__proto__":1,"a":2}') as JsonObject;
    expect(canonicalize(value)).toBe('{"__proto__":1,"a":2}');
    expect(canonicalizeWithout(value, '__proto__')).toBe('{"a":2}');
  });
});
