/** A person's word: what it is given for, and that it counts for nothing else. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { approvalBytes, type ApprovalDocument } from '../../../src/protocol/approvals/exact.js';
import { verifyKeyOf, verifySignature } from '../../../src/protocol/ed25519/verify.js';
import { fromHex } from '../../../src/protocol/hex.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, inFiles, PASSPHRASE, type Household } from '../../kit/native/household.js';

const APPROVAL = 'require_approval:={"environments":["production"]}';

/** An agent that may deploy to production with a person's word only, and the principal that gives it. */
async function team(): Promise<Household> {
  const machine = household({ env: { AIP_KEY_PASSPHRASE: PASSPHRASE } });
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'deploy', '--constraint', APPROVAL];
  expect((await machine.run(...create, '--constraint', 'max_count:=3', ...inFiles(machine))).code).toBe(0);
  return machine;
}

async function signedIntent(machine: Household, name: string, ...more: string[]): Promise<string> {
  const path = machine.at(name);
  const sign = ['intent', 'sign', '-p', 'bot', '-a', 'deploy', '-e', machine.at('.env'), '-o', path];
  expect((await machine.run(...sign, '--param', 'environment=production', ...more)).code).toBe(0);
  return path;
}

async function approved(machine: Household, intent: string): Promise<string> {
  const path = `${intent}.approval`;
  expect((await machine.run('approve', intent, '-o', path)).code).toBe(0);
  return path;
}

const documentIn = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as ApprovalDocument;

describe('aip approve', () => {
  test('signs exactly this intent with the key of the principal', async () => {
    const machine = await team();
    const intent = await signedIntent(machine, 'i.json');
    const { code, out, err } = await machine.run('approve', intent);
    expect(code).toBe(0);
    expect(err).toContain('"environment":"production"');
    const document = JSON.parse(out) as ApprovalDocument;
    const inspected = (await machine.json<JsonObject>('intent', 'inspect', intent)).value;
    expect(document).toEqual({
      type: 'intent-approval',
      version: 1,
      intent_hash: inspected.intent_hash,
      agent_id: 'did:web:acme.com:agents:bot',
      action: 'deploy',
      approver: 'did:web:acme.com',
      key_id: 'did:web:acme.com#key-1',
      approved_at: '2026-02-18T14:23:45Z',
      signature: expect.stringMatching(/^[0-9a-f]{128}$/) as string,
    });
    const [pin] = (await machine.json<{ public_key: string }[]>('principal', 'list')).value;
    const key = verifyKeyOf(parsePublicKey(pin!.public_key)!)!;
    expect(verifySignature(key, approvalBytes(document), fromHex(document.signature)!)).toBe(true);
  });

  test('does not approve what was forged, and says what else would be refused', async () => {
    const machine = await team();
    const intent = await signedIntent(machine, 'i.json', '--param', 'count:=9');
    const forged = machine.file('f.json', readFileSync(intent, 'utf8').replace('"count":9', '"count":1'));
    expect(await machine.run('approve', forged)).toMatchObject({ code: 10 });
    const given = await machine.run('approve', intent);
    expect(given).toMatchObject({ code: 0 });
    expect(given.err).toContain('refuse it all the same: AIP-E207');
  });

  test('tells a person who approves what nobody asked for', async () => {
    const machine = await team();
    const path = machine.at('s.json');
    const sign = ['intent', 'sign', '-p', 'bot', '-a', 'deploy', '-e', machine.at('.env'), '-o', path];
    await machine.run(...sign, '--param', 'environment=staging');
    const { code, err } = await machine.run('approve', path, '--yes');
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('asks for an approval') as string });
  });

  test('needs the principal: who has the agent alone cannot', async () => {
    const machine = await team();
    const intent = await signedIntent(machine, 'i.json');
    const other = household();
    const [pin] = (await machine.json<{ public_key: string }[]>('principal', 'list')).value;
    await other.run('principal', 'add', 'did:web:acme.com', '--public-key', pin!.public_key);
    const failure = await other.failure('approve', intent, '--passport', machine.at('bot.passport.json'));
    expect(failure).toMatchObject({ code: 'KEY_NOT_FOUND', exit_code: 4 });
    expect((await other.run('approve', intent)).code).toBe(10);
  });
});

describe('--approval', () => {
  test('lifts E209 for its intent, once', async () => {
    const machine = await team();
    const intent = await signedIntent(machine, 'i.json');
    expect((await machine.json('intent', 'verify', intent)).value).toMatchObject({ error_code: 'AIP-E209' });
    const approval = await approved(machine, intent);
    expect((await machine.run('intent', 'verify', intent, '--approval', approval)).code).toBe(0);
    expect((await machine.run('intent', 'verify', intent, '--approval', approval)).code).toBe(11);
  });

  test('counts for no other intent, from no other hand, and lifts nothing else', async () => {
    const machine = await team();
    const first = await approved(machine, await signedIntent(machine, 'first.json'));
    const second = await signedIntent(machine, 'second.json');
    const genuine = documentIn(await approved(machine, second));
    const bent = (name: string, changes: Partial<ApprovalDocument>): string =>
      machine.file(name, JSON.stringify({ ...documentIn(first), ...changes }));
    const hash = { intent_hash: genuine.intent_hash };
    const approver = { approver: 'did:web:evil.com', key_id: 'did:web:evil.com#key-1' };
    for (const [file, why] of [
      [first, 'it is for another intent'],
      [bent('a.json', hash), 'no pinned key of did:web:acme.com signed it'],
      [bent('b.json', { ...hash, ...approver }), 'did:web:evil.com does not answer for the agent'],
      [bent('c.json', { ...genuine, agent_id: 'did:web:acme.com:agents:eve' }), 'it is for another intent'],
      [bent('d.json', { ...genuine, approved_at: '2026-02-18T14:23:46Z' }), 'no pinned key'],
    ] as const) {
      const { code, err } = await machine.run('intent', 'verify', second, '--approval', file);
      expect({ code, err }).toEqual({ code: 14, err: expect.stringContaining(why) as string });
    }
    const over = await signedIntent(machine, 'over.json', '--param', 'count:=9');
    const late = await machine.json('intent', 'verify', over, '--approval', await approved(machine, over));
    expect(late.value).toMatchObject({ error_code: 'AIP-E207' });
  });

  test('one of several, for one of several', async () => {
    const machine = await team();
    const intents = [await signedIntent(machine, 'x1.json'), await signedIntent(machine, 'x2.json')] as const;
    const flags: string[] = [];
    for (const intent of intents) flags.push('--approval', await approved(machine, intent));
    const { code, err } = await machine.run('intent', 'verify', ...intents, ...flags);
    expect(code).toBe(0);
    expect(err).not.toContain('does not count');
  });

  test('goes with an intent that exec is given', async () => {
    const machine = await team();
    const intent = await signedIntent(machine, 'i.json');
    const exec = ['exec', '--intent', intent, '-a', 'deploy'];
    const command = ['--', process.execPath, '-e', ''];
    expect((await machine.run(...exec, ...command)).code).toBe(14);
    expect((await machine.run(...exec, '--approval', await approved(machine, intent), ...command)).code).toBe(0);
  });

  test.each([
    ['no JSON', '{', /not strict JSON/],
    ['another document', '{"type":"intent-approval"}', /lacks "version"/],
    ['nothing', '', /not strict JSON/],
  ])('that is %s is a file that cannot be read', async (_, text, why) => {
    const machine = await team();
    const intent = await signedIntent(machine, 'i.json');
    const failure = await machine.failure('intent', 'verify', intent, '--approval', machine.file('a.json', text));
    expect(failure).toMatchObject({ code: 'UNREADABLE', exit_code: 3 });
    expect(failure.message).toMatch(why);
  });
});
