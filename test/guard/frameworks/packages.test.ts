/**
 * The adapters with the packages that they are for. AIP_TEST_FRAMEWORKS names a folder; each of its folders holds one set of versions
 * (`node_modules`), of which every package that is there is tried.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { guardTools } from '../../../src/guard/frameworks/ai.js';
import { aipMiddleware, guardTool } from '../../../src/guard/frameworks/langchain.js';
import { guardTool as guardFunction } from '../../../src/guard/frameworks/openai-agents.js';
import { guardRequest, type HttpGuardOptions } from '../../../src/guard/frameworks/http.js';
import { scratch } from '../../kit/scratch.js';
import { KEY, supportAgent, workshop } from '../../library/workshop.js';
import { approvedOnce, refundDesk } from './refund.js';

type Any = Record<string, any>;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = process.env.AIP_TEST_FRAMEWORKS ?? null;
const SETS = FOLDER === null ? [] : readdirSync(FOLDER).map((name) => join(FOLDER, name));

const has = (set: string, name: string): boolean => existsSync(join(set, 'node_modules', name, 'package.json'));
/** As an application there would import it. */
async function load(set: string, name: string): Promise<Any> {
  return (await import(pathToFileURL(createRequire(join(set, 'package.json')).resolve(name)).href)) as Any;
}

test('sets of packages', (context) => {
  if (FOLDER === null) context.skip('AIP_TEST_FRAMEWORKS names no folder where they are installed');
  expect(SETS.some((set) => has(set, 'ai')) && SETS.some((set) => has(set, '@langchain/core'))).toBe(true);
});

/** What a model of the AI SDK answers, in the version of its interface that the class is for. */
function aiModel(Model: new (options: Any) => object, version: number, amount: number): Any {
  const [usage, reason] =
    version === 2
      ? [{ inputTokens: 1, outputTokens: 1, totalTokens: 2 }, (name: string): unknown => name]
      : [
          { inputTokens: { total: 1 }, outputTokens: { total: 1 } },
          (unified: string): unknown => ({ unified, raw: unified }),
        ];
  const call = { type: 'tool-call', toolCallId: 'c', toolName: 'refund', input: JSON.stringify({ amount }) };
  let calls = 0;
  return new Model({
    doGenerate: async () =>
      calls++ === 0
        ? { content: [call], finishReason: reason('tool-calls'), usage, warnings: [] }
        : { content: [{ type: 'text', text: 'done' }], finishReason: reason('stop'), usage, warnings: [] },
  });
}

describe.each(SETS.filter((set) => has(set, 'ai')))('the AI SDK in %s', (set) => {
  test('a refund of $10,000', { timeout: 60_000 }, async () => {
    const [ai, mocks, { z }] = [await load(set, 'ai'), await load(set, 'ai/test'), await load(set, 'zod')];
    const version = [4, 3, 2].find((each) => `MockLanguageModelV${each}` in mocks)!;
    const desk = await refundDesk();
    const refund = ai.tool({
      description: 'pays back',
      inputSchema: z.object({ amount: z.number() }),
      execute: desk.run,
    });
    const tools = guardTools(desk.agent, { refund }, desk.options);
    const ask = async (amount: number, tap: boolean): Promise<string> => {
      const model = aiModel(mocks[`MockLanguageModelV${version}`], version, amount);
      const said = { model, tools, stopWhen: ai.stepCountIs(2) };
      const first = await ai.generateText({ ...said, prompt: 'Pay back.' });
      const asked = (first.content as Any[]).find(({ type }) => type === 'tool-approval-request');
      if (asked !== undefined) {
        if (!tap) return 'asks';
        const response = { type: 'tool-approval-response', approvalId: asked.approvalId, approved: true };
        const user = { role: 'user', content: 'Pay back.' };
        const messages = [user, ...first.response.messages, { role: 'tool', content: [response] }];
        await ai.generateText({ ...said, messages });
      }
      // What the model reads last.
      return JSON.stringify(model.doGenerateCalls.at(-1).prompt);
    };
    await approvedOnce(desk, ask, version > 2);
  });
  test('an output in parts', { timeout: 60_000 }, async () => {
    const [ai, mocks, { z }] = [await load(set, 'ai'), await load(set, 'ai/test'), await load(set, 'zod')];
    const version = [4, 3, 2].find((each) => `MockLanguageModelV${each}` in mocks)!;
    const desk = await refundDesk();
    const refund = ai.tool({
      description: 'pays back',
      inputSchema: z.object({ amount: z.number() }),
      async *execute({ amount }: { amount: number }) {
        yield 'begun';
        yield desk.run({ amount });
      },
    });
    const given = async (tools: Any): Promise<unknown> => {
      const model = aiModel(mocks[`MockLanguageModelV${version}`], version, 5);
      const { content } = await ai.generateText({ model, tools, prompt: 'Pay back.' });
      return (content as Any[]).find(({ type }) => type === 'tool-result')?.output;
    };
    // The first versions read none.
    if ((await given({ refund }).catch(() => null)) !== 'refunded 5 (1)') return;
    expect(await given(guardTools(desk.agent, { refund }, desk.options))).toBe('refunded 5 (2)');
  });
});

describe.each(SETS.filter((set) => has(set, '@langchain/core')))('LangChain in %s', (set) => {
  test('a refund of $10,000 by a guarded tool', async () => {
    const [{ tool }, { z }] = [await load(set, '@langchain/core/tools'), await load(set, 'zod')];
    const desk = await refundDesk();
    const schema = z.object({ amount: z.number() });
    const refund = guardTool(desk.agent, tool(desk.run, { name: 'refund', schema }), desk.options);
    await approvedOnce(desk, async (amount) => (await refund.invoke({ amount })) as string, false);
    // Its own schema comes first.
    await expect(refund.invoke({ amount: 'much' })).rejects.toThrow(/schema/i);
  });
  test('a tool of one text is judged by it under the name that its schema has', async () => {
    const { DynamicTool } = await load(set, '@langchain/core/tools');
    const workspace = workshop();
    const agent = await supportAgent(workspace, { actions: ['refund'], constraints: {} });
    const ran: unknown[] = [];
    const plain = new DynamicTool({ name: 'refund', description: 'x', func: async (text: string) => ran.push(text) });
    const tool = guardTool(agent, plain as Any as { name: string }, { workspace, privateKey: KEY }) as Any;
    await tool.invoke('order 8472');
    await tool.invoke({ type: 'tool_call', name: 'refund', id: 'c', args: { input: 'order 8473' } });
    await tool.invoke({});
    expect(ran).toEqual(['order 8472', 'order 8473', undefined]);
    const logged = await workspace.getVerificationLogs();
    expect(logged.map(({ params }) => params).toReversed()).toEqual([
      { input: 'order 8472' },
      { input: 'order 8473' },
      {},
    ]);
  });
  test('a class with an invoke of its own is judged there, once, also where that never reaches _call', async () => {
    const [{ StructuredTool }, { z }] = [await load(set, '@langchain/core/tools'), await load(set, 'zod')];
    const workspace = workshop();
    const agent = await supportAgent(workspace, { actions: ['refund'], constraints: { monetary_limit: 100 } });
    const ran: unknown[] = [];
    class Refund extends StructuredTool {
      readonly name = 'refund';
      readonly description = 'pays back';
      readonly schema = z.object({ amount: z.number().default(5000) });
      async _call(input: object) {
        return `called ${String(ran.push(input))}`;
      }
    }
    class Direct extends Refund {
      async invoke(input: Any) {
        return `paid ${String(ran.push(input.args ?? input))}`;
      }
    }
    class Through extends Refund {
      async invoke(input: Any, config: unknown) {
        return super.invoke(input, config) as Promise<string>;
      }
    }
    for (const made of [new Direct(), new Through()]) {
      const tool = guardTool(agent, made as Any as { name: string }, { workspace, privateKey: KEY }) as Any;
      const call = (args: object): object => ({ type: 'tool_call', name: 'refund', id: 'c', args });
      // The schema leaves the last one's inner amount out, and a class of its own reads it.
      for (const asked of [{ amount: 500 }, {}, { amount: 5, args: { amount: 500 } }]) {
        expect(await tool.invoke(asked)).toMatch(/^AIP-E202 /);
        expect(await tool.invoke(call(asked))).toMatch(/^AIP-E202 /);
      }
      await tool.invoke({ amount: 5 });
      await tool.invoke(call({ amount: 6 }));
      expect(ran.splice(0)).toEqual([{ amount: 5 }, { amount: 6 }]);
    }
    expect(await workspace.getVerificationLogs()).toHaveLength(16);
  });
  test('a tool whose answers are pairs answers with the refusal', async () => {
    const [{ tool }, { z }] = [await load(set, '@langchain/core/tools'), await load(set, 'zod')];
    const desk = await refundDesk();
    const fields = { name: 'refund', schema: z.object({ amount: z.number() }), responseFormat: 'content_and_artifact' };
    const refund = guardTool(desk.agent, tool(() => ['paid', {}], fields) as Any & { name: string }, desk.options);
    expect(await refund.invoke({ amount: 10_000 })).toMatch(/^AIP-E20\d /);
  });
});

describe.each(SETS.filter((set) => has(set, 'langchain')))('an agent of LangChain in %s', (set) => {
  test('a refund of $10,000 through the middleware', { timeout: 60_000 }, async () => {
    const lang = await load(set, 'langchain');
    const { z } = await load(set, 'zod');
    const { AIMessage } = await load(set, '@langchain/core/messages');
    const { FakeListChatModel } = await load(set, '@langchain/core/utils/testing');
    vi.doMock('@langchain/core/messages', () => load(set, '@langchain/core/messages'));
    onTestFinished(() => vi.doUnmock('@langchain/core/messages'));
    const desk = await refundDesk();
    const refund = lang.tool(desk.run, { name: 'refund', schema: z.object({ amount: z.number() }) });
    const ask = async (amount: number): Promise<string> => {
      const model = new FakeListChatModel({ responses: ['done'] });
      let calls = 0;
      model.bindTools = () => model;
      model._generate = async () => {
        const tool_calls = calls++ === 0 ? [{ name: 'refund', args: { amount }, id: '1', type: 'tool_call' }] : [];
        const message = new AIMessage({ content: 'done', tool_calls });
        return { generations: [{ text: 'done', message }] };
      };
      const middleware = [lang.createMiddleware(aipMiddleware(desk.agent, desk.options))];
      const agent = lang.createAgent({ model, tools: [refund], middleware });
      const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'Pay back.' }] });
      return String((messages as Any[]).find((message) => message.getType() === 'tool')!.content);
    };
    await approvedOnce(desk, ask, false);
  });
});

describe.each(SETS.filter((set) => has(set, '@openai/agents')))('OpenAI Agents in %s', (set) => {
  test('a refund of $10,000', { timeout: 60_000 }, async () => {
    const { Agent, Runner, Usage, tool, setTracingDisabled } = await load(set, '@openai/agents');
    const { z } = await load(set, 'zod');
    setTracingDisabled(true);
    const desk = await refundDesk();
    const parameters = z.object({ amount: z.number() });
    const made = tool({ name: 'refund', description: 'pays back', parameters, execute: desk.run });
    const tools = [guardFunction(desk.agent, made, desk.options)];
    const ask = async (amount: number, tap: boolean): Promise<string> => {
      let calls = 0;
      const model = {
        getResponse: async () => ({
          usage: new Usage(),
          output: [
            calls++ === 0
              ? { ...CALL, arguments: JSON.stringify({ amount }) }
              : { ...MESSAGE, content: [{ type: 'output_text', text: 'done' }] },
          ],
        }),
      };
      const agent = new Agent({ name: 'support', instructions: 'Help.', model, tools });
      const runner = new Runner({ tracingDisabled: true });
      let result = await runner.run(agent, 'Pay back.');
      if (result.interruptions.length > 0) {
        if (!tap) return 'asks';
        result.state.approve(result.interruptions[0]);
        result = await runner.run(agent, result.state);
      }
      return JSON.stringify(result.history);
    };
    await approvedOnce(desk, ask, true);
  });
});
const CALL = { type: 'function_call', id: 'f', callId: '1', name: 'refund', status: 'completed' };
const MESSAGE = { type: 'message', id: 'm', role: 'assistant', status: 'completed' };

/** A server with one handler behind the guard, as each framework has it; resolves to what asks it. */
const SERVERS: readonly (readonly [string, (module: Any, options: HttpGuardOptions) => Asked | Promise<Asked>])[] = [
  [
    'hono',
    ({ Hono }, options) => {
      const app = new Hono();
      app.post('/refunds', async (c: Any) => (await guardRequest(c.req.raw as Request, options)) ?? c.text('ran'));
      return async (headers, body) => app.request('/refunds', { method: 'POST', headers, body }) as Promise<Response>;
    },
  ],
  [
    'fastify',
    ({ default: fastify }, options) => {
      const app = fastify();
      app.post('/refunds', async ({ headers, body }: Any, reply: Any) => {
        const no = await guardRequest(requestOf(headers as Headers, body as object), options);
        return no === null ? 'ran' : reply.code(no.status).send(await no.text());
      });
      return async (headers, body) => {
        const sent = { ...headers, 'content-type': 'application/json' };
        const { statusCode, payload } = await app.inject({
          method: 'POST',
          url: '/refunds',
          headers: sent,
          payload: body,
        });
        return new Response(payload as string, { status: statusCode as number });
      };
    },
  ],
  [
    'express',
    ({ default: express }, options) => {
      const app = express();
      app.post('/refunds', express.json(), async ({ headers, body }: Any, response: Any) => {
        const no = await guardRequest(requestOf(headers as Headers, body as object), options);
        return no === null ? response.send('ran') : response.status(no.status).send(await no.text());
      });
      return new Promise((resolve) => {
        const server = app.listen(0, '127.0.0.1', () => {
          onTestFinished(() => void server.close());
          const url = `http://127.0.0.1:${String(server.address().port)}/refunds`;
          resolve((headers, body) =>
            fetch(url, {
              method: 'POST',
              headers: { ...headers, 'content-type': 'application/json', connection: 'close' },
              body,
            }),
          );
        });
      });
    },
  ],
];
type Asked = (headers: Record<string, string>, body: string) => Promise<Response>;
type Headers = Record<string, string>;
const requestOf = (headers: Headers, body: object): Request =>
  new Request('http://localhost/refunds', {
    method: 'POST',
    headers: { 'aip-intent': headers['aip-intent'] ?? '' },
    body: JSON.stringify(body),
  });

describe.each(
  SETS.flatMap((set) => SERVERS.filter(([name]) => has(set, name)).map((server) => [set, ...server] as const)),
)('in %s: %s', (set, name, serve) => {
  test('the handler runs for a request that is what its intent says, once', { timeout: 60_000 }, async () => {
    const workspace = workshop();
    const agent = await supportAgent(workspace, { actions: ['refund'], constraints: { monetary_limit: 100 } });
    const asks = await serve(await load(set, name), { action: 'refund', workspace });
    const ask = async (amount: number, body = { amount }): Promise<[number, string]> => {
      const intent = await workspace.createIntent({
        passport: agent,
        action: 'refund',
        params: { amount },
        privateKey: KEY,
      });
      const header = { 'aip-intent': Buffer.from(JSON.stringify(intent)).toString('base64url') };
      const [first] = [await asks(header, JSON.stringify(body)), await asks(header, JSON.stringify(body))];
      return [first.status, (await first.text()).slice(0, 60)];
    };
    expect(await ask(50)).toEqual([200, 'ran']);
    expect(await ask(10_000)).toEqual([422, expect.stringContaining('AIP-E202')]);
    expect(await ask(50, { amount: 10_000 })).toEqual([422, expect.stringContaining('AIP-E211')]);
    expect((await workspace.getVerificationLogs()).map(({ error_code }) => error_code).toReversed()).toEqual([
      null,
      'AIP-E301',
      'AIP-E202',
      'AIP-E202',
    ]);
  });
});

describe.each(SETS.filter((set) => has(set, 'ai') && has(set, 'zod')))('types in %s', (set) => {
  test('of a guarded tool are those of the tool', { timeout: 120_000 }, () => {
    const folder = scratch();
    symlinkSync(join(set, 'node_modules'), join(folder, 'node_modules'));
    const parts = [
      AI_TYPES,
      ...(has(set, '@langchain/core') ? [LANGCHAIN_TYPES] : []),
      ...(has(set, '@openai/agents') ? [OPENAI_TYPES] : []),
    ];
    for (const [i, text] of parts.entries()) writeFileSync(join(folder, `use-${i}.ts`), text);
    const compilerOptions = {
      ...{ strict: true, noEmit: true, target: 'es2022', module: 'nodenext', skipLibCheck: true },
      paths: { 'aip-cli/*': [join(ROOT, 'dist/types/guard/frameworks/*.d.ts')] },
      typeRoots: [join(ROOT, 'node_modules/@types')],
      types: ['node'],
    };
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

const AI_TYPES = `
import { tool } from 'ai';
import { z } from 'zod';
import { guardTools } from 'aip-cli/ai';
const tools = guardTools('agent', {
  refund: tool({ description: 'x', inputSchema: z.object({ amount: z.number() }), execute: async ({ amount }) => ({ paid: amount }) }),
});
const use = tools.refund.execute!;
export const paid = async (): Promise<number> => {
  const done = await use({ amount: 1 }, {} as never);
  return 'paid' in done ? done.paid : 0;
};
// @ts-expect-error the input keeps its type
void use({ amount: 'x' }, {} as never);
`;
const LANGCHAIN_TYPES = `
import { tool } from '@langchain/core/tools';
import { z } from 'zod';
import { guardTool } from 'aip-cli/langchain';
const refund = guardTool('agent', tool(({ amount }) => String(amount), { name: 'refund', schema: z.object({ amount: z.number() }) }));
void refund.invoke({ amount: 1 });
// @ts-expect-error the input keeps its type
void refund.invoke({ amount: 'x' });
`;
const OPENAI_TYPES = `
import { Agent, tool } from '@openai/agents';
import { z } from 'zod';
import { guardTool } from 'aip-cli/openai-agents';
const refund = guardTool('agent', tool({ name: 'refund', description: 'x', parameters: z.object({ amount: z.number() }), execute: ({ amount }) => String(amount) }));
const parameters = z.object({ amount: z.number() });
const execute = ({ amount }: { amount: number }): string => String(amount);
const behind = tool(guardTool('agent', { name: 'refund', description: 'x', parameters, execute }));
export const agent = new Agent({ name: 'support', tools: [refund, behind] });
`;
