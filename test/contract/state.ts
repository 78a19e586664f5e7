import { describe, expect, test } from 'vitest';
import type { EntryQuery, KnownPassport, Meter, Pin, State } from '../../src/app/ports.js';
import { verifyChain } from '../../src/protocol/chain.js';
import { AGENT, draft, OTHER, refused, T0 } from '../kit/state/drafts.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NONCE = 'ab'.repeat(16);

type Count = Extract<Meter, { kind: 'count' }>;
type Sum = Extract<Meter, { kind: 'sum' }>;

const refunds: Count = { kind: 'count', action: 'issue_refund', word: null, windowMs: HOUR, limit: 3 };
const dollars: Sum = { kind: 'sum', currency: 'USD', windowMs: DAY };

/** What every implementation of the `State` port has to do. `open` gives an empty one, closed after the test. */
export function stateContract(name: string, open: () => State): void {
  const use = (state: State, at: number, action = 'issue_refund', amountMinor: bigint | null = null, agentId = AGENT) =>
    state.transact((ledger) =>
      ledger.recordUsage({ agentId, action, at, currency: amountMinor === null ? null : 'USD', amountMinor }),
    );
  const read = (state: State, meter: Meter, now: number, agentId = AGENT) =>
    state.rehearse((ledger) => ledger.read(agentId, meter, now));

  describe(`${name}: transactions`, () => {
    test('return what the work returned, after it was kept', () => {
      const state = open();
      expect(state.transact(() => 'done')).toBe('done');
      expect(state.transact((ledger) => ledger.append(draft()).seq)).toBe(1);
      expect([...state.entries({})]).toHaveLength(1);
    });

    test('keep nothing when the work throws', () => {
      const state = open();
      const boom = new Error('boom');
      const work = () =>
        state.transact((ledger) => {
          ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0 + HOUR);
          ledger.recordUsage({ agentId: AGENT, action: 'a', at: T0, currency: 'USD', amountMinor: 5n });
          ledger.append(draft());
          throw boom;
        });
      expect(work).toThrow(boom);
      expect(work).toThrow(boom); // and leave no lock, number or memory behind
      expect([...state.entries({})]).toEqual([]);
      expect(state.rehearse((ledger) => ledger.spentNonce(AGENT, NONCE))).toBeNull();
      expect(read(state, dollars, T0)).toEqual({ kind: 'sum', spent: 0n });
      expect(state.transact((ledger) => ledger.append(draft())).seq).toBe(1);
    });

    test('see their own writes when rehearsed, and keep none', () => {
      const state = open();
      state.transact((ledger) => ledger.append(draft()));
      state.rehearse((ledger) => {
        ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0 + HOUR);
        expect(ledger.spentNonce(AGENT, NONCE)).not.toBeNull();
        ledger.recordUsage({ agentId: OTHER, action: 'a', at: T0, currency: 'USD', amountMinor: 5n });
        expect(ledger.read(OTHER, dollars, T0)).toEqual({ kind: 'sum', spent: 5n });
        expect(ledger.append(draft()).seq).toBe(2);
        ledger.prune(T0 + 100 * DAY);
      });
      expect(state.rehearse((ledger) => ledger.spentNonce(AGENT, NONCE))).toBeNull();
      expect(read(state, dollars, T0, OTHER)).toEqual({ kind: 'sum', spent: 0n });
      expect([...state.entries({})]).toHaveLength(1);
      use(state, T0, 'a', 7n, OTHER);
      expect(read(state, dollars, T0, OTHER)).toEqual({ kind: 'sum', spent: 7n });
    });

    test('do not nest, do not wait, and end with their work', () => {
      const state = open();
      expect(() => state.transact(() => state.transact(() => 1))).toThrow(/transaction/);
      expect(() => state.rehearse(() => state.transact(() => 1))).toThrow(/transaction/);
      expect(() => state.transact(() => Promise.resolve(1))).toThrow(/wait/);
      const ledger = state.transact((each) => each);
      expect(() => ledger.append(draft())).toThrow(/over/);
      expect(() => ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0)).toThrow(/over/);
      expect(() => ledger.read(AGENT, dollars, T0)).toThrow(/over/);
      expect([...state.entries({})]).toEqual([]);
    });
  });

  describe(`${name}: nonces`, () => {
    test('are spent once, by one agent, with the first result', () => {
      const state = open();
      state.transact((ledger) => {
        expect(ledger.spentNonce(AGENT, NONCE)).toBeNull();
        ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0 + HOUR);
        ledger.spendNonce(OTHER, NONCE, T0 + 1, 'AIP-E202', T0 + HOUR);
      });
      state.transact((ledger) => {
        expect(ledger.spentNonce(AGENT, NONCE)).toEqual({ firstSeenAt: T0, firstResult: 'accepted' });
        expect(ledger.spentNonce(OTHER, NONCE)).toEqual({ firstSeenAt: T0 + 1, firstResult: 'AIP-E202' });
        expect(ledger.spentNonce(AGENT, NONCE.replace('a', 'c'))).toBeNull();
        expect(ledger.spentNonce(AGENT, NONCE.toUpperCase())).toBeNull();
      });
    });

    test('cannot be spent twice, not even in two generations', () => {
      const state = open();
      const spend = (keep: number) =>
        state.transact((ledger) => ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0 + keep));
      spend(600_000);
      expect(() => spend(600_000)).toThrow(/twice/);
      expect(() => spend(DAY)).toThrow(/twice/);
      state.transact((ledger) => ledger.prune(T0 + 1));
      expect(() => spend(600_000)).toThrow(/twice/);
    });

    test.each([600_000, 2 * DAY])(
      'kept for %d ms are kept that long through any pruning, and forgotten some day',
      (keep) => {
        const state = open();
        const nonce = (i: number) => String(i).padStart(32, '0');
        const step = keep / 10;
        for (let i = 0; i < 100; i++) {
          state.transact((ledger) => {
            const now = T0 + i * step;
            ledger.prune(now);
            ledger.spendNonce(AGENT, nonce(i), now, 'accepted', now + keep);
            for (let back = 0; back <= 10; back++) {
              if (i >= back) expect(ledger.spentNonce(AGENT, nonce(i - back))).not.toBeNull();
            }
            if (i >= 40) expect(ledger.spentNonce(AGENT, nonce(i - 40))).toBeNull();
          });
        }
      },
    );
  });

  describe(`${name}: windows`, () => {
    test('count what was accepted after their start, up to the limit, and say when there is room', () => {
      const state = open();
      expect(read(state, refunds, T0)).toEqual({ kind: 'count', used: 0, roomAt: null });
      use(state, T0);
      use(state, T0 + 1000);
      expect(read(state, refunds, T0 + 1000)).toEqual({ kind: 'count', used: 2, roomAt: null });
      use(state, T0 + 2000);
      expect(read(state, refunds, T0 + 2000)).toEqual({ kind: 'count', used: 3, roomAt: T0 + HOUR });
      use(state, T0 + 3000);
      expect(read(state, refunds, T0 + 3000)).toEqual({ kind: 'count', used: 3, roomAt: T0 + 1000 + HOUR });
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

    const orders: Count = { kind: 'count', action: null, word: 'order', windowMs: HOUR, limit: 100 };
    test.each([
      ['place_order', 1],
      ['placeOrder', 1],
      ['place_orders', 1],
      ['orders.place', 1],
      ['place-order', 1],
      ['ORDER', 1],
      ['cancelORDERNow', 1],
      ['reorder', 0],
      ['preorders', 0],
      ['ordering', 0],
      ['border_check', 0],
      ['placeorder', 0],
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
          expect(ledger.read(AGENT, refunds, T0 + 4)).toEqual({ kind: 'count', used: Math.min(i, 3), roomAt });
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

  describe(`${name}: the log`, () => {
    test('gives entries their number, verifier and links, and gives them back as they are', () => {
      const state = open();
      const drafts = [
        draft(),
        refused('AIP-E202', { at: T0 + 1, details: { requested: 10000.5, limit: 100, nested: [{ a: null }] } }),
        draft({ action: null, params: null, nonce: null, signature: null, intent_hash: null, dialect: 'aip-1' }),
        draft({ agent_id: '', action: '', params: {} }),
        draft({
          agent_id: 'a\0b',
          action: 'x\0y',
          error_code: '"quoted"',
          error_message: '\u202e\u0007',
          latency_us: 0,
        }),
        draft({ action: '"x', params: JSON.parse('{"__proto__": 1, "é": "\\u0000", "😀": -0.5}') }),
      ];
      const written = state.transact((ledger) => drafts.map((each) => ledger.append(each)));
      written.forEach((entry, i) => {
        expect(entry).toMatchObject({ ...drafts[i], seq: i + 1, verifier: state.verifier });
      });
      const entries = [...state.entries({})];
      expect(entries).toEqual(written);
      expect(JSON.stringify(entries[5]!.params)).toBe(JSON.stringify(drafts[5]!.params));
      expect(verifyChain(entries)).toEqual({ ok: true, head: { seq: 6, hash: written[5]!.hash }, count: 6 });
    });

    test('refuses a time that it could not give back', () => {
      const state = open();
      for (const timestamp of ['2026-02-18T14:23:45Z', '2026-02-30T00:00:00.000Z', 'now', '']) {
        expect(() => state.transact((ledger) => ledger.append(draft({ timestamp })))).toThrow(TypeError);
      }
      expect(() => state.transact((ledger) => ledger.append(draft({ action: '\udfff' })))).toThrow(TypeError);
      expect([...state.entries({})]).toEqual([]);
    });

    const queries: [string, EntryQuery, number[]][] = [
      ['nothing', {}, [1, 2, 3, 4, 5, 6, 7, 8]],
      ['the agent', { agentId: OTHER }, [2, 6]],
      ['an agent never seen', { agentId: 'did:web:acme.com:agents:nobody' }, []],
      ['the action', { action: 'send_email' }, [4, 8]],
      ['a part of an action', { action: 'send' }, []],
      ['success', { status: 'success' }, [1, 2, 4, 6, 8]],
      ['failure', { status: 'failed' }, [3, 5, 7]],
      ['the code', { code: 'AIP-E202' }, [3, 7]],
      ['a code never given', { code: 'AIP-E999' }, []],
      ['the start, inclusive', { since: T0 + 5 }, [5, 6, 7, 8]],
      ['the end, exclusive', { until: T0 + 3 }, [1, 2, 4]],
      ['both', { since: T0 + 2, until: T0 + 3 }, [2]],
      ['a start after everything', { since: T0 + 100 }, []],
      ['the place', { afterSeq: 6 }, [7, 8]],
      ['the last', { last: 2 }, [7, 8]],
      ['none of the last', { last: 0 }, []],
      ['more of the last than there are', { last: 100 }, [1, 2, 3, 4, 5, 6, 7, 8]],
      ['the last failures', { status: 'failed', last: 2 }, [5, 7]],
      ['the last of an agent', { agentId: OTHER, last: 1 }, [6]],
      ['the last after a place', { last: 5, afterSeq: 5 }, [6, 7, 8]],
      [
        'everything at once',
        {
          agentId: AGENT,
          action: 'issue_refund',
          status: 'failed',
          code: 'AIP-E202',
          since: T0 + 3,
          until: T0 + 8,
          afterSeq: 3,
          last: 1,
        },
        [7],
      ],
    ];
    test.each(queries)('is searched by %s', (_what, query, expected) => {
      const state = open();
      state.transact((ledger) => {
        ledger.append(draft({ at: T0 + 1 }));
        ledger.append(draft({ at: T0 + 2, agent_id: OTHER }));
        ledger.append(refused('AIP-E202', { at: T0 + 3 }));
        ledger.append(draft({ at: T0 + 1, action: 'send_email' })); // the clock went back
        ledger.append(refused('AIP-E301', { at: T0 + 5 }));
        ledger.append(draft({ at: T0 + 6, agent_id: OTHER }));
        ledger.append(refused('AIP-E202', { at: T0 + 7 }));
        ledger.append(draft({ at: T0 + 8, action: 'send_email' }));
      });
      expect([...state.entries(query)].map(({ seq }) => seq)).toEqual(expected);
    });

    test('is read in pages, as often as one likes, also while it grows', () => {
      const state = open();
      state.transact((ledger) => {
        for (let i = 0; i < 1000; i++) ledger.append(i % 2 === 0 ? draft() : refused('AIP-E202'));
      });
      const all = state.entries({});
      expect(verifyChain(all)).toMatchObject({ ok: true, count: 1000 });
      expect(verifyChain(all)).toMatchObject({ ok: true, count: 1000 });
      expect([...state.entries({ status: 'failed', last: 300 })].map(({ seq }) => seq)).toEqual(
        Array.from({ length: 300 }, (_, i) => 402 + 2 * i),
      );
      let seen = 0;
      for (const _ of state.entries({})) if (++seen === 5) state.transact((ledger) => ledger.append(draft()));
      expect(seen).toBe(1001);
    });
  });

  describe(`${name}: what is known of others`, () => {
    const passport: KnownPassport = { agentId: AGENT, name: 'support', text: '{"a":"é"}', path: null, addedAt: T0 };
    test('passports are remembered, replaced and forgotten', () => {
      const state = open();
      expect(state.passport(AGENT)).toBeNull();
      expect(state.passports()).toEqual([]);
      expect(state.forgetPassport(AGENT)).toBe(false);
      state.rememberPassport({ ...passport, agentId: OTHER });
      state.rememberPassport(passport);
      expect(state.passport(AGENT)).toEqual(passport);
      state.rememberPassport({ ...passport, text: '{}', path: '/x y' });
      expect(state.passports()).toEqual([
        { ...passport, text: '{}', path: '/x y' },
        { ...passport, agentId: OTHER },
      ]);
      expect(state.forgetPassport(AGENT)).toBe(true);
      expect(state.passport(AGENT)).toBeNull();
    });

    const pin: Pin = {
      did: 'did:web:acme.com',
      keyId: 'did:web:acme.com#key-1',
      publicKey: new Uint8Array(32).fill(7),
      pinnedAt: T0,
      source: 'added',
    };
    test('pins are kept by principal and key, with the exact key', () => {
      const state = open();
      expect(state.pins()).toEqual([]);
      expect(state.unpin(pin.did)).toBe(0);
      const second = { ...pin, keyId: `${pin.did}#key-2` };
      const other = { ...pin, did: 'did:web:other.org', keyId: 'did:web:other.org#key-1' };
      for (const each of [pin, second, other]) state.pin(each);
      expect(state.pins()).toEqual([pin, second, other]);
      expect(state.pins(pin.did)).toEqual([pin, second]);
      expect(state.pins('did:web:acme')).toEqual([]);
      state.pin({ ...pin, publicKey: new Uint8Array(32), source: 'resolved' });
      expect(state.pins(pin.did)[0]).toEqual({ ...pin, publicKey: new Uint8Array(32), source: 'resolved' });
      expect(state.unpin(pin.did)).toBe(2);
      expect(state.pins()).toEqual([other]);
    });

    test.each([0, 31, 33, 64])('a key of %d bytes is not pinned', (length) => {
      const state = open();
      expect(() => state.pin({ ...pin, publicKey: new Uint8Array(length) })).toThrow(TypeError);
      expect(state.pins()).toEqual([]);
    });

    test('where keys live is remembered, replaced and forgotten', () => {
      const state = open();
      const record = { keyId: `${AGENT}#key-1`, store: 'file', ref: '/keys/a b.pem', createdAt: T0 } as const;
      expect(state.key(record.keyId)).toBeNull();
      expect(state.forgetKey(record.keyId)).toBe(false);
      state.rememberKey(record);
      expect(state.key(record.keyId)).toEqual(record);
      state.rememberKey({ ...record, store: 'keychain', ref: 'x' });
      expect(state.key(record.keyId)).toEqual({ ...record, store: 'keychain', ref: 'x' });
      expect(state.forgetKey(record.keyId)).toBe(true);
      expect(state.key(record.keyId)).toBeNull();
    });

    test('nothing is said of the standing of anyone before the mesh said something', () => {
      const state = open();
      state.rehearse((ledger) => {
        for (const subject of [AGENT, 'did:web:acme.com', '*', '']) expect(ledger.standing(subject)).toBeNull();
      });
    });

    test('a state has names of its own', () => {
      const [one, two] = [open(), open()];
      expect(one.verifier).toMatch(/^\S+$/);
      expect(one.logId).toMatch(/^[0-9a-f]{32}$/);
      expect(two.verifier).not.toBe(one.verifier);
      expect(two.logId).not.toBe(one.logId);
    });
  });
}
