import { describe, expect, test } from 'vitest';
import type { KnownPassport, Meter, Pin, State } from '../../src/app/ports/state.js';
import { AGENT, draft, OTHER, T0 } from '../kit/state/drafts.js';
import { logContract } from './state-log.js';
import { windowsContract } from './state-windows.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NONCE = 'ab'.repeat(16);

const dollars: Meter = { kind: 'sum', currency: 'USD', windowMs: DAY, asked: 0n, limit: 0n };

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
      expect(state.rehearse((ledger) => ledger.nonceRecord(AGENT, NONCE))).toBeNull();
      expect(read(state, dollars, T0)).toEqual({ kind: 'sum', spent: 0n });
      expect(state.transact((ledger) => ledger.append(draft())).seq).toBe(1);
    });

    test('see their own writes when rehearsed, and keep none', () => {
      const state = open();
      state.transact((ledger) => ledger.append(draft()));
      state.rehearse((ledger) => {
        ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0 + HOUR);
        expect(ledger.nonceRecord(AGENT, NONCE)).not.toBeNull();
        ledger.recordUsage({ agentId: OTHER, action: 'a', at: T0, currency: 'USD', amountMinor: 5n });
        expect(ledger.read(OTHER, dollars, T0)).toEqual({ kind: 'sum', spent: 5n });
        expect(ledger.append(draft()).seq).toBe(2);
        ledger.prune(T0 + 100 * DAY);
      });
      expect(state.rehearse((ledger) => ledger.nonceRecord(AGENT, NONCE))).toBeNull();
      expect(read(state, dollars, T0, OTHER)).toEqual({ kind: 'sum', spent: 0n });
      expect([...state.entries({})]).toHaveLength(1);
      use(state, T0, 'a', 7n, OTHER);
      expect(read(state, dollars, T0, OTHER)).toEqual({ kind: 'sum', spent: 7n });
    });

    test('are looked at as one snapshot, and a write through it throws', () => {
      const state = open();
      state.transact((ledger) => ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0 + HOUR));
      use(state, T0, 'a', 7n);
      const ledger = state.look((look) => {
        expect(look.nonceRecord(AGENT, NONCE)).toEqual({ firstSeenAt: T0, firstResult: 'accepted' });
        expect(look.nonceRecord(OTHER, NONCE)).toBeNull();
        expect(look.read(AGENT, dollars, T0)).toEqual({ kind: 'sum', spent: 7n });
        expect(look.read(OTHER, dollars, T0)).toEqual({ kind: 'sum', spent: 0n });
        expect(look.standing(AGENT)).toBeNull();
        expect(look.forgottenUntil(T0)).toBe(0);
        const writes = [
          () => look.spendNonce(OTHER, NONCE, T0, 'accepted', T0 + HOUR),
          () => look.recordUsage({ agentId: OTHER, action: 'a', at: T0, currency: 'USD', amountMinor: 5n }),
          () => look.markRefused(OTHER, 'sha256:0', T0, T0 + HOUR),
          () => look.toldMesh('0', 'sent'),
          () => look.giveBack(1, T0),
          () => look.append(draft()),
          () => look.prune(T0),
        ];
        for (const write of writes) expect(write).toThrow(/look/);
        return look;
      });
      expect(() => ledger.read(AGENT, dollars, T0)).toThrow(/over/);
      expect(() => state.look(() => state.transact(() => 1))).toThrow(/transaction/);
      expect(() => state.look(() => Promise.resolve(1))).toThrow(/wait/);
      expect([...state.entries({})]).toEqual([]);
      expect(state.transact((each) => each.append(draft()).seq)).toBe(1);
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
        expect(ledger.nonceRecord(AGENT, NONCE)).toBeNull();
        ledger.spendNonce(AGENT, NONCE, T0, 'accepted', T0 + HOUR);
        ledger.spendNonce(OTHER, NONCE, T0 + 1, 'AIP-E202', T0 + HOUR);
      });
      state.transact((ledger) => {
        expect(ledger.nonceRecord(AGENT, NONCE)).toEqual({ firstSeenAt: T0, firstResult: 'accepted' });
        expect(ledger.nonceRecord(OTHER, NONCE)).toEqual({ firstSeenAt: T0 + 1, firstResult: 'AIP-E202' });
        expect(ledger.nonceRecord(AGENT, NONCE.replace('a', 'c'))).toBeNull();
        expect(ledger.nonceRecord(AGENT, NONCE.toUpperCase())).toBeNull();
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
              if (i >= back) expect(ledger.nonceRecord(AGENT, nonce(i - back))).not.toBeNull();
            }
            if (i >= 40) expect(ledger.nonceRecord(AGENT, nonce(i - 40))).toBeNull();
          });
        }
      },
    );
  });

  test(`${name}: a refusal is marked once, by agent and intent, and not confused with a nonce`, () => {
    const state = open();
    const mark = (agentId: string, hash: string) =>
      state.transact((ledger) => ledger.markRefused(agentId, hash, T0, T0 + HOUR));
    expect([mark(AGENT, NONCE), mark(AGENT, NONCE), mark(OTHER, NONCE), mark(AGENT, 'x')]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(state.look((ledger) => ledger.nonceRecord(AGENT, NONCE))).toBeNull();
    expect(state.rehearse((ledger) => ledger.markRefused(AGENT, 'y', T0, T0 + HOUR))).toBe(true);
    expect(mark(AGENT, 'y')).toBe(true);
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

  windowsContract(name, open);
  logContract(name, open);
}
