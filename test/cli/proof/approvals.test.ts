/** A bundle of what persons approved: their word is judged again, and what is forged, missing or of something else shows no limits. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readBundle, writeBundle, type Bundle } from '../../../src/app/proof/bundle.js';
import { checkProof } from '../../../src/app/proof/check.js';
import { rejudging } from '../../../src/app/proof/rejudge.js';
import type { ProofReport } from '../../../src/app/proof/report.js';
import { verifyKeyOf } from '../../../src/protocol/ed25519/verify.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Decision } from '../../../src/verify/decision.js';
import { household, inFiles, PASSPHRASE, type Household } from '../../kit/native/household.js';
import { AT, publicKeyText, withSignature, type Signer } from '../../kit/native/parts.js';
import { world } from '../../kit/world.js';

const ALICE = 'did:web:alice.example';
const BOB = 'did:web:bob.example';
/** So many seconds after the moment at which these machines live. */
const timeAt = (seconds: number): string => new Date(Date.parse(AT) + seconds * 1000).toISOString();
const named = (id: string, signer: Signer): object => ({ id, public_key: publicKeyText(signer) });
const TWO = `require_approval:=${JSON.stringify({ approvers: [named(ALICE, 'stranger'), named(BOB, 'agent key 3')], count: 2 })}`;

/** A machine with an agent that persons have to approve. */
async function machineOf(rule: string): Promise<Household> {
  const machine = household({ env: { AIP_KEY_PASSPHRASE: PASSPHRASE } });
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'issue_refund', '--constraint', rule];
  expect(await machine.run(...create, ...inFiles(machine))).toMatchObject({ code: 0 });
  return machine;
}

let made = 0;
async function signs(machine: Household, amount: number, ...more: string[]): Promise<string> {
  const path = machine.at(`intent-${made++}.json`);
  const sign = ['intent', 'sign', '-p', 'bot', '-a', 'issue_refund', '-e', machine.at('.env'), '-o', path];
  expect(await machine.run(...sign, '--param', `amount:=${amount}`, ...more)).toMatchObject({ code: 0 });
  return path;
}

/** The id of the request that is raised for it. */
async function asks(machine: Household, amount: number): Promise<string> {
  const { code, value } = await machine.json<Decision>('intent', 'verify', await signs(machine, amount));
  expect([code, value.error_code]).toEqual([14, 'AIP-E209']);
  return value.details!.request_id as string;
}

async function requestNamed(machine: Household, id: string): Promise<JsonObject> {
  return (await machine.json<{ request: JsonObject }>('approvals', 'show', id)).value.request;
}

/** An answer to a request; `over` replaces members before it is signed. */
function answer(request: JsonObject, approver: string, signer: Signer, over: JsonObject = {}): JsonObject {
  const { request_id, verifier, action_hash, agent_id, passport_hash } = request;
  const document = {
    ...{ type: 'approval', version: 2, request_id, verifier, action_hash, agent_id, passport_hash, approver },
    ...{ key_id: `${approver}#key-1`, decision: 'approve', reason: null },
    approved_at: timeAt(0),
    approved_until: timeAt(600),
    ...over,
  };
  return withSignature(document, 'signature', signer);
}

interface Proved {
  readonly text: string;
  readonly bundle: Bundle;
  readonly keys: readonly string[];
}

async function prove(machine: Household, ...argv: string[]): Promise<Proved> {
  const { code, out, err } = await machine.run('logs', 'prove', ...argv);
  expect(code, err).toBe(0);
  const keys = /(--principal-key \S+) (--verifier-key \S+)/
    .exec(err)!
    .slice(1)
    .flatMap((each) => each.split(' '));
  return { text: out, bundle: readBundle(Buffer.from(out)), keys };
}

/** On a machine without state. */
async function verify(text: string, ...argv: string[]): Promise<{ code: number; report: ProofReport }> {
  const { code, out } = await world({ stdin: text }).run('proof', 'verify', '-', '--json', ...argv);
  return { code, report: JSON.parse(out) as ProofReport };
}

const limitsIn = ({ steps }: ProofReport): [string, string] => {
  const { status, message } = steps.find(({ step }) => step === 'limits')!;
  return [status, message];
};

/** The check in this process: for many bundles. */
function checking({ keys }: Proved): (bundle: Bundle) => Promise<ProofReport> {
  const [principal, key] = keys[1]!.split('=') as [string, string];
  const pin = { keyId: `${principal}#key-1`, key: verifyKeyOf(parsePublicKey(key)!)! };
  const pins = (asked: string) => (asked === principal ? [pin] : []);
  const verifiers = [keys[3]!, ...keys.slice(5)].map((each) => parsePublicKey(each)!);
  const rejudge = rejudging(pins, async () => {
    throw new Error('there is no schema');
  });
  return (bundle) => checkProof(bundle, null, { pins, verifiers, witnesses: [], mesh: null }, rejudge);
}

describe('a bundle of what the principal approved', () => {
  test('shows who approved, within the limits, to who trusts the verifier', async () => {
    const machine = await machineOf('require_approval:={"above":100}');
    const id = await asks(machine, 10000);
    const approve = ['approvals', 'approve', id, '--yes', '--reason', 'ok <b>\u202e'];
    expect(await machine.run(...approve)).toMatchObject({ code: 0 });
    expect((await machine.run('intent', 'verify', await signs(machine, 10000, '--approval-request', id))).code).toBe(0);
    const proved = await prove(machine, '2');
    expect(proved.bundle.approvals).toMatchObject([
      { type: 'approval-request', request_id: id },
      { type: 'approval', request_id: id, approver: 'did:web:acme.com', decision: 'approve' },
    ]);
    expect(proved.text.length).toBeLessThan(4096);
    const { code, report } = await verify(proved.text, ...proved.keys);
    expect([code, limitsIn(report)]).toEqual([0, ['ok', expect.stringContaining('approved by did:web:acme.com (')]]);
    expect(report.approved_by).toMatchObject([{ approver: 'did:web:acme.com', key_id: 'did:web:acme.com#key-1' }]);

    // An approval is for one verifier: without its key nothing is shown.
    const blind = await verify(proved.text, ...proved.keys.slice(0, 2));
    expect([blind.code, limitsIn(blind.report), blind.report.approved_by]).toEqual([
      12,
      ['unproven', expect.stringContaining('--verifier-key')],
      [],
    ]);
    const page = machine.at('page.html');
    const shown = await world({ stdin: proved.text }).run('proof', 'verify', '-', '--html', page, ...proved.keys);
    expect(shown.out).toContain('did:web:acme.com approved because: ok <b>');
    expect(shown.out).not.toContain('\u202e');
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('Approved by');
    expect([html.includes('<b>'), html.includes('\u202e')]).toEqual([false, false]);
  });

  test('of exactly one intent counts as well, and shows nothing for another', async () => {
    const machine = await machineOf('require_approval:={"above":100}');
    const [intent, other] = [await signs(machine, 500), await signs(machine, 600)];
    const files = [machine.at('a.json'), machine.at('b.json')];
    for (const [at, each] of [intent, other].entries())
      expect(await machine.run('approve', each, '-o', files[at]!, '--yes')).toMatchObject({ code: 0 });
    expect((await machine.run('intent', 'verify', intent, '--approval', files[0]!)).code).toBe(0);
    const without = await prove(machine, '1');
    expect(limitsIn((await verify(without.text, ...without.keys)).report)).toEqual([
      'unproven',
      expect.stringContaining('holds no approval'),
    ]);
    const whole = await prove(machine, '1', '--approval', files[0]!);
    expect(await verify(whole.text, ...whole.keys)).toMatchObject({ code: 0, report: { ok: true } });
    expect(await machine.failure('logs', 'prove', '1', '--approval', files[1]!)).toMatchObject({ code: 'USAGE' });
    const check = checking(whole);
    const foreign = JSON.parse(readFileSync(files[1]!, 'utf8')) as JsonObject;
    expect(limitsIn(await check({ ...whole.bundle, approvals: [foreign] }))[0]).toBe('broken');
  });
});

describe('a bundle of what two named persons approved', () => {
  test('holds for both of them, and for nothing that is forged, missing or of something else', async () => {
    const machine = await machineOf(TWO);
    const id = await asks(machine, 10000);
    const request = await requestNamed(machine, id);
    const foreign = await requestNamed(machine, await asks(machine, 20000));
    const alice = answer(request, ALICE, 'stranger', { reason: 'fine' });
    const bob = answer(request, BOB, 'agent key 3');
    const files = [alice, bob].flatMap((each, at) => ['--approval', machine.file(`${at}.json`, JSON.stringify(each))]);
    const intent = await signs(machine, 10000, '--approval-request', id);
    expect((await machine.run('intent', 'verify', intent, ...files)).code).toBe(0);
    const proved = await prove(machine, '3', ...files);
    const check = checking(proved);
    const whole = await check(proved.bundle);
    expect([whole.ok, whole.approved_by.map(({ approver }) => approver)]).toEqual([true, [ALICE, BOB]]);
    expect((await verify(proved.text, ...proved.keys)).code).toBe(0);

    const [shown] = proved.bundle.approvals;
    const past = { approved_at: '2026-01-01T00:00:00.000Z', approved_until: '2026-01-01T00:10:00.000Z' };
    const later = timeAt(3600);
    const after = { approved_at: later, approved_until: timeAt(3700) };
    const stranger = publicKeyText('stranger');
    const cases: readonly [string, readonly JsonObject[], 'broken' | 'unproven'][] = [
      ['none', [], 'unproven'],
      ['no answer', [shown!], 'unproven'],
      ['one of two', [shown!, alice], 'unproven'],
      ['one twice', [shown!, alice, alice], 'unproven'],
      ['no request', [alice, bob], 'broken'],
      ['two requests', [shown!, shown!, alice, bob], 'broken'],
      ['signed by a stranger', [shown!, alice, answer(request, BOB, 'stranger')], 'broken'],
      ['not named', [shown!, alice, bob, answer(request, 'did:web:eve.example', 'agent key 2')], 'broken'],
      ['denied', [shown!, alice, answer(request, BOB, 'agent key 3', { decision: 'deny' })], 'broken'],
      ['denied beside enough', [shown!, alice, bob, answer(request, BOB, 'agent key 3', { decision: 'deny' })], 'broken'],
      ['over', [shown!, alice, answer(request, BOB, 'agent key 3', past)], 'broken'],
      ['given afterwards', [shown!, alice, answer(request, BOB, 'agent key 3', after)], 'broken'],
      ['for too long', [shown!, alice, answer(request, BOB, 'agent key 3', { approved_until: '2036-01-01T00:00:00.000Z' })], 'broken'],
      ['another action', [shown!, alice, answer(foreign, BOB, 'agent key 3')], 'broken'],
      ['another hash', [shown!, alice, answer(request, BOB, 'agent key 3', { action_hash: foreign['action_hash']! })], 'broken'],
      ['another verifier', [shown!, alice, answer(request, BOB, 'agent key 3', { verifier: stranger })], 'broken'],
      ['another passport', [shown!, alice, answer(request, BOB, 'agent key 3', { passport_hash: `sha256:${'0'.repeat(64)}` })], 'broken'],
      ['another agent', [shown!, alice, answer(request, BOB, 'agent key 3', { agent_id: 'did:web:acme.com:agents:x' })], 'broken'],
      ['the request of another action', [foreign, answer(foreign, ALICE, 'stranger'), answer(foreign, BOB, 'agent key 3')], 'broken'],
      ['a request by another verifier', [withSignature({ ...shown, verifier: stranger }, 'signature', 'stranger'), alice, bob], 'broken'],
      ['a request that the verifier did not sign', [withSignature(shown!, 'signature', 'stranger'), alice, bob], 'broken'],
      ['an invented member', [shown!, alice, bob, { ...bob, more: 1 }], 'broken'],
      ['what is no approval', [shown!, alice, bob, {}], 'broken'],
    ]; // prettier-ignore
    for (const [name, approvals, status] of cases) {
      const report = await check({ ...proved.bundle, approvals });
      expect([name, limitsIn(report)[0], report.ok, report.exit_code]).toEqual([name, status, false, 12]);
    }
  });

  test('holds for a request of another verifier of the fleet only where its key was given, too', async () => {
    const machine = await machineOf(TWO);
    const id = await asks(machine, 10000);
    const request = await requestNamed(machine, id);
    const answers = [answer(request, ALICE, 'stranger'), answer(request, BOB, 'agent key 3')];
    const files = answers.flatMap((each, at) => ['--approval', machine.file(`${at}.json`, JSON.stringify(each))]);
    const intent = await signs(machine, 10000, '--approval-request', id);
    expect((await machine.run('intent', 'verify', intent, ...files)).code).toBe(0);
    const proved = await prove(machine, '2', ...files);
    const other = publicKeyText('agent key 2');
    const theirs = withSignature({ ...request, verifier: other }, 'signature', 'agent key 2');
    const approvals = [theirs, answer(theirs, ALICE, 'stranger'), answer(theirs, BOB, 'agent key 3')];
    const bundle = { ...proved.bundle, approvals };
    const alone = limitsIn(await checking(proved)(bundle));
    expect(alone[0]).toBe('broken');
    expect(alone[1]).toContain(`whose key was not given: --verifier-key ${other}`);
    const both = await checking({ ...proved, keys: [...proved.keys, '--verifier-key', other] })(bundle);
    expect([limitsIn(both)[0], both.ok]).toEqual(['ok', true]);
  });

  test('flipped at any byte is no yes, hashed anew or not', async () => {
    const machine = await machineOf(TWO);
    const id = await asks(machine, 10000);
    const request = await requestNamed(machine, id);
    const answers = [answer(request, ALICE, 'stranger'), answer(request, BOB, 'agent key 3')];
    const files = answers.flatMap((each, at) => ['--approval', machine.file(`${at}.json`, JSON.stringify(each))]);
    const intent = await signs(machine, 10000, '--approval-request', id);
    expect((await machine.run('intent', 'verify', intent, ...files)).code).toBe(0);
    const proved = await prove(machine, '2', ...files);
    const check = checking(proved);
    expect((await check(proved.bundle)).ok).toBe(true);
    let yes = 0;
    const text = Buffer.from(proved.text);
    for (let at = 0; at < text.length; at++) {
      const changed = Buffer.from(text);
      changed[at]! ^= 1;
      try {
        yes += (await check(readBundle(changed))).ok ? 1 : 0;
      } catch {
        // Not whole.
      }
    }
    const inner = Buffer.from(canonicalize(proved.bundle.approvals as unknown as JsonObject));
    let read = 0;
    for (let at = 0; at < inner.length; at++) {
      const changed = Buffer.from(inner);
      changed[at]! ^= 1;
      let bundle: Bundle;
      try {
        const approvals = JSON.parse(changed.toString('utf8')) as JsonObject[];
        bundle = readBundle(Buffer.from(writeBundle({ ...proved.bundle, approvals })));
      } catch {
        continue;
      }
      read += 1;
      yes += (await check(bundle)).ok ? 1 : 0;
    }
    expect([yes, read > 500]).toEqual([0, true]);
  });

  test('that was refused says that no approval counted by the word of its verifier', async () => {
    const machine = await machineOf(TWO);
    const id = await asks(machine, 10000);
    const request = await requestNamed(machine, id);
    const denial = answer(request, BOB, 'agent key 3', { decision: 'deny', reason: 'no' });
    const file = machine.file('deny.json', JSON.stringify(denial));
    const intent = await signs(machine, 10000, '--approval-request', id);
    expect((await machine.run('intent', 'verify', intent, '--approval', file)).code).toBe(14);
    const plain = await prove(machine, '2');
    const denied = await prove(machine, '2', '--approval', file);
    for (const each of [plain, denied])
      expect(limitsIn((await verify(each.text, ...each.keys)).report)[0]).toBe('unproven');
    // It named no request, so no person had been asked.
    const first = await prove(machine, '1');
    expect(await verify(first.text, ...first.keys)).toMatchObject({ code: 0, report: { error_code: 'AIP-E209' } });
  });

  test('holds no request where the log withholds a param of it', async () => {
    const machine = await machineOf('require_approval:={"above":100}');
    const more = ['--param', 'email=a@b.example'];
    const asked = await signs(machine, 10000, ...more);
    const { value } = await machine.json<Decision>('intent', 'verify', asked);
    const id = value.details!.request_id as string;
    expect(await machine.run('approvals', 'approve', id, '--yes')).toMatchObject({ code: 0 });
    const intent = await signs(machine, 10000, ...more, '--approval-request', id);
    (machine.io.env as Record<string, string>)['AIP_LOG_PARAMS'] = 'none';
    expect((await machine.run('intent', 'verify', intent)).code).toBe(0);
    const bare = await prove(machine, '2');
    expect([bare.bundle.intent, bare.bundle.approvals, bare.text.includes('a@b.example')]).toEqual([null, [], false]);
    const whole = await prove(machine, '2', '--intent', intent);
    expect((await verify(whole.text, ...whole.keys)).code).toBe(0);
  });
});
