/** An MCP server over HTTP for tests, of both eras: it keeps what it was asked, and answers slowly where it is told to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

type Any = Record<string, any>;

export interface SeenRequest {
  readonly method: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Any | null;
}

export interface McpHttpServer {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** The names of tools that ran; a call with an argument `task` begins the task of that id. */
  readonly ran: string[];
  /** Ends calls of `wait` with an answer. */
  release(): void;
  /** How many calls of `wait` their caller has given up. */
  readonly givenUp: () => number;
  tools: object[];
  /** Lists of tools wait for it. */
  listed: Promise<void>;
  /** Answers every request with this status, these headers and this body. */
  instead: { status: number; headers: Record<string, string>; body?: string } | null;
  /** Sends a message to whom listens, as the event of this id. */
  push(message: object, id?: string): void;
  /** A call of `wait` with `{polled: true}` has its answer from now on. */
  ready: boolean;
}

export const TOOLS = ['refund', 'wait', 'secret', 'ask', 'more'].map((name) => ({
  name,
  description: `does ${name}`,
  inputSchema: {
    type: 'object',
    properties: { amount: { type: 'number' }, region: { type: 'string', 'x-mcp-header': 'Region' } },
  },
}));

/** Starts one; it is stopped after the test. */
export async function mcpHttpServer(): Promise<McpHttpServer> {
  const seen: SeenRequest[] = [];
  const ran: string[] = [];
  const waiting = new Set<() => void>();
  const listening = new Set<ServerResponse>();
  const asked = new Map<unknown, () => void>();
  let givenUp = 0;
  let polled: object = {};
  const kit: McpHttpServer = {
    url: '',
    seen,
    ran,
    tools: TOOLS,
    listed: Promise.resolve(),
    instead: null,
    ready: false,
    givenUp: () => givenUp,
    release() {
      for (const each of waiting) each();
    },
    push(message, eventId) {
      const head = eventId === undefined ? '' : `id: ${eventId}\n`;
      for (const each of listening) each.write(`${head}data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const body = text === '' ? null : (JSON.parse(text) as Any);
    seen.push({ method: request.method!, headers: request.headers, body });
    if (kit.instead !== null)
      return void response.writeHead(kit.instead.status, kit.instead.headers).end(kit.instead.body);
    if (request.method === 'DELETE') return void response.writeHead(200).end();
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const last = String(request.headers['last-event-id'] ?? '');
      if (last.startsWith('polled-')) {
        const rest = kit.ready ? JSON.stringify(polled) : '';
        return void response.end(`id: polled-${Number(last.slice(7)) + 1}\ndata: ${rest}\n\n`);
      }
      response.flushHeaders();
      listening.add(response);
      response.once('close', () => listening.delete(response));
      return;
    }
    const { id, method, params = {} } = body!;
    if (method === undefined) {
      asked.get(id)?.();
      return void response.writeHead(202).end();
    }
    if (id === undefined) return void response.writeHead(202).end();
    const modern = params._meta?.['io.modelcontextprotocol/protocolVersion'] !== undefined;
    const kind = modern ? { resultType: 'complete' } : {};
    const say = (result: object, headers: Record<string, string> = {}): void => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { ...kind, ...result } }));
    };
    const stream = (): ((message: object) => void) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return (message) =>
        void response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    };
    if (method === 'initialize')
      return say(
        {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 'pay', version: '1' },
        },
        { 'mcp-session-id': 'the-servers-own' },
      );
    if (method === 'server/discover') return say({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } });
    if (method === 'tools/list') await kit.listed;
    if (method === 'tools/list') return say({ tools: kit.tools, ttlMs: 3_600_000, cacheScope: 'public' });
    if (method !== 'tools/call') return say({});
    ran.push(params.name as string);
    const done = { content: [{ type: 'text', text: JSON.stringify(params.arguments) }] };
    if (typeof params.arguments.task === 'string') {
      const task = { taskId: params.arguments.task as string, status: 'working' };
      if (params.name === 'wait') await new Promise<void>((resolve) => waiting.add(resolve));
      return say(modern ? { resultType: 'task', ...task } : { task });
    }
    if (params.name === 'wait' && params.arguments.polled === true) {
      polled = { jsonrpc: '2.0', id, result: { ...kind, ...done } };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.end('id: polled-0\nretry: 50\ndata: \n\n');
    }
    if (params.name === 'wait') {
      const write = stream();
      write({ method: 'notifications/progress', params: { progressToken: params._meta?.progressToken, progress: 1 } });
      const end = (): void => {
        waiting.delete(end);
        write({ id, result: { ...kind, ...done } });
        response.end();
      };
      waiting.add(end);
      response.once('close', () => {
        if (waiting.delete(end)) givenUp += 1;
      });
      return;
    }
    if (params.name === 'ask') {
      const write = stream();
      write({ id: 0, method: 'elicitation/create', params: { message: 'Your pin?', requestedSchema: {} } });
      asked.set(0, () => {
        write({ id, result: done });
        response.end();
      });
      return;
    }
    if (params.name === 'more' && params.requestState === undefined) {
      const inputRequests = { q: { method: 'elicitation/create', params: { message: 'Sure?', requestedSchema: {} } } };
      return say({ resultType: 'input_required', inputRequests, requestState: 'state-1' });
    }
    say(done);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return Object.assign(kit, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
}
