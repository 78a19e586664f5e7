import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalBytesWithout } from '../../../src/protocol/json/canonical-bytes.js';
import { canonicalizeWithout } from '../../../src/protocol/json/canonical.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';

const text = (object: JsonObject): string => Buffer.from(canonicalBytesWithout(object, 'signature')).toString('utf8');

const name = fc.oneof(
  fc.constantFrom('a', 'b', '10', '9', 'signature', '__proto__', 'é', '€', '\u{1f600}', '"', ''),
  fc.string(),
);
const json: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(
      null,
      true,
      false,
      0,
      -0,
      1e21,
      1e-7,
      0.1,
      'plain',
      'tab\t',
      'back\\slash',
      'ü',
      '\u{1f600}',
      '\u007f',
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(name, tie('json'), { maxKeys: 20 }) as fc.Arbitrary<JsonObject>,
  ),
})).json;
const object = fc.dictionary(name, json, { maxKeys: 20 }) as fc.Arbitrary<JsonObject>;

describe('canonicalBytesWithout', () => {
  test('gives the bytes of the text, whatever the document', () => {
    fc.assert(
      fc.property(object, (document) => {
        expect(text(document)).toBe(canonicalizeWithout(document, 'signature'));
      }),
      { numRuns: 2000 },
    );
  });

  test('at every length around its room', () => {
    for (let length = 4030; length < 4110; length++) {
      for (const document of [
        { a: 'x'.repeat(length) },
        { ['x'.repeat(length)]: 1 },
        { a: ['x'.repeat(length), {}, []] },
      ]) {
        expect(text(document)).toBe(canonicalizeWithout(document, 'signature'));
      }
    }
    const many = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`m${i}`, i % 2 === 0 ? [] : {}]));
    expect(text(many)).toBe(canonicalizeWithout(many, 'signature'));
  });

  test('what was handed out is not written to again', () => {
    const documents = Array.from({ length: 500 }, (_, i) => ({
      n: i,
      text: 'x'.repeat((i * 37) % 300),
      signature: 's',
    }));
    const bytes = documents.map((document) => canonicalBytesWithout(document, 'signature'));
    for (const [i, document] of documents.entries()) {
      expect(Buffer.from(bytes[i]!).toString()).toBe(canonicalizeWithout(document, 'signature'));
    }
  });

  test.each<[string, unknown]>([
    ['a number that is not finite', { a: Number.NaN }],
    ['infinity in a list', { a: [1, Infinity] }],
    ['undefined', { a: undefined }],
    ['half a character', { a: '\ud800' }],
    ['half a character in a name', { '\udc00': 1 }],
    ['a bigint', { a: 1n }],
  ])('%s has no canonical form', (_, document) => {
    expect(() => canonicalBytesWithout(document as JsonObject, 'signature')).toThrow(TypeError);
  });

  test('only the outermost member is left out', () => {
    expect(text({ signature: 1, params: { signature: 2 } })).toBe('{"params":{"signature":2}}');
  });
});
