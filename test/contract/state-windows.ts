import { describe, expect, test } from 'vitest';
import type { Meter, State } from '../../src/app/ports/state.js';
import { AGENT, OTHER, T0 } from '../kit/state/drafts.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Count = Extract<Meter, { kind: 'count' }>;
type Sum = Extract<Meter, { kind: 'sum' }>;

const refunds: Count = { kind: 'count', actions: ['issue_refund'], word: null, windowMs: HOUR, limit: 3 };
const dollars: Sum = { kind: 'sum', currency: 'USD', windowMs: DAY, asked: 0n, limit: 0n };

/** What an implementation of the `State` port has to know of the past. */
export function windowsContract(name: string, open: () => State): void {
  const use = (state: State, at: number, action = 'issue_refund', amountMinor: bigint | null = null, agentId = AGENT) =>
    state.transact((ledger) =>
      ledger.recordUsage({ agentId, action, at, currency: amountMinor === null ? null : 'USD', amountMinor }),
    );
  const read = (state: State, meter: Meter, now: number, agentId = AGENT) =>
    state.rehearse((ledger) => ledger.read(agentId, meter, now));

  describe(`${name}: windows`, () => {
    test('count all that was accepted after their start, and say when there is room', () => {
      const state = open();
      expect(read(state, refunds, T0)).toEqual({ kind: 'count', used: 0, roomAt: null });
      use(state, T0);
      use(state, T0 + 1000);
      expect(read(state, refunds, T0 + 1000)).toEqual({ kind: 'count', used: 2, roomAt: null });
      use(state, T0 + 2000);
      expect(read(state, refunds, T0 + 2000)).toEqual({ kind: 'count', used: 3, roomAt: T0 + HOUR });
      use(state, T0 + 3000);
      expect(read(state, refunds, T0 + 3000)).toEqual({ kind: 'count', used: 4, roomAt: T0 + 1000 + HOUR });
    });

    test('open at exactly the moment that was named, not a millisecond before', () => {
      const state = open();
      for (let i = 0; i < 3; i++) use(state, T0 + i * 1000);
      expect(read(state, refunds, T0 + HOUR - 1)).toMatchObject({ used: 3, roomAt: T0 + HOUR });
      expect(read(state, refunds, T0 + HOUR)).toEqual({ kind: 'count', used: 2, roomAt: null });
    });

    test.each([T0, T0 - (T0 % 60_000), T0 - (T0 % HOUR)])('hold what is after their start, not at it: %d', (start) => {
      const state = open();
      for (const at of [start - 1, start, start + 1]) use(state, at, 'issue_refund', 10n);
      expect(read(state, refunds, start + HOUR)).toMatchObject({ used: 1 });
      expect(read(state, dollars, start + DAY)).toEqual({ kind: 'sum', spent: 10n });
      expect(read(state, dollars, start + DAY - 1)).toEqual({ kind: 'sum', spent: 20n });
      state.transact((ledger) => {
        const spent = () => ledger.read(AGENT, dollars, start + DAY);
        const add = (at: number) =>
          ledger.recordUsage({ agentId: AGENT, action: 'pay', at, currency: 'USD', amountMinor: 1n });
        expect(spent()).toEqual({ kind: 'sum', spent: 10n });
        add(start);
        expect(spent()).toEqual({ kind: 'sum', spent: 10n });
        add(start + 1);
        expect(spent()).toEqual({ kind: 'sum', spent: 11n });
      });
    });

    test('stay closed when the clock is set back', () => {
      const state = open();
      for (let i = 0; i < 3; i++) use(state, T0 + i, 'issue_refund', 100n);
      expect(read(state, refunds, T0 - DAY)).toMatchObject({ used: 3 });
      expect(read(state, dollars, T0 - DAY)).toEqual({ kind: 'sum', spent: 300n });
    });

    test('belong to one agent', () => {
      const state = open();
      use(state, T0, 'issue_refund', 100n, OTHER);
      expect(read(state, refunds, T0)).toMatchObject({ used: 0 });
      expect(read(state, dollars, T0)).toEqual({ kind: 'sum', spent: 0n });
      expect(read(state, dollars, T0, OTHER)).toEqual({ kind: 'sum', spent: 100n });
    });

    test('with a limit of nothing never have room', () => {
      const state = open();
      expect(read(state, { ...refunds, limit: 0 }, T0)).toEqual({ kind: 'count', used: 0, roomAt: null });
    });

    const orders: Count = { kind: 'count', actions: null, word: 'order', windowMs: HOUR, limit: 100 };
    test.each([
      ['place_order', 1],
      ['placeOrder', 1],
      ['place_orders', 1],
      ['orders.place', 1],
      ['place-order', 1],
      ['ORDER', 1],
      ['placeORDERNow', 1],
      ['cancelORDERNow', 0],
      ['reorder', 0],
      ['preorders', 1],
      ['ordering', 1],
      ['border_check', 0],
      ['placeorder', 1],
      ['issue_refund', 0],
      ['', 0],
    ])('for the word "order" count %j %d times', (action, used) => {
      const state = open();
      use(state, T0, action);
      expect(read(state, orders, T0)).toMatchObject({ used });
      expect(read(state, { ...orders, word: null }, T0)).toMatchObject({ used: 1 });
    });

    test('for a word of several parts count them in a row', () => {
      const state = open();
      const calls: Meter = { ...orders, word: 'api_call' };
      for (const action of ['make_api_call', 'makeAPICalls', 'call_api', 'api_make_call', 'api'])
        use(state, T0, action);
      expect(read(state, calls, T0)).toMatchObject({ used: 2 });
    });

    test('answer each question of a transaction by itself, however alike they are', () => {
      const state = open();
      use(state, T0 - 2 * HOUR, 'place_order', 5n);
      for (const action of ['place_order', 'issue_refund', 'issue_refund']) use(state, T0, action, 10n);
      const meters: readonly Meter[] = [
        ...[orders, { ...orders, word: 'refund' }, { ...orders, word: null }, { ...orders, windowMs: DAY }],
        ...[{ ...orders, limit: 1 }, { ...orders, actions: ['issue_refund'] }, refunds, { ...refunds, limit: 2 }],
        ...[dollars, { ...dollars, currency: 'EUR' }, { ...dollars, windowMs: HOUR }],
      ];
      const apart = meters.map((meter) => read(state, meter, T0));
      const together = (list: readonly Meter[]) =>
        state.rehearse((ledger) => list.map((meter) => ledger.read(AGENT, meter, T0)));
      expect(together(meters)).toEqual(apart);
      expect(together(meters.toReversed())).toEqual(apart.toReversed());
    });

    test('sum exactly, beyond what a double or 64 bits hold', () => {
      const state = open();
      const large = 2n ** 63n - 1n;
      for (let i = 0; i < 3; i++) use(state, T0 + i, `a${i}`, large);
      use(state, T0 + 3, 'a0', 1n);
      expect(read(state, dollars, T0)).toEqual({ kind: 'sum', spent: 3n * large + 1n });
      state.transact((ledger) => {
        for (let i = 0; i < 3; i++) {
          ledger.recordUsage({ agentId: AGENT, action: 'a', at: T0, currency: 'USD', amountMinor: large });
        }
        expect(ledger.read(AGENT, dollars, T0)).toEqual({ kind: 'sum', spent: 6n * large + 1n });
      });
    });

    test('sum one currency, and only what has an amount', () => {
      const state = open();
      use(state, T0, 'pay', 5n);
      use(state, T0, 'pay', null);
      state.transact((ledger) => {
        ledger.recordUsage({ agentId: AGENT, action: 'pay', at: T0, currency: 'EUR', amountMinor: 7n });
        ledger.recordUsage({ agentId: AGENT, action: 'pay', at: T0, currency: 'USD', amountMinor: null });
      });
      expect(read(state, dollars, T0)).toEqual({ kind: 'sum', spent: 5n });
      expect(read(state, { ...dollars, currency: 'EUR' }, T0)).toEqual({ kind: 'sum', spent: 7n });
      expect(read(state, { ...dollars, currency: 'JPY' }, T0)).toEqual({ kind: 'sum', spent: 0n });
    });

    test('refuse to account for what would open them', () => {
      const state = open();
      expect(() => use(state, T0, 'pay', -1n)).toThrow(RangeError);
      expect(() => use(state, T0, 'pay', 2n ** 63n)).toThrow(RangeError);
      expect(read(state, dollars, T0)).toEqual({ kind: 'sum', spent: 0n });
    });

    test('see what the same transaction adds, as it adds it', () => {
      const state = open();
      state.transact((ledger) => {
        for (let i = 0; i < 5; i++) {
          const roomAt = i < 3 ? null : T0 + i - 3 + HOUR;
          expect(ledger.read(AGENT, refunds, T0 + 4)).toEqual({ kind: 'count', used: i, roomAt });
          expect(ledger.read(AGENT, dollars, T0 + 4)).toEqual({ kind: 'sum', spent: BigInt(i * 10) });
          ledger.recordUsage({ agentId: AGENT, action: 'issue_refund', at: T0 + i, currency: 'USD', amountMinor: 10n });
          ledger.recordUsage({ agentId: AGENT, action: 'other', at: T0 + i, currency: null, amountMinor: null });
        }
      });
    });

    test('survive pruning for two days and no longer', () => {
      const state = open();
      use(state, T0, 'pay', 5n);
      use(state, T0 + DAY + 2 * HOUR, 'pay', 7n);
      const long: Meter = { ...dollars, windowMs: 10 * DAY };
      for (let i = 0; i < 300; i++) state.transact((ledger) => ledger.prune(T0 + 2 * DAY - 1));
      expect(read(state, long, T0)).toEqual({ kind: 'sum', spent: 12n });
      for (let i = 0; i < 300; i++) state.transact((ledger) => ledger.prune(T0 + 3 * DAY));
      expect(read(state, long, T0)).toEqual({ kind: 'sum', spent: 7n });
    });
  });
}
