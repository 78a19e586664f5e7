import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schemaProblem, schemaProblems } from '../../../src/adapters/json-schema.js';
import { withParams } from '../../../src/app/passports/declared-params.js';
import { parseJsonText } from '../../../src/protocol/json/parse.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { fitsPlainly, TEXT_PATTERNS } from '../../../src/verify/checks/plain-params.js';

const object = (value: unknown): JsonObject => parseJsonText(JSON.stringify(value)) as JsonObject;
const NAMES = ['amount', 'to', '__proto__', 'constructor', 'toString'];
const own = (entries: readonly (readonly [string, unknown])[]): object => Object.fromEntries(entries);

/** Properties, and a value that fits each. */
const PROPERTIES: readonly (readonly [unknown, unknown])[] = [
  [{ type: 'string' }, ''],
  [{ type: 'number' }, 1.5],
  [{ type: 'integer' }, -0],
  [{ type: 'boolean' }, false],
  [{ type: 'string', pattern: TEXT_PATTERNS.email }, 'a@😀'],
  [{ type: 'string', pattern: TEXT_PATTERNS.url }, 'HTTPS://x'],
  [{ pattern: TEXT_PATTERNS.url }, 1],
  [{ type: 'number', pattern: TEXT_PATTERNS.url }, 1],
  [{ type: 'string', pattern: '^a' }, 'a'],
  [{ type: 'string', minLength: 3 }, 'abc'],
  [{ type: ['string', 'number'] }, 'a'],
  [{ type: 'null' }, null],
  [{}, 1],
  [true, 1],
  [false, 1],
];
const other = fc.oneof(
  fc.constantFrom('a@b@c', 'a@b', 'http:// x', 1, 1.5, 1e300, '', true, null),
  fc.jsonValue({ maxDepth: 1 }),
);
const member = fc.record({
  name: fc.constantFrom(...NAMES),
  property: fc.oneof({ weight: 5, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(PROPERTIES.length - 1) }),
  given: fc.constantFrom('fitting', 'fitting', 'fitting', 'other', 'none'),
  other,
  role: fc.constantFrom('required', 'optional', 'undeclared', 'required', 'optional', 'optional'),
});
const root = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { type: 'array' },
      { type: ['object'] },
      { additionalProperties: true },
      { required: [1] },
      { required: ['to', 'to'] },
      { required: 'to' },
      { properties: [] },
      { minProperties: 3 },
      { minProperties: -1 },
      { maximun: 1 },
    ),
  },
);
const question = fc
  .tuple(fc.uniqueArray(member, { selector: ({ name }) => name, maxLength: 4 }), root)
  .map(([members, more]) => {
    const declared = members.filter(({ role }) => role !== 'undeclared');
    const rule = {
      type: 'object',
      properties: own(declared.map(({ name, property }) => [name, PROPERTIES[property]![0]])),
      required: members.filter(({ role }) => role === 'required').map(({ name }) => name),
      additionalProperties: false,
      ...more,
    };
    const params = members
      .filter(({ given }) => given !== 'none')
      .map(
        ({ name, given, property, other: value }) =>
          [name, given === 'other' ? value : PROPERTIES[property]![1]] as const,
      );
    return { rule: object(rule), params: object(own(params)) };
  });

describe('params under a schema of names and types', () => {
  test('fit only where the general check finds nothing wrong with either', () => {
    let fitting = 0;
    fc.assert(
      fc.property(question, ({ rule, params }) => {
        if (!fitsPlainly(rule, params)) return;
        fitting += 1;
        expect([schemaProblem(rule), schemaProblems(rule, params)]).toEqual([null, []]);
      }),
      { numRuns: 4000 },
    );
    expect(fitting).toBeGreaterThan(400);
  });

  test('of every simple type that a flag declares fit without the general check', () => {
    const specs = [
      'pay:a:string',
      'pay:b:number',
      'pay:c:integer',
      'pay:d:boolean',
      'pay:e:string!',
      'pay:f:email!',
      'pay:g:url!',
    ];
    const [declared] = withParams(['pay'], specs);
    const rule = (declared as { params: JsonObject }).params;
    expect(fitsPlainly(rule, object({ a: '', b: 1.5, c: 2, d: false, f: 'a@b', g: 'https://a' }))).toBe(true);
    for (const wrong of [
      { a: 1 },
      { b: '1' },
      { c: 1.5 },
      { d: 0 },
      { e: null },
      { f: 'a@b@c' },
      { g: 'ftp://a' },
      { h: 1 },
    ])
      expect(fitsPlainly(rule, object({ a: '', b: 1.5, c: 2, d: false, ...wrong })), JSON.stringify(wrong)).toBe(false);
    expect(fitsPlainly(rule, object({ a: '', b: 1, c: 2 }))).toBe(false);
  });
});
