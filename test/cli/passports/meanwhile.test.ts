/** Two commands that sign the next passport of one agent: the one that comes later, on older grounds, undoes nothing. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { aip, crowd, launch, place, type Place } from '../../kit/built/binary.js';

const PASSPHRASE = 'correct horse battery staple';

/** A machine with `bot`, whose key is in .env and its principal's in an encrypted file. */
function machine(): Place {
  const where = place({ AIP_KEY_PASSPHRASE: PASSPHRASE });
  const keys = ['-e', '.env', '--principal-key-store', 'file'];
  const flags = ['--domain', 'acme.com', '-a', 'pay', '-a', 'deploy', '--monetary-limit', '1000', '--currency', 'USD'];
  const { code, err } = aip(where, ['passport', 'create', 'bot', ...flags, ...keys]);
  expect(code, err).toBe(0);
  return where;
}

const documentOf = (where: Place): JsonObject =>
  JSON.parse(readFileSync(join(where.folder, 'bot.passport.json'), 'utf8')) as JsonObject;

/** The write end of a pipe, once a command waits for what comes out of it. */
async function openedByReader(path: string): Promise<number> {
  for (let i = 0; i < 500; i++) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await sleep(20);
    }
  }
  throw new Error('nothing reads the pipe');
}

test.skipIf(process.platform === 'win32').each([
  ['rotate', ['-e', '.env2']],
  ['renew', ['--expires', '30d']],
])('%s that waits for its passphrase does not undo an update', async (verb, flags) => {
  const where = machine();
  execFileSync('mkfifo', [join(where.folder, 'typed')]);
  const waiting = launch(where, ['passport', verb, 'bot', ...flags, '--passphrase-file', 'typed', '--json']);
  const typed = await openedByReader(join(where.folder, 'typed'));
  const update = ['passport', 'update', 'bot', '--monetary-limit', '10', '--remove-action', 'deploy'];
  expect(aip(where, update).code).toBe(0);
  writeSync(typed, `${PASSPHRASE}\n`);
  closeSync(typed);
  const { code, out, err } = await waiting;
  expect([code, out]).toEqual([10, '']);
  expect(JSON.parse(err.trim().split('\n').at(-1)!)).toMatchObject({
    code: 'PASSPORT_REFUSED',
    message: expect.stringContaining('Nothing was changed.') as string,
    retryable: true,
  });
  const narrowed = { serial: 2, actions: ['pay'], constraints: { monetary_limit: 10 } };
  expect(documentOf(where)).toMatchObject(narrowed);
  expect(JSON.parse(aip(where, ['passport', 'show', 'bot', '--json']).out)).toMatchObject(narrowed);
  const env = join(where.folder, '.env2');
  expect(existsSync(env) ? readFileSync(env, 'utf8') : '').not.toContain('ed25519:');
  expect(aip(where, ['intent', 'sign', '-p', 'bot', '-a', 'pay']).code).toBe(0);
});

test('of several rotations at once one counts, and its key signs', async () => {
  const where = machine();
  const answers = await crowd(3, (i) => launch(where, ['passport', 'rotate', 'bot', '-e', `.env-${i}`, '--json']));
  const won = answers.filter(({ code }) => code === 0).map(({ out }) => JSON.parse(out) as JsonObject);
  // One that began after another had ended rotates its key.
  expect(won.length).toBeGreaterThan(0);
  expect(new Set(won.map(({ key_id }) => key_id)).size).toBe(won.length);
  expect(answers.filter(({ code }) => code !== 0).map(({ code }) => code)).toEqual(
    Array.from({ length: 3 - won.length }, () => 10),
  );
  const { key_id, previous_keys } = documentOf(where) as { key_id: string; previous_keys: unknown[] };
  expect([previous_keys.length, won.map((one) => one.key_id)]).toEqual([won.length, expect.arrayContaining([key_id])]);
  expect(aip(where, ['intent', 'sign', '-p', 'bot', '-a', 'pay']).code).toBe(0);
});
