/** An agent asks on one machine, a person answers on another; the mesh carries both and can make neither. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RequestReport } from '../../../src/cli/approvals/requests.js';
import type { ActionApprovalDocument } from '../../../src/protocol/approvals/approval.js';
import { Home } from '../../kit/mesh/homes.js';
import { receiver } from '../../kit/servers/receiver.js';

const SLOW = 120_000;
const CAROL = 'did:web:carol.example';

interface Pending {
  readonly request_id: string;
}

async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean, ms = 15_000): Promise<T> {
  for (const end = Date.now() + ms; ;) {
    const answer = await ask();
    if (good(answer) || Date.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The mesh's admin, a machine with an agent that verifies, and a person whose key is on neither. */
async function three(rule: object = {}, bell: string | null = null) {
  const secret = { AIP_WEBHOOK_SECRET: 's'.repeat(24) };
  const [mesh, agent, person] = [new Home(secret), new Home(), new Home()];
  const served = await mesh.serve(...(bell === null ? [] : ['--notify', bell]));
  const init = ['init', '--domain', 'carol.example', '--key-store', 'file'];
  const carol = (await person.json<{ principal_public_key: string }>(...init)).principal_public_key;
  const limits = { above: 100, approvers: [{ id: CAROL, public_key: carol }], ...rule };
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '--action', 'issue_refund'];
  const stores = ['--key-store', 'file', '--principal-key-store', 'file'];
  await agent.json(...create, ...stores, '--constraint', `require_approval:=${JSON.stringify(limits)}`);
  await agent.join(mesh);
  const made = await mesh.json<{ key: string }>('mesh', 'key', 'create', '--role', 'approver', '--public-key', carol);
  const { url, public_key } = mesh.config().mesh!;
  const key = person.file('approver.key', `${made.key}\n`);
  await person.json('mesh', 'join', url!, '--mesh-key', public_key!, '--key-file', key);
  return { mesh, agent, person, served, carol };
}

let signed = 0;
async function signs(agent: Home, amount: number, request?: string): Promise<string> {
  const path = agent.at(`refund-${signed++}.json`);
  const named = request === undefined ? [] : ['--approval-request', request];
  const sign = ['intent', 'sign', '-p', 'bot', '-a', 'issue_refund', '--param', `amount:=${amount}`, '-o', path];
  expect((await agent.run([...sign, '--quiet', ...named])).code).toBe(0);
  return path;
}

/** Asks for what needs a person, and gives the request's id. */
async function asks(agent: Home, amount = 10_000): Promise<string> {
  const verdict = await agent.verify(await signs(agent, amount));
  expect([verdict.code, verdict.error_code]).toEqual([14, 'AIP-E209']);
  return (verdict.details as unknown as Pending).request_id;
}

async function tries(agent: Home, request: string, amount = 10_000): Promise<[number | null, string | null]> {
  const { code, error_code } = await agent.verify(await signs(agent, amount, request));
  return [code, error_code];
}

describe('an approval through the mesh', { timeout: SLOW }, () => {
  test('is asked for on one machine, given on another, and lets the action through once', async () => {
    const rung = await receiver();
    const { agent, person, served } = await three({}, rung.url('/bell'));
    const id = await asks(agent);
    const [told] = await until(
      async () => rung.calls,
      ({ length }) => length > 0,
    );
    expect(JSON.parse(told!.body)).toMatchObject({ request_id: id, link: `${served.url}/#approval=${id}` });
    const listed = await person.json<RequestReport[]>('approvals', 'list');
    expect(listed).toMatchObject([
      { request_id: id, source: 'mesh', status: 'pending', action: 'issue_refund', params: { amount: 10_000 } },
    ]);
    expect(await tries(agent, id)).toEqual([14, 'AIP-E209']);
    const shown = await person.run(['approvals', 'show', id]);
    expect(shown.out).toContain('"amount": 10000');
    const given = await person.json<ActionApprovalDocument>('approvals', 'approve', id, '--yes');
    expect(given).toMatchObject({ request_id: id, approver: CAROL, decision: 'approve' });
    // Another amount is another action, though the person has approved.
    expect(await tries(agent, id, 10_001)).toEqual([14, 'AIP-E209']);
    expect(await tries(agent, id)).toEqual([0, null]);
    expect(await tries(agent, id)).toEqual([12, 'AIP-E216']);
    const over = await person.json<RequestReport[]>('approvals', 'list', '--all');
    expect(over.find(({ request_id }) => request_id === id)).toMatchObject({ status: 'spent' });
  });

  test('that denies, ends or is forged lets nothing through', async () => {
    const { mesh, agent, person } = await three();
    const denied = await asks(agent);
    const given = await person.json<ActionApprovalDocument>('approvals', 'deny', denied, '--reason', 'no', '--yes');
    expect(await tries(agent, denied)).toEqual([14, 'AIP-E209']);
    expect((await agent.verify(await signs(agent, 10_000))).details).toMatchObject({ reason: 'denied' });
    expect(await person.json('approvals', 'list')).toEqual([]);

    // The admin of the mesh has every key of the mesh, and none of the approver.
    const forged = { ...given, decision: 'approve' };
    const { url, key_file } = mesh.config().mesh!;
    const reply = await fetch(`${url}/v1/mesh/approvals/${denied}/answers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${readFileSync(key_file!, 'utf8').trim()}` },
      body: JSON.stringify(forged),
    });
    expect([reply.status, await reply.json()]).toEqual([403, expect.objectContaining({ code: 'APPROVAL_INVALID' })]);
    const file = agent.file('forged.json', JSON.stringify(forged));
    expect(await agent.verify(await signs(agent, 10_000, denied), '--approval', file)).toMatchObject({ code: 14 });

    const brief = await asks(agent, 20_000);
    await person.json('approvals', 'approve', brief, '--for', '5s', '--yes');
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    expect(await tries(agent, brief, 20_000)).toEqual([14, 'AIP-E209']);
  });

  test('of an approver whose key is revoked meanwhile does not count', async () => {
    const { mesh, agent, person, carol } = await three();
    const id = await asks(agent);
    await person.json('approvals', 'approve', id, '--yes');
    // Nobody listens at this moment, so the order ends with 5; it is durable all the same.
    await mesh.run(['revoke', carol, '--reason', 'key leaked', '--yes', '--unseen']);
    await agent.follow();
    const verdict = await until(
      async () => agent.verify(await signs(agent, 10_000, id)),
      ({ details }) => JSON.stringify(details).includes('revoked'),
    );
    expect([verdict.code, verdict.error_code]).toEqual([14, 'AIP-E209']);
    const late = await asks(agent, 20_000);
    const refused = await person.run(['approvals', 'approve', late, '--yes']);
    expect([refused.code, refused.err]).toEqual([5, expect.stringContaining('revoked')]);
  });

  test('comes to a machine that follows without being asked for; of four processes that use it one wins', async () => {
    const { agent, person } = await three();
    await agent.follow();
    const id = await asks(agent);
    await person.json('approvals', 'approve', id, '--yes');
    const here = await until(
      () => agent.json<RequestReport[]>('approvals', 'list'),
      (list) => list[0]?.status === 'approved',
    );
    expect(here).toMatchObject([{ request_id: id, source: 'here', status: 'approved', approved_by: [CAROL] }]);
    const intents = await Promise.all([0, 1, 2, 3].map(() => signs(agent, 10_000, id)));
    const verdicts = await Promise.all(intents.map((intent) => agent.verify(intent)));
    expect(verdicts.map(({ code }) => code).sort()).toEqual([0, 12, 12, 12]);
  });

  test('is read by operators and by the approvers that it names, and by no machine that only verifies', async () => {
    const { mesh, agent, person } = await three();
    const id = await asks(agent);
    expect(await person.run(['approvals', 'approve', 'f'.repeat(32), '--yes'])).toMatchObject({ code: 3 });
    // The key of an operator reads and carries as well; what it cannot do is sign for the approver.
    const operator = new Home();
    await operator.join(mesh, 'operator');
    expect(await operator.json<RequestReport[]>('approvals', 'list')).toMatchObject([{ request_id: id }]);
    expect((await operator.run(['approvals', 'approve', id, '--yes'])).code).toBe(4);
    // A machine that only verifies sees no params of others.
    const other = new Home();
    await other.join(mesh, 'verifier');
    expect(await other.json('approvals', 'list')).toEqual([]);
    expect((await other.run(['approvals', 'show', id])).code).toBe(3);
  });

  test('waits on this machine where the mesh is away, and both sides say so', async () => {
    const { agent, person, served } = await three();
    served.running.child.kill('SIGKILL');
    await served.running.ended;
    const said = await agent.run(['intent', 'verify', await signs(agent, 10_000), '--json']);
    expect([said.code, said.err]).toEqual([14, expect.stringContaining('approval_mesh')]);
    const list = await person.run(['approvals', 'list', '--json']);
    expect([list.code, list.out]).toEqual([5, '[]\n']);
  });
});
