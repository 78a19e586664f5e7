import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { guardClient } from '../../../src/guard/frameworks/mcp.js';
import { KEY, supportAgent, workshop } from '../../library/workshop.js';

async function staged() {
  const workspace = workshop();
  const agent = await supportAgent(workspace, { actions: ['pay.refund'], constraints: { monetary_limit: 100 } });
  const ran: unknown[] = [];
  return { workspace, agent, ran, options: { workspace, privateKey: KEY } };
}

test('the action is <server>.<tool>, a refusal is a result', async () => {
  const { agent, ran, options, workspace } = await staged();
  class Client {
    readonly #secret = 'kept';
    async callTool(params: { name: string; arguments?: object }) {
      ran.push(params);
      return { content: [], isError: this.#secret !== 'kept' };
    }
    close() {
      return this.#secret;
    }
  }
  const client = guardClient(agent, 'pay', new Client(), options);
  expect(await client.callTool({ name: 'refund', arguments: { amount: 5 } })).toMatchObject({ isError: false });
  expect(await client.callTool({ name: 'refund', arguments: { amount: 500 } })).toMatchObject({ isError: true });
  expect(client.close()).toBe('kept');
  expect(ran).toHaveLength(1);
  expect((await workspace.getVerificationLogs())[0]).toMatchObject({ action: 'pay.refund', error_code: 'AIP-E202' });
});

test('no request or stream goes past, and a stream runs once it is read', async () => {
  const { agent, ran, options } = await staged();
  const sent = async function* (...given: unknown[]): AsyncGenerator<object> {
    yield { type: 'taskCreated' };
    yield { type: 'result', result: ran.push(given) };
  };
  const own = {
    callTool: async (params: object) => ran.push(params),
    request: async (...given: unknown[]) => ran.push(given),
    experimental: { tasks: { callToolStream: sent, requestStream: sent } },
  };
  const client = guardClient(agent, 'pay', own, options);
  const { tasks } = client.experimental;
  const read = async (parts: AsyncGenerator<object>): Promise<object[]> => {
    const all: object[] = [];
    for await (const part of parts) all.push(part);
    return all;
  };
  const ask = (amount: number) => ({ name: 'refund', arguments: { amount } });
  const asRequest = (amount: number) => ({ method: 'tools/call', params: ask(amount) });
  const no = { isError: true, content: [{ text: expect.stringMatching(/^AIP-E202 /) }] };
  expect(await client.request(asRequest(500), 'schema')).toMatchObject(no);
  for (const parts of [tasks.callToolStream(ask(500)), tasks.requestStream(asRequest(500))])
    expect(await read(parts)).toMatchObject([{ type: 'result', result: no }]);
  tasks.callToolStream(ask(5));
  expect(ran).toEqual([]);
  await client.request(asRequest(5), 'schema');
  await client.request({ method: 'tools/list' });
  expect(await read(tasks.callToolStream(ask(6), 'schema'))).toHaveLength(2);
  await read(tasks.requestStream(asRequest(7)));
  expect(ran).toEqual([[asRequest(5), 'schema'], [{ method: 'tools/list' }], [ask(6), 'schema'], [asRequest(7)]]);
});

test('what the caller makes of its request while it is judged is not sent', async () => {
  const { agent, ran, options } = await staged();
  const own = {
    callTool: async (params: object) => ran.push(params),
    request: async (request: object) => ran.push(request),
  };
  const client = guardClient(agent, 'pay', own, options);
  const ask = () => ({ name: 'refund', arguments: { amount: 5 } });
  const [params, request] = [ask(), { method: 'tools/call', params: ask() }];
  const asked = [client.callTool(params), client.request(request)];
  params.name = request.params.name = 'refund_all';
  request.method = 'resources/read';
  await Promise.all(asked);
  expect(ran).toEqual(expect.arrayContaining([ask(), { method: 'tools/call', params: ask() }]));
});

const FOLDER = process.env.AIP_TEST_FRAMEWORKS ?? null;
const SDK = 'node_modules/@modelcontextprotocol/sdk/dist/esm';
const SDKS = FOLDER === null ? [] : readdirSync(FOLDER).map((set) => join(FOLDER, set, SDK));

describe.each(SDKS.filter((sdk) => existsSync(sdk)))('the SDK in %s', (sdk) => {
  test('every way to a tool is judged', { timeout: 60_000 }, async () => {
    type Any = Record<string, any>;
    const load = async (path: string): Promise<Any> => import(pathToFileURL(join(sdk, path)).href) as Promise<Any>;
    const [{ Client }, { Server }] = [await load('client/index.js'), await load('server/index.js')];
    const [{ InMemoryTransport }, types] = [await load('inMemory.js'), await load('types.js')];
    const { agent, ran, options } = await staged();
    const server = new Server({ name: 'pay', version: '1.0.0' }, { capabilities: { tools: {} } });
    server.setRequestHandler(types.CallToolRequestSchema, async ({ params }: Any) => {
      ran.push(params.arguments);
      return { content: [] };
    });
    const ends = InMemoryTransport.createLinkedPair();
    await server.connect(ends[0]);
    const client = guardClient(agent, 'pay', new Client({ name: 'host', version: '1.0.0' }) as ClientOfSdk, options);
    await client.connect(ends[1]);
    const last = async (parts: AsyncIterable<Any>): Promise<Any> => {
      let result: Any = {};
      for await (const part of parts) result = part.result;
      return result;
    };
    const ways: ((params: object) => Promise<Any>)[] = [
      (params) => client.callTool(params),
      (params) => client.request({ method: 'tools/call', params }, types.CallToolResultSchema),
      (params) => last(client.requestStream({ method: 'tools/call', params }, types.CallToolResultSchema)),
      ...(client.experimental === undefined
        ? []
        : [(params: object) => last(client.experimental!.tasks.callToolStream(params))]),
    ];
    for (const way of ways) {
      expect(await way({ name: 'refund', arguments: { amount: 500 } })).toMatchObject({ isError: true });
      expect(await way({ name: 'refund', arguments: { amount: 5 } })).toEqual({ content: [] });
    }
    expect(ran).toEqual(ways.map(() => ({ amount: 5 })));
    await client.close();
  });
});

interface ClientOfSdk {
  callTool(params: object): Promise<object>;
  connect(end: unknown): Promise<void>;
  request(request: object, schema: unknown): Promise<object>;
  requestStream(request: object, schema: unknown): AsyncIterable<object>;
  readonly experimental?: { readonly tasks: { callToolStream(params: object): AsyncIterable<object> } };
  close(): Promise<void>;
}
