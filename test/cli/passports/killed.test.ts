import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { household, type Household } from '../../kit/native/household.js';
import { stored } from '../../kit/native/standing.js';

describe('a key that was stored before its process was killed', () => {
  const create = (name: string) =>
    ['passport', 'create', name, '--domain', 'acme.com', '-a', 'pay', '--key-store', 'file'] as const;
  type Made = { principal_public_key: string; key_ref: string };

  /** The keys are there, and the state knows nothing of them. */
  async function killed(): Promise<{ machine: Household; made: Made; principalKey: string }> {
    const machine = household();
    const { value } = await machine.json<Made>(...create('bot'));
    for (const file of [machine.state, `${machine.state}-wal`, `${machine.state}-shm`]) rmSync(file, { force: true });
    rmSync(machine.at('bot.passport.json'));
    return { machine, made: value, principalKey: join(dirname(value.key_ref), 'did_web_acme.com_key-1.pem') };
  }

  test("as the principal's is taken up, by create and by init", async () => {
    const { machine, made, principalKey } = await killed();
    const { code, out } = await machine.run(...create('second'));
    expect(code).toBe(0);
    expect(out).toContain(`file: ${principalKey}  (found there, pinned here)`);
    expect(out).toContain(made.principal_public_key);

    const other = await killed();
    const set = await other.machine.json('init', '--domain', 'acme.com', '--key-store', 'file');
    expect(set).toMatchObject({
      code: 0,
      value: { principal_public_key: other.made.principal_public_key, changed: true },
    });
  });

  test("as the principal's that another passphrase opens is left as it is", async () => {
    const { machine, principalKey } = await killed();
    const before = readFileSync(principalKey);
    const wrong = machine.file('wrong', 'another one\n');
    expect(await machine.failure(...create('second'), '--passphrase-file', wrong)).toMatchObject({
      code: 'WRONG_PASSPHRASE',
      exit_code: 4,
    });
    expect(readFileSync(principalKey)).toEqual(before);
    expect(stored(machine.state)).toMatchObject({ passports: 0, pins: 0 });
  });

  test('as the principal that was unpinned since is pinned again', async () => {
    const machine = household();
    const { value } = await machine.json<Made>(...create('bot'));
    expect((await machine.run('principal', 'remove', 'did:web:acme.com', '--yes')).code).toBe(0);
    const again = await machine.json<Made>(...create('second'));
    expect(again).toMatchObject({ code: 0, value: { principal_public_key: value.principal_public_key } });
  });

  test("as the agent's is left as it is, and the way out is named", async () => {
    const { machine, made } = await killed();
    const failure = await machine.failure(...create('bot'));
    expect(failure).toMatchObject({ code: 'EXISTS', exit_code: 2 });
    expect(failure.hint).toMatch(new RegExp(`: rm ${made.key_ref}$`));
    rmSync(made.key_ref);
    expect((await machine.run(...create('bot'))).code).toBe(0);
  });
});
