/** Bundles of AIP-1 envelopes: shown under a passport, by the keys of its principal and of the verifier, and by nothing less. */
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBundle, writeBundle } from '../../../src/app/proof/bundle.js';
import type { ProofReport } from '../../../src/app/proof/report.js';
import type { ValueObject } from '../../../src/protocol/aip1/encoding/numbers.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import {
  AGENT,
  HMAC_KEY,
  KEYS,
  macked,
  passport,
  printed,
  PRINCIPAL,
  signed,
  text,
} from '../../kit/conformance/parts.js';
import { household, type Household } from '../../kit/native/household.js';
import { world } from '../../kit/world.js';

const MARK = 'jane.doe.4711@acme.com';
const AMOUNT = {
  issued_at: '2026-02-18T14:23:00Z',
  'intent.parameters': { amount: 50, currency: 'USD', to: MARK },
};

/** A machine that knows the agent's passport. */
async function machineOf(params: 'full' | 'masked' | 'none', constraints: JsonObject = {}): Promise<Household> {
  const machine = household({ env: { AIP_LOG_PARAMS: params } });
  await machine.run('principal', 'add', PRINCIPAL, '--public-key', `ed25519:${KEYS.principal}`);
  const document = passport({ constraints: { monetary_limit: 100, currency: 'USD', ...constraints } });
  const made = await machine.run('passport', 'import', machine.file('p.json', JSON.stringify(document)));
  expect(made.code, made.err).toBe(0);
  return machine;
}

async function judge(machine: Household, document: ValueObject, code: number, ...flags: string[]): Promise<string> {
  const file = machine.file('envelope.json', printed(document));
  const judged = await machine.run('intent', 'verify', file, ...flags);
  expect(judged.code, judged.err + judged.out).toBe(code);
  return file;
}

async function prove(machine: Household, ...argv: string[]) {
  const { code, out, err } = await machine.run('logs', 'prove', ...argv);
  expect(code, err).toBe(0);
  const keys = [...err.matchAll(/(--(?:principal|verifier)-key) (\S+)/g)].flatMap(([, flag, key]) => [flag!, key!]);
  return { text: out, keys };
}

async function verify(bundle: string, ...argv: string[]): Promise<{ code: number; report: ProofReport }> {
  const { code, out, err } = await world({ stdin: bundle }).run('proof', 'verify', '-', '--json', ...argv);
  expect(out, err).not.toBe('');
  return { code, report: JSON.parse(out) as ProofReport };
}

const statuses = ({ steps }: ProofReport): Record<string, string> =>
  Object.fromEntries(steps.map(({ step, status }) => [step, status]));
const ALL = { who: 'ok', what: 'ok', limits: 'ok', decision: 'ok', when: 'ok', recorded: 'ok', seen: 'unproven' };

describe('an envelope', () => {
  test('is shown by a log that keeps all of it', async () => {
    const machine = await machineOf('full');
    await judge(machine, signed('one', AMOUNT), 0);
    await judge(machine, signed('two', { ...AMOUNT, 'intent.parameters': { amount: 101, currency: 'USD' } }), 12);
    const first = await prove(machine, '1');
    expect(first.text.length).toBeLessThan(4096);
    const { code, report } = await verify(first.text, ...first.keys);
    expect([code, statuses(report), report.params]).toEqual([0, ALL, { amount: 50, currency: 'USD', to: MARK }]);
    const refused = await verify((await prove(machine, '2')).text, ...first.keys);
    expect([refused.code, statuses(refused.report)['limits'], refused.report.error_code]).toEqual([
      0,
      'ok',
      'AIP-E202',
    ]);
    expect((await verify(first.text)).code).toBe(10);
    expect(JSON.parse((await machine.run('logs', 'verify', '--signatures', '--json')).out)).toMatchObject({
      ok: true,
      signatures: { checked: 1, unchecked: 0 },
    });
  });

  test('is shown with its document where the log keeps less', async () => {
    for (const params of ['masked', 'none'] as const) {
      const machine = await machineOf(params);
      const file = await judge(machine, signed('one', AMOUNT), 0);
      const without = await prove(machine, '1');
      const bare = await verify(without.text, ...without.keys);
      expect([bare.code, statuses(bare.report)]).toMatchObject([10, { who: 'unproven', what: 'unproven' }]);
      const beside = await verify(without.text, ...without.keys, '--intent', file);
      expect([beside.code, statuses(beside.report)]).toEqual([0, ALL]);
      const within = await prove(machine, '1', '--intent', file);
      const whole = await verify(within.text, ...within.keys);
      expect([whole.code, statuses(whole.report)]).toEqual([0, ALL]);
      const other = machine.file('other.json', text(signed('other', AMOUNT)));
      expect(await machine.failure('logs', 'prove', '1', '--intent', other)).toMatchObject({ code: 'USAGE' });
      expect((await verify(without.text, ...without.keys, '--intent', other)).code).toBe(12);
    }
  });

  test('with numbers of more digits than a double holds is shown as it was written', async () => {
    const machine = await machineOf('full');
    const parameters = { amount: 50, currency: 'USD', order: 12_345_678_901_234_567_890n };
    await judge(machine, signed('large', { ...AMOUNT, 'intent.parameters': parameters }), 0);
    const proved = await prove(machine, '1');
    expect(JSON.parse(proved.text).intent).toContain('"order":12345678901234567890');
    const { code, report } = await verify(proved.text, ...proved.keys);
    expect([code, statuses(report)]).toEqual([0, ALL]);
    // An object is written as one, and a text in one spelling only.
    for (const spelled of [' {}', '{"a":1}', 'null', JSON.parse(proved.text).intent.replace('{', '{ ')]) {
      const { hash: _, ...rest } = JSON.parse(proved.text);
      expect(() => readBundle(Buffer.from(writeBundle({ ...rest, intent: spelled })))).toThrow('no document');
    }
  });

  test('that a shared key proves shows who sent it to nobody else', async () => {
    const machine = household({ env: { AIP_LOG_PARAMS: 'full' } });
    const key = machine.file('shared.key', Buffer.from(HMAC_KEY).toString('hex'));
    chmodSync(key, 0o600);
    await judge(machine, macked('shared', AMOUNT), 0, '--hmac-key', `${AGENT}=${key}`);
    const proved = await prove(machine, '1');
    const { code, report } = await verify(proved.text, ...proved.keys);
    expect([code, statuses(report)['who'], statuses(report)['what']]).toEqual([10, 'unproven', 'ok']);
  });

  test('forged in any part is no yes', async () => {
    const machine = await machineOf('full');
    await judge(machine, signed('one', AMOUNT), 0);
    await judge(machine, signed('two', AMOUNT), 0);
    const { text: whole, keys } = await prove(machine, '1');
    const other = JSON.parse((await prove(machine, '2')).text);
    const cases: [string, (bundle: any) => void, number][] = [
      ['another amount', (b) => (b.intent.intent.parameters.amount = 51), 10],
      ['another action', (b) => (b.intent.intent.action = 'read_invoice'), 10],
      ['its boundaries', (b) => (b.intent.boundaries.denied_actions = ['x']), 10],
      ['another time', (b) => (b.intent.issued_at = '2026-02-18T14:23:01Z'), 10],
      ['the intent of another entry', (b) => (b.intent = other.intent), 12],
      ['the decision of another entry', (b) => (b.decision = other.decision), 12],
      ['no proof', (b) => delete b.intent.proof, 10],
      ['an agent of another name', (b) => (b.decision.agent_id = 'did:web:acme.com:agents:x'), 10],
    ];
    for (const [name, change, exit] of cases) {
      const copy = JSON.parse(whole);
      delete copy.hash;
      change(copy);
      const { code, report } = await verify(writeBundle(copy), ...keys);
      expect([name, code, report.ok]).toEqual([name, exit, false]);
    }
  });

  test('is erased from beside its entry as well', async () => {
    const machine = await machineOf('full');
    await judge(machine, signed('one', AMOUNT), 0);
    const holders = () => {
      const folder = dirname(machine.state);
      return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(MARK));
    };
    expect(holders()).not.toEqual([]);
    expect(await machine.run('logs', 'erase', '--entry', '1', '--param', 'to', '--yes')).toMatchObject({ code: 0 });
    expect(holders()).toEqual([]);
    const proved = await prove(machine, '1');
    expect(statuses((await verify(proved.text, ...proved.keys)).report)).toMatchObject({
      who: 'unproven',
      recorded: 'ok',
    });
  });
});
