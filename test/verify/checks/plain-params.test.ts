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

const name = fc.constantFrom(...NAMES);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom('a@b', 'a@b@c', 'a@😀', 'HTTPS://x', 'http:// x', 1, 1.5, -0, 1e300, 'a', '', true, null),
);
const property = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'boolean') }) },
  fc.constantFrom({ type: 'string', pattern: TEXT_PATTERNS.email }, { type: 'string', pattern: TEXT_PATTERNS.url }),
  fc.constantFrom(
    { pattern: TEXT_PATTERNS.url },
    { type: 'number', pattern: TEXT_PATTERNS.url },
    { type: 'string', pattern: '^a' },
  ),
  fc.constantFrom({ type: 'null' }, { type: ['string', 'number'] }, { type: 'string', minLength: 3 }, {}, true, false),
);
const schema = fc
  .record(
    {
      type: fc.oneof({ weight: 8, arbitrary: fc.constant('object') }, fc.constantFrom('array', ['object'], 1)),
      properties: fc.array(fc.tuple(name, property), { maxLength: 4 }).map(own),
      required: fc.array(fc.oneof({ weight: 9, arbitrary: name }, fc.constant(1)), { maxLength: 2 }),
      additionalProperties: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
      minProperties: fc.constantFrom(2, -1),
    },
    { requiredKeys: ['type', 'properties', 'required', 'additionalProperties'] },
  )
  .map(object);
const params = fc.array(fc.tuple(name, value), { maxLength: 3 }).map((entries) => object(own(entries)));

describe('params under a schema of names and types', () => {
  test('fit only where the general check finds nothing wrong with either', () => {
    let fitting = 0;
    fc.assert(
      fc.property(schema, params, (rule, given) => {
        if (!fitsPlainly(rule, given)) return;
        fitting += 1;
        expect([schemaProblem(rule), schemaProblems(rule, given)]).toEqual([null, []]);
      }),
      { numRuns: 4000 },
    );
    expect(fitting).toBeGreaterThan(40);
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
