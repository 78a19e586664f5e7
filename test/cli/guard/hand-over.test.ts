/** One action that a coding agent's hook sees first, and then the guard before the tool's server. */
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { AGENT, guarded, served, type Guarded } from '../../kit/guard.js';

type Any = Record<string, any>;
const SERVER = fileURLToPath(new URL('../../kit/servers/mcp-server.mjs', import.meta.url));

/** A guard before the server `pay`; asks it for refunds. */
function payment(place: Guarded, ...argv: string[]) {
  const tools = join(place.folder, 'tools.json');
  writeFileSync(tools, JSON.stringify([{ name: 'refund', inputSchema: { type: 'object' } }]));
  const all = ['mcp', 'guard', '-p', 'coder', '--name', 'pay', ...argv, '--'];
  const child = place.start([...all, process.execPath, SERVER, join(place.folder, 'seen'), tools]);
  const waiting = new Map<number, (message: Any) => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const message = JSON.parse(line) as Any;
    waiting.get(message.id as number)?.(message);
  });
  let id = 0;
  return (amount: number): Promise<string> =>
    new Promise((resolve) => {
      id += 1;
      waiting.set(id, ({ result }) => {
        const decision = result._meta?.['aip/decision'];
        resolve((decision?.code ?? result.content[0].text) as string);
      });
      const params = { name: 'refund', arguments: { amount } };
      child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`);
    });
}

const event = (tool: string, input: object): string =>
  JSON.stringify({ hook_event_name: 'PreToolUse', cwd: '/repo', tool_name: tool, tool_input: input });
const hook = async (place: Guarded, tool: string, input: object, ...argv: string[]): Promise<Any> => {
  const { status, stdout, stderr } = await place.ran(['hook', 'claude', '-p', 'coder', ...argv], event(tool, input));
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Any;
};
const refundOf = (place: Guarded, amount: number): Promise<Any> => hook(place, 'mcp__pay__refund', { amount });

const LIMITS = { actions: ['pay.refund'], constraints: { monetary_limit: 100, daily_limit: 100 } };

describe.each([
  ['in process', async () => undefined],
  ['by the service', (place: Guarded) => served(place, '--as', 'coder')],
])('the hook decides %s', (_, prepare) => {
  test('the guard takes its decision once, and nothing is counted twice', async () => {
    const place = await guarded(LIMITS);
    await prepare(place);
    const refund = payment(place);
    expect(await refundOf(place, 60)).toEqual({});
    expect(await refund(60)).toBe('{"amount":60}');
    const log = await place.workspace.getVerificationLogs();
    expect(log.map(({ action, status, target }) => [action, status, target])).toEqual([
      ['pay.refund', 'success', '/repo'],
    ]);
    // The same call again is a further one, and 60 and 60 are more than a day's limit.
    expect(await refund(60)).toBe('AIP-E212');
    // The outcome is the one of the hook's entry.
    const outcomes = async () => (await place.ran(['logs', 'tail', '--type', 'outcome', '--json'])).stdout;
    await expect.poll(outcomes, { timeout: 10_000 }).not.toBe('');
    expect(JSON.parse(await outcomes())).toMatchObject({ of: log[0]!.seq, status: 'ok' });
  });

  test('also where the agent runs both names together, and a map tells them apart', async () => {
    const place = await guarded(LIMITS);
    await prepare(place);
    const map = ['--map', 'mcp_pay_refund=pay.refund'];
    expect(await hook(place, 'mcp_pay_refund', { amount: 60 }, ...map)).toEqual({});
    expect(await payment(place)(60)).toBe('{"amount":60}');
    expect(await place.workspace.getVerificationLogs()).toHaveLength(1);
  });

  test.each(['Bash', 'shop_pay_refund', 'give_money'])(
    '%s is no tool of that server, whatever action it is mapped to: what ran counts',
    async (tool) => {
      const place = await guarded(LIMITS);
      await prepare(place);
      expect(await hook(place, tool, { amount: 60 }, '--map', `${tool}=pay.refund`)).toEqual({});
      expect(await payment(place)(60)).toBe('AIP-E212');
    },
  );

  test('a decision about other params, of another passport or before a revocation is none', async () => {
    const place = await guarded(LIMITS);
    await prepare(place);
    const refund = payment(place);
    expect(await refundOf(place, 60)).toEqual({});
    expect(await refund(50)).toBe('AIP-E212');
    place.env.AIP_KEY_PASSPHRASE = 'correct horse';
    const out = ['--out', join(place.folder, 'narrower.json'), '--yes'];
    expect((await place.ran(['passport', 'update', 'coder', '--monetary-limit', '10', ...out])).status).toBe(0);
    expect(await refund(60)).toBe('AIP-E202');
    expect(await refundOf(place, 5)).toEqual({});
    expect((await place.ran(['revoke', AGENT, '--reason', 'stolen', '--yes'])).status).toBe(0);
    expect(await refund(5)).toBe('AIP-E401');
  });

  test("--ask is the agent's own question, and the entry says so; named approvers are not passed by", async () => {
    const approval = { require_approval: { actions: ['shell'] } };
    const place = await guarded({ actions: ['shell'], constraints: approval });
    await prepare(place);
    const permission = async (...argv: string[]) =>
      (await hook(place, 'Bash', { command: 'ls' }, ...argv)).hookSpecificOutput.permissionDecision as string;
    const details = async () => (await place.workspace.getVerificationLogs())[0]!.details as Any;
    expect(await permission()).toBe('deny');
    expect(await details()).not.toHaveProperty('asked');
    expect(await permission('--ask')).toBe('ask');
    expect(await details()).toMatchObject({ asked: true });
    expect((await place.workspace.getVerificationLogs())[0]!.error_code).toBe('AIP-E209');
  });

  test('a file of its own that a tool was kept from is in the log', async () => {
    const place = await guarded();
    await prepare(place);
    const file_path = join(place.home, 'state.db');
    await hook(place, 'Write', { file_path, content: 'x' });
    const [entry] = await place.workspace.getVerificationLogs();
    expect(entry).toMatchObject({
      agent_id: AGENT,
      action: 'write_file',
      error_code: 'AIP-E210',
      details: { reason: 'own_files', path: file_path },
      intent_hash: null,
    });
  });
});

test('a question is no way round named approvers', async () => {
  const { approver } = { approver: { id: 'did:web:acme.com:people:kim', public_key: `ed25519:${'1'.repeat(64)}` } };
  const place = await guarded({
    actions: ['shell'],
    constraints: { require_approval: { actions: ['shell'], approvers: [approver] } },
  });
  const { hookSpecificOutput } = await hook(place, 'Bash', { command: 'ls' }, '--ask');
  expect(hookSpecificOutput.permissionDecision).toBe('deny');
  expect((await place.workspace.getVerificationLogs())[0]!.details).not.toHaveProperty('asked');
});
