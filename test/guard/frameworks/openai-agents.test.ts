import { expect, test } from 'vitest';
import { guardTool as guardFunction } from '../../../src/guard/frameworks/openai-agents.js';
import { staged } from './refund.js';
import { refusal } from '../../library/workshop.js';

test('arguments are written anew from what was verified', async () => {
  const { agent, ran, options } = await staged();
  const tool = guardFunction(
    agent,
    { name: 'refund', invoke: async (_: never, input: string) => ran.push(input) },
    options,
  );
  await tool.invoke(undefined as never, '{"amount":10000,"amount":50}');
  expect(ran).toEqual(['{"amount":50}']);
  expect(await tool.invoke(undefined as never, '{"amount":10000}')).toMatch(/^AIP-E202 /);
  expect(await refusal(tool.invoke(undefined as never, '[]'))).toBeInstanceOf(TypeError);
  expect(ran).toHaveLength(1);
});

test('defaults of the schema are judged, wherever they stand', async () => {
  const { agent, ran, options } = await staged();
  const amount = { type: 'number', default: 5000 };
  const line = { anyOf: [{ type: 'object', properties: { amount } }, { type: 'null' }] };
  const parameters = { type: 'object', properties: { amount: { ...amount, default: 7 }, lines: { items: line } } };
  const invoke = async (_: never, input: string): Promise<unknown> => ran.push(JSON.parse(input));
  const { invoke: ask } = guardFunction(agent, { name: 'refund', parameters, invoke }, options);
  await ask(undefined as never, '{}');
  await ask(undefined as never, '{"amount":8,"lines":[null,{"amount":9}]}');
  expect(await ask(undefined as never, '{"lines":[{}]}')).toMatch(/^AIP-E202 /);
  expect(ran).toEqual([{ amount: 7 }, { amount: 8, lines: [null, { amount: 9 }] }]);
});

test('of alternatives, the defaults of the one that takes the arguments are judged', async () => {
  const { agent, ran, options } = await staged();
  const amount = { type: 'number', default: 5000 };
  const anyOf = [
    { properties: { kind: { const: 'card' }, amount } },
    { properties: { kind: { enum: ['cash', 'none'] } } },
  ];
  const invoke = async (_: never, input: string): Promise<unknown> => ran.push(JSON.parse(input));
  const parameters = { type: 'object', properties: { how: { anyOf } } };
  const { invoke: ask } = guardFunction(agent, { name: 'refund', parameters, invoke }, options);
  await ask(undefined as never, '{"how":{"kind":"none"}}');
  expect(ran).toEqual([{ how: { kind: 'none' } }]);
  expect(await ask(undefined as never, '{"how":{"kind":"card"}}')).toMatch(/^AIP-E202 /);
});

test('what is required and missing is asked for: the tool would fill in a default that its JSON Schema does not tell', async () => {
  const { agent, ran, options } = await staged();
  const pay = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] };
  const properties = {
    one: pay,
    any: { anyOf: [pay, { type: 'null' }] },
    all: { items: pay },
    pair: { items: [{}, pay] },
  };
  const parameters = { properties: { ...properties, by: { additionalProperties: pay } }, required: ['one'] };
  const invoke = async (_: never, input: string): Promise<unknown> => ran.push(JSON.parse(input));
  const { invoke: ask } = guardFunction(agent, { name: 'refund', parameters, invoke }, options);
  const one = { amount: 5 };
  const wrong = [
    {},
    { one: {} },
    { one, any: {} },
    { one, all: [one, {}] },
    { one, pair: [{}, {}] },
    { one, by: { x: {} } },
  ];
  for (const asked of wrong)
    expect(await ask(undefined as never, JSON.stringify(asked))).toMatch(
      /^refund was not run: .* requires (?:one|amount),/,
    );
  const right = { one, any: null, all: [one], pair: [{}, one], by: { x: one } };
  await ask(undefined as never, JSON.stringify(right));
  expect(ran).toEqual([right]);
});

test('a person is asked about what is judged, with what the schema fills in', async () => {
  const { agent, options } = await staged({ require_approval: { above: 10 } });
  const made = { name: 'refund', needsApproval: false as unknown };
  const properties = { amount: { type: 'number', default: 5 } };
  const ready = { ...made, parameters: { properties }, invoke: async () => 'ran' };
  const validate = ({ amount = 5 }: { amount?: number }) => ({ value: { amount } });
  const raw = { ...made, parameters: { '~standard': { validate } }, execute: () => 'ran' };
  for (const tool of [guardFunction(agent, ready, options), guardFunction(agent, raw, options)]) {
    const asks = tool.needsApproval as (context: object, input: object) => Promise<boolean>;
    expect([await asks({}, {}), await asks({}, { amount: 11 })]).toEqual([false, true]);
  }
});

test('half a character is an answer to the model, and nobody is asked about it', async () => {
  const { agent, ran, options } = await staged({ require_approval: true });
  const made = { name: 'refund', needsApproval: false as unknown, invoke: async () => ran.push(1) };
  const tool = guardFunction(agent, made, options);
  const asks = tool.needsApproval as (context: object, input: object) => Promise<boolean>;
  expect(await asks({}, { memo: '\ud83d' })).toBe(false);
  const answer = await (tool.invoke as (context: unknown, input: string) => Promise<unknown>)({}, '{"memo":"\\ud83d"}');
  expect(answer).toMatch(/^refund was not run: params\.memo holds half a character/);
  expect(ran).toEqual([]);
});

test('what a tool is made of is guarded behind its schema', async () => {
  const { agent, ran, options } = await staged();
  const made = { execute: async (input: { amount: number }, context: string) => ran.push([input, context]) };
  const { execute, needsApproval } = guardFunction(agent, { ...made, name: 'refund', needsApproval: true }, options);
  expect(await execute({ amount: 5 }, 'context')).toBe(1);
  expect(await execute({ amount: 500 }, 'context')).toMatch(/^AIP-E202 /);
  expect(ran).toEqual([[{ amount: 5 }, 'context']]);
  expect(await (needsApproval as unknown as (context: object, input: object) => Promise<boolean>)({}, {})).toBe(true);
});

test('a tool that is run elsewhere is refused when it is wrapped', async () => {
  const { agent, options } = await staged();
  const hosted = { type: 'hosted_tool', name: 'web_search' } as unknown as Parameters<typeof guardFunction>[1];
  expect(() => guardFunction(agent, hosted, options)).toThrow(/web_search has no invoke/);
});
