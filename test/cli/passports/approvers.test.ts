/** The key of an approver is given as any public key is: as text in every form, as a file, or by what is pinned here. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { multikeyText } from '../../../src/protocol/identity/public-key-forms.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { publicKeyText } from '../../kit/native/parts.js';
import { household, inFiles, type Household } from '../../kit/native/household.js';

const KEY = publicKeyText('stranger');
const RAW = Buffer.from(KEY.slice('ed25519:'.length), 'hex');
const SSH = `ssh-ed25519 ${Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 '), RAW]).toString('base64')} kim@laptop`;
const KIM = 'did:web:kim.example';
const ruleOf = (...approvers: object[]): string => `require_approval:=${JSON.stringify({ above: 100, approvers })}`;
const create = (machine: Household, ...more: string[]) =>
  ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'refund', ...inFiles(machine), ...more] as const;
const written = (machine: Household, path: string): JsonObject =>
  (JSON.parse(readFileSync(machine.at(path), 'utf8')) as { constraints: JsonObject }).constraints;

describe('the public_key of an approver', () => {
  test.each([
    ['as it is written in a passport', KEY],
    ['base64url', RAW.toString('base64url')],
    ['an ssh-ed25519 line', SSH],
    ['did:key', `did:key:${multikeyText(parsePublicKey(KEY)!)}`],
    ['a JWK', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: RAW.toString('base64url') })],
    ['a file', 'kim.pub'],
    ['a principal that is pinned here', KIM],
    ['a key of one by its id', `${KIM}#key-1`],
  ])('%s', async (_, given) => {
    const machine = household();
    const file = machine.file('kim.pub', `${SSH}\n`);
    expect(await machine.run('principal', 'add', KIM, '--public-key', KEY)).toMatchObject({ code: 0 });
    const approver = { id: KIM, public_key: given === 'kim.pub' ? file : given };
    const made = await machine.run(...create(machine, '--constraint', ruleOf(approver)));
    expect(made).toMatchObject({ code: 0 });
    const rule = { above: 100, approvers: [{ id: KIM, public_key: KEY }] };
    expect(written(machine, 'bot.passport.json').require_approval).toEqual(rule);
  });

  test('also in a draft, in a change, and in a request', async () => {
    const machine = household();
    const approvers = [{ id: KIM, public_key: machine.file('kim.pub', SSH) }];
    const draft = machine.file('draft.json', JSON.stringify({ constraints: { require_approval: { approvers } } }));
    expect(await machine.run(...create(machine, '--from', draft))).toMatchObject({ code: 0 });
    const now = [{ id: KIM, public_key: KEY }];
    expect(written(machine, 'bot.passport.json').require_approval).toEqual({ approvers: now });
    const change = [
      'passport',
      'update',
      'bot',
      '--constraint',
      ruleOf(...approvers),
      '--draft',
      machine.at('next.json'),
    ];
    expect(await machine.run(...change)).toMatchObject({ code: 0 });
    expect(written(machine, 'next.json').require_approval).toEqual({ above: 100, approvers: now });
    const asked = ['passport', 'request', 'new', '--domain', 'acme.com', '-a', 'refund', '--key-store', 'file'];
    const file = machine.at('new.request.json');
    expect(await machine.run(...asked, '--constraint', ruleOf(...approvers), '-o', file)).toMatchObject({ code: 0 });
    expect(written(machine, 'new.request.json').require_approval).toEqual({ above: 100, approvers: now });
  });

  test.each([
    ['a file that is not there', 'no.pub', 'NOT_FOUND', 'there is no file'],
    ['a principal that is not pinned', 'did:web:eve.example', 'NOT_FOUND', 'is pinned here'],
    [
      'another kind of key',
      'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY= x',
      'USAGE',
      'an Ed25519 public key is needed',
    ],
    ['nothing', '', 'USAGE', 'is empty'],
    ['text that is none', 'kim', 'USAGE', 'neither a public key nor a file'],
  ])('that is %s makes no passport', async (_, given, code, said) => {
    const machine = household();
    const failure = await machine.failure(...create(machine, '--constraint', ruleOf({ id: KIM, public_key: given })));
    expect(failure).toMatchObject({ code, message: expect.stringContaining(said) });
  });

  test.each([
    [
      'two names for one key',
      [
        { id: KIM, public_key: KEY },
        { id: 'did:web:lee.example', public_key: SSH },
      ],
    ],
    ['a member too many', [{ id: KIM, public_key: KEY, more: 1 }]],
    ['no key', [{ id: KIM }]],
    ['a number', [7]],
  ])('%s: the rules of a passport hold as before', async (_, approvers) => {
    const machine = household();
    const rule = `require_approval:=${JSON.stringify({ approvers })}`;
    expect(await machine.failure(...create(machine, '--constraint', rule))).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('require_approval.approvers'),
    });
  });
});
