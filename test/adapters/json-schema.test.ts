import { describe, expect, test } from 'vitest';
import { schemaProblem, schemaProblems } from '../../src/adapters/json-schema.js';
import { parseJsonText } from '../../src/protocol/json/parse.js';
import type { JsonObject } from '../../src/protocol/json/values.js';

const object = (text: string): JsonObject => parseJsonText(text) as JsonObject;
const UNJUDGED = [{ path: '', reason: 'cannot be judged: the schema is not usable' }];
const TOO_LONG = [{ path: '', reason: 'cannot be judged: it takes too long' }];

describe('a params schema', () => {
  test('says what is wrong, and where', () => {
    const schema = object('{"type":"object","required":["id"],"properties":{"to":{"items":{"type":"string"}}}}');
    expect(schemaProblems(schema, object('{"id":1,"to":["a"]}'))).toEqual([]);
    expect(schemaProblems(schema, object('{"to":["a",2]}'))).toEqual([
      { path: '', reason: "must have required property 'id'" },
      { path: 'to.1', reason: 'must be string' },
    ]);
  });

  test.each([
    ['a keyword that nobody knows', '{"type":"object","maximun":3}'],
    ['a format that nobody checks', '{"properties":{"to":{"format":"email"}}}'],
    ['a reference to elsewhere', '{"$ref":"https://example.com/schema"}'],
    ['another draft', '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}'],
    ['a pattern that does not compile', '{"properties":{"to":{"pattern":"("}}}'],
    // Each of these ajv would take, were it not for the schema of schemas.
    ['a length below zero', '{"properties":{"to":{"minLength":-1}}}'],
    ['a type that there is not', '{"properties":{"to":{"items":{"type":"text"}}}}'],
    ['names that are not texts', '{"required":["to",1]}'],
    ['a name twice', '{"required":["to","to"]}'],
    ['an empty choice', '{"properties":{"to":{"anyOf":[]}}}'],
    ['a draft that is no text', '{"$schema":1}'],
    // ajv answers such a schema with a promise, which looks like a yes.
    ['an answer that comes later', '{"$async":true,"type":"object","required":["order_id"]}'],
    ['an answer that comes later, further down', '{"properties":{"to":{"$async":true,"type":"string"}}}'],
    // ajv would judge what these point at by the root of the schema, or not at all.
    ['a dynamic reference to nothing', '{"properties":{"to":{"$dynamicRef":"#text"}}}'],
    [
      'a dynamic reference by a path',
      '{"properties":{"to":{"$dynamicRef":"#/$defs/t"}},"$defs":{"t":{"type":"number"}}}',
    ],
    [
      'a dynamic reference below the root',
      '{"properties":{"to":{"$dynamicRef":"#t"}},"$defs":{"t":{"$dynamicAnchor":"t","type":"number"}}}',
    ],
    ['a reference of an earlier draft', '{"properties":{"to":{"$recursiveRef":"#"}}}'],
  ])('with %s is refused when it is issued, and accepts nothing', (_, text) => {
    expect(schemaProblem(object(text))).not.toBeNull();
    expect(schemaProblems(object(text), object('{}'))).toEqual(UNJUDGED);
    expect(schemaProblems(object(text), object('{"order_id":"8472","to":"a"}'))).toEqual(UNJUDGED);
  });

  test.each([
    ['{"properties":{"data":{"format":"uri"}}}', 'has the format "uri" at properties.data, which nobody checks'],
    ['{"format":"uri"}', 'has the format "uri", which nobody checks'],
    ['{"$ref":"https://example.com/schema"}', expect.stringMatching(/^is not usable: /)],
  ])('says what is wrong with %s', (text, problem) => {
    expect(schemaProblem(object(text))).toEqual(problem);
  });

  test.each([
    ['a closed tuple', '{"prefixItems":[{"type":"number"}],"items":false}', '[1]', '[1,2]'],
    ['an open tuple', '{"prefixItems":[{"type":"number"}]}', '[1,"b"]', '["b"]'],
    [
      'a member that a pattern matches as well',
      '{"properties":{"ab":{"minLength":2}},"patternProperties":{"^a":{"maxLength":3}}}',
      '{"ab":"xyz"}',
      '{"ab":"wxyz"}',
    ],
    [
      'the schema of schemas',
      '{"$ref":"https://json-schema.org/draft/2020-12/schema"}',
      '{"minLength":1}',
      '{"minLength":-1}',
    ],
    ['an anchor', '{"$ref":"#text","$defs":{"t":{"$anchor":"text","type":"string"}}}', '"a"', '1'],
  ])('may hold %s', (_, schema, fits, differs) => {
    const whole = object(`{"properties":{"x":${schema}}}`);
    expect(schemaProblem(whole)).toBeNull();
    expect(schemaProblems(whole, object(`{"x":${fits}}`))).toEqual([]);
    expect(schemaProblems(whole, object(`{"x":${differs}}`))).toMatchObject([{ path: expect.stringMatching(/^x/) }]);
  });

  test('may hold a dynamic reference to itself', () => {
    const whole = object(
      '{"$dynamicAnchor":"n","type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"unevaluatedProperties":false,"$defs":{"n":{"$dynamicRef":"#n"}}}',
    );
    expect(schemaProblem(whole)).toBeNull();
    expect(schemaProblems(whole, object('{"n":{"n":{}}}'))).toEqual([]);
    expect(schemaProblems(whole, object('{"n":{"m":1}}'))).toMatchObject([{ path: 'n.m' }]);
    expect(schemaProblem(object('{"properties":{"$dynamicRef":{"const":{"$dynamicRef":"#n"}}}}'))).toBeNull();
  });

  test.each(['schema', 'schema#'])('may name its draft: %s', (end) => {
    const schema = object(`{"$schema":"https://json-schema.org/draft/2020-12/${end}","required":["to"]}`);
    expect(schemaProblem(schema)).toBeNull();
    expect(schemaProblems(schema, object('{}'))).toHaveLength(1);
  });

  test.each([
    ['{"enum":[{"a":[1]},"b"]}', '{"a":[1]}', '{"a":[2]}'],
    ['{"const":{"a":{},"b":1}}', '{"b":1.0,"a":{}}', '{"a":{},"b":"1"}'],
    ['{"const":null}', 'null', 'false'],
    ['{"enum":["toString",1]}', '1', '"1"'],
    ['{"uniqueItems":true}', '[{"a":1},{"a":2},1,"1",true]', '[{"a":1,"b":2},{"b":2,"a":1}]'],
    // Members that a comparison in JavaScript would call.
    ['{"enum":[{"valueOf":1}]}', '{"valueOf":1}', '{"valueOf":2,"constructor":3,"toString":4}'],
    ['{"uniqueItems":true}', '[{"valueOf":1},{"valueOf":2}]', '[{"__proto__":1},{"__proto__":1}]'],
  ])('compares as JSON does: %s', (schema, fits, differs) => {
    const whole = object(`{"properties":{"x":${schema}}}`);
    expect(schemaProblems(whole, object(`{"x":${fits}}`))).toEqual([]);
    expect(schemaProblems(whole, object(`{"x":${differs}}`))).toMatchObject([{ path: 'x' }]);
  });

  test.each([
    ['0.01', ['19.99', '1.1', '0.07', '0', '-4.35', '1e21'], ['19.999', '0.001', '1e-7']],
    ['0.1', ['0.3', '1e300'], ['0.30000000000000004', '0.25']],
    ['3', ['9', '0', '-3'], ['10', '3.000000000000001']],
  ])('counts multiples of %s in decimals', (divisor, multiples, others) => {
    const schema = object(`{"properties":{"x":{"multipleOf":${divisor}}}}`);
    for (const x of multiples) expect(schemaProblems(schema, object(`{"x":${x}}`)), x).toEqual([]);
    for (const x of others)
      expect(schemaProblems(schema, object(`{"x":${x}}`)), x).toEqual([
        { path: 'x', reason: `must be multiple of ${divisor}` },
      ]);
  });

  test('sees own members only, whatever they are called', () => {
    const schema = object('{"required":["constructor","__proto__"],"additionalProperties":{"type":"string"}}');
    expect(schemaProblems(schema, object('{}'))).toHaveLength(2);
    expect(schemaProblems(schema, object('{"constructor":"a","__proto__":1}'))).toMatchObject([{ path: '__proto__' }]);
  });

  test('reaches nothing of another schema', () => {
    const other = object(
      '{"$id":"https://acme.com/one","$defs":{"any":{"$id":"https://acme.com/any"}},"properties":{"x":{"$ref":"https://acme.com/any"}}}',
    );
    expect(schemaProblems(other, object('{"x":1}'))).toEqual([]);
    expect(schemaProblems(object('{"$ref":"https://acme.com/any"}'), object('{}'))).toEqual(UNJUDGED);
    expect(schemaProblems(object('{"$ref":"https://acme.com/one"}'), object('{}'))).toEqual(UNJUDGED);
    const same = object(
      '{"$id":"https://acme.com/one","$defs":{"any":{"$id":"https://acme.com/any","type":"string"}},"$ref":"https://acme.com/any"}',
    );
    expect(schemaProblems(same, object('{}'))).toMatchObject([{ reason: 'must be string' }]);
    expect(schemaProblems(object('{"$defs":{"a":{"$anchor":"any"}},"$ref":"#any"}'), object('{}'))).toEqual([]);
    expect(schemaProblems(object('{"$ref":"#any"}'), object('{}'))).toEqual(UNJUDGED);
  });

  test.each([
    ['a repeated group', '{"pattern":"^(\\\\w+\\\\.?)+@\\\\w+$"}', JSON.stringify('a'.repeat(48))],
    ['three repetitions', '{"pattern":"a*a*a*a*a*a*b"}', JSON.stringify('a'.repeat(4000))],
    ['names', '{"propertyNames":{"pattern":"^(\\\\w|\\\\d)+$"}}', `{${JSON.stringify(`${'1'.repeat(48)}-`)}:1}`],
    ['alternatives that repeat themselves', `{"$ref":"#/$defs/n"}`, `${'{"args":'.repeat(28)}1${'}'.repeat(28)}`],
  ])('gives up on params that would hold it for long: %s', (_, schema, value) => {
    const alternatives = Array.from(
      { length: 6 },
      (_, i) => `{"properties":{"args":{"$ref":"#/$defs/n"},"op":{"const":${i}}},"required":["op"]}`,
    );
    const whole = object(`{"$defs":{"n":{"anyOf":[${alternatives.join(',')}]}},"properties":{"x":${schema}}}`);
    expect(schemaProblem(whole)).toBeNull();
    expect(schemaProblems(whole, object(`{"x":${value}}`))).toEqual(TOO_LONG);
    expect(schemaProblems(whole, object('{}'))).toEqual([]);
  });

  test('finishes an ordinary pattern on the longest text', () => {
    const schema = object('{"properties":{"x":{"pattern":"^([a-z]+ )+$"}}}');
    expect(schemaProblems(schema, { x: 'ab '.repeat(20_000) })).toEqual([]);
    expect(schemaProblems(schema, { x: `${'ab '.repeat(20_000)}!` })).toMatchObject([{ path: 'x' }]);
  });
});
