import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BINARY } from '../../kit/built/program.js';
import { AGENT, ask, guarded, KEY, served, type Guarded } from '../../kit/guard.js';
import { world } from '../../kit/world.js';

const REFUND = { agent_id: AGENT, action: 'issue_refund', params: { amount: 50 } };
const BIG = { ...REFUND, params: { amount: 10_000 } };

function evaluation(params: object, more: object = {}): object {
  return {
    subject: { type: 'agent', id: AGENT },
    action: { name: 'issue_refund', properties: params },
    resource: { type: 'order', id: '8472' },
    ...more,
  };
}

const signed = (place: Guarded, params: object, target?: string) =>
  place.workspace.createIntent({
    agentId: AGENT,
    action: 'issue_refund',
    params,
    privateKey: KEY,
    ...(target ? { target } : {}),
  });

test('on Windows a port is served alone: others could open a pipe', async () => {
  const place = world({ platform: 'win32' });
  const home = ['--home', join(place.io.userHome, 'home')];
  for (const flags of [[], ['--socket', 'own/aip.sock'], ['--socket', 'own/aip.sock', '--listen', '127.0.0.1:0']])
    expect(await place.run('serve', ...home, ...flags)).toMatchObject({
      code: 2,
      err: expect.stringContaining('serve --listen 127.0.0.1:0') as string,
    });
});

describe('over its socket', () => {
  test('signs, guards, verifies and answers AuthZEN for the agent of --as', async () => {
    const place = await guarded();
    const { socket, url } = await served(place, '--as', 'coder');
    expect(url).toBeNull();
    expect(statSync(dirname(socket!)).mode & 0o777).toBe(0o700);
    const yes = await ask(socket!, '/v1/guard', REFUND);
    expect(yes).toMatchObject({ status: 200, json: { success: true, agent_id: AGENT, error_code: null } });
    expect(yes.json.intent_hash).toMatch(/^sha256:/);
    expect(yes.headers['cache-control']).toBe('no-store');
    expect((await ask(socket!, '/v1/guard', BIG)).json).toMatchObject({ success: false, error_code: 'AIP-E202' });

    const intent = (await ask(socket!, '/v1/sign', { ...REFUND, target: 'order:1' })).json;
    expect(intent).toMatchObject({ agent_id: AGENT, target: 'order:1' });
    expect((await ask(socket!, '/v1/verify', intent)).json).toMatchObject({ success: true });
    expect((await ask(socket!, '/v1/verify', intent)).json).toMatchObject({ success: false, error_code: 'AIP-E301' });

    const access = '/access/v1/evaluation';
    expect((await ask(socket!, access, evaluation({ amount: 5 }))).json).toMatchObject({
      decision: true,
      context: { reason: null },
    });
    expect((await ask(socket!, access, evaluation({ amount: 5_000 }))).json).toMatchObject({
      decision: false,
      context: { reason: 'AIP-E202', details: { limit: 100 } },
    });
    const dry = await ask(socket!, access, evaluation({ amount: 5 }, { context: { dry_run: true } }));
    expect(dry.json).toMatchObject({ decision: false, context: { would: true } });
    expect(await place.workspace.getVerificationLogs()).toHaveLength(6);
    expect((await ask(socket!, '/healthz')).json).toEqual({ status: 'ok' });
    expect((await ask(socket!, '/openapi.json')).json).toMatchObject({ openapi: '3.1.0' });
    expect((await ask(socket!, '/metrics')).text).toContain('aip_decisions_total{code="AIP-E202"} 2');
    expect((await ask(socket!, '/.well-known/authzen-configuration')).json).toHaveProperty(
      'access_evaluation_endpoint',
    );
  });

  test('AuthZEN with a signed intent: the words and the signature must say one thing', async () => {
    const place = await guarded();
    const { socket } = await served(place);
    const evaluate = async (body: object) => (await ask(socket!, '/access/v1/evaluation', body)).json;
    const intent = await signed(place, { amount: 5 }, '8472');
    expect(await evaluate(evaluation({ amount: 6 }, { context: { aip_intent: intent } }))).toMatchObject({
      decision: false,
      context: { reason: 'AIP-E101' },
    });
    const elsewhere = {
      ...evaluation({ amount: 5 }, { context: { aip_intent: intent } }),
      resource: { type: 'order', id: '1' },
    };
    expect(await evaluate(elsewhere)).toMatchObject({ decision: false, context: { reason: 'AIP-E101' } });
    expect(await evaluate(evaluation({ amount: 5 }, { context: { aip_intent: intent } }))).toMatchObject({
      decision: true,
    });
    // Without --as nobody signs.
    expect(await evaluate(evaluation({ amount: 5 }))).toMatchObject({
      decision: false,
      context: { reason: 'AIP-E101' },
    });
    const twice = { ...evaluation({ amount: 5 }), resource: { type: 'order', id: '1', properties: { amount: 1 } } };
    expect((await ask(socket!, '/access/v1/evaluation', twice)).status).toBe(400);
    expect(await evaluate({ ...evaluation({ amount: 5 }), subject: { type: 'user', id: AGENT } })).toMatchObject({
      decision: false,
    });
  });

  test('lines in, lines out', async () => {
    const place = await guarded();
    const { socket } = await served(place);
    const [a, b] = [await signed(place, { amount: 1 }), await signed(place, { amount: 1_000 })];
    const body = `${JSON.stringify(a)}\n\n{"x":1,"x":2}\n${JSON.stringify(b)}\n`;
    const { text } = await ask(socket!, '/v1/verify', body, { 'content-type': 'application/x-ndjson; charset=utf-8' });
    const codes = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { error_code: string | null }).error_code);
    expect(codes).toEqual([null, 'AIP-E100', 'AIP-E202']);
  });

  test.each([
    ['no JSON', '/v1/guard', '{', 400],
    ['a list', '/v1/guard', '[]', 400],
    ['a member twice', '/v1/guard', `{"agent_id":"${AGENT}","action":"issue_refund","action":"shell"}`, 400],
    ['an unknown member', '/v1/guard', JSON.stringify({ ...REFUND, limit: 5 }), 400],
    ['params of another kind', '/v1/guard', JSON.stringify({ ...REFUND, params: [] }), 400],
    ['another agent', '/v1/guard', JSON.stringify({ ...REFUND, agent_id: `${AGENT}2` }), 403],
    ['another agent to sign for', '/v1/sign', JSON.stringify({ ...REFUND, agent_id: `${AGENT}2` }), 403],
    ['too large', '/v1/guard', JSON.stringify({ ...REFUND, params: { a: 'x'.repeat(70_000) } }), 413],
    ['empty', '/v1/verify', '', 400],
    [
      'an evaluation without subject',
      '/access/v1/evaluation',
      '{"action":{"name":"a"},"resource":{"type":"a","id":"b"}}',
      400,
    ],
    ['nowhere', '/v1/nothing', '{}', 404],
    ['an outcome without status', '/v1/outcome', '{}', 400],
    ['an outcome of nothing', '/v1/outcome', `{"status":"ok","intent_hash":"sha256:${'0'.repeat(64)}"}`, 404],
  ])('%s is no decision', async (_, path, body, status) => {
    const place = await guarded();
    const { socket } = await served(place, '--as', 'coder');
    const answer = await ask(socket!, path, body);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toMatch(/"(success|decision)":true/);
    expect(await place.workspace.getVerificationLogs()).toEqual([]);
  });

  test('what is no intent is a no, as with any verifier; binary too', async () => {
    const place = await guarded();
    const { socket } = await served(place);
    for (const body of ['{}', 'x', Buffer.from([0xff, 0xfe, 0])])
      expect(await ask(socket!, '/v1/verify', body)).toMatchObject({
        status: 200,
        json: { success: false, error_code: 'AIP-E100' },
      });
    const wrong = await ask(socket!, '/v1/verify', undefined, {}, 'GET');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST']);
    expect((await ask(socket!, '/healthz', undefined, {}, 'DELETE')).headers.allow).toBe('GET, HEAD');
    const head = await ask(socket!, '/healthz', undefined, {}, 'HEAD');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  test('the id of a request comes back, whatever the answer', async () => {
    const place = await guarded();
    const { socket } = await served(place);
    const id = { 'x-request-id': 'trace 7; r-1' };
    const asked: [path: string, body: string | undefined, headers: object, status: number][] = [
      ['/healthz', undefined, {}, 200],
      ['/access/v1/evaluation', '{}', {}, 400],
      ['/access/v1/evaluation', '{}', { authorization: 'Bearer no' }, 401],
      ['/access/v1/evaluation', '{}', { origin: 'http://localhost' }, 403],
      ['/access/v1/evaluation', ' '.repeat(70_000), {}, 413],
    ];
    for (const [path, body, headers, status] of asked) {
      const answer = await ask(socket!, path, body, { ...id, ...headers });
      expect([answer.status, answer.headers['x-request-id']]).toEqual([status, 'trace 7; r-1']);
    }
  });
});

describe('over TCP', () => {
  test('a token, a Host of this machine and no Origin', async () => {
    const place = await guarded();
    const file = join(place.folder, 'service.token');
    const { url, socket } = await served(
      place,
      '--listen',
      '127.0.0.1:0',
      '--token-file',
      file,
      '--as',
      'coder',
      '--allow-host',
      'aip.internal',
    );
    expect(socket).toBeNull();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const bearer = { authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` };
    expect((await ask(url!, '/healthz')).status).toBe(200);
    expect((await ask(url!, '/v1/guard', REFUND)).status).toBe(401);
    expect((await ask(url!, '/v1/guard', REFUND, { authorization: 'Bearer no' })).status).toBe(401);
    expect((await ask(url!, '/v1/guard', REFUND, { ...bearer, origin: 'http://localhost' })).status).toBe(403);
    expect((await ask(url!, '/v1/guard', REFUND, { ...bearer, host: 'evil.example' })).status).toBe(421);
    expect((await ask(url!, '/v1/guard', REFUND, bearer)).json).toMatchObject({ success: true });
    expect((await ask(url!, '/v1/guard', REFUND, { ...bearer, host: 'aip.internal' })).json).toMatchObject({
      success: true,
    });
  });
  test('only loopback addresses are taken', async () => {
    const place = await guarded();
    for (const address of ['0.0.0.0:1', '192.168.0.1:1', '127.0.0.1', 'localhost.evil.example:1'])
      expect(place.run(['serve', '--listen', address]).status).toBe(2);
  });
});

test('several agents: each token acts for its agent alone, on the socket too', async () => {
  const place = await guarded({}, ['coder', 'payer']);
  expect(place.run(['serve', '--as', 'coder', '--as', 'payer']).status).toBe(2);
  const [mine, theirs] = [join(place.folder, 'a.token'), join(place.folder, 'b.token')];
  const { socket } = await served(place, '--as', `coder=${mine}`, '--as', `payer=${theirs}`);
  const bearer = (file: string) => ({ authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` });
  const named = { status: 403, json: { message: expect.stringContaining('Authorization: Bearer') } };
  expect(await ask(socket!, '/v1/guard', REFUND)).toMatchObject(named);
  expect((await ask(socket!, '/access/v1/evaluation', evaluation({ amount: 1 }))).json).toMatchObject({
    decision: false,
    context: { reason: 'AIP-E101', reason_user: expect.stringContaining('Authorization: Bearer') },
  });
  expect((await ask(socket!, '/v1/guard', REFUND, bearer(theirs))).status).toBe(403);
  // An agent's token neither signs for another agent nor spends what that one has signed.
  const context = { aip_intent: await signed(place, { amount: 1 }) };
  const judged = async (headers: Record<string, string>) =>
    (await ask(socket!, '/access/v1/evaluation', evaluation({ amount: 1 }, { context }), headers)).json as object;
  expect(await judged(bearer(theirs))).toMatchObject({ decision: false, context: { reason: 'AIP-E101' } });
  expect(await judged({})).toMatchObject({ decision: true });
  expect((await ask(socket!, '/v1/sign', REFUND, bearer(theirs))).status).toBe(403);
  expect((await ask(socket!, '/access/v1/evaluation', evaluation({ amount: 1 }), bearer(theirs))).json).toMatchObject({
    decision: false,
  });
  expect((await ask(socket!, '/v1/guard', REFUND, bearer(mine))).json).toMatchObject({ success: true });
  expect((await ask(socket!, '/v1/guard', REFUND, { authorization: 'Bearer x' })).status).toBe(401);
});

test('a token or folder that others can reach is refused, and so is a socket that is served', async () => {
  const place = await guarded();
  const token = join(place.folder, 't');
  writeFileSync(token, `${'a'.repeat(40)}\n`, { mode: 0o644 });
  expect(place.run(['serve', '--listen', '127.0.0.1:0', '--token-file', token])).toMatchObject({ status: 4 });
  const open = join(place.folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  const shared = place.run(['serve', '--socket', join(open, 's')]);
  expect(shared).toMatchObject({ status: 4, stderr: expect.stringContaining(`--socket ${join(open, 'aip', 's')}`) });
  // To close a folder that others need would be the wrong advice.
  expect(shared.stderr).not.toContain('chmod');
  const { socket } = await served(place);
  expect(place.run(['serve', '--socket', socket!])).toMatchObject({ status: 5 });
});

test('SIGTERM answers what was accepted and ends with 143', async () => {
  const place = await guarded();
  const { socket, child } = await served(place, '--as', 'coder');
  const many = Promise.allSettled(
    Array.from({ length: 20 }, () => ask(socket!, '/v1/guard', { ...REFUND, params: { amount: 1 } })),
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await ask(socket!, '/healthz');
  child.kill('SIGTERM');
  const answers = await many;
  expect(await ended).toBe(143);
  const yes = answers.filter((each) => each.status === 'fulfilled' && each.value.json?.success === true);
  // Whoever was told yes is in the log, and nobody else.
  expect(await place.workspace.getVerificationLogs()).toHaveLength(yes.length);
});

test('an outcome is recorded under the token that the yes gave, for its own agent', async () => {
  const place = await guarded({}, ['coder', 'payer']);
  const [mine, theirs] = [join(place.folder, 'a.token'), join(place.folder, 'b.token')];
  const { socket } = await served(place, '--as', `coder=${mine}`, '--as', `payer=${theirs}`);
  const bearer = (file: string) => ({ authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` });
  const { intent_hash, outcome_token } = (await ask(socket!, '/v1/guard', REFUND, bearer(mine))).json;
  const report = { intent_hash, outcome_token, status: 'ok' };
  expect((await ask(socket!, '/v1/outcome', report, bearer(theirs))).status).toBe(403);
  expect((await ask(socket!, '/v1/outcome', { ...report, outcome_token: '0'.repeat(32) }, bearer(mine))).status).toBe(
    403,
  );
  for (const wrong of [bearer(theirs), { outcome_token: '0'.repeat(32) }]) {
    const [given, headers] = 'authorization' in wrong ? [{}, wrong] : [wrong, bearer(mine)];
    expect((await ask(socket!, '/v1/outcome', { ...report, ...given, status: 'unknown' }, headers)).status).toBe(403);
  }
  const unknown = await ask(socket!, '/v1/outcome', { ...report, status: 'unknown' }, bearer(mine));
  expect(unknown.json).toMatchObject({ of: 1, seq: 2, status: 'unknown', claimed: false });
  expect((await ask(socket!, '/v1/outcome', report, bearer(mine))).json).toMatchObject({
    status: 'ok',
    claimed: false,
  });
  expect((await ask(socket!, '/v1/outcome', { ...report, status: 'error' }, bearer(mine))).status).toBe(409);
});

test('an outcome of what was verified for another agent is recorded where no token names one', async () => {
  const place = await guarded({}, ['coder', 'payer']);
  const { socket } = await served(place, '--as', 'payer');
  const { intent_hash, outcome_token } = (await ask(socket!, '/v1/verify', await signed(place, { amount: 1 }))).json;
  const report = { intent_hash, outcome_token, status: 'ok' };
  expect((await ask(socket!, '/v1/outcome', report)).json).toMatchObject({ status: 'ok', claimed: false });
});

test('a key that is rotated meanwhile refuses no call', async () => {
  const place = await guarded();
  delete place.env.AGENT_PRIVATE_KEY;
  place.env.AIP_KEY_PASSPHRASE = 'correct horse';
  const rotate = [
    'passport',
    'rotate',
    'coder',
    '--key-store',
    'file',
    '--overlap',
    '0s',
    '--out',
    'coder.json',
    '--yes',
  ];
  const rotated = async () => {
    const { status, stderr } = await place.ran(rotate);
    expect(status, stderr).toBe(0);
  };
  await rotated();
  const { socket } = await served(place, '--as', 'coder');
  const guard = async () => (await ask(socket!, '/v1/guard', REFUND)).json.error_code as string | null;
  expect(await guard()).toBeNull();
  await rotated();
  expect([await guard(), await guard()]).toEqual([null, null]);
  expect((await place.ran(['passport', 'delete', 'coder', '--yes', '--keep-key'])).status).toBe(0);
  expect(await guard()).toBe('AIP-E102');
});

test('what needs a person is asked for, approved by another process, and let through once', async () => {
  const place = await guarded({ constraints: { require_approval: { above: 100 } } });
  const { socket } = await served(place, '--as', 'coder');
  const refused = (await ask(socket!, '/v1/guard', BIG)).json as {
    error_code: string;
    details: { request_id: string };
  };
  expect(refused.error_code).toBe('AIP-E209');
  const { request_id: approval_request } = refused.details;
  // The principal's key is in the home of the workspace, under its passphrase.
  const env = { ...place.env, AIP_KEY_PASSPHRASE: 'correct horse' };
  const argv = ['approvals', 'approve', approval_request, '--yes', '--json'];
  const given = spawnSync(process.execPath, [BINARY, ...argv], { env, cwd: place.folder, encoding: 'utf8' });
  expect([given.status, given.stderr]).toEqual([0, expect.any(String)]);
  const named = { ...BIG, approval_request };
  expect((await ask(socket!, '/v1/guard', { ...named, params: { amount: 10_001 } })).json).toMatchObject({
    error_code: 'AIP-E209',
  });
  expect((await ask(socket!, '/v1/guard', named)).json).toMatchObject({ success: true, error_code: null });
  expect((await ask(socket!, '/v1/guard', named)).json).toMatchObject({ success: false, error_code: 'AIP-E216' });
});

test('an agent that posts its events by itself takes every status but 200 for a yes, so that each refusal is its deny', async () => {
  const place = await guarded();
  const { socket, url } = await served(
    place,
    '--as',
    'coder',
    '--socket',
    join(place.home, 's', 'aip.sock'),
    '--listen',
    '127.0.0.1:0',
  );
  const large = { hook_event_name: 'PreToolUse', tool_name: 'Write', tool_input: { content: 'x'.repeat(70_000) } };
  const refusals = [
    ask(socket!, '/v1/hooks/claude', large),
    ask(socket!, '/v1/hooks/claude', {}, { origin: 'http://localhost' }),
    ask(socket!, '/v1/hooks/claude?agent=payer', {}),
    ask(url!, '/v1/hooks/claude', {}),
    ask(url!, '/v1/hooks/claude', {}, { authorization: 'Bearer wrong' }),
  ];
  for (const { status, json } of await Promise.all(refusals)) {
    expect(status).toBe(200);
    expect(json.hookSpecificOutput).toMatchObject({
      permissionDecision: 'deny',
      permissionDecisionReason: expect.stringMatching(/^aip hook: .*\.$/),
    });
  }
  // The client of the hook itself ends with 2.
  const own = { accept: 'application/vnd.aip.hook+json' };
  expect((await ask(socket!, '/v1/hooks/claude', large, own)).status).toBe(413);
  expect((await ask(url!, '/v1/hooks/claude', {}, own)).status).toBe(401);
  // Elsewhere every other status decided nothing, with a sentence.
  expect(await ask(socket!, '/v1/guard', large)).toMatchObject({ status: 413, json: { message: expect.any(String) } });
  expect((await ask(socket!, '/v1/guard?dry_run=1', {})).json.message).toContain('query');
});
