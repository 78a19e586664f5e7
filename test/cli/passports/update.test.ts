import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, made, signed } from '../../kit/native/household.js';
import { SUPPORT } from '../../kit/native/parts.js';

const documentAt = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as JsonObject;

describe('aip passport update', () => {
  test('shows the difference, keeps the keys, and takes the next serial', async () => {
    const machine = household();
    const path = await made(machine);
    const before = documentAt(path);
    const { code, err, value } = await machine.json<JsonObject>(
      ...['passport', 'update', 'support-agent-v1', '--monetary-limit', '50', '--remove-action', 'send_email'],
      ...['--add-action', 'close_ticket', '--unset', 'rate_limit', '--expires', 'never', '--yes'],
    );
    expect(code).toBe(0);
    expect(value).toMatchObject({ agent_id: SUPPORT, serial: 2, changed: true, expires_at: null, published: null });
    expect((value['differences'] as JsonObject[]).map(({ path: at }) => at)).toEqual([
      ...['actions.send_email', 'constraints.monetary_limit', 'constraints.rate_limit', 'expires_at'],
      'actions.close_ticket',
    ]);
    expect(err).toContain('- constraints.monetary_limit: "100.00"');
    expect(err).toContain('+ constraints.monetary_limit: 50');
    const after = documentAt(path);
    expect(after).toMatchObject({ serial: 2, key_id: before['key_id'], public_key: before['public_key'] });
    expect(after['actions']).toEqual(['issue_refund', 'close_ticket']);
    expect((await machine.run('passport', 'verify', path)).code).toBe(0);
  });

  test('narrows at once on this machine', async () => {
    const machine = household();
    const path = await made(machine);
    const mail = await signed(machine, path, '.env', 'mail.json');
    expect((await machine.run('passport', 'update', path, '--no-publish', '--remove-action', 'send_email')).code).toBe(
      0,
    );
    const { value } = await machine.json('intent', 'verify', mail);
    expect(value.error_code).toBe('AIP-E201');
  });

  test('says which denials --deny drops, as it takes the place of the whole list', async () => {
    const machine = household();
    const path = await made(machine);
    const update = async (...actions: string[]) =>
      machine.run('passport', 'update', path, '--no-publish', ...actions.flatMap((action) => ['--deny', action]));
    expect((await update('wire', 'drop')).err).not.toContain('denied_no_longer');
    expect((await update('wire', 'drop', 'other')).err).not.toContain('denied_no_longer');
    expect((await update('wire')).err).toContain('Denied no longer: drop, other.');
    expect(documentAt(path)['denied_actions']).toEqual(['wire']);
  });

  test('signs nothing where nothing changes', async () => {
    const machine = household();
    const path = await made(machine);
    const before = readFileSync(path, 'utf8');
    const { code, value } = await machine.json<JsonObject>('passport', 'update', path, '--rate-limit', '10/hour');
    expect([code, value['changed'], value['serial']]).toEqual([0, false, 1]);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('drafts what policy diff, replay, redteam and lint read, and takes the draft as it is', async () => {
    const machine = household();
    const path = await made(machine);
    const before = readFileSync(path, 'utf8');
    const [next, old] = [join(dirname(path), 'new.json'), join(dirname(path), 'old.json')];
    const change = ['--monetary-limit', '50', '--unset', 'rate_limit', '--expires', '30d'];
    const drafted = await machine.run('passport', 'update', 'support-agent-v1', ...change, '--draft', next);
    expect([drafted.code, drafted.err]).toEqual([0, expect.stringContaining('- constraints.rate_limit')]);
    expect(readFileSync(path, 'utf8')).toBe(before);
    const draft = documentAt(next);
    expect(draft).toMatchObject({ serial: 2, constraints: { monetary_limit: 50 } });
    expect(draft['issuer_signature']).toBeUndefined();
    const unsigned = await machine.run('passport', 'verify', next);
    expect([unsigned.code, unsigned.out.replace(/\s+/g, ' ')]).toEqual([
      10,
      expect.stringContaining(`its principal signs it: \`aip passport update <agent> --from ${next}\``),
    ]);
    const other = join(dirname(path), 'intent.json');
    writeFileSync(other, '{"action":"send_email","params":{}}');
    expect((await machine.run('passport', 'verify', other)).out).not.toContain('draft');
    for (const command of [
      ['policy', 'diff', 'support-agent-v1', next],
      ['policy', 'replay', '--passport', next, '--since', '7d'],
      ['passport', 'lint', next],
    ])
      expect([command, (await machine.run(...command)).code]).toEqual([command, 0]);
    expect([0, 15]).toContain((await machine.run('redteam', '-p', next, '--runs', '5')).code);
    expect((await machine.json<JsonObject>('passport', 'show', 'support-agent-v1')).value).toMatchObject({ serial: 1 });
    const taken = await machine.run('passport', 'update', 'support-agent-v1', '--from', next, '--yes');
    expect([taken.code, taken.err]).toEqual([
      0,
      expect.stringContaining(`not taken from ${next}, where it differs: expires_at`),
    ]);
    const after = documentAt(path);
    for (const member of ['serial', 'actions', 'denied_actions', 'constraints', 'metadata'])
      expect(after[member]).toEqual(draft[member]);
    expect(after['expires_at']).toBe((JSON.parse(before) as JsonObject)['expires_at']);
    // The former passport, signed as it is, brings back what it said.
    writeFileSync(old, before);
    expect((await machine.run('passport', 'update', 'support-agent-v1', '--from', old, '--yes')).code).toBe(0);
    expect(documentAt(path)).toMatchObject({
      serial: 3,
      constraints: (JSON.parse(before) as JsonObject)['constraints'],
    });
  });

  test('a draft takes the place of nothing, and of no passport', async () => {
    const machine = household();
    const path = await made(machine);
    const draft = (...flags: string[]) =>
      machine.run('passport', 'update', 'support-agent-v1', '--monetary-limit', '50', ...flags);
    expect((await draft('--draft', path, '--force')).code).toBe(2);
    expect((await draft('--draft', 'new.json', '--out', 'b.json')).code).toBe(2);
    expect((await draft('--draft', 'new.json')).code).toBe(0);
    expect((await draft('--draft', 'new.json')).err).toMatch(
      /exists(.|\n)*--force, or choose another place with --draft/,
    );
    expect((await draft('--draft', 'new.json', '--force')).code).toBe(0);
    expect(JSON.parse((await draft('--draft', '-')).out)).toMatchObject({ serial: 2 });
    const other = { ...documentAt(path), agent_id: 'did:web:acme.com:agents:other' };
    const file = join(dirname(path), 'other.json');
    writeFileSync(file, JSON.stringify(other));
    expect((await machine.run('passport', 'update', 'support-agent-v1', '--from', 'other.json')).code).toBeGreaterThan(
      0,
    );
  });

  test.each([
    [['--remove-action', 'fly'], 'does not declare the action "fly"'],
    [['--unset', 'geo_restriction'], 'no constraint "geo_restriction"'],
    [['--constraint', 'nonsense=1'], 'would be invalid'],
    [['--expires', 'soon'], '--expires'],
    [['--expires', '0s'], '--expires'],
    [['--add-action', 'a b'], 'would be invalid'],
    [['--out', '-', '--json'], 'stdout'],
  ])('%j is wrong use, and changes nothing', async (flags, what) => {
    const machine = household();
    const path = await made(machine);
    const before = readFileSync(path, 'utf8');
    const { code, err } = await machine.run('passport', 'update', path, ...flags);
    expect([code, err]).toEqual([2, expect.stringContaining(what)]);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });
});

test('aip passport renew gives a new term and nothing else', async () => {
  const machine = household();
  const path = await made(machine);
  expect(documentAt(path)['expires_at']).toBe('2026-05-19T14:23:45Z');
  const { code, value } = await machine.json<JsonObject>('passport', 'renew', path, '--expires', '30d', '--no-publish');
  expect([code, value['serial'], value['expires_at']]).toEqual([0, 2, '2026-03-20T14:23:46Z']);
  expect((value['differences'] as JsonObject[]).map(({ path: at }) => at)).toEqual(['expires_at']);
});

test('aip passport rotate --overlap 0s denies the old key as well', async () => {
  const machine = household();
  const path = await made(machine);
  const old = documentAt(path)['public_key'] as string;
  const flags = ['--env-file', machine.at('.env2'), '--overlap', '0s', '--expires', 'never', '--no-publish'];
  const { code, value } = await machine.json<JsonObject>('passport', 'rotate', path, ...flags);
  expect([code, value['previous_key_denied'], value['expires_at']]).toEqual([0, 'here', null]);
  const status = await machine.json<JsonObject>('status', old);
  expect(status.value).toMatchObject({ agent_id: old, status: 'revoked' });
});

describe('aip intent verify --min-serial, --passport-hash', () => {
  test.each([
    [[`--min-serial`, `${SUPPORT}=1`], null],
    [[`--min-serial`, `${SUPPORT}=2`], 'superseded'],
    [[`--min-serial`, `did:web:acme.com:agents:other=9`], null],
    [[`--passport-hash`, `${SUPPORT}=sha256:${'0'.repeat(64)}`], 'conflict'],
  ])('%j', async (flags, reason) => {
    const machine = household();
    const path = await made(machine);
    const mail = await signed(machine, path, '.env', 'mail.json');
    const { value } = await machine.json('intent', 'verify', mail, ...flags);
    expect([value.error_code, value.details?.['reason'] ?? null]).toEqual(
      reason === null ? [null, null] : ['AIP-E103', reason],
    );
  });

  test.each([
    ['--min-serial', 'bot=1'],
    ['--min-serial', `${SUPPORT}=0`],
    ['--passport-hash', `${SUPPORT}=abc`],
  ])('%s %s is wrong use', async (...flags) => {
    const machine = household();
    expect((await machine.run('intent', 'verify', 'x.json', ...flags)).code).toBe(2);
  });
});
