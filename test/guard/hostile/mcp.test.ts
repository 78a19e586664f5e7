/** The MCP guard between a client and a server that both mean harm: what was not decided reaches no tool, and nothing crashes or hangs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WebReply } from '../../../src/app/ports/web.js';
import { Gateway } from '../../../src/guard/mcp/http/gateway.js';
import type { UpstreamCall, UpstreamListener } from '../../../src/guard/mcp/http/upstream.js';
import { sessionMemory } from '../../../src/guard/mcp/memory.js';
import type { SessionPorts, SessionRoute } from '../../../src/guard/mcp/ports.js';
import { McpSession } from '../../../src/guard/mcp/session.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { bent } from './requests.js';

type Any = Record<string, any>;
const VERSION = '2026-07-28';
const META = { 'io.modelcontextprotocol/protocolVersion': VERSION, 'io.modelcontextprotocol/clientCapabilities': {} };
const TOOLS = [{ name: 'refund', inputSchema: { type: 'object' } }, { name: 'secret' }];

/** The agent may refund, and nothing else. */
function rules(decided: string[]): Omit<SessionPorts, keyof SessionRoute> {
  let pinned: Map<string, string> | null = null;
  return {
    server: 'pay',
    decide: async ({ tool, params }) => {
      if (tool !== 'refund')
        return { allowed: false, code: 'AIP-E201', name: 'N', message: '', remedy: '', details: {}, intentHash: null };
      decided.push(canonicalize({ name: tool, arguments: params }));
      return { allowed: true, intentHash: `sha256:${decided.length}` };
    },
    answersRefused: () => null,
    refused: () => undefined,
    outcome: () => undefined,
    declares: (action) => action === 'refund',
    denied: () => [],
    patterns: () => [],
    mapped: () => null,
    pins: {
      known: () => pinned,
      keep: (tools) => void (pinned = new Map(tools.map(({ name, hash }) => [name, hash]))),
    },
    requirePins: false,
    allowElicitation: false,
    observe: false,
    maxTtlMs: 1_000,
    ticks: () => 0,
    note: () => undefined,
  };
}

const idOf = (text: string): unknown => (JSON.parse(text) as Any).id;

const MESSAGES: readonly object[] = [
  { method: 'tools/call', params: { name: 'refund', arguments: { amount: 5 } } },
  { method: 'tools/call', params: { name: 'secret', arguments: { amount: 5 } } },
  { method: 'tools/call', params: { name: 'refund', arguments: { amount: 5 }, _meta: META } },
  { method: 'tools/list', params: { _meta: META } },
  { method: 'resources/read', params: { uri: 'file:///etc/passwd' } },
  { method: 'notifications/cancelled', params: { requestId: 1 } },
].map((message, i) => ({ jsonrpc: '2.0', id: i + 1, ...message }));

test('lines of a client', async () => {
  const lines = fc.array(
    fc.constantFrom(...MESSAGES).chain((message) => bent(JSON.stringify(message))),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(lines, async (given) => {
      const decided: string[] = [];
      const called: string[] = [];
      const session: McpSession = new McpSession({
        ...rules(decided),
        toClient: (line) => void JSON.parse(line),
        toServer: (line) => {
          const message = JSON.parse(line) as Any;
          if (message.method === 'tools/call')
            called.push(canonicalize({ name: message.params.name, arguments: message.params.arguments }));
          expect(['tools/call', 'tools/list', 'notifications/cancelled']).toContain(message.method);
          if (message.method !== 'tools/list') return;
          queueMicrotask(() =>
            session.fromServer(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { tools: TOOLS } })),
          );
        },
      });
      for (const line of given) await session.fromClient(line);
      expect(called.toSorted()).toEqual(decided.toSorted());
      expect(called.join()).not.toContain('secret');
    }),
    { numRuns: 400 },
  );
});

/** A server's answers to one call, whole or spoilt, in pieces of any length. */
const ANSWERS = fc
  .tuple(
    fc.constantFrom(200, 200, 200, 202, 204, 302, 400, 404, 500),
    fc.constantFrom('application/json', 'text/event-stream', 'text/html', ''),
    fc.constantFrom<(id: number) => object>(
      (id) => ({ jsonrpc: '2.0', id, result: { content: [] } }),
      (id) => ({ jsonrpc: '2.0', id: id + 1, result: {} }),
      (id) => ({ jsonrpc: '2.0', id, method: 'sampling/createMessage', params: {} }),
      () => ({ jsonrpc: '2.0', id: null, error: { code: 1, message: 'x' } }),
    ),
    fc.integer({ min: 1, max: 40 }),
    fc.option(fc.constant('broke'), { nil: null }),
  )
  .chain(([status, type, answer, piece, problem]) =>
    bent(JSON.stringify(answer(1))).map((bytes) => ({ status, type, bytes, piece, problem })),
  );

test('requests over HTTP, and what a server answers', { timeout: 120_000 }, async () => {
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'refund', arguments: { amount: 5 }, _meta: META },
  };
  const right = { 'mcp-method': 'tools/call', 'mcp-name': 'refund' };
  const wrong = fc.record(
    {
      'mcp-method': fc.constantFrom('tools/call', 'tools/list'),
      'mcp-name': fc.constantFrom('refund', 'secret', '=?base64?cmVmdW5k?='),
    },
    { requiredKeys: [] },
  );
  const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(fc.constant(right), wrong);
  let through = 0;
  await fc.assert(
    fc.asyncProperty(bent(JSON.stringify(call)), headers, ANSWERS, async (body, given, answer) => {
      const decided: string[] = [];
      const called: string[] = [];
      const gateway = new Gateway({
        gate: { agents: [], token: 't', same: (a, b) => a === b, hosts: new Set(['h']) },
        upstream: { open: (sent, listener) => server(sent, listener, answer, called), after: () => () => undefined },
        path: '/mcp',
        server: 'pay',
        open: (route, memory) => new McpSession({ ...rules(decided), ...route }, memory),
        memory: () => sessionMemory(rules([])),
        newId: () => 'session',
      });
      const all = {
        host: 'h',
        authorization: 'Bearer t',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': VERSION,
        ...given,
      };
      const request = {
        method: 'POST',
        path: '/mcp',
        query: new URLSearchParams(),
        headers: all,
        body,
        entrance: 'tcp',
      } as const;
      const reply = await gateway.respond(request);
      await textOf(reply);
      expect([200, 202, 400, 404]).toContain(reply.status);
      expect(called).toEqual(decided);
      through += called.length;
      if (given['mcp-name'] === 'secret' || given['mcp-method'] === 'tools/list') expect(called).toEqual([]);
    }),
    { numRuns: 400 },
  );
  expect(through).toBeGreaterThan(20);
});

interface Spoilt {
  readonly status: number;
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly piece: number;
  readonly problem: string | null;
}

/** Lists its tools rightly, and answers calls as it likes. */
function server({ body }: UpstreamCall, listener: UpstreamListener, answer: Spoilt, called: string[]) {
  const message = body === undefined ? null : (JSON.parse(body) as Any);
  let closed = false;
  const say = (status: number, type: string, bytes: Uint8Array, piece: number, problem: string | null): void => {
    setImmediate(() => {
      if (closed) return;
      listener.onHead(status, { 'content-type': type });
      for (let at = 0; at < bytes.length && !closed; at += piece) listener.onBytes(bytes.subarray(at, at + piece));
      if (!closed) listener.onEnd(problem);
    });
  };
  if (message?.method === 'tools/list') {
    const text = JSON.stringify({ jsonrpc: '2.0', id: idOf(body!), result: { tools: TOOLS } });
    say(200, 'application/json', Buffer.from(text), 1_000, null);
  } else {
    if (message?.method === 'tools/call') {
      const { name, arguments: args } = message.params as { name: string; arguments: JsonObject };
      called.push(canonicalize({ name, arguments: args }));
    }
    const { status, type, bytes, piece, problem } = answer;
    const framed =
      type === 'text/event-stream' ? Buffer.concat([Buffer.from('data: '), bytes, Buffer.from('\n\n')]) : bytes;
    say(status, type, framed, piece, problem);
  }
  return { close: () => void (closed = true) };
}

/** A reply that never ends is a test that does. */
function textOf({ body, stream }: WebReply): Promise<string> {
  if (stream === undefined) return Promise.resolve(body);
  let text = '';
  return new Promise((resolve) => stream({ write: (part) => void (text += part), end: () => resolve(text) }));
}
