/** Every endpoint under bent requests: nothing is decided but what was read strictly, nothing crashes, no failure reads as a yes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Desk } from '../../../src/app/guarding/desk.js';
import { Failure } from '../../../src/app/failure.js';
import { HOOK_CLIENTS } from '../../../src/guard/hook/clients.js';
import { ServiceCounters } from '../../../src/guard/serve/metrics.js';
import { respond, type ServiceDeps } from '../../../src/guard/serve/respond.js';
import { parseJson } from '../../../src/protocol/json/parse.js';
import type { Judgement } from '../../../src/verify/judge.js';
import { bent } from './requests.js';

const AGENT = 'did:web:acme.com:agents:bot';

/** A service whose agent may do everything that is asked rightly: a yes that was not decided would show. */
function service(fails: boolean) {
  const decided: unknown[] = [];
  const yes = { decision: { success: true, agent_id: AGENT, error_code: null, warnings: [] } } as unknown as Judgement;
  const judge = async (call: unknown): Promise<Judgement> => {
    if (fails) throw new Failure('STATE', 'The disk is full.');
    decided.push(call);
    return yes;
  };
  const passport = { agent: { id: AGENT, name: 'bot' }, actions: new Map(), document: { constraints: {} } };
  const desk = {
    passport: async () => passport,
    sign: async (call: unknown) => ({ signed: call }),
    decide: judge,
  } as unknown as Desk;
  const deps: ServiceDeps = {
    gate: {
      agents: [{ agentId: AGENT, token: null }],
      token: 't'.repeat(32),
      same: (a, b) => a === b,
      hosts: new Set(['127.0.0.1:1']),
    },
    desks: new Map([[AGENT, desk]]),
    verify: async (document) => judge(document),
    hook: {
      ownPlaces: ['/home/aip'],
      ownFolders: ['/home/aip'],
      userHome: '/home/a',
      files: { followed: (path) => path, placesBehind: () => [], isHardLink: () => false },
      accepted: () => undefined,
      refused: () => undefined,
    },
    outcome: () => {
      throw new Failure('NOT_FOUND', 'No such intent.');
    },
    tally: new ServiceCounters(),
    url: () => 'http://localhost',
    version: '0',
  };
  return { deps, decided };
}

const BODIES: readonly (readonly [string, object])[] = [
  ['/v1/guard', { agent_id: AGENT, action: 'refund', params: { amount: 5 }, target: null, approval_request: null }],
  ['/v1/sign', { agent_id: AGENT, action: 'refund', params: { amount: 5 } }],
  ['/v1/outcome', { intent_hash: `sha256:${'0'.repeat(64)}`, outcome_token: '0'.repeat(32), status: 'ok' }],
  [
    '/access/v1/evaluation',
    {
      subject: { type: 'agent', id: AGENT },
      action: { name: 'refund', properties: { amount: 5 } },
      resource: { type: 'order', id: '7' },
    },
  ],
  ...Object.keys(HOOK_CLIENTS).map((name): [string, object] => [
    `/v1/hooks/${name}`,
    {
      hook_event_name: name === 'gemini' ? 'BeforeTool' : 'PreToolUse',
      cwd: '/repo',
      tool_name: 'Bash',
      toolName: 'bash',
      toolArgs: '{"command":"ls"}',
      tool_input: { command: 'ls' },
      command: 'ls',
    },
  ]),
];

const isStrict = (body: Uint8Array): boolean => {
  try {
    parseJson(body);
    return true;
  } catch {
    return false;
  }
};

test.each(BODIES)('%s', async (path, body) => {
  const headers = fc.record(
    { authorization: fc.constantFrom('Bearer x', ''), origin: fc.constant('null'), host: fc.string() },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(bent(JSON.stringify(body)), fc.boolean(), headers, async (bytes, fails, given) => {
      const { deps, decided } = service(fails);
      const reply = await respond(deps, {
        method: 'POST',
        path,
        query: new URLSearchParams(),
        headers: given,
        body: bytes,
        entrance: 'socket',
      });
      expect([200, 400, 401, 403, 404, 405, 409, 421, 503]).toContain(reply.status);
      expect(reply.headers['cache-control']).toBe('no-store');
      if (!isStrict(bytes) || given.origin !== undefined || fails) expect(decided).toEqual([]);
      if (decided.length > 0) return;
      expect(reply.body).not.toMatch(/"success":true|"decision":true|^\{\}\s*$/);
      // An agent that posts its events here takes every status but 200 for a yes.
      if (path.startsWith('/v1/hooks/') && reply.status === 200) expect(reply.body).toMatch(/deny|AIP-E|aip hook/);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['content-encoding', 'gzip'],
  ['transfer-encoding', 'gzip, chunked'],
])('a compressed body is not judged as an intent (%s: %s)', async (name, value) => {
  const { deps, decided } = service(false);
  const request = { method: 'POST', path: '/v1/verify', query: new URLSearchParams(), entrance: 'socket' } as const;
  const body = Buffer.from('{}');
  const reply = await respond(deps, { ...request, headers: { [name]: value }, body });
  expect([reply.status, reply.headers['accept-encoding']]).toEqual([415, 'identity']);
  expect(decided).toEqual([]);
  const plain = { 'content-encoding': 'Identity', 'transfer-encoding': 'chunked' };
  expect((await respond(deps, { ...request, headers: plain, body })).status).toBe(200);
});
