import { describe, expect, test } from 'vitest';
import { JsonError, parseJson, parseJsonText } from '../../../src/protocol/json/parse.js';
import refused from '../../vectors/json-refused.json' with { type: 'json' };

interface Case {
  readonly name: string;
  readonly text?: string;
  readonly hex?: string;
  readonly repeat?: (string | number)[];
  readonly reason: string;
  readonly offset: number;
}

const bytesOf = ({ text, hex, repeat }: Case): Uint8Array => {
  if (hex !== undefined) return new Uint8Array(Buffer.from(hex, 'hex'));
  if (repeat === undefined) return new TextEncoder().encode(text);
  const [before, unit, count, after] = repeat as [string, string, number, string];
  return new TextEncoder().encode(before + unit.repeat(count) + after);
};

function refusalOf(parse: () => unknown): JsonError {
  try {
    parse();
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
  throw new Error('accepted');
}

const cases: readonly Case[] = refused.cases;

describe('refused documents', () => {
  test.each(cases)('$name', (item) => {
    const error = refusalOf(() => parseJson(bytesOf(item)));
    expect({ reason: error.reason, offset: error.offset }).toEqual({ reason: item.reason, offset: item.offset });
  });

  test.each(cases.filter((item) => item.hex === undefined))('as text: $name', (item) => {
    const error = refusalOf(() => parseJsonText(new TextDecoder().decode(bytesOf(item))));
    expect({ reason: error.reason, offset: error.offset }).toEqual({ reason: item.reason, offset: item.offset });
  });

  test.each([
    ['high', '"\ud800"', 1],
    ['low', '"\udc00"', 1],
    ['wrong order', '"\udc00\ud800"', 1],
    ['two low', '"\udc00\udc00"', 1],
    ['two high', '"\ud800\ud800\udc00"', 1],
    ['after an escape', '"\\n\ud800"', 3],
    ['half escaped, high first', '"\\ud83d\ude00"', 1],
    ['half escaped, low last', '"\ud83d\\ude00"', 1],
    ['at the end', '"a\ud800', 2],
    ['in a name', '{"\udfff":1}', 2],
  ])('text with a lone surrogate as it is: %s', (_name, text, offset) => {
    const error = refusalOf(() => parseJsonText(text));
    expect([error.reason, error.offset]).toEqual(['lone surrogate', offset]);
  });

  test('a byte order mark in text', () => {
    expect(refusalOf(() => parseJsonText('\ufeff{}')).reason).toBe('byte order mark');
  });

  test('the error does not quote the document', () => {
    const seed = 'ed25519:' + 'aa'.repeat(32);
    for (const text of [
      `{"AGENT_PRIVATE_KEY=${seed}`,
      `"${seed}" ${seed}`,
      `{"${seed}":1,"${seed}":2}`,
      `"\\${seed}"`,
    ]) {
      const error = refusalOf(() => parseJsonText(text));
      expect(`${error.message} ${error.reason} ${error.stack}`).not.toContain('aaaa');
    }
  });
});

describe('accepted documents', () => {
  test.each([
    ['null', null],
    [' true ', true],
    ['\r\n\tfalse', false],
    ['0', 0],
    ['-0', 0],
    ['-0.0e-9', 0],
    ['-12.50e+1', -125],
    ['1E3', 1000],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', 5e-324],
    ['""', ''],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\uD83D\\ude00\u007f\u2028"', '"\\/\b\f\n\r\t\u0000é😀\u007f\u2028'],
    ['"a\\u0062c\\u0064"', 'abcd'],
    ['[]', []],
    ['[ ]', []],
    ['[1, [2,[]] ,"3"]', [1, [2, []], '3']],
  ])('%s', (text, value) => {
    expect(parseJsonText(text)).toStrictEqual(value);
    expect(parseJson(new TextEncoder().encode(text))).toStrictEqual(value);
  });

  test('-0 is read as 0, as JCS writes it', () => {
    expect(Object.is(parseJsonText('-0'), 0)).toBe(true);
    expect(Object.is(parseJsonText('-0.0'), 0)).toBe(true);
  });

  test.each([
    ['1e-400', 0],
    ['4e-324', 5e-324],
    ['9007199254740993', 9007199254740992],
    ['-58240942247322971', -58240942247322970],
    ['0.30000000000000003', 0.30000000000000004],
    ['0.1000000000000000055511151231257827', 0.1],
    ['333333333.33333329', 333333333.3333333],
    ['1.00000000000000000000000000000000001', 1],
  ])('%s, whose digits a double loses, is refused where nobody asks for it', (text, nearest) => {
    expect(() => parseJsonText(text)).toThrow(JsonError);
    expect(() => parseJsonText(`{"a":[${text}]}`)).toThrow(/more digits than can be kept at byte 6/);
    expect(parseJsonText(text, Number)).toBe(nearest);
    const asked: string[] = [];
    parseJsonText(`[${text}]`, (written) => asked.push(written));
    expect(asked).toEqual([text]);
  });

  test.each([
    '100000000000000000000',
    '1e21',
    '1E+21',
    '10e20',
    '0.30000000000000004',
    '1.7976931348623157e+308',
    '5e-324',
    '1.500000000000000000000',
    '0.000000000000000000000',
  ])('%s, which a double keeps, is read', (text) => {
    expect(parseJsonText(text)).toBe(Number(text));
  });

  test('objects inherit nothing, so inherited names are absent and __proto__ is a member', () => {
    const object = parseJsonText('{"__proto__":{"admin":true},"constructor":1,"b":{}}') as Record<string, unknown>;
    expect(inherited(object)).toEqual([]);
    expect(Object.keys(object)).toEqual(['__proto__', 'constructor', 'b']);
    expect(object['admin']).toBeUndefined();
    expect(object['toString']).toBeUndefined();
    expect(inherited(object['b'] as object)).toEqual([]);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  test('the same name in different objects is no duplicate', () => {
    const value = parseJsonText('[{"a":1},{"a":{"a":2}}]');
    expect(JSON.stringify(value)).toBe('[{"a":1},{"a":{"a":2}}]');
  });

  test('depth 32 and 64 KiB are the last that pass', () => {
    expect(JSON.stringify(parseJsonText('['.repeat(32) + ']'.repeat(32)))).toBe('['.repeat(32) + ']'.repeat(32));
    expect(JSON.stringify(parseJsonText('{"a":'.repeat(32) + '1' + '}'.repeat(32)))).toContain('{"a":1}');
    expect(parseJsonText(`"${'a'.repeat(65534)}"`)).toHaveLength(65534);
    expect(parseJson(new TextEncoder().encode(`"${'€'.repeat(21844)}ab"`))).toHaveLength(21846);
  });

  test('siblings do not add to the depth', () => {
    expect(parseJsonText(`[${'[],'.repeat(100)}{}]`)).toHaveLength(101);
  });

  test('bytes from a pool are read from their own offset', () => {
    const pool = new TextEncoder().encode('xx[1,2]yy');
    expect(parseJson(pool.subarray(2, 7))).toEqual([1, 2]);
  });
});

/** The names that an object would answer to without having them. */
function inherited(object: object): (string | symbol)[] {
  const names: (string | symbol)[] = [];
  for (
    let at = Object.getPrototypeOf(object) as object | null;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    names.push(...Reflect.ownKeys(at));
    expect(Object.isFrozen(at)).toBe(true);
  }
  return names;
}
