/** `aip approvals`: an agent is refused, a person answers, and a fresh intent is let through once. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ActionApprovalDocument } from '../../src/protocol/approvals/approval.js';
import type { Decision } from '../../src/verify/decision.js';
import type { RequestReport } from '../../src/cli/approvals/requests.js';
import { household, inFiles, PASSPHRASE, type Household } from '../kit/native/household.js';
import type { WorldOptions } from '../kit/world.js';

const RULE = 'require_approval:={"above":100}';

async function team(rule = RULE, options: WorldOptions = {}): Promise<Household> {
  const machine = household({ env: { AIP_KEY_PASSPHRASE: PASSPHRASE }, ...options });
  const named = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'issue_refund', '--no-input'];
  const create = [...named, '--constraint', rule];
  expect(await machine.run(...create, ...inFiles(machine))).toMatchObject({ code: 0 });
  return machine;
}

let signed = 0;
async function signs(machine: Household, ...more: string[]): Promise<string> {
  const path = machine.at(`intent-${signed++}.json`);
  const sign = ['intent', 'sign', '-p', 'bot', '-a', 'issue_refund', '-e', machine.at('.env'), '-o', path];
  expect(await machine.run(...sign, '--param', 'amount:=10000', ...more)).toMatchObject({ code: 0 });
  return path;
}

async function refused(machine: Household, ...more: string[]): Promise<string> {
  const intent = await signs(machine, ...more);
  const { code, value } = await machine.json<Decision>('intent', 'verify', intent);
  expect([code, value.error_code]).toEqual([14, 'AIP-E209']);
  return value.details!.request_id as string;
}

describe('aip approvals', () => {
  test('list, show and approve a request, whose action then runs once', async () => {
    const machine = await team();
    expect((await machine.json('approvals', 'list')).value).toEqual([]);
    const id = await refused(machine, '--param', 'note=p\u0430ypal');
    const [listed] = (await machine.json<RequestReport[]>('approvals', 'list')).value;
    expect(listed).toMatchObject({
      request_id: id,
      status: 'pending',
      action: 'issue_refund',
      approvers: ['did:web:acme.com'],
      count: 1,
      approved_by: [],
    });
    const { out } = await machine.run('approvals', 'show', id);
    expect(out).toContain('"amount": 10000');
    expect(out).toContain('p\u0430[U+0430]ypal');
    const { value } = await machine.json<ActionApprovalDocument>('approvals', 'approve', id, '--yes', '--reason', 'ok');
    expect(value).toMatchObject({ type: 'approval', version: 2, request_id: id, decision: 'approve', reason: 'ok' });
    const [approved] = (await machine.json<RequestReport[]>('approvals', 'list')).value;
    expect(approved).toMatchObject({ status: 'approved', approved_by: ['did:web:acme.com'] });
    const more = ['--param', 'note=p\u0430ypal', '--approval-request', id];
    expect((await machine.run('intent', 'verify', await signs(machine, ...more))).code).toBe(0);
    const again = await machine.json<Decision>('intent', 'verify', await signs(machine, ...more));
    expect([again.code, again.value.error_code]).toEqual([12, 'AIP-E216']);
    expect((await machine.json('approvals', 'list')).value).toEqual([]);
    const all = (await machine.json<RequestReport[]>('approvals', 'list', '--all')).value;
    expect(all).toMatchObject([{ request_id: id, status: 'spent' }]);
  });

  test('a target with characters that are not seen is shown with them, wherever a person is asked', async () => {
    const machine = await team();
    const intent = await signs(machine, '--target', 'db:prod\u200b-eu');
    expect((await machine.json<Decision>('intent', 'verify', intent)).code).toBe(14);
    const [{ request_id: id }] = (await machine.json<[RequestReport]>('approvals', 'list')).value;
    const { out } = await machine.run('approvals', 'show', id);
    const inspected = await machine.run('intent', 'inspect', intent);
    const { err } = await machine.run('approve', intent, '--yes', '-o', machine.at('approval.json'));
    for (const text of [out, inspected.out, err]) expect(text).toMatch(/target +"db:prod\\u200b-eu"\n/);
    const plain = await signs(machine, '--target', 'db:日本');
    expect((await machine.run('intent', 'inspect', plain)).out).toMatch(/target +db:日本\n/);
  });

  test('letters that look like others are marked, and none acts on the terminal, also where an intent is approved and in JSON', async () => {
    const machine = await team();
    const intent = await signs(machine, '--param', 'note=p\u0430ypal', '--param', 'memo=a\u202eb\u009b31mc');
    const { err } = await machine.run('approve', intent, '--yes', '-o', machine.at('approval.json'));
    expect(err).toContain('p\u0430[U+0430]ypal');
    expect((await machine.json<Decision>('intent', 'verify', intent)).code).toBe(14);
    const watching = machine.run('approvals', 'watch', '--json');
    while (!machine.out().includes('"memo"')) await new Promise((go) => setTimeout(go, 5));
    machine.interrupt(130);
    expect((await watching).out).toContain('"memo":"a\\u202eb\\u009b31mc"');
  });

  test('a request that another verifier raised is no finding of the one who signs; what else is wrong still is', async () => {
    const machine = await team();
    const sign = ['intent', 'sign', '-p', 'bot', '-e', machine.at('.env'), '--check', '--param', 'amount:=10000'];
    const elsewhere = ['--approval-request', '0f'.repeat(16)];
    const known = 'Whether the request is approved is known where the intent is verified.';
    const { code, out, err } = await machine.run(...sign, '-a', 'issue_refund', ...elsewhere);
    expect([code, err.trim()]).toEqual([0, known]);
    expect(JSON.parse(out)).toMatchObject({ approval_request: '0f'.repeat(16) });
    const undeclared = await machine.json<Decision>(...sign, '-a', 'close_account', ...elsewhere);
    expect(undeclared.value.error_code).toBe('AIP-E201');
    const raised = await refused(machine);
    const waits = await machine.json<Decision>(...sign, '-a', 'issue_refund', '--approval-request', raised);
    expect(waits.value.error_code).toBe('AIP-E209');
    expect((await machine.json<Decision>(...sign, '-a', 'issue_refund')).value.error_code).toBe('AIP-E209');
  });

  test('deny ends a request', async () => {
    const machine = await team();
    const id = await refused(machine);
    expect(await machine.run('approvals', 'deny', id, '--reason', 'wrong customer', '--yes')).toMatchObject({
      code: 0,
    });
    const { value } = await machine.json<Decision>('intent', 'verify', await signs(machine));
    expect(value.details).toMatchObject({ reason: 'denied', request_id: null });
    expect(await machine.failure('approvals', 'approve', id)).toMatchObject({ code: 'USAGE', exit_code: 2 });
  });

  test('a request goes to a person by file, and comes back as one', async () => {
    const machine = await team();
    const id = await refused(machine);
    const shown = (await machine.json<{ request: object }>('approvals', 'show', id)).value;
    const request = machine.file('request.json', JSON.stringify(shown.request));
    expect((await machine.json('approvals', 'show', request)).value).toEqual({ ...shown, source: 'file' });
    const bent = machine.file('bent.json', JSON.stringify({ ...shown.request, expires_at: '2027-01-01T00:00:00Z' }));
    const approval = machine.at('approval.json');
    expect(await machine.run('approve', request, '-o', approval, '--yes')).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(approval, 'utf8'))).toMatchObject({ request_id: id, approver: 'did:web:acme.com' });
    for (const command of [['approve'], ['approvals', 'show']])
      expect(await machine.failure(...command, bent)).toMatchObject({ code: 'USAGE' });
    const intent = await signs(machine, '--approval-request', id);
    // By file alone nothing was kept here.
    expect(await machine.run('intent', 'verify', intent)).toMatchObject({ code: 14 });
    expect(await machine.run('intent', 'verify', intent, '--approval', approval)).toMatchObject({ code: 0 });
  });

  test('an answer by file that does not count is never passed over in silence', async () => {
    const [machine, other] = [await team(), await team()];
    const answered = async (home: Household, id: string): Promise<string> => {
      const path = home.at(`${id}.json`);
      expect(await home.run('approvals', 'approve', id, '-o', path, '--yes')).toMatchObject({ code: 0 });
      return path;
    };
    const id = await refused(machine);
    const second = await refused(machine, '--param', 'note=x');
    const elsewhere = await refused(other);
    const shown = (await machine.json<{ request: object }>('approvals', 'show', id)).value;
    const request = machine.file('request.json', JSON.stringify(shown.request));
    const approval = machine.at('approval.json');
    expect(await machine.run('approvals', 'approve', request, '-o', approval, '--yes')).toMatchObject({ code: 0 });
    const foreign = machine.file('foreign.json', readFileSync(await answered(other, elsewhere), 'utf8'));
    const said = async (...argv: string[]): Promise<string> => {
      const { code, err } = await machine.run('intent', 'verify', ...argv);
      expect(code).toBe(14);
      return err;
    };
    const bare = await signs(machine);
    expect(await said(bare, '--approval', approval)).toContain(
      `approval.json does not count: no request is named: have it signed with --approval-request ${id}`,
    );
    const noted = await signs(machine, '--param', 'note=x');
    expect(await said(noted, '--approval', approval)).toContain('does not count: it is for another action');
    const crossed = await signs(machine, '--approval-request', second);
    expect(await said(crossed, '--approval', approval)).toContain(`it answers the request ${id}, and the intent names`);
    const strange = await signs(machine, '--approval-request', elsewhere);
    expect(await said(strange, '--approval', foreign)).toContain(`this verifier has raised no request ${elsewhere}`);
    // Of several, the one that it could be for.
    const both = await said(await signs(machine), await signs(machine, '--param', 'note=x'), '--approval', approval);
    expect(both.match(/does not count/g)).toHaveLength(1);
    const lines = [await signs(machine), await signs(machine, '--param', 'note=x')].map((path) =>
      JSON.stringify(JSON.parse(readFileSync(path, 'utf8'))),
    );
    const stream = machine.file('lines.ndjson', `${lines.join('\n')}\n`);
    expect((await said(stream, '--ndjson', '--approval', approval)).match(/does not count/g)).toHaveLength(1);
    const exec = ['exec', '--intent', await signs(machine), '-a', 'issue_refund', '--approval', approval];
    expect((await machine.run(...exec, '--', process.execPath, '-e', '')).err).toContain('no request is named');
    // Another request beside the one that the intent names would count for nothing either.
    const named = await signs(machine, '--approval-request', id);
    expect(await machine.failure('intent', 'verify', named, '--approval-request', second)).toMatchObject({
      code: 'USAGE',
      exit_code: 2,
      message: expect.stringContaining(`names the request ${id} itself`),
    });
    const run = ['exec', '--intent', named, '-a', 'issue_refund', '--approval-request', second];
    expect((await machine.run(...run, '--', process.execPath, '-e', '')).code).toBe(2);
    const { code, err } = await machine.run(
      ...['intent', 'verify', await signs(machine), '--approval', approval, '--approval-request', id],
    );
    expect([code, err]).toEqual([0, expect.not.stringContaining('does not count')]);
  });

  test('one of an exact intent, where the passport names who approves', async () => {
    const approvers = [{ id: 'did:web:acme.com:people:kim', public_key: `ed25519:${'1'.repeat(64)}` }];
    const machine = await team(`require_approval:=${JSON.stringify({ above: 100, approvers })}`);
    const intent = await signs(machine);
    const exact = machine.at('exact.json');
    expect(await machine.run('approve', intent, '-o', exact, '--yes')).toMatchObject({ code: 0 });
    const { code, err } = await machine.run('intent', 'verify', intent, '--approval', exact);
    expect([code, err]).toEqual([14, expect.stringContaining('exact.json does not count: it is of one exact intent')]);
  });

  test('a denial that comes by file ends the request for every later intent', async () => {
    const machine = await team();
    const id = await refused(machine);
    const shown = (await machine.json<{ request: object }>('approvals', 'show', id)).value;
    const request = machine.file('request.json', JSON.stringify(shown.request));
    const [approval, denial] = ['approval.json', 'denial.json'].map((name) => machine.at(name)) as [string, string];
    expect(await machine.run('approvals', 'approve', request, '-o', approval, '--yes')).toMatchObject({ code: 0 });
    expect(await machine.run('approvals', 'deny', request, '-o', denial, '--yes')).toMatchObject({ code: 0 });
    const intent = await signs(machine, '--approval-request', id);
    const both = ['--approval', approval, '--approval', denial] as const;
    expect(await machine.run('intent', 'verify', intent, ...both, '--dry-run')).toMatchObject({ code: 14 });
    expect((await machine.json<unknown[]>('approvals', 'list')).value).toMatchObject([{ request_id: id }]);
    expect(await machine.run('intent', 'verify', intent, ...both)).toMatchObject({ code: 14 });
    const { value } = await machine.json<Decision>('intent', 'verify', intent, '--approval', approval);
    expect(value).toMatchObject({ success: false, details: { reason: 'denied', request_id: null } });
    expect((await machine.json<unknown[]>('approvals', 'list')).value).toEqual([]);
  });

  test('an envelope has its request beside it, and exec signs with one', async () => {
    const machine = await team();
    const id = await refused(machine);
    expect(await machine.run('approve', id, '--yes')).toMatchObject({ code: 0 });
    const exec = ['exec', '-p', 'bot', '-a', 'issue_refund', '-e', machine.at('.env'), '--param', 'amount:=10000'];
    const command = ['--', process.execPath, '-e', ''];
    expect(await machine.run(...exec, '--approval-request', id, ...command)).toMatchObject({ code: 0 });
    const envelope = await signs(machine, '--dialect', 'aip-1');
    const { value } = await machine.json<Decision>('intent', 'verify', envelope);
    expect(value).toMatchObject({ dialect: 'aip-1', error_code: 'AIP-E209' });
    const other = value.details!.request_id as string;
    expect(await machine.run('approve', other, '--yes')).toMatchObject({ code: 0 });
    const verify = ['intent', 'verify', envelope, '--approval-request', other];
    expect(await machine.run(...verify)).toMatchObject({ code: 0 });
    const sign = ['intent', 'sign', '-p', 'bot', '-a', 'issue_refund', '--dialect', 'aip-1', '--approval-request', id];
    expect(await machine.failure(...sign)).toMatchObject({ code: 'USAGE' });
  });

  test.each([
    ['what is neither an id nor a file', ['approvals', 'show', 'x'], { code: 'NOT_FOUND', exit_code: 3 }],
    ['an id that is not known', ['approvals', 'show', 'f'.repeat(32)], { code: 'NOT_FOUND', exit_code: 3 }],
    ['a file that is none', ['approvals', 'approve', 'no.json'], { code: 'NOT_FOUND', exit_code: 3 }],
  ])('%s', async (_, argv, failure) => {
    const machine = household();
    expect(await machine.failure(...argv)).toMatchObject(failure);
  });

  test('a key of no approver answers nothing, nor does an approval that is too long', async () => {
    const machine = await team('require_approval:={"above":100,"ttl":"10m"}');
    const id = await refused(machine);
    expect(await machine.failure('approvals', 'approve', id, '--as', 'did:web:eve.example')).toMatchObject({
      code: 'USAGE',
    });
    expect(await machine.failure('approvals', 'approve', id, '--for', '11m')).toMatchObject({ code: 'USAGE' });
    const other =
      'require_approval:={"approvers":[{"id":"did:web:alice.example","public_key":"ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}]}';
    const elsewhere = await team(other);
    const asked = await refused(elsewhere);
    expect(await elsewhere.failure('approvals', 'approve', asked)).toMatchObject({
      code: 'KEY_NOT_FOUND',
      exit_code: 4,
    });
  });
});

describe('at a terminal', () => {
  const tty = { stdin: true, stderr: true };
  const elsewhere = [{ id: 'did:web:acme.com:people:kim', public_key: `ed25519:${'1'.repeat(64)}` }];

  test.each(['approve', 'deny'] as const)('%s: nobody is asked about what could not be signed then', async (verb) => {
    const machine = await team(`require_approval:=${JSON.stringify({ above: 100, approvers: elsewhere })}`, { tty });
    const id = await refused(machine);
    const { code, err } = await machine.run('approvals', verb, id);
    expect([code, err]).toEqual([4, expect.stringContaining('holds no key of those who may answer')]);
    expect(err).not.toMatch(/Approve exactly this|Deny this/);
    const late = await machine.run('approvals', verb, id, '--reason', 'x'.repeat(2000));
    expect([late.code, late.err]).toEqual([2, expect.not.stringMatching(/Approve exactly this|Deny this/)]);
  });

  test('approve of an intent: nor where the key of its principal is not here', async () => {
    const home = await team(RULE);
    const machine = await team(RULE, { tty });
    const intent = machine.file('intent.json', readFileSync(await signs(home), 'utf8'));
    const passport = machine.file('other.json', readFileSync(home.at('bot.passport.json'), 'utf8'));
    expect(await machine.run('principal', 'remove', 'did:web:acme.com', '--yes')).toMatchObject({ code: 0 });
    const listed = await home.json<{ public_key: string }[]>('principal', 'list');
    const pin = ['principal', 'add', 'did:web:acme.com', '--public-key', listed.value[0]!.public_key, '--yes'];
    expect(await machine.run(...pin)).toMatchObject({ code: 0 });
    const { code, err } = await machine.run('approve', intent, '-p', passport);
    expect([code, err]).toEqual([4, expect.not.stringContaining('Approve this')]);
  });

  test.each([
    ['y', 0, 'approved'],
    ['n', 2, 'pending'],
  ] as const)('an answer of %s', async (typed, code, status) => {
    const machine = await team(RULE, { tty });
    const id = await refused(machine);
    const asked = machine.run('approvals', 'approve', id);
    while (!machine.err().includes('Approve exactly this')) await new Promise((go) => setTimeout(go, 5));
    machine.type(`${typed}\n`);
    expect((await asked).code).toBe(code);
    expect((await machine.json<RequestReport[]>('approvals', 'list')).value).toMatchObject([{ status }]);
  });
});
