import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { AGENT, ask, guarded, type Answer, type Guarded } from '../../kit/guard.js';
import { mcpHttpServer, TOOLS, type McpHttpServer } from '../../kit/mcp/http.js';

type Any = Record<string, any>;

const VERSION = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A server, and a guard before it. */
async function staged(...argv: string[]) {
  const [place, server] = await Promise.all([
    guarded({ actions: ['pay.refund', 'pay.wait', 'pay.ask', 'pay.more'] }),
    mcpHttpServer(),
  ]);
  const { url, token, child } = await start(place, server, ...argv);
  return { place, server, child, ...client(url, token) };
}

/** Starts the guard, and resolves when it listens. */
async function start(place: Guarded, server: McpHttpServer, ...argv: string[]) {
  const all = [
    'mcp',
    'guard',
    '-p',
    'coder',
    '--name',
    'pay',
    '--url',
    server.url,
    '--listen',
    '127.0.0.1:0',
    '--json',
  ];
  const child = place.start([...all, ...argv]);
  const url = await new Promise<string>((resolve, reject) => {
    let [out, err] = ['', ''];
    child.stderr!.on('data', (part: Buffer) => (err += part.toString()));
    child.stdout!.on('data', (part: Buffer) => {
      out += part.toString();
      if (out.includes('\n')) resolve((JSON.parse(out.split('\n')[0]!) as { url: string }).url);
    });
    child.once('exit', (code) => reject(new Error(`the guard ended with ${code}: ${err}`)));
  });
  const token = readFileSync(join(place.home, 'serve.token'), 'utf8').trim();
  return { url, token, child };
}

function client(url: string, token: string) {
  const { origin, pathname } = new URL(url);
  const base = { authorization: `Bearer ${token}`, accept: 'application/json, text/event-stream' };
  const send = (body: unknown, headers: Record<string, string> = {}, method?: string): Promise<Answer> =>
    ask(origin, pathname, body, { ...base, 'content-type': 'application/json', ...headers }, method);
  let id = 0;
  /** A request of the later era, with the headers that belong to it. */
  const modern = (method: string, params: Any = {}, headers: Record<string, string> = {}): Promise<Answer> => {
    id += 1;
    const { name } = params;
    return send(
      { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...META, ...params._meta } } },
      {
        'mcp-protocol-version': VERSION,
        'mcp-method': method,
        ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
        ...headers,
      },
    );
  };
  /** Opens a session of the older era. */
  const session = async () => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
    const opened = await send({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    const name = opened.headers['mcp-session-id'] as string;
    const headers = { 'mcp-session-id': name, 'mcp-protocol-version': '2025-11-25' };
    await send({ jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
    let next = 1;
    const rpc = (method: string, given: Any = {}): Promise<Answer> => {
      next += 1;
      return send({ jsonrpc: '2.0', id: next, method, params: given }, headers);
    };
    const call = (tool: string, args: Any = {}): Promise<Answer> => rpc('tools/call', { name: tool, arguments: args });
    return { opened, name, headers, rpc, call };
  };
  /** Opens a request, and tells the events of its answer as they come. */
  const stream = (body: unknown, headers: Record<string, string>, method = 'POST') => {
    const events: Any[] = [];
    const ids: string[] = [];
    let told = (): void => undefined;
    let head: IncomingHttpHeaders = {};
    const sent = request(url, { method, headers: { ...base, 'content-type': 'application/json', ...headers } });
    const ended = new Promise<number>((resolve) => {
      sent.once('error', () => resolve(0));
      sent.once('response', (reply) => {
        let text = '';
        head = reply.headers;
        reply.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
            ids.push(...(/^id: (.*)$/m.exec(text.slice(0, end))?.slice(1) ?? []));
            const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
            if (data !== undefined) events.push(JSON.parse(data) as Any);
            text = text.slice(end + 2);
          }
          told();
        });
        reply.once('close', () => {
          told();
          resolve(reply.statusCode!);
        });
      });
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const until = async (holds: (event: Any) => boolean): Promise<Any> => {
      for (;;) {
        const found = events.find(holds);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (told = resolve));
      }
    };
    return { events, ids, ended, until, head: () => head, give: () => sent.destroy() };
  };
  return { url, origin, token, base, send, modern, session, stream };
}

const codeOf = (answer: Answer): string => answer.json.result._meta['aip/decision'].code as string;

describe('aip mcp guard before a server over HTTP', () => {
  test('the older era: sessions of its own names, lists that show what is declared, and no call that is refused', async () => {
    const { place, server, session, token } = await staged();
    const { opened, name, rpc, call } = await session();
    expect(opened.json.result.serverInfo.name).toBe('pay');
    expect(name).toMatch(/^[0-9a-f]{32}$/);
    const { result } = (await rpc('tools/list')).json;
    expect(result.tools.map((tool: Any) => tool.name as string)).toEqual(['refund', 'wait', 'ask', 'more']);
    expect(result.cacheScope).toBe('private');
    expect((await call('refund', { amount: 50 })).json.result.content[0].text).toBe('{"amount":50}');
    const no = await call('refund', { amount: 10_000 });
    expect(no.json.result).toMatchObject({ isError: true, _meta: { 'aip/decision': { code: 'AIP-E202' } } });
    expect(no.json.result.content[0].text).toMatch(/^AIP-E202 MONETARY_LIMIT_EXCEEDED: /);
    expect(codeOf(await call('secret'))).toBe('AIP-E201');
    expect(server.ran).toEqual(['refund']);
    for (const { headers } of server.seen) expect(JSON.stringify(headers)).not.toContain(token);
    expect(server.seen.at(-1)!.headers).toMatchObject({
      'mcp-session-id': 'the-servers-own',
      'mcp-protocol-version': '2025-11-25',
    });
    const [last] = await place.workspace.getVerificationLogs({ action: 'pay.refund' });
    expect(last).toMatchObject({ target: 'mcp:pay', error_code: 'AIP-E202' });
  });

  test('a session is named also where the server says something before it is open, and not where it is refused', async () => {
    const { server, send, stream } = await staged();
    const says = (...messages: object[]): void => {
      const body = messages.map((each) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...each })}\n\n`).join('');
      server.instead = { status: 200, headers: { 'content-type': 'text/event-stream', 'mcp-session-id': 's' }, body };
    };
    const first = { method: 'notifications/message', params: { level: 'info', data: 'starting' } };
    const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'pay', version: '1' } };
    const open = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } };
    says(first, { id: 1, result });
    const opened = stream(open, {});
    await opened.ended;
    expect(opened.events).toMatchObject([first, { id: 1, result }]);
    const headers = { 'mcp-session-id': opened.head()['mcp-session-id'] as string };
    server.instead = null;
    expect((await send({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, headers)).json.result.tools).toHaveLength(4);
    says(first, { id: 1, error: { code: -32602, message: 'not this version' } });
    const refused = stream(open, {});
    await refused.ended;
    const gone = { 'mcp-session-id': refused.head()['mcp-session-id'] as string };
    expect((await send({ jsonrpc: '2.0', id: 2, method: 'ping' }, gone)).status).toBe(404);
  });

  test('the later era: no session, results that say their type, and headers of its own making', async () => {
    const { server, modern } = await staged();
    expect((await modern('server/discover')).json.result.supportedVersions).toEqual([VERSION]);
    const list = (await modern('tools/list')).json.result;
    expect(list.tools.map((tool: Any) => tool.name as string)).toEqual(['refund', 'wait', 'ask', 'more']);
    expect(list).toMatchObject({ cacheScope: 'private', ttlMs: 30_000 });
    const yes = await modern('tools/call', { name: 'refund', arguments: { amount: 5, region: 'Österreich' } });
    expect(yes.json.result.content[0].text).toBe('{"amount":5,"region":"Österreich"}');
    expect(server.seen.at(-1)!.headers).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': 'refund',
      'mcp-protocol-version': VERSION,
      'mcp-param-region': `=?base64?${Buffer.from('Österreich').toString('base64')}?=`,
    });
    const no = await modern('tools/call', { name: 'refund', arguments: { amount: 10_000 } });
    expect(no.json.result).toMatchObject({ resultType: 'complete', isError: true });
    expect(codeOf(no)).toBe('AIP-E202');
    expect((await modern('tools/run')).status).toBe(404);
    expect(server.ran).toEqual(['refund']);
  });

  test('headers that are not what the body says are refused, and nothing is forwarded', async () => {
    const { server, modern, session, send } = await staged();
    const refund = { name: 'refund', arguments: { amount: 1, region: 'eu' } };
    const call = (headers: Record<string, string>): Promise<Answer> => modern('tools/call', refund, headers);
    for (const headers of [
      { 'mcp-method': 'tools/list' },
      { 'mcp-name': 'secret' },
      { 'mcp-name': '=?base64?c2VjcmV0?=' },
      { 'mcp-name': '=?base64?!!?=' },
      { 'mcp-protocol-version': '2025-11-25' },
      { 'mcp-param-region': 'us' },
      { 'mcp-param-amount': '1' },
      { 'mcp-param-other': 'x' },
    ] as Record<string, string>[]) {
      const answer = await call(headers);
      expect([answer.status, answer.json.error?.code], JSON.stringify(headers)).toEqual([400, -32020]);
    }
    const body = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { ...refund, _meta: META } };
    const bare = await send(body);
    expect([bare.status, bare.json.error.code]).toEqual([400, -32020]);
    const unnamed = await send({ ...body, params: refund }, { 'mcp-protocol-version': VERSION });
    expect([unnamed.status, unnamed.json.error.code]).toEqual([400, -32602]);
    // In the older era they are not needed, and must be true where they are.
    const { headers } = await session();
    const old = { ...body, params: refund };
    expect((await send(old, { ...headers, 'mcp-method': 'ping' })).json.error.code).toBe(-32020);
    expect((await send(old, { ...headers, 'mcp-protocol-version': '2025-06-18' })).json.error.code).toBe(-32020);
    expect(server.ran).toEqual([]);
    expect((await call({ 'mcp-param-region': 'eu', 'mcp-name': '=?base64?cmVmdW5k?=' })).status).toBe(200);
    expect(server.ran).toEqual(['refund']);
  });

  test('what two readers could take for different messages is never forwarded', async () => {
    const { server, send, session, origin, base } = await staged();
    const { headers } = await session();
    const before = server.seen.length;
    const head = '{"jsonrpc":"2.0","id":9,';
    for (const [body, code] of [
      [`${head}"method":"tools/call","params":{"name":"refund","name":"secret","arguments":{}}}`, -32700],
      [`${head}"method":"ping","method":"tools/call","params":{"name":"refund"}}`, -32700],
      [`[${head}"method":"tools/call","params":{"name":"refund","arguments":{}}}]`, -32600],
      [`${head}"method":"tools/call","params":{"name":"refund","arguments":{"amount":12345678901234567890}}}`, -32602],
      ['tools/call', -32700],
      ['', -32700],
      [Buffer.from([0xff, 0x00, 0x7b]), -32700],
      ['{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"refund"}}', -32600],
      ['{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"refund"}}', -32600],
      ['{"jsonrpc":"2.0","method":"tools/call","params":{"name":"refund","arguments":{}}}', -32600],
    ] as const) {
      const answer = await send(body, headers);
      expect([answer.status, answer.json.error?.code], String(body)).toEqual([400, code]);
    }
    const unknown = await send(`${head}"method":"tools/run","params":{}}`, headers);
    expect(unknown.json.error.code).toBe(-32601);
    expect((await send('x'.repeat(1_300_000), headers)).status).toBe(413);
    expect(server.seen.length).toBe(before);
    expect((await ask(origin, '/elsewhere', '{}', base)).status).toBe(404);
    expect((await ask(origin, '/.well-known/oauth-protected-resource/mcp2', undefined, base)).status).toBe(404);
  });

  test('the listener: a token, Host, no Origin, sessions that are known', async () => {
    const { server, send, session, origin, base, stream } = await staged();
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const { headers } = await session();
    const before = server.seen.length;
    expect((await ask(origin, '/healthz')).status).toBe(200);
    for (const [given, status] of [
      [{ authorization: '' }, 401],
      [{ authorization: `Bearer ${'0'.repeat(64)}` }, 401],
      [{ host: 'evil.example' }, 421],
      [{ origin: 'http://127.0.0.1' }, 403],
      [{ 'mcp-session-id': 'the-servers-own' }, 404],
    ] as const)
      expect((await send(ping, { ...headers, ...given })).status, JSON.stringify(given)).toBe(status);
    expect((await send(ping)).status).toBe(400);
    expect((await send(undefined, {}, 'GET')).status).toBe(405);
    expect((await send(undefined, { ...headers, accept: 'application/json' }, 'GET')).status).toBe(406);
    expect((await ask(origin, '/mcp', undefined, base, 'PUT')).status).toBe(405);
    expect(server.seen.length).toBe(before);
    const wait = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'wait', arguments: {} } };
    const open = stream(wait, headers);
    await open.until(({ method }) => method === 'notifications/progress');
    expect((await send(undefined, headers, 'DELETE')).status).toBe(200);
    expect((await open.until(({ id }) => id === 2)).error.message).toBe('the connection to the server was ended');
    expect((await send(ping, headers)).status).toBe(404);
    // The server is told aside: the client does not wait for it.
    await expect.poll(() => server.seen.at(-1)?.method, { timeout: 10_000 }).toBe('DELETE');
    expect(server.seen.at(-1)!.headers['mcp-session-id']).toBe('the-servers-own');
  });

  test('progress comes before the answer; who hangs up has cancelled, in the later era', async () => {
    const { place, server, stream } = await staged();
    const open = (id: number) =>
      stream(
        {
          jsonrpc: '2.0',
          id,
          method: 'tools/call',
          params: { name: 'wait', arguments: {}, _meta: { ...META, progressToken: id } },
        },
        { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'wait' },
      );
    const [first, second] = [open(7), open(7)];
    expect((await first.until(({ method }) => method === 'notifications/progress')).params.progressToken).toBe(7);
    await second.until(({ method }) => method === 'notifications/progress');
    second.give();
    await expect.poll(() => server.givenUp(), { timeout: 10_000 }).toBe(1);
    server.release();
    expect((await first.until(({ id }) => id === 7)).result.content[0].text).toBe('{}');
    expect(await first.ended).toBe(200);
    const records = await place.workspace.getVerificationLogs({ action: 'pay.wait' });
    expect(records).toHaveLength(2);
  });

  test('a server that hangs up on a long call is asked for the rest, and never for the call again', async () => {
    const { server, session, modern } = await staged();
    const { call } = await session();
    const answer = call('wait', { polled: true });
    const asks = () => server.seen.filter(({ headers }) => headers['last-event-id'] !== undefined);
    await expect.poll(() => asks().length, { timeout: 10_000 }).toBeGreaterThan(2);
    // It has not noticed that the stream before is closed; the one in front of it is starting.
    for (const status of [409, 503]) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Conflict' } });
      server.instead = { status, headers: { 'content-type': 'application/json' }, body };
      const before = asks().length;
      await expect.poll(() => asks().length, { timeout: 10_000 }).toBeGreaterThan(before + 1);
    }
    server.instead = null;
    server.ready = true;
    expect((await answer).json.result.content[0].text).toBe('{"polled":true}');
    expect(server.ran).toEqual(['wait']);
    expect(asks()[1]).toMatchObject({
      method: 'GET',
      headers: { 'last-event-id': 'polled-1', 'mcp-session-id': 'the-servers-own' },
    });
    // In the later era what broke off is lost, and said to be.
    const lost = await modern('tools/call', { name: 'wait', arguments: { polled: true } });
    expect(lost.json.error.message).toContain('it ended its answer without one');
  });

  test('an error that comes as a stream is the answer of the call, and nothing is asked for behind it', async () => {
    const { server, session } = await staged();
    const { call } = await session();
    await call('refund', { amount: 1 });
    const error = { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Overloaded' } };
    const body = `id: e1\ndata: ${JSON.stringify(error)}\n\n`;
    server.instead = { status: 503, headers: { 'content-type': 'text/event-stream' }, body };
    expect((await call('refund', { amount: 2 })).json.error.message).toBe('Overloaded');
    expect(server.seen.filter(({ headers }) => headers['last-event-id'] !== undefined)).toEqual([]);
  });

  test('a second request under an id that is open is refused at once, and the first one goes on', async () => {
    const { server, send, session } = await staged();
    const { headers } = await session();
    const wait = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'wait', arguments: {} } };
    const first = send(wait, headers);
    await vi.waitFor(() => expect(server.ran).toEqual(['wait']), 10_000);
    const again = { jsonrpc: '2.0', id: 7, method: 'ping' };
    const { json } = await send(again, { ...headers, accept: 'application/json' });
    expect(json.error.message).toContain('still open');
    expect((await send(again, headers)).json.error.message).toContain('still open');
    server.release();
    expect((await first).text).toContain('"content"');
  });

  test('what belongs to no request keeps its ids, and goes on after the one that a client names', async () => {
    const { server, stream, session } = await staged();
    const { headers } = await session();
    const listening = (more: Record<string, string> = {}) => stream(undefined, { ...headers, ...more }, 'GET');
    const changed = { method: 'notifications/tools/list_changed' };
    const [seen] = [listening()];
    const gets = () => server.seen.filter(({ method }) => method === 'GET');
    await expect.poll(() => gets().length, { timeout: 10_000 }).toBe(1);
    server.push(changed, 'e 7');
    await seen.until(({ method }) => method === changed.method);
    expect(seen.ids).toEqual(['e 7']);
    listening({ 'last-event-id': 'e 7' });
    await expect.poll(() => gets().length, { timeout: 10_000 }).toBe(2);
    expect(gets()[1]!.headers['last-event-id']).toBe('e 7');
    expect(await listening({ 'last-event-id': 'é' }).ended).toBe(400);
    expect(gets()).toHaveLength(2);
    // One that is refused for now ends, so that the client asks again.
    server.instead = { status: 409, headers: {} };
    expect(await listening().ended).toBe(200);
  });

  test('a revocation answers open calls, ends tasks and streams and empties lists', async () => {
    const { place, server, stream, session, modern } = await staged();
    const { headers, rpc, call } = await session();
    await call('refund', { amount: 1, task: 'old' });
    await modern('tools/call', { name: 'refund', arguments: { amount: 1, task: 'later' } });
    const feed = stream(undefined, headers, 'GET');
    const params = { name: 'wait', arguments: {} };
    const [old, later] = [
      stream({ jsonrpc: '2.0', id: 70, method: 'tools/call', params }, headers),
      stream(
        { jsonrpc: '2.0', id: 70, method: 'tools/call', params: { ...params, _meta: META } },
        { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'wait' },
      ),
    ];
    for (const each of [old, later]) await each.until(({ method }) => method === 'notifications/progress');
    expect((await place.ran(['revoke', AGENT, '--reason', 'stolen', '--yes'])).status).toBe(0);
    for (const each of [old, later]) {
      const { result } = await each.until(({ id }) => id === 70);
      expect(result._meta['aip/decision'].code).toBe('AIP-E401');
    }
    await feed.until(({ method }) => method === 'notifications/tools/list_changed');
    expect(await feed.ended).toBe(200);
    expect((await rpc('tools/list')).json.result).toEqual({ tools: [] });
    expect((await modern('tools/list')).json.result).toMatchObject({ resultType: 'complete', tools: [], ttlMs: 0 });
    expect(codeOf(await call('refund', { amount: 1 }))).toBe('AIP-E401');
    expect(server.ran).toEqual(['refund', 'refund', 'wait', 'wait']);
    const cancels = (): unknown[] =>
      server.seen
        .filter(({ body }) => body?.method === 'tasks/cancel')
        .map(({ body, headers: sent }) => [body!.params.taskId as unknown, sent['mcp-name']]);
    const both = [
      ['later', 'later'],
      ['old', undefined],
    ];
    await vi.waitFor(() => expect(cancels().sort()).toEqual(both), 5_000);
  });

  test('a revocation also ends the task that is named only after it', async () => {
    const { place, server, session } = await staged();
    const { call } = await session();
    const cut = call('wait', { task: 'late' });
    await vi.waitFor(() => expect(server.ran).toEqual(['wait']), 5_000);
    expect((await place.ran(['revoke', AGENT, '--reason', 'stolen', '--yes'])).status).toBe(0);
    expect(codeOf(await cut)).toBe('AIP-E401');
    server.release();
    const cancelled = (): unknown[] =>
      server.seen.filter(({ body }) => body?.method === 'tasks/cancel').map(({ body }) => body!.params as unknown);
    await vi.waitFor(() => expect(cancelled()).toEqual([{ taskId: 'late' }]), 5_000);
  });

  test("the server's questions pass with leave, with its name; a continuation is counted once", async () => {
    const { place, server, stream, session, send, modern } = await staged('--allow-elicitation');
    const { headers } = await session();
    const params = { name: 'ask', arguments: {} };
    const open = stream({ jsonrpc: '2.0', id: 5, method: 'tools/call', params }, headers);
    const question = await open.until(({ method }) => method === 'elicitation/create');
    expect(question.params.message).toBe('[pay] Your pin?');
    const reply = { jsonrpc: '2.0', id: question.id, result: { action: 'accept', content: { pin: 1 } } };
    expect((await send(reply, headers)).status).toBe(202);
    expect((await open.until(({ id }) => id === 5)).result.content[0].text).toBe('{}');
    const more = { name: 'more', arguments: { amount: 60 } };
    const { requestState } = (await modern('tools/call', more)).json.result;
    const again = await modern('tools/call', { ...more, requestState, inputResponses: { q: { action: 'accept' } } });
    expect(again.json.result.content[0].text).toBe('{"amount":60}');
    expect(server.ran).toEqual(['ask', 'more', 'more']);
    const logged = JSON.parse(
      `[${(await place.ran(['logs', 'tail', '--action', 'pay.more', '--json'])).stdout.trim().split('\n').join()}]`,
    ) as Any[];
    const judged = logged.filter(({ type }) => type === 'verification');
    expect(judged.map(({ status, details }) => [status, details])).toEqual([
      ['success', null],
      ['success', { continued: true }],
    ]);
    const checked = await place.ran(['logs', 'verify']);
    expect(checked.status, checked.stderr).toBe(0);
  });

  test('a server that was started anew is told as that, and its list is read again before the next call', async () => {
    const { server, session, modern } = await staged();
    const { call } = await session();
    const refund = { name: 'refund', arguments: { amount: 1 } };
    expect((await call('refund', { amount: 1 })).json.result.isError).toBeUndefined();
    expect((await modern('tools/call', refund)).json.result.isError).toBeUndefined();
    // Sessions are gone with it.
    server.instead = { status: 404, headers: {} };
    const lost = await call('refund', { amount: 1 });
    expect([lost.status, lost.json.error.message]).toEqual([
      404,
      'pay: it knows this session no more: open another one with initialize',
    ]);
    expect((await modern('tools/call', refund)).json.error.message).toContain('--url');
    // Now it is the list that the guard asks for before the call, and the answer of an SDK's server has a body.
    const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } });
    server.instead = { status: 404, headers: { 'content-type': 'application/json' }, body };
    const gone = await call('refund', { amount: 1 });
    expect([gone.status, gone.json.error.message]).toEqual([404, expect.stringContaining('open another one')]);
    server.instead = null;
    server.tools = TOOLS.map((tool) => ({ ...tool, description: `${tool.description}, and more` }));
    expect(codeOf(await modern('tools/call', refund))).toBe('AIP-E215');
    expect(codeOf(await call('refund', { amount: 1 }))).toBe('AIP-E215');
    expect(server.ran).toEqual(['refund', 'refund']);
  });

  test('a call whose client goes while its tool is looked up does not run', async () => {
    const { place, server, stream, modern } = await staged();
    let listed = (): void => undefined;
    server.listed = new Promise<void>((resolve) => (listed = resolve));
    const params = { name: 'refund', arguments: { amount: 1, region: 'x' }, _meta: META };
    const headers = {
      'mcp-protocol-version': VERSION,
      'mcp-method': 'tools/call',
      'mcp-name': 'refund',
      'mcp-param-region': 'x',
    };
    const asked = stream({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers);
    await expect.poll(() => server.seen.some(({ body }) => body?.method === 'tools/list')).toBe(true);
    asked.give();
    await new Promise((resolve) => setTimeout(resolve, 200));
    listed();
    // Whatever came before it was dealt with.
    expect((await modern('tools/call', { name: 'wait', arguments: { amount: 10_000 } })).json.result.isError).toBe(
      true,
    );
    expect(server.ran).toEqual([]);
    expect(await place.workspace.getVerificationLogs({ action: 'pay.refund' })).toEqual([]);
  });

  test('what a person approved goes on under that approval, once, and its proof shows it', async () => {
    const [place, server] = await Promise.all([
      guarded({ actions: ['pay.more'], constraints: { require_approval: { above: 50 } } }),
      mcpHttpServer(),
    ]);
    const { url, token } = await start(place, server, '--allow-elicitation');
    const { modern } = client(url, token);
    const more = { name: 'more', arguments: { amount: 60 } };
    expect(codeOf(await modern('tools/call', more))).toBe('AIP-E209');
    place.env.AIP_KEY_PASSPHRASE = 'correct horse';
    const [{ request_id: id }] = JSON.parse((await place.ran(['approvals', 'list', '--json'])).stdout) as [Any];
    expect((await place.ran(['approvals', 'approve', id as string, '--yes'])).status).toBe(0);
    const { requestState } = (await modern('tools/call', more)).json.result;
    const further = { ...more, requestState, inputResponses: { q: { action: 'accept' } } };
    const elsewhere = { ...further, arguments: { amount: 61 } };
    expect(codeOf(await modern('tools/call', elsewhere))).toBe('AIP-E209');
    expect((await modern('tools/call', further)).json.result.content[0].text).toBe('{"amount":60}');
    expect(codeOf(await modern('tools/call', further))).toBe('AIP-E209');
    expect(codeOf(await modern('tools/call', more))).toBe('AIP-E209');
    expect(server.ran).toEqual(['more', 'more']);
    const accepted = (await place.workspace.getVerificationLogs()).filter(({ status }) => status === 'success');
    expect(accepted.map(({ approval_request, details }) => [approval_request, details])).toEqual([
      [id, { continued: true }],
      [id, null],
    ]);
    expect((await place.ran(['logs', 'verify'])).status).toBe(0);
    const [{ public_key: principal }] = JSON.parse((await place.ran(['principal', 'list', '--json'])).stdout) as [Any];
    const findings = JSON.parse((await place.ran(['doctor', '--json'])).stdout) as Any[];
    const verifier = /ed25519:\w+/.exec(findings.find(({ check }) => check === 'verifier')!.message as string)![0];
    const keys = ['--principal-key', `did:web:acme.com=${String(principal)}`, '--verifier-key', verifier];
    for (const { intent_hash } of accepted) {
      const bundle = join(place.folder, `${intent_hash!.slice(7, 20)}.json`);
      expect((await place.ran(['logs', 'prove', intent_hash!, '-o', bundle])).status).toBe(0);
      const { steps } = JSON.parse((await place.ran(['proof', 'verify', bundle, ...keys, '--json'])).stdout) as Any;
      expect(steps.find(({ step }: Any) => step === 'limits')).toMatchObject({
        status: 'ok',
        message: expect.stringContaining('approved by did:web:acme.com'),
      });
    }
  });

  test('without leave no question reaches the client', async () => {
    const { server, session, modern } = await staged();
    const { call } = await session();
    const silent = call('ask');
    await expect
      .poll(() => server.seen.some(({ body }) => body?.error?.code === -32601), { timeout: 10_000 })
      .toBe(true);
    expect((await silent).json.result.content[0].text).toBe('{}');
    expect((await modern('tools/call', { name: 'more', arguments: {} })).json.result.isError).toBe(true);
  });

  test('redirects are refused, and so is a server that wants other credentials; nothing is a yes', async () => {
    const { server, session, modern } = await staged();
    const { call } = await session();
    const refund = { name: 'refund', arguments: { amount: 1 } };
    await call('refund', { amount: 1 });
    await modern('tools/call', refund);
    for (const [status, words] of [
      [307, 'elsewhere'],
      [401, '--upstream-header-file'],
      [500, '500'],
      [405, 'Streamable HTTP'],
    ] as const) {
      server.instead = { status, headers: { location: 'http://127.0.0.1:9/' } };
      for (const answer of [await call('refund', { amount: 1 }), await modern('tools/call', refund)]) {
        expect(answer.json.error.code).toBe(-32603);
        expect(answer.json.error.message).toContain(words);
      }
    }
    expect(server.ran).toEqual(['refund', 'refund']);
  });

  test('the headers of the file go to the server, and those of the client do not', async () => {
    const [place, server] = await Promise.all([guarded({ actions: ['pay.refund'] }), mcpHttpServer()]);
    const file = join(place.folder, 'up');
    const flags = ['--upstream-header-file', file];
    const argv = ['mcp', 'pin', '--name', 'pay', '--url', server.url, ...flags];
    expect((await place.ran(argv)).status).toBe(3);
    writeFileSync(file, 'Authorization: Bearer up-secret\n# a remark\n\nX-Team: blue\n', { mode: 0o644 });
    chmodSync(file, 0o644);
    expect((await place.ran(argv)).status).toBe(4);
    chmodSync(file, 0o600);
    expect((await place.ran(argv)).stdout).toContain(`pinned ${TOOLS.length} tools`);
    const { url, token } = await start(place, server, ...flags);
    const { modern, session } = client(url, token);
    const cookie = { cookie: 'client=1', 'x-client': '1', 'proxy-authorization': 'Basic eA==' };
    expect((await modern('tools/call', { name: 'refund', arguments: { amount: 1 } }, cookie)).status).toBe(200);
    await (await session()).call('refund', { amount: 1 });
    for (const { headers } of server.seen) {
      expect(headers).toMatchObject({ authorization: 'Bearer up-secret', 'x-team': 'blue' });
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['cookie']));
      expect(JSON.stringify(headers)).not.toMatch(/client=1|x-client|proxy-/);
    }
    writeFileSync(file, 'Host: evil.example\n');
    const reserved = await place.ran(argv);
    expect([reserved.status, reserved.stderr.includes('Line 1')]).toEqual([3, true]);
  });

  test('a tool that changed is hidden, its calls are E215, and pin --accept takes it', async () => {
    const { place, server, modern, child } = await staged();
    const refund = { name: 'refund', arguments: { amount: 1 } };
    expect((await modern('tools/call', refund)).json.result.isError).toBeUndefined();
    server.tools = TOOLS.map((tool) => (tool.name === 'refund' ? { ...tool, title: 'Refund everything' } : tool));
    const { tools } = (await modern('tools/list')).json.result;
    expect(tools.map((tool: Any) => tool.name as string)).toEqual(['wait', 'ask', 'more']);
    expect(codeOf(await modern('tools/call', refund))).toBe('AIP-E215');
    child.kill('SIGTERM');
    const pin = ['--name', 'pay', '--url', server.url];
    expect((await place.ran(['mcp', 'diff', ...pin])).stdout).toContain('changed refund');
    expect((await place.ran(['mcp', 'pin', ...pin])).status).toBe(15);
    expect((await place.ran(['mcp', 'pin', '--accept', ...pin])).status).toBe(0);
    const again = await start(place, server);
    expect((await client(again.url, again.token).modern('tools/call', refund)).json.result.isError).toBeUndefined();
    expect(server.ran).toEqual(['refund', 'refund']);
  });

  test.each(['claude', 'cursor', 'vscode', 'codex'])(
    'init prints what to start and what to paste into %s',
    async (name) => {
      const [place, server] = await Promise.all([guarded(), mcpHttpServer()]);
      const { status, stdout } = await place.ran([
        'mcp',
        'init',
        '--client',
        name,
        '-p',
        'coder',
        '--url',
        server.url,
        '--json',
      ]);
      const { paste, actions, server: named } = JSON.parse(stdout) as Any;
      expect([status, named, actions[0].name]).toEqual([0, '127.0.0.1', '127.0.0.1.refund']);
      expect(paste).toContain(
        `aip mcp guard --home ${place.home} -p coder --url ${server.url} --listen 127.0.0.1:7448`,
      );
      expect(paste).toContain('http://127.0.0.1:7448/mcp');
      expect(server.seen.at(-1)!.method).toBe('DELETE');
    },
  );

  test.each([
    ['no --listen', ['--url', 'http://127.0.0.1:9/mcp'], '--listen'],
    ['--listen before a command', ['--listen', '127.0.0.1:0', '--', 'true'], '--url'],
    ['both', ['--url', 'http://127.0.0.1:9/mcp', '--listen', '127.0.0.1:0', '--', 'true'], 'not both'],
    ['neither', [], 'Which server?'],
    ['credentials in the address', ['--url', 'http://a:b@127.0.0.1:9/', '--listen', '127.0.0.1:0'], 'header-file'],
    ['another scheme', ['--url', 'file:///x', '--listen', '127.0.0.1:0'], 'https://'],
    ['not loopback', ['--url', 'http://127.0.0.1:9/', '--listen', '0.0.0.0:0'], 'loopback'],
    ['a variable', ['--url', 'http://127.0.0.1:9/', '--listen', '127.0.0.1:0', '--env', 'A'], 'environment'],
  ])('%s is wrong use', async (_, argv, words) => {
    const place = await guarded();
    const { status, stderr } = place.run(['mcp', 'guard', '-p', 'coder', ...argv]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
