import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { formatPublicKey, formatSeed } from '../../../src/protocol/identity/keys.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { household, made } from '../../kit/native/household.js';
import { PRINCIPAL } from '../../kit/native/parts.js';

const SECOND = new Uint8Array(32).fill(9);

/** A principal's key has leaked and is denied; another one is pinned and held here. `forged`: what a thief signed with it elsewhere. */
async function leaked() {
  const machine = household();
  const path = await made(machine);
  const old = machine.file('old.json', readFileSync(path, 'utf8'));
  expect((await machine.run('passport', 'update', path, '--remove-action', 'issue_refund', '--yes')).code).toBe(0);

  const thief = household();
  const { value: keys } = await machine.json<JsonObject[]>('key', 'list');
  const stolen = keys.find(({ key_id }) => key_id === `${PRINCIPAL}#key-1`)!['key_ref'] as string;
  const take = ['key', 'import', stolen, '--id', `${PRINCIPAL}#key-1`, '--key-store', 'file'];
  expect((await thief.run(...take)).code).toBe(0);
  expect((await thief.run('passport', 'import', path)).code).toBe(0);
  const forged = machine.at('forged.json');
  const widen = ['passport', 'update', 'support-agent-v1', '--add-action', 'wire', '--yes', '-o', forged];
  expect((await thief.run(...widen)).code).toBe(0);

  const key = machine.file('second.key', formatSeed(SECOND));
  const second = ['key', 'import', key, '--id', `${PRINCIPAL}#key-2`, '--key-store', 'file', '--yes'];
  expect((await machine.run(...second)).code).toBe(0);
  rmSync(key);
  expect((await machine.run('revoke', `${PRINCIPAL}#key-1`, '--reason', 'leak', '--yes')).code).toBe(0);
  return { machine, path, old, forged };
}

describe('after the key of a principal was denied', () => {
  test('a passport that it signed does not verify', async () => {
    const { machine, forged } = await leaked();
    const { code, value } = await machine.json<JsonObject>('passport', 'verify', forged);
    expect([code, value['valid'], value['error_code'], value['error_message']]).toEqual([
      13,
      false,
      'AIP-E406',
      'KEY_REVOKED',
    ]);
  });

  test('show, list and doctor say that the known passport does not count, until it is signed anew', async () => {
    const { machine } = await leaked();
    const said = async (): Promise<string[]> => {
      const { value } = await machine.json<JsonObject[]>('doctor');
      const [row] = (await machine.json<JsonObject[]>('passport', 'list')).value;
      const { message, hint } = value.find(({ check }) => check === 'passport')!;
      const { out } = await machine.run('passport', 'show', 'support-agent-v1');
      return [String(row!['status']), `${String(message)} ${String(hint)}`, out];
    };
    const why = "The key that signed the agent's passport is revoked: leak.";
    const [status, finding, shown] = await said();
    expect(status).toBe('denied');
    expect(finding).toContain(`is not believed here: ${why} aip passport renew support-agent-v1`);
    expect(shown!.replace(/\s+/g, ' ')).toContain(`NOT VERIFIED: ${why}`);
    expect((await machine.run('passport', 'renew', 'support-agent-v1', '--expires', '90d', '--yes')).code).toBe(0);
    expect(await said()).toEqual([
      'valid',
      expect.stringContaining('The one known passport is signed by a pinned principal'),
      expect.stringContaining('ok: signed by'),
    ]);
  });

  test.each(['forged', 'old'] as const)(
    'a passport that it signed, %s, is neither imported nor signed again',
    async (which) => {
      const { machine, [which]: file } = await leaked();
      for (const command of [
        ['import'],
        ['renew', '--expires', '9d', '--yes'],
        ['update', '--add-action', 'x', '--yes'],
      ]) {
        const [verb, ...flags] = command as [string, ...string[]];
        const failure = await machine.failure('passport', verb, file, ...flags);
        expect([verb, failure.code, failure.exit_code]).toEqual([verb, 'KEY_REVOKED', 13]);
      }
    },
  );

  test('the known passport is signed again, by the other key, also where that is the older one', async () => {
    const { machine, path } = await leaked();
    expect((await machine.run('passport', 'renew', 'support-agent-v1', '--expires', '9d', '--yes')).code).toBe(0);
    expect(await machine.json<JsonObject>('passport', 'verify', path)).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ serial: 3, issuer_key_id: `${PRINCIPAL}#key-2` });
    expect((await machine.run('reinstate', `${PRINCIPAL}#key-1`)).code).toBe(0);
    expect((await machine.run('revoke', formatPublicKey(publicKeyOf(SECOND)), '--reason', 'leak', '--yes')).code).toBe(
      0,
    );
    expect((await machine.run('passport', 'renew', 'support-agent-v1', '--expires', '8d', '--yes')).code).toBe(0);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ serial: 4, issuer_key_id: `${PRINCIPAL}#key-1` });
  });

  test('without another key nothing is signed', async () => {
    const { machine } = await leaked();
    expect((await machine.run('revoke', `${PRINCIPAL}#key-2`, '--reason', 'leak', '--yes')).code).toBe(0);
    for (const command of [
      ['passport', 'renew', 'support-agent-v1', '--expires', '7d', '--yes'],
      ['mandate', 'issue', 'support-agent-v1'],
    ]) {
      const failure = await machine.failure(...command);
      expect([failure.code, failure.hint]).toEqual(['KEY_REVOKED', `aip key import <file> --id ${PRINCIPAL}#key-3`]);
    }
  });

  test('while its only key is suspended, the end of that is what to wait for', async () => {
    const machine = household();
    await made(machine);
    expect((await machine.run('suspend', `${PRINCIPAL}#key-1`, '--for', '1h', '--reason', 'doubt')).code).toBe(0);
    const failure = await machine.failure('passport', 'renew', 'support-agent-v1', '--expires', '7d', '--yes');
    expect([failure.code, failure.hint]).toEqual([
      'KEY_REVOKED',
      `wait for the end of its suspension, or: aip reinstate ${PRINCIPAL}#key-1`,
    ]);
  });

  test('where its passport is not known, none that is known is named', async () => {
    const machine = household();
    const copy = machine.file('copy.json', readFileSync(await made(machine), 'utf8'));
    expect((await machine.run('passport', 'delete', 'support-agent-v1', '--keep-key', '--yes')).code).toBe(0);
    expect((await machine.run('revoke', `${PRINCIPAL}#key-1`, '--reason', 'leak', '--yes')).code).toBe(0);
    const failure = await machine.failure('passport', 'renew', copy, '--expires', '7d', '--yes');
    expect([failure.code, failure.hint]).toEqual(['KEY_REVOKED', `get one that another key of ${PRINCIPAL} signed`]);
  });
});
