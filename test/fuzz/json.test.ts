import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { canonicalize } from '../../src/protocol/json/canonical.js';
import { JsonError, parseJson, parseJsonText } from '../../src/protocol/json/parse.js';
import type { Json } from '../../src/protocol/json/values.js';

/** Values without lone surrogates, shallow enough to be documents. */
const value = fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 }) as fc.Arbitrary<Json>;

/** A JSON text with one to four edits: most are refused, and those that are not must mean what JSON.parse says. */
const damaged = fc
  .tuple(
    fc.json({ stringUnit: 'binary', maxDepth: 4 }),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat({ max: 3 }),
        fc.oneof(
          fc.constantFrom(
            '{',
            '}',
            '[',
            ']',
            ',',
            ':',
            '"',
            '\\',
            '\\u',
            '\\ud800',
            '\\udc00',
            '0',
            '-',
            '.',
            'e',
            '1e400',
          ),
          fc.constantFrom(
            '\n',
            '\t',
            '\u0000',
            '\ufeff',
            '\ud800',
            '\udc00',
            '😀',
            'null',
            '"a":1,',
            '"__proto__":',
            ' ',
          ),
          fc.string({ unit: 'binary', maxLength: 3 }),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((current, [at, cut, insert]) => {
      const i = at % (current.length + 1);
      return current.slice(0, i) + insert + current.slice(i + cut);
    }, text),
  );

type Outcome =
  { readonly accepted: true; readonly value: unknown } | { readonly accepted: false; readonly error: unknown };

function outcome(parse: () => unknown): Outcome {
  try {
    return { accepted: true, value: parse() };
  } catch (error) {
    return { accepted: false, error };
  }
}

/** The strict parser may refuse more than JSON.parse, never less, and never with another error than its own. */
function expectStricter(strict: Outcome, text: string): void {
  if (!strict.accepted) {
    expect(strict.error).toBeInstanceOf(JsonError);
    return;
  }
  // JSON.stringify writes -0 as 0 and both objects' members in the same order, so equal texts are equal values.
  expect(JSON.stringify(strict.value)).toBe(JSON.stringify(JSON.parse(text)));
}

describe('parseJson against JSON.parse', () => {
  test('what JSON.stringify writes is read alike', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, '\t'), (input, indent) => {
        const text = JSON.stringify(input, null, indent);
        const strict = outcome(() => parseJson(new TextEncoder().encode(text)));
        expect(strict.accepted).toBe(true);
        expectStricter(strict, text);
      }),
      { numRuns: 500 },
    );
  });

  test('damaged text is refused, or means the same', () => {
    fc.assert(
      fc.property(damaged, (text) => {
        expectStricter(
          outcome(() => parseJsonText(text)),
          text,
        );
      }),
      { numRuns: 3000 },
    );
  });

  test('any bytes are refused, or mean the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expectStricter(
          outcome(() => parseJson(bytes)),
          new TextDecoder().decode(bytes),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('one flipped bit in a document is refused, or means the same', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat({ max: 7 }), (input, at, bit) => {
        const bytes = new TextEncoder().encode(JSON.stringify(input));
        bytes[at % bytes.length]! ^= 1 << bit;
        expectStricter(
          outcome(() => parseJson(bytes)),
          new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('bytes and text have one verdict and one offset', () => {
    fc.assert(
      fc.property(
        damaged.filter((text) => !/\p{Surrogate}/u.test(text)),
        (text) => {
          const [ofBytes, ofText] = [
            outcome(() => parseJson(new TextEncoder().encode(text))),
            outcome(() => parseJsonText(text)),
          ];
          expect(ofBytes).toEqual(ofText);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('the offset of a refusal lies in the document', () => {
    fc.assert(
      fc.property(damaged, (text) => {
        const strict = outcome(() => parseJsonText(text));
        if (strict.accepted) return;
        const { offset } = strict.error as JsonError;
        expect(Number.isInteger(offset) && offset >= 0 && offset <= Buffer.byteLength(text)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('canonical form', () => {
  test('is read back as the same value', () => {
    fc.assert(
      fc.property(value, (input) => {
        const text = canonicalize(input);
        const again = parseJsonText(text);
        expect(canonicalize(again)).toBe(text);
        expect(JSON.parse(JSON.stringify(again))).toEqual(JSON.parse(JSON.stringify(input)));
      }),
      { numRuns: 500 },
    );
  });

  test('does not depend on the order of members', () => {
    fc.assert(
      fc.property(value, fc.infiniteStream(fc.nat()), (input, random) => {
        expect(canonicalize(permuted(input, random))).toBe(canonicalize(input));
      }),
      { numRuns: 500 },
    );
  });

  test('differs for values that differ', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const same = canonicalize(a) === canonicalize(b);
        expect(same).toBe(
          canonicalize(parseJsonText(JSON.stringify(a))) === canonicalize(parseJsonText(JSON.stringify(b))),
        );
        if (same) expect(JSON.parse(canonicalize(a))).toEqual(JSON.parse(canonicalize(b)));
      }),
    );
  });
});

/** The same value with the members of every object in another order. */
function permuted(input: Json, random: Iterator<number>): Json {
  if (Array.isArray(input)) return input.map((item: Json) => permuted(item, random));
  if (typeof input !== 'object' || input === null) return input;
  const names = Object.keys(input).map((name) => [random.next().value as number, name] as const);
  const result = Object.create(null) as Record<string, Json>;
  for (const [, name] of names.sort(([a], [b]) => a - b)) {
    result[name] = permuted((input as Record<string, Json>)[name]!, random);
  }
  return result;
}
