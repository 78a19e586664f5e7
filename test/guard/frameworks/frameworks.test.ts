import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { guardTools } from '../../../src/guard/frameworks/ai.js';
import { guardRequest } from '../../../src/guard/frameworks/http.js';
import { aipMiddleware, guardTool } from '../../../src/guard/frameworks/langchain.js';
import { guardClient } from '../../../src/guard/frameworks/mcp.js';
import { guardTool as guardFunction } from '../../../src/guard/frameworks/openai-agents.js';
import { approvedOnce, refundDesk, staged } from './refund.js';
import { KEY, refusal } from '../../library/workshop.js';

describe('the AI SDK', () => {
  test('runs with the verified input, refuses in words, asks where a person is needed', async () => {
    const { agent, ran, options } = await staged();
    const tools = guardTools(
      agent,
      {
        refund: {
          description: 'pays back',
          execute: (input: { amount: number }, context: { id: string }) => ran.push([input, context.id]),
        },
      },
      options,
    );
    expect(tools.refund.description).toBe('pays back');
    await Promise.resolve(tools.refund.execute({ amount: 50 }, { id: 'a' }));
    expect(ran).toEqual([[{ amount: 50 }, 'a']]);
    const error = await refusal(Promise.resolve(tools.refund.execute({ amount: 10_000 }, { id: 'b' })));
    expect(error.message).toMatch(/^AIP-E202 MONETARY_LIMIT_EXCEEDED: /);
    expect(ran).toHaveLength(1);
    const asks = (tools.refund as unknown as { needsApproval: (input: object, context: object) => Promise<boolean> })
      .needsApproval;
    expect(await asks({ amount: 50 }, {})).toBe(false);
  });
  test('what needs a person is asked about, and does not run by a tap alone', async () => {
    const { agent, ran, options, workspace } = await staged({ require_approval: true });
    const { refund } = guardTools(agent, { refund: { execute: () => ran.push(1), needsApproval: undefined } }, options);
    expect(
      await (
        refund as unknown as { needsApproval: (input: object, context: object) => Promise<boolean> }
      ).needsApproval({}, {}),
    ).toBe(true);
    expect(await workspace.getVerificationLogs()).toEqual([]);
    expect((await refusal(Promise.resolve(refund.execute()))).message).toMatch(/^AIP-E209 /);
    expect(ran).toEqual([]);
  });
  test('of half a character nobody is asked, so that the other calls go on; it does not run', async () => {
    const { agent, ran, options } = await staged({ require_approval: true });
    const { refund } = guardTools(agent, { refund: { execute: (_: object) => ran.push(1) } }, options);
    const { needsApproval: asks } = refund as unknown as { needsApproval: (input: object) => Promise<boolean> };
    expect(await asks({ memo: 'a \ud83d' })).toBe(false);
    expect((await refusal(Promise.resolve(refund.execute({ memo: 'a \ud83d' })))).message).toMatch(/half a character/);
    expect(ran).toEqual([]);
  });
  test('an output in parts is given in parts after the verdict, and as the last of them where the verdict comes first', async () => {
    const { agent, options } = await staged();
    async function* parts(input: { amount: number }): AsyncGenerator<string> {
      yield 'begun';
      yield `paid ${String(input.amount)}`;
    }
    const made = { refund: { execute: parts }, 'pay.refund': { execute: (input: { amount: number }) => parts(input) } };
    const tools = guardTools(agent, made, options);
    const read: string[] = [];
    // At once, as the SDK reads it.
    for await (const part of tools.refund.execute({ amount: 5 })) read.push(part);
    expect(read).toEqual(['begun', 'paid 5']);
    expect(await (tools['pay.refund'].execute({ amount: 6 }) as unknown)).toBe('paid 6');
    const refused = tools.refund.execute({ amount: 500 });
    expect((await refusal(refused.next())).message).toMatch(/^AIP-E202 /);
    expect(
      (await refusal(tools['pay.refund'].execute({ amount: 500 }) as unknown as Promise<unknown>)).message,
    ).toMatch(/^AIP-E202 /);
  });
  test('an option that there is not is refused, also one that a framework names beside a call', async () => {
    const { agent, ran, options } = await staged();
    const tools = { refund: { execute: (input: { amount: number }) => ran.push(input) } };
    const { refund } = guardTools(agent, tools, { ...options, signal: AbortSignal.abort() } as typeof options);
    await expect(Promise.resolve(refund.execute({ amount: 5 }))).rejects.toMatchObject({ code: 'USAGE' });
    expect(ran).toEqual([]);
  });
  test.each([{ params: {} }, { agent: 'support-agent-v1' }])(
    'nor does %o take the place of what a call says',
    async (more) => {
      const { agent, ran, options } = await staged();
      const tools = { refund: { execute: (input: { amount: number }) => ran.push(input) } };
      const { refund } = guardTools(agent, tools, { ...options, ...more });
      await expect(Promise.resolve(refund.execute({ amount: 500 }))).rejects.toThrow(TypeError);
      expect(ran).toEqual([]);
    },
  );
  test('a tool that is run elsewhere is refused when it is wrapped', async () => {
    const { agent, options } = await staged();
    expect(() => guardTools(agent, { search: { execute: undefined } }, options)).toThrow(TypeError);
  });
});

describe('LangChain', () => {
  test('a tool runs behind its schema; a refusal is its answer', async () => {
    const { agent, ran, options } = await staged();
    class Tool {
      readonly name = 'refund';
      readonly func = async (input: { amount: number }) => `paid ${String(ran.push(input))}`;
      invoke(input: { amount: number }) {
        return this.func(input);
      }
    }
    const tool = guardTool(agent, new Tool(), options);
    expect(await tool.invoke({ amount: 50 })).toBe('paid 1');
    expect(await tool.invoke({ amount: 10_000 })).toMatch(/^AIP-E202 /);
    expect(ran).toEqual([{ amount: 50 }]);
    expect(() => guardTool(agent, { name: 'x' }, options)).toThrow(TypeError);
  });
  test('of a class runs on itself, by _call and by a func of its own, and counts once', async () => {
    const { agent, workspace, ran, options } = await staged();
    class Tool {
      readonly name = 'refund';
      readonly #secret = 'kept';
      readonly func = async (input: { amount: number }) => ran.push([input.amount, 'func']);
      async _call(input: { amount: number }) {
        return ran.push([input.amount, this.#secret]);
      }
      invoke(input: { amount: number }) {
        return this._call(input);
      }
    }
    const tool = guardTool(agent, new Tool(), options);
    await tool.invoke({ amount: 50 });
    expect(await tool.invoke({ amount: 10_000 })).toMatch(/^AIP-E202 /);
    expect(await tool.func({ amount: 10_000 })).toMatch(/^AIP-E202 /);
    expect(ran).toEqual([[50, 'kept']]);
    expect(await workspace.getVerificationLogs()).toHaveLength(3);
  });
  test('the middleware hands on what was verified', async () => {
    const { agent, options } = await staged();
    const { wrapToolCall } = aipMiddleware(agent, options);
    const request = { toolCall: { name: 'refund', id: '1', args: { amount: 5 } }, state: 1 };
    expect(await wrapToolCall(request, (given) => given)).toEqual(request);
  });
  test('the middleware answers half a character, which would end the run else; it does not run', async () => {
    vi.doMock('@langchain/core/messages', () => ({
      ToolMessage: class {
        constructor(fields: object) {
          Object.assign(this, fields);
        }
      },
    }));
    onTestFinished(() => {
      vi.doUnmock('@langchain/core/messages');
    });
    const { agent, ran, options } = await staged();
    const { wrapToolCall } = aipMiddleware(agent, options);
    const request = { toolCall: { name: 'refund', id: '1', args: { memo: '\ud83d' } } };
    expect(await wrapToolCall<typeof request, unknown>(request, () => ran.push(1))).toMatchObject({
      content: 'params.memo holds half a character (a lone surrogate).',
      tool_call_id: '1',
      status: 'error',
    });
    expect(ran).toEqual([]);
  });
  test('the middleware judges what the schema of the tool makes of the arguments', async () => {
    const { agent, workspace, ran, options } = await staged();
    const { wrapToolCall } = aipMiddleware(agent, options);
    const validate = ({ amount = 5000, due = '2026-01-01' }: { amount?: number; due?: string }) => ({
      value: { amount, due: new Date(due), tags: new Set(['a']), rest: [undefined, NaN, () => 1], gone: undefined },
    });
    const tool = { schema: { '~standard': { validate } } };
    const ask = (args: object) =>
      wrapToolCall({ toolCall: { name: 'refund', id: '1', args }, tool }, ({ toolCall }) => ran.push(toolCall.args));
    await ask({ amount: 5, due: '2026-02-01' });
    await ask({}).catch(() => 'no ToolMessage without LangChain');
    expect(ran).toEqual([{ amount: 5, due: '2026-02-01' }]);
    const [refused, accepted] = await workspace.getVerificationLogs();
    expect(refused).toMatchObject({ error_code: 'AIP-E202', params: { amount: 5000 } });
    expect(accepted).toMatchObject({
      error_code: null,
      params: { amount: 5, due: '2026-02-01', rest: [null, null, null] },
    });
  });
});

test('a call that the framework gave up does not run, neither before the verdict nor after it', async () => {
  const { agent, ran, options, workspace } = await staged();
  type Call = (...given: unknown[]) => Promise<unknown>;
  const run: Call = async () => ran.push(1);
  let given = new AbortController();
  /** Gives the call up once it is decided, as during the minutes that a person takes. */
  const deciding = {
    createIntent: workspace.createIntent,
    verifyIntent: workspace.verifyIntent,
    guardCall: ((asked, call) =>
      workspace.guardCall(asked, (params) => {
        given.abort(new Error('given up'));
        return call(params);
      })) as typeof workspace.guardCall,
  };
  const own = { ...options, workspace: deciding, action: () => 'refund' };
  const tool = Object.assign(Object.create(null) as object, { name: 'refund', _call: run });
  const ai = guardTools(agent, { refund: { execute: run } }, own).refund.execute;
  const langchain = guardTool(agent, tool, own)._call;
  const { wrapToolCall } = aipMiddleware(agent, own);
  const openai = guardFunction(agent, { name: 'refund', invoke: run }, own).invoke;
  const mcp = guardClient(agent, 'pay', { callTool: run }, own).callTool;
  const ways: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (abortSignal) => ai({}, { abortSignal }),
    (signal) => langchain({}, undefined, { signal }),
    (signal) => wrapToolCall({ toolCall: { name: 'refund', args: {} }, runtime: { signal } }, run),
    (signal) => openai({}, '{}', { signal }),
    (signal) => mcp({ name: 'refund' }, undefined, { signal }),
  ];
  for (const way of ways) {
    given = new AbortController();
    expect((await refusal(way(given.signal))).message).toBe('given up');
    expect((await refusal(way(given.signal))).message).toBe('given up');
  }
  expect(ran).toEqual([]);
  // What was given up before it was decided has spent nothing.
  const entries = await workspace.getVerificationLogs();
  expect(entries).toHaveLength(ways.length);
});

describe('HTTP', () => {
  const request = (body: object | null, intent: object | null, text?: string) =>
    new Request('http://localhost/refunds', {
      method: 'POST',
      headers:
        intent === null ? {} : { 'aip-intent': Buffer.from(text ?? JSON.stringify(intent)).toString('base64url') },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
  test('null for a yes, and the body stays readable; a replay is 409', async () => {
    const { agent, workspace } = await staged();
    const intent = await workspace.createIntent({
      passport: agent,
      action: 'refund',
      params: { amount: 5, id: 'a' },
      privateKey: KEY,
    });
    const asked = request({ id: 'a', amount: 5 }, intent);
    expect(await guardRequest(asked, { action: 'refund', workspace })).toBeNull();
    expect(await asked.json()).toEqual({ id: 'a', amount: 5 });
    expect((await guardRequest(request({ id: 'a', amount: 5 }, intent), { action: 'refund', workspace }))!.status).toBe(
      409,
    );
    // Of a body that the handler has read there is nothing left to compare: no client is to blame.
    await expect(guardRequest(asked, { action: 'refund', workspace })).rejects.toThrow('The body was read before');
    const express = { headers: { 'aip-intent': 'e30' }, body: { amount: 5 } } as never;
    await expect(guardRequest(express, { action: 'refund', workspace })).rejects.toThrow('This is no WHATWG Request');
  });
  test.each([
    ['no intent', { amount: 5 }, null, 401],
    ['above the limit', { amount: 500 }, { amount: 500 }, 422],
    ['another body than was signed', { amount: 50 }, { amount: 5 }, 422],
    ['no body', null, { amount: 5 }, 422],
  ])('%s is refused', async (_, body, signed, status) => {
    const { agent, workspace } = await staged();
    const intent =
      signed === null
        ? null
        : await workspace.createIntent({ passport: agent, action: 'refund', params: signed, privateKey: KEY });
    expect((await guardRequest(request(body, intent), { action: 'refund', workspace }))!.status).toBe(status);
  });
  test('of a request with an empty header it is said that the intent is missing', async () => {
    const headers = { 'aip-intent': '' };
    const refused = await guardRequest(new Request('http://localhost/refunds', { headers }), { action: 'refund' });
    expect(refused!.status).toBe(401);
  });
  test.each([
    ['a misspelt option', { verfy: { minTrust: 0.9 } }],
    ['a dry run, which spends no nonce', { verify: { dryRun: true } }],
  ])('%s is refused: the handler would run', async (_, more) => {
    const { agent, workspace } = await staged();
    const asked = { passport: agent, action: 'refund', params: { amount: 5 }, privateKey: KEY };
    const options = { action: 'refund', workspace, ...more } as never;
    const intent = await workspace.createIntent(asked);
    await expect(guardRequest(request(asked.params, intent), options)).rejects.toThrow(TypeError);
  });
  test('a number that JSON cannot hold is not the null that was signed', async () => {
    const { agent, workspace } = await staged({});
    const params = { amount: null };
    const intent = await workspace.createIntent({ passport: agent, action: 'refund', params, privateKey: KEY });
    const { headers } = request(null, intent);
    const asked = new Request('http://localhost/refunds', { method: 'POST', headers, body: '{"amount":1e999}' });
    expect((await guardRequest(asked, { action: 'refund', workspace }))!.status).toBe(422);
  });
  test('another action, a changed intent, and a member twice are refused', async () => {
    const { agent, workspace } = await staged();
    const intent = await workspace.createIntent({
      passport: agent,
      action: 'refund',
      params: { amount: 5 },
      privateKey: KEY,
    });
    const options = { action: 'refund', workspace };
    expect((await guardRequest(request({ amount: 5 }, intent), { ...options, action: 'delete' }))!.status).toBe(422);
    expect((await guardRequest(request({ amount: 6 }, { ...intent, params: { amount: 6 } }), options))!.status).toBe(
      401,
    );
    const twice = JSON.stringify(intent).replace('"params":', '"params":{"amount":99},"params":');
    expect((await guardRequest(request({ amount: 5 }, {}, twice), options))!.status).toBe(401);
  });
});

/** How a refund is asked for, as each framework has it. */
const ASKERS: readonly (readonly [
  string,
  (desk: Awaited<ReturnType<typeof refundDesk>>) => (amount: number) => Promise<string>,
])[] = [
  [
    'the AI SDK',
    ({ agent, run, options }) => {
      const { refund } = guardTools(agent, { refund: { execute: run } }, options);
      return async (amount) => Promise.resolve(refund.execute({ amount })).catch((error: Error) => error.message);
    },
  ],
  [
    'LangChain',
    ({ agent, run, options }) => {
      const tool = guardTool(agent, { name: 'refund', func: run }, options);
      return async (amount) => tool.func({ amount });
    },
  ],
  [
    'OpenAI Agents',
    ({ agent, run, options }) => {
      const invoke = async (_: never, input: string): Promise<string> => run(JSON.parse(input) as { amount: number });
      const tool = guardFunction(agent, { name: 'refund', invoke }, options);
      return (amount) => tool.invoke(undefined as never, JSON.stringify({ amount }));
    },
  ],
  [
    'an MCP client',
    ({ agent, run, options }) => {
      const callTool = async ({ arguments: given }: { name: string; arguments: { amount: number } }) => ({
        content: [{ type: 'text', text: run(given) }],
      });
      const client = guardClient(agent, 'pay', { callTool }, options);
      return async (amount) => (await client.callTool({ name: 'refund', arguments: { amount } })).content[0]!.text;
    },
  ],
];

test.each(ASKERS)(
  '%s: a refund of 10,000 USD is stopped, approved ten minutes later, and let through once',
  async (_, asker) => {
    const desk = await refundDesk();
    await approvedOnce(desk, asker(desk), false);
  },
);
