import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { household, made, signed } from '../../kit/native/household.js';
import { SUPPORT } from '../../kit/native/parts.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

/** The guide's agent after a rotation, and the passport that it had before. */
async function rotated() {
  const machine = household();
  const path = await made(machine);
  const old = machine.at('old.passport.json');
  writeFileSync(old, readFileSync(path));
  const mail = await signed(machine, path, '.env', 'mail.json');
  expect((await machine.run('passport', 'rotate', path, '--env-file', machine.at('.env2'))).code).toBe(0);
  return { machine, path, old, mail };
}

describe('a passport that its principal has replaced', () => {
  test('is numbered from 1, one more each time', async () => {
    const { path, old } = await rotated();
    const serials = [old, path].map((file) => (JSON.parse(readFileSync(file, 'utf8')) as JsonObject)['serial']);
    expect(serials).toEqual([1, 2]);
  });

  test('is refused whoever presents it, and by what number', async () => {
    const { machine, old, mail } = await rotated();
    const { code, value } = await machine.json('intent', 'verify', mail, '-p', old);
    expect([code, value.error_code]).toEqual([10, 'AIP-E103']);
    expect(value.details).toMatchObject({ reason: 'superseded', serial: 1, known_serial: 2, agent_id: SUPPORT });
    expect(value.checks[0]).toMatchObject({ check: 'passport', status: 'failed' });
    const { out } = await machine.run('intent', 'verify', mail, '-p', old);
    expect(out).toMatch(/next: Use the passport that replaced it/);
    expect(out).not.toContain('aip principal add');
    const looked = await machine.run('passport', 'verify', old);
    expect([looked.code, looked.out]).toEqual([10, expect.stringMatching(/next: Use the passport that replaced it/)]);
    expect((await machine.failure('passport', 'import', old)).hint).toBe(
      'get the one that replaced it from its principal',
    );
  });

  test('does not come back after the newer one was deleted', async () => {
    const { machine, path, old, mail } = await rotated();
    expect((await machine.run('passport', 'delete', 'support-agent-v1', '--yes', '--keep-key')).code).toBe(0);
    const { value } = await machine.json('intent', 'verify', mail, '-p', old);
    expect([value.error_code, value.details?.['reason']]).toEqual(['AIP-E103', 'superseded']);
    expect((await machine.json('intent', 'verify', mail, '-p', path)).code).toBe(0);
  });

  test('is not signed again', async () => {
    const { machine, old } = await rotated();
    const failure = await machine.failure('passport', 'rotate', old, '--env-file', machine.at('.env3'));
    expect([failure.exit_code, failure.message]).toEqual([10, expect.stringContaining('serial 1 and was replaced: 2')]);
  });

  test('is refused on a machine that has seen the newer one verify, and on none that only rehearsed it', async () => {
    const { machine, path, old } = await rotated();
    const key = (await machine.json<JsonObject[]>('principal', 'list')).value[0]!['public_key'] as string;
    const other = household();
    await other.run('principal', 'add', 'did:web:acme.com', '--public-key', key);
    const first = await signed(machine, path, '.env2', 'first.json');
    const second = await signed(machine, path, '.env', 'second.json', '-p', old);
    expect((await other.json('intent', 'verify', first, '-p', path, '--dry-run')).code).toBe(0);
    expect((await other.json('intent', 'verify', second, '-p', old, '--dry-run')).code).toBe(0);
    expect((await other.json('intent', 'verify', first, '-p', path)).code).toBe(0);
    const { value } = await other.json('intent', 'verify', second, '-p', old);
    expect(value.details).toMatchObject({ reason: 'superseded', serial: 1, known_serial: 2 });
  });

  test('is not imported again, and import raises the floor', async () => {
    const { machine, path, old } = await rotated();
    const key = (await machine.json<JsonObject[]>('principal', 'list')).value[0]!['public_key'] as string;
    const other = household();
    await other.run('principal', 'add', 'did:web:acme.com', '--public-key', key);
    const { value } = await other.json<JsonObject>('passport', 'import', path);
    expect(value).toMatchObject({ serial: 2, result: 'imported' });
    const failure = await other.failure('passport', 'import', old);
    expect([failure.exit_code, failure.message]).toEqual([10, expect.stringContaining('was replaced: 2')]);
    const verdict = await other.json<JsonObject>('passport', 'verify', old);
    expect([verdict.code, verdict.value['error_code']]).toEqual([10, 'AIP-E103']);
  });

  test('does not keep others from being imported in the same call', async () => {
    const { machine, path, old } = await rotated();
    const { code, value } = await machine.json<JsonObject[]>('passport', 'import', old, path, machine.at('none.json'));
    expect([code, value.map(({ result }) => result)]).toEqual([10, ['refused', 'known already', 'refused']]);
  });
});
