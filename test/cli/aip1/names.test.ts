/** Whom a verifier accepts, an operator can stop (protocol, section 1). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { AT, KEYS, SEEDS, signed, text } from '../../kit/conformance/parts.js';
import { household, type Household } from '../../kit/native/household.js';

const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/ids.json', import.meta.url), 'utf8')) as {
  vectors: { text: string; canonical: string | null; kind: string | null }[];
};
const key = (signer: keyof typeof KEYS) => `ed25519:${KEYS[signer]}`;
const PUBLIC = ['--at', AT, '--public-key', key('agent')];
let count = 0;

async function speak(machine: Household, id: string, flags: readonly string[] = PUBLIC) {
  const name = `n${(count += 1)}`;
  const file = machine.file(`${name}.json`, text(signed(name, { 'agent.id': id }, SEEDS.agent)));
  const { code, value } = await machine.json('intent', 'verify', file, ...flags);
  return { code, error: value.error_code, details: value.details, warnings: value.warnings.map((each) => each.code) };
}
const revoke = (machine: Household, subject: string) =>
  machine.run('revoke', subject, '--reason', 'leak', '--yes', '--unseen');

const spellings = new Map<string, string[]>();
for (const { text: spelling, canonical, kind } of vectors) {
  if (canonical === null || kind !== 'agent') continue;
  spellings.set(canonical, [...(spellings.get(canonical) ?? []), spelling]);
}

test.each([...spellings.values()])(
  '%s verifies, can be stopped by its spelling, and is under each of them',
  async (...all) => {
    const bound = (id: string) => ['--at', AT, '--public-key', `${id}=${key('agent')}`];
    const machine = household();
    for (const spelling of all) expect((await speak(machine, spelling, bound(spelling))).code).toBe(0);
    expect((await revoke(machine, all.at(-1)!)).code).toBe(0);
    for (const spelling of all) {
      expect(await speak(machine, spelling, bound(all[0]!))).toMatchObject({ code: 13, error: 'AIP-E400' });
    }
  },
);

test.each(vectors.filter(({ canonical, text: each }) => canonical === null && each !== ''))(
  'what cannot be named is not accepted: $text',
  async ({ text: id }) => {
    const machine = household();
    expect(await speak(machine, id)).toMatchObject({ code: 10, error: 'AIP-E103' });
    // A short form stands for an id, which can be named.
    if (!id.includes('@')) expect((await revoke(machine, id)).code).not.toBe(0);
  },
);

describe('a key that is bound to no agent', () => {
  const ONE = 'did:web:localhost:agents:one';
  const TWO = 'did:web:localhost:agents:two';

  test('answers for every name that it has used', async () => {
    const machine = household();
    expect(await speak(machine, ONE)).toMatchObject({ code: 0, warnings: ['self_declared_boundaries', 'unbound_key'] });
    expect(await speak(machine, TWO)).toMatchObject({ code: 0 });
    expect((await revoke(machine, ONE)).code).toBe(0);
    expect(await speak(machine, TWO)).toMatchObject({ code: 13, error: 'AIP-E400', details: { subject: ONE } });
    expect(await speak(machine, 'did:web:localhost:agents:three')).toMatchObject({ code: 13, error: 'AIP-E400' });
    expect((await machine.run('reinstate', ONE)).code).toBe(0);
    expect(await speak(machine, TWO)).toMatchObject({ code: 0 });
  });

  test('is held to what it does under no name: its holder could speak ill of any agent', async () => {
    const score = async (...flags: string[]) => {
      const machine = household();
      const file = machine.file(
        'a.json',
        text(signed('a', { 'agent.id': ONE, 'intent.action': 'drop_tables' }, SEEDS.agent)),
      );
      const { code } = await machine.json('intent', 'verify', file, '--at', AT, ...flags);
      const { value: entry } = await machine.json<{ details: JsonObject }>('logs', 'tail');
      const { value } = await machine.json<JsonObject>('trust', ONE);
      return [code, entry.details['unbound_key'], value['score']];
    };
    expect(await score('--public-key', key('agent'))).toEqual([12, true, 0.5]);
    expect(await score('--public-key', `${ONE}=${key('agent')}`)).toEqual([12, undefined, 0.45]);
  });

  test('can be denied itself', async () => {
    const machine = household();
    expect((await speak(machine, ONE)).code).toBe(0);
    expect((await revoke(machine, key('agent'))).code).toBe(0);
    expect(await speak(machine, TWO)).toMatchObject({
      code: 13,
      error: 'AIP-E400',
      details: { subject: key('agent') },
    });
  });

  test('is none where --public-key <agent id>=<key> binds it', async () => {
    const machine = household();
    const bound = ['--at', AT, '--public-key', `${ONE}=${key('agent')}`];
    expect(await speak(machine, ONE, bound)).toMatchObject({ code: 0, warnings: ['self_declared_boundaries'] });
    expect(await speak(machine, TWO, bound)).toMatchObject({ code: 10, error: 'AIP-E100' });
    expect((await machine.run('intent', 'verify', 'x.json', '--public-key', `bot=${key('agent')}`)).code).toBe(2);
    const twice = ['--public-key', key('agent'), '--public-key', key('stranger')];
    expect((await machine.run('intent', 'verify', 'x.json', ...twice)).code).toBe(2);
  });

  test('remembers nothing in a dry run', async () => {
    const machine = household();
    expect((await speak(machine, ONE, [...PUBLIC, '--dry-run'])).code).toBe(0);
    expect((await revoke(machine, ONE)).code).toBe(0);
    expect((await speak(machine, TWO)).code).toBe(0);
  });
});
