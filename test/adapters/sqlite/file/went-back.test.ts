/** Attacks 8: a state belongs to its owner, does not go back unnoticed, and agrees with its log. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openState } from '../../../../src/adapters/sqlite/open.js';
import { readGeneration, wentBack } from '../../../../src/adapters/sqlite/file/generation.js';
import type { JsonObject } from '../../../../src/protocol/json/values.js';
import { settled } from '../../../kit/native/household.js';
import { fixture } from '../../../kit/native/vectors.js';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { scratch } from '../../../kit/scratch.js';

const root = process.getuid?.() === 0;

function tamper(path: string, sql: string): void {
  const database = new Database(path, 1000);
  database.exec(sql);
  database.close();
}

/** A machine that has accepted a refund, with a copy of its state from before. */
async function spent() {
  const machine = await settled();
  const generation = join(machine.io.userHome, '.local', 'share', 'aip', 'state.generation');
  const before = join(scratch(), 'state.db');
  const sides = (path: string) => ['', '-wal', '-shm'].map((end) => `${path}${end}`);
  const copy = (from: string, to: string): void =>
    sides(from).forEach((path, i) => {
      const target = sides(to)[i]!;
      if (existsSync(path)) copyFileSync(path, target);
      else rmSync(target, { force: true });
    });
  copy(machine.state, before);
  const refund = fixture('intent-refund.json');
  const verify = () => machine.json<{ error_code: string | null }>('intent', 'verify', refund);
  expect((await verify()).code).toBe(0);
  return { machine, generation, verify, restore: () => copy(before, machine.state), refund };
}

describe('a state that went back', () => {
  test('refuses what it may have accepted before, says so, and doctor too', async () => {
    const { machine, verify, restore, generation } = await spent();
    restore();
    const again = await verify();
    expect([again.code, again.value.error_code]).toEqual([11, 'AIP-E302']);
    expect(again.err).toContain('went back');
    expect((await machine.run('doctor')).out).toContain('An older copy of the state was found here');
    expect(readGeneration(generation)).toMatchObject({ wentBackAt: expect.any(Number) as number });
    // Said once: from here on it is the state.
    expect((await verify()).err).not.toContain('went back');
  });

  test('is found when it was replaced by an empty one', async () => {
    const { machine, verify } = await spent();
    for (const end of ['', '-wal', '-shm']) rmSync(`${machine.state}${end}`, { force: true });
    expect(
      (await machine.run('principal', 'add', 'did:web:acme.com', '--public-key', `ed25519:${'0f'.repeat(32)}`)).err,
    ).toContain('another state');
    await verify();
  });

  test.each([
    ['no file', (path: string) => rmSync(path)],
    [
      'an older mark',
      (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace(/"seq":\d+/, '"seq":0')),
    ],
  ])('%s is no sign of it', async (_, spoil) => {
    const { verify, generation } = await spent();
    spoil(generation);
    const again = await verify();
    expect([again.value.error_code, again.err]).toEqual(['AIP-E301', expect.not.stringContaining('went back')]);
  });

  test('is found when it came as far again, by another entry', async () => {
    const { verify, generation } = await spent();
    const seen = readFileSync(generation, 'utf8');
    writeFileSync(
      generation,
      seen.replace(/(?<="hash":"[^"]*)([^"])(?=")/, (last) => (last === '0' ? '1' : '0')),
    );
    expect(readFileSync(generation, 'utf8')).not.toBe(seen);
    expect((await verify()).err).toContain('of its log is not the one that was there');
  });

  test('a mark that cannot be read is not taken for a new one', async () => {
    const { verify, generation } = await spent();
    writeFileSync(generation, '');
    expect((await verify()).err).toContain('cannot be read');
  });

  test('an honest state is never called old, however many processes write', () => {
    const place = scratch();
    const told: string[] = [];
    const open = () =>
      openState(join(place, 'state.db'), {
        random: randomBytes,
        generationFile: join(place, 'mark'),
        onWentBack: (message) => told.push(message),
      });
    const draft = { agent_id: 'did:web:acme.com:agents:bot', action: 'x', timestamp: new Date().toISOString() };
    const append = (state: ReturnType<typeof open>) =>
      state.transact(
        (ledger) =>
          void ledger.append({
            target: null,
            params: null,
            status: 'failed',
            error_code: 'AIP-E201',
            error_message: null,
            details: null,
            nonce: null,
            signature: null,
            intent_hash: null,
            intent_timestamp: null,
            key_id: null,
            passport_hash: null,
            passport_serial: null,
            approval_request: null,
            dialect: 'native',
            latency_us: 0,
            ...draft,
          } as never),
      );
    const first = open();
    for (let round = 0; round < 20; round++) {
      const second = open();
      append(first);
      append(second);
      append(first);
      second.close();
    }
    first.close();
    open().close();
    expect(told).toEqual([]);
  });
});

describe('a state that others can change', () => {
  test.each([
    ['a file that others may write', (home: string) => chmodSync(join(home, 'state.db'), 0o666), 'chmod 600'],
    ['a folder that others may write', (home: string) => chmodSync(home, 0o777), 'chmod 700'],
    ...(root
      ? ([
          [
            'a file of another user',
            (home: string) => chownSync(join(home, 'state.db'), 4_000_001, 4_000_001),
            'chown',
          ],
          ['a folder of another user', (home: string) => chownSync(home, 4_000_001, 4_000_001), 'chown'],
        ] as const)
      : []),
  ] as const)('%s is refused by what trusts it, stops no denial, and doctor says so', async (_, spoil, remedy) => {
    const machine = await settled({ env: {} });
    const home = join(machine.io.userHome, '.local', 'state', 'aip');
    spoil(home);
    const verified = await machine.run('intent', 'verify', fixture('intent-refund.json'));
    expect([verified.code, verified.err]).toEqual([3, expect.stringContaining(remedy)]);
    const denied = await machine.run('revoke', 'did:web:acme.com:agents:support-agent-v1', '--reason', 'x', '--yes');
    expect([0, 3], denied.err).toContain(denied.code);
    const checkup = await machine.run('doctor');
    expect([checkup.code, checkup.out]).toEqual([3, expect.stringContaining(remedy)]);
  });

  test('that is private, or root owns, is used', () => {
    const place = scratch();
    mkdirSync(join(place, 'h'), { mode: 0o755 });
    openState(join(place, 'h', 'state.db'), { random: randomBytes, owner: process.getuid?.() ?? null }).close();
    openState(join(place, 'h', 'state.db'), { random: randomBytes, owner: process.getuid?.() ?? null }).close();
  });
});

describe('aip logs verify', () => {
  test('agrees with an honest state', async () => {
    const { machine } = await spent();
    const { code, value } = await machine.json<JsonObject>('logs', 'verify');
    expect([code, value.derived]).toEqual([0, { ok: true, problems: [] }]);
    expect((await machine.run('logs', 'verify')).out).toContain('agree with it');
  });

  test.each([
    [
      'a nonce that was taken out',
      'DELETE FROM nonces_0; DELETE FROM nonces_1; DELETE FROM nonces_long',
      'could be accepted again',
    ],
    ['counters that were emptied', 'DELETE FROM usages; DELETE FROM spans', 'limits would open'],
    ['a sum that was made smaller', 'UPDATE spans SET low = low - 1 WHERE low > 0', 'sums of accepted intents'],
    ['a tally that was changed', 'UPDATE agents SET failed = failed + 5', 'the tallies of'],
    [
      'a standing that was taken out',
      'DELETE FROM standing; DELETE FROM standing_marks',
      'its standing does not say so',
    ],
    ['a standing without its mark', 'DELETE FROM standing_marks', 'standings are kept'],
  ])('finds %s, and the chain is whole', async (_, sql, words) => {
    const { machine } = await spent();
    await machine.run('revoke', 'did:web:acme.com:agents:support-agent-v1', '--reason', 'x', '--yes');
    tamper(machine.state, sql);
    const { code, value } = await machine.json<{ ok: boolean; derived: { ok: boolean; problems: string[] } }>(
      'logs',
      'verify',
    );
    expect([code, value.ok, value.derived.ok]).toEqual([15, true, false]);
    expect(value.derived.problems.join('\n')).toContain(words);
  });
});

test('what another has seen of a log that is gone is forgotten here, and dated intents are refused', async () => {
  const machine = await settled();
  const state = openState(machine.state, { random: randomBytes });
  state.forgetUntil(machine.io.now());
  state.forgetUntil(0);
  state.close();
  const { value } = await machine.json<{ error_code: string | null }>(
    'intent',
    'verify',
    fixture('intent-refund.json'),
  );
  expect(value.error_code).toBe('AIP-E302');
});

test('a log that is pruned just when it is looked at has not gone back', () => {
  const link = (seq: number) => ({ seq, hash: String(seq).padStart(64, '0') });
  const bounds = [
    { after: link(0), head: link(9) },
    { after: link(8), head: link(9) },
  ];
  const log = { logId: 'a', bounds: () => bounds.shift()!, records: () => [link(9)] };
  expect(wentBack(log, { logId: 'a', head: link(5), wentBackAt: null })).toBeNull();
  const cut = { ...log, bounds: () => ({ after: link(0), head: link(9) }) };
  expect(wentBack(cut, { logId: 'a', head: link(5), wentBackAt: null })).toContain('entry 5');
});
