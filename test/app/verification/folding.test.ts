import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MAX_STRANGERS_A_MINUTE } from '../../../src/app/verification/folding.js';
import { verifyIntents } from '../../../src/app/verification/intents.js';
import { verifyChain } from '../../../src/protocol/log/chain.js';
import { readPassport } from '../../../src/protocol/passport.js';
import { agentHealth } from '../../../src/app/conduct/health.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S } from '../../kit/native/parts.js';
import { fixtureBytes } from '../../kit/native/vectors.js';
import { knowing, VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const MINUTE = 60_000;
const START = NOW_S * 1000 - ((NOW_S * 1000) % MINUTE) + MINUTE;

function verifier(path = statePath()) {
  const passport = readPassport(fixtureBytes('passport-support-agent.json'));
  let now = START;
  const clock = () => now;
  const state = openAt(path, clock);
  const bytes = fixtureBytes('passport-support-agent.json');
  const { id, name } = passport.agent;
  state.rememberPassport({ agentId: id, name, text: Buffer.from(bytes).toString(), path: null, addedAt: START });
  const known = knowing(passport);
  const deps = verifierDeps({
    ...known,
    passport: (agent) => (agent === id ? known.passport(agent) : { status: 'unknown' }),
    state,
    clock,
  });
  const judge = async (...texts: string[]) => {
    const submissions = texts.map((bytes) => ({ bytes, source: null }));
    return (await verifyIntents(deps, VERIFY, submissions)).map(({ decision }) => decision.error_code ?? 'ok');
  };
  const observe = async (bytes: string) => {
    const [judged] = await verifyIntents(deps, VERIFY, [{ bytes, source: null, observed: true }]);
    return judged!.decision.error_code ?? 'ok';
  };
  return { judge, observe, state, agent: passport.agent.id, wait: (ms: number) => void (now += ms) };
}

const at = (salt: string, changes: object = {}) =>
  refund(salt, { timestamp: Math.floor(START / 1000), params: { amount: 5, salt }, ...changes });
const forged = (salt: string, changes: object = {}) =>
  JSON.stringify({ ...at(salt), signature: 'ab'.repeat(64), ...changes });
const stranger = (n: number) => `did:web:s${n}.example:agents:none`;

/** Bytes of the state and what SQLite keeps beside it. */
function bytesOf(path: string): number {
  return ['', '-wal'].reduce((sum, end) => sum + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0), 0);
}

describe('refusals of strangers beyond a minute’s share', () => {
  test('are counted, not written one by one, and the log says so before and after', async () => {
    const { judge, state, agent, wait } = verifier();
    const extra = 40;
    for (let i = 0; i < MAX_STRANGERS_A_MINUTE + extra; i++) expect(await judge(forged(`${i}`))).toEqual(['AIP-E101']);
    const entries = () => [...state.entries({})];
    expect(entries()).toHaveLength(MAX_STRANGERS_A_MINUTE);
    expect(entries().at(-1)!.details).toMatchObject({ folds_from_here: true });
    expect(entries().at(-2)!.details).not.toHaveProperty('folds_from_here');
    wait(MINUTE);
    await judge(forged('later'));
    expect(entries().at(-1)!.details).toMatchObject({
      folded_before: { count: extra, since: new Date(START).toISOString(), until: new Date(START).toISOString() },
    });
    await judge(forged('once more'));
    expect(entries().at(-1)!.details).not.toHaveProperty('folded_before');
    expect(state.tally(agent)).toMatchObject({ failed: 0, unattributed: MAX_STRANGERS_A_MINUTE + extra + 2 });
    const report = agentHealth(state.conduct, agent, null, START + MINUTE);
    expect(report).toMatchObject({ unattributed: MAX_STRANGERS_A_MINUTE + extra + 2, failed: 0, status: 'warning' });
    expect(report.warnings[0]!.message).toContain(`${extra} of them counted without an entry`);
    expect(report.top_codes).toEqual([{ error_code: 'AIP-E101', count: MAX_STRANGERS_A_MINUTE + extra + 2 }]);
    const { after, head } = state.bounds();
    expect(verifyChain(state.records({}), { after, head })).toMatchObject({ ok: true });
    expect(state.derivedProblems(START + MINUTE)).toEqual([]);
  });

  test('what the agent is held to, what was accepted and what is spent has its entry in the middle of a flood', async () => {
    const { judge, state, agent } = verifier();
    for (let i = 0; i < 3 * MAX_STRANGERS_A_MINUTE; i++) await judge(forged(`${i}`));
    expect(await judge(line(at('good')))).toEqual(['ok']);
    expect(await judge(line(at('over', { params: { amount: 10_000 } })))).toEqual(['AIP-E202']);
    expect([...state.entries({})].slice(-2).map(({ error_code }) => error_code)).toEqual([null, 'AIP-E202']);
    expect(state.tally(agent)).toMatchObject({ successful: 1, failed: 1, unattributed: 3 * MAX_STRANGERS_A_MINUTE });
  });

  test('an intent that is presented again and again fills nothing either: replayed, late, refused before', async () => {
    const { judge, state } = verifier();
    const accepted = line(at('accepted'));
    const refused = line(at('refused', { params: { amount: 10_000 } }));
    const late = line(at('late', { timestamp: 1_000_000_000 }));
    for (let i = 0; i < 200; i++) await judge(accepted, refused, late);
    expect([...state.entries({})]).toHaveLength(2 + MAX_STRANGERS_A_MINUTE);
  });

  test('leave those alone that a guard only looked on at, which have no part in that share', async () => {
    const { state, agent, observe, judge } = verifier();
    const extra = 40;
    const observed = MAX_STRANGERS_A_MINUTE + extra;
    for (let i = 0; i < observed; i++) expect(await observe(forged(`${i}`))).toBe('AIP-E101');
    expect([...state.entries({})]).toHaveLength(observed);
    expect([...state.entries({})].every((entry) => entry.observed === true)).toBe(true);
    expect(state.tally(agent)).toMatchObject({ total: 0, unattributed: 0 });
    for (let i = 0; i < observed; i++) await judge(forged(`of a stranger ${i}`));
    expect([...state.entries({})]).toHaveLength(observed + MAX_STRANGERS_A_MINUTE);
    expect(state.tally(agent)).toMatchObject({ total: observed, unattributed: observed });
    // The intent of a refusal that was looked on at was held to nobody; presented to a guard that refuses, it is.
    const over = line(at('over', { params: { amount: 10_000 } }));
    expect(await observe(over)).toBe('AIP-E202');
    expect(await judge(over)).toEqual(['AIP-E202']);
    expect(state.tally(agent)).toMatchObject({ failed: 1 });
    expect(state.derivedProblems(START)).toEqual([]);
  });

  test('names that strangers make up are not kept', async () => {
    const { judge, state } = verifier();
    for (let i = 0; i < 500; i++) expect(await judge(forged('x', { agent_id: stranger(i) }))).toEqual(['AIP-E102']);
    expect(state.tally(stranger(0))).toMatchObject({ unattributed: 1 });
    expect(state.tally(stranger(499))).toBeNull();
    expect(state.tally('')).toMatchObject({ unattributed: 500 - MAX_STRANGERS_A_MINUTE });
    expect(state.conduct.agents()).toEqual([]);
    expect(state.derivedProblems(START)).toEqual([]);
  });
});

test('30,000 forged intents of any kind leave less than 5 MiB', async () => {
  const path = statePath();
  const { judge, state, wait } = verifier(path);
  const large = { note: 'x'.repeat(3_500) };
  for (let batch = 0; batch < 60; batch++) {
    const texts = Array.from({ length: 500 }, (_, i) => {
      const salt = `${batch}-${i}`;
      return i % 2 === 0 ? forged(salt, { agent_id: stranger(batch * 500 + i), params: large }) : forged(salt);
    });
    await judge(...texts);
    // A hundred and twenty seconds in all.
    wait(2_000);
  }
  expect(bytesOf(path)).toBeLessThan(5 * 1024 * 1024);
  state.close();
  expect(bytesOf(path)).toBeLessThan(2 * 1024 * 1024);
});
