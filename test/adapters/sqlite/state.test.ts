import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Meter, Usage } from '../../../src/app/ports/state.js';
import { openLocalCopy } from '../../../src/adapters/mesh/client/local-copy.js';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { StandingMarks } from '../../../src/adapters/sqlite/tables/passports/standing-marks.js';
import { isAttributable } from '../../../src/protocol/log/attribution.js';
import { verifyChain } from '../../../src/protocol/log/chain.js';
import { wordsOf } from '../../../src/protocol/naming/name-words.js';
import { stateContract } from '../../contract/state.js';
import { AGENT, draft, OTHER, refused, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

stateContract('SQLite', () => openAt(statePath()));

test('the clock that suspensions end by is read by statements that are compiled once', () => {
  const path = statePath();
  const state = openAt(path);
  const query = vi.spyOn(Database.prototype, 'query');
  onTestFinished(() => query.mockRestore());
  expect(state.standingNow(T0)).toBe(T0);
  expect(query).not.toHaveBeenCalled();
  const copy = openLocalCopy(path, null, randomBytes);
  copy.setNote('clock.ahead', '5000');
  copy.close();
  query.mockClear();
  expect([state.standingNow(T0), state.standingNow(T0)]).toEqual([T0 - 5000, T0 - 5000]);
  expect(query).not.toHaveBeenCalled();
});

test('a look sees one snapshot, whatever other processes commit meanwhile', () => {
  const path = statePath();
  const [looking, writing] = [openAt(path), openAt(path)];
  const spend = (nonce: string) =>
    writing.transact((ledger) => ledger.spendNonce(AGENT, nonce, T0, 'accepted', T0 + 1000));
  looking.look((ledger) => {
    expect(ledger.nonceRecord(AGENT, 'cd')).toBeNull();
    spend('cd');
    spend('ef');
    expect(ledger.nonceRecord(AGENT, 'cd')).toBeNull();
    expect(ledger.nonceRecord(AGENT, 'ef')).toBeNull();
  });
  expect(looking.look((ledger) => ledger.nonceRecord(AGENT, 'cd'))).not.toBeNull();
});

test('what follows a log from some time on asks from where it is, not from the beginning', () => {
  const state = openAt(statePath());
  state.transact((ledger) => {
    for (let i = 0; i < 20; i++) ledger.append(draft({ at: T0 + i }));
  });
  const asked: unknown[] = [];
  const query = vi.spyOn(Database.prototype, 'query').mockImplementation(function (this: Database, columns, sql) {
    query.mockRestore();
    const first = this.query(columns, sql);
    return { ...first, first: (values) => (asked.push(...values), first.first(values)) };
  });
  expect([...state.records({ since: T0 + 5, afterSeq: 18 })].map(({ seq }) => seq)).toEqual([19, 20]);
  expect(asked).toEqual([T0 + 5, 18]);
});

describe('the state file', () => {
  test('is nobody else’s to read', () => {
    const path = statePath();
    const state = openAt(path);
    state.transact((ledger) => ledger.append(draft()));
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
  });

  test('is seen alike by everyone who has it open', () => {
    const path = statePath();
    const [one, two] = [openAt(path), openAt(path)];
    expect(two.verifier).toBe(one.verifier);
    for (let i = 0; i < 20; i++) {
      const state = i % 2 === 0 ? one : two;
      state.transact((ledger) => {
        ledger.append(draft({ agent_id: `agent ${i % 3}` }));
        ledger.recordUsage({ agentId: AGENT, action: `a${i}`, at: T0, currency: 'USD', amountMinor: 1n });
        expect(ledger.read(AGENT, { kind: 'sum', currency: 'USD', windowMs: 1000, asked: 0n, limit: 0n }, T0)).toEqual({
          kind: 'sum',
          spent: BigInt(i + 1),
        });
      });
    }
    expect(verifyChain(one.entries({}), two.bounds())).toMatchObject({ ok: true, count: 20 });
    expect(two.tally('agent 1')).toMatchObject({ total: 7 });
  });

  test('keeps everything when it is closed and opened', () => {
    const path = statePath();
    const first = openAt(path);
    first.transact((ledger) => ledger.spendNonce(AGENT, 'ab', T0, 'AIP-E202', T0 + 1000));
    first.transact((ledger) => ledger.append(draft()));
    const { verifier, logId } = first;
    first.close();
    const second = openAt(path);
    expect([second.verifier, second.logId]).toEqual([verifier, logId]);
    expect(second.rehearse((ledger) => ledger.nonceRecord(AGENT, 'ab'))).toMatchObject({ firstResult: 'AIP-E202' });
    expect(second.transact((ledger) => ledger.append(draft())).seq).toBe(2);
  });

  test('tells the standing that the mesh wrote into it', () => {
    const path = statePath();
    const state = openAt(path);
    const database = new Database(path, 0);
    database.exec(`INSERT INTO standing VALUES ('${AGENT}', 'suspended', 'drill', ${T0}, NULL, ${T0 + 1}, 3)`);
    const record = { subject: AGENT, status: 'suspended', reason: 'drill', changedAt: T0, changedBy: null } as const;
    const standing = { ...record, suspendedUntil: T0 + 1, version: 3 };
    new StandingMarks(database).put(standing);
    database.close();
    expect(state.rehearse((ledger) => ledger.standing(AGENT))).toEqual(standing);
  });

  test('forgets nothing that the clock on the wall still needs', () => {
    const state = openAt(statePath(), () => T0);
    state.transact((ledger) => {
      ledger.spendNonce(AGENT, 'ab', T0, 'accepted', T0 + 1000);
      ledger.spendNonce(AGENT, 'cd', T0, 'accepted', T0 + 100_000_000);
    });
    for (let i = 0; i < 5; i++) {
      state.transact((ledger) => {
        ledger.prune(T0 + 1e12);
        ledger.spendNonce(AGENT, `ef${i}`, T0, 'accepted', T0 + 1000);
      });
    }
    state.rehearse((ledger) => {
      for (const nonce of ['ab', 'cd', 'ef0']) expect(ledger.nonceRecord(AGENT, nonce)).not.toBeNull();
    });
  });
});

describe('tallies', () => {
  test('count what the log says, and hold against an agent only what is its own', () => {
    const state = openAt(statePath());
    expect(state.tally(AGENT)).toBeNull();
    const codes = ['AIP-E101', 'AIP-E301', 'AIP-E202', 'AIP-E202', 'AIP-E401'];
    state.transact((ledger) => {
      for (const code of codes) ledger.append(refused(code));
      ledger.append(draft());
      ledger.append(draft({ agent_id: OTHER }));
    });
    state.transact((ledger) => ledger.append(draft()));
    expect(state.tally(AGENT)).toEqual({
      total: 7,
      successful: 2,
      failed: 2,
      unattributed: 3,
      codes: new Map([...codes].sort().map((code) => [code, codes.filter((each) => each === code).length])),
    });
    expect(state.tally(OTHER)).toMatchObject({ total: 1, successful: 1, failed: 0, unattributed: 0 });
  });

  test.each([
    ['native', 'AIP-E100', false],
    ['native', 'AIP-E105', false],
    ['native', 'AIP-E301', false],
    ['native', 'AIP-E304', false],
    ['native', 'AIP-E405', false],
    ['native', 'AIP-E500', false],
    ['native', 'AIP-E201', true],
    ['native', 'AIP-E404', false],
    ['native', 'HOOK-E101', true],
    ['native', null, true],
    ['aip-1', 'AIP-E102', false],
    ['aip-1', 'AIP-E501', false],
    ['aip-1', 'AIP-E303', true],
    ['aip-1', 'AIP-E405', false],
  ] as const)('%s %s is the agent’s own: %s', (dialect, error_code, expected) => {
    expect(isAttributable({ dialect, error_code })).toBe(expected);
  });
});

describe('windows, against a plain list', () => {
  const actions = ['place_order', 'placeOrders', 'reorder', 'pay'];
  // Around minutes and hours, and a day and more apart.
  const time = fc
    .tuple(fc.integer({ min: -50, max: 50 }), fc.constantFrom(1000, 60_000, 3_600_000), fc.integer({ min: -1, max: 1 }))
    .map(([n, unit, off]) => T0 - (T0 % 3_600_000) + n * unit + off);
  const usage: fc.Arbitrary<Usage> = fc.record({
    agentId: fc.constantFrom(AGENT, OTHER),
    action: fc.constantFrom(...actions),
    at: time,
    currency: fc.constantFrom('USD', 'EUR', null),
    amountMinor: fc.option(fc.bigInt({ min: 0n, max: 2n ** 40n })),
  });
  const windowMs = fc.constantFrom(1000, 60_000, 3_600_000, 86_400_000, 61_001);
  const meter: fc.Arbitrary<Meter> = fc.oneof(
    fc.record({
      kind: fc.constant('count' as const),
      actions: fc.option(fc.uniqueArray(fc.constantFrom(...actions), { minLength: 1, maxLength: 2 })),
      word: fc.option(fc.constantFrom('order', 'pay')),
      windowMs,
      limit: fc.integer({ min: 0, max: 6 }),
    }),
    fc.record({
      kind: fc.constant('sum' as const),
      currency: fc.constantFrom('USD', 'EUR'),
      windowMs,
      asked: fc.constant(0n),
      limit: fc.constant(0n),
    }),
  );
  const step = fc.oneof(usage, fc.record({ agentId: fc.constantFrom(AGENT, OTHER), meter, now: time }));

  function expected(usages: readonly Usage[], agentId: string, asked: Meter, now: number) {
    const inside = usages.filter((each) => each.agentId === agentId && each.at > now - asked.windowMs);
    if (asked.kind === 'sum') {
      const amounts = inside.map((each) => (each.currency === asked.currency ? (each.amountMinor ?? 0n) : 0n));
      return { kind: 'sum', spent: amounts.reduce((a, b) => a + b, 0n) };
    }
    const times = inside
      .filter((each) => asked.actions === null || asked.actions.includes(each.action))
      .filter(
        ({ action }) => asked.word === null || wordsOf(action).some((word) => word.replace(/s$/, '') === asked.word),
      )
      .map((each) => each.at)
      .sort((a, b) => b - a);
    const full = asked.limit > 0 && times.length >= asked.limit;
    return {
      kind: 'count',
      used: times.length,
      roomAt: full ? times[asked.limit - 1]! + asked.windowMs : null,
    };
  }

  test('read the same, whatever is in one transaction and what in another', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 8 }), (transactions) => {
        const state = openAt(statePath());
        const usages: Usage[] = [];
        for (const steps of transactions) {
          state.transact((ledger) => {
            for (const each of steps) {
              if ('meter' in each) {
                const { agentId, now } = each;
                expect(ledger.read(agentId, each.meter, now)).toEqual(expected(usages, agentId, each.meter, now));
              } else {
                ledger.recordUsage(each);
                usages.push(each);
              }
            }
          });
        }
        state.close();
      }),
      { numRuns: 150 },
    );
  });
});
