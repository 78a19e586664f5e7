import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkLog } from '../../../src/app/logs/check.js';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { openState, type SqliteState } from '../../../src/adapters/sqlite/open.js';
import { toHex } from '../../../src/protocol/hex.js';
import { leafText } from '../../../src/protocol/log/leaf.js';
import { inclusionProof, leafHash, rootFromInclusion, rootOf } from '../../../src/protocol/transparency/tree.js';
import { scratch } from '../../kit/scratch.js';
import { AGENT, draft, refused, T0 } from '../../kit/state/drafts.js';

const at = (): string => join(scratch(), 'state.db');
const open = (path: string): SqliteState => openState(path, { random: randomBytes });

/** Every entry behind the tree's beginning is its leaf. */
function expectWholeTree(state: SqliteState): void {
  const { after, size, nodes } = state.tree();
  const records = [...state.records({ afterSeq: after })];
  expect(records).toHaveLength(size);
  if (size === 0) return;
  const root = rootOf(size, nodes);
  for (const record of records) {
    const index = record.seq - after - 1;
    const leaf = leafHash(leafText(record)!);
    expect(toHex(rootFromInclusion(leaf, index, size, inclusionProof(index, size, nodes))!)).toBe(toHex(root));
  }
}

test('entries of every kind are one chain and one tree', async () => {
  const state = open(at());
  state.transact((ledger) => {
    for (let i = 0; i < 70; i++) ledger.append(i % 3 === 0 ? refused('AIP-E202') : draft({ at: T0 + i }));
  });
  state.transact((ledger) => {
    ledger.appendOutcome(
      {
        ...{ timestamp: '2026-02-18T14:24:00.000Z', agent_id: AGENT, of: 2, status: 'ok', exit_code: 0 },
        ...{ duration_ms: 12, result_hash: null, detail: 'done', claimed: false },
      },
      T0 + 1,
    );
    ledger.append(draft());
  });
  expect([...state.records({ type: 'outcome' })]).toMatchObject([
    {
      type: 'outcome',
      seq: 71,
      of: 2,
      status: 'ok',
      exit_code: 0,
      duration_ms: 12,
      result_hash: null,
      detail: 'done',
      claimed: false,
    },
  ]);
  expect([...state.entries({})].map(({ type }) => type)).not.toContain('outcome');
  expect(await checkLog(state, { newest: null, pause: async () => undefined })).toMatchObject({ ok: true, count: 72 });
  expect(state.outcomesOf(2)).toEqual([71]);
  expect(state.tally(AGENT)).toMatchObject({ total: 71 });
  expectWholeTree(state);
  state.close();
});

test('a transaction that is rolled back leaves no leaf', () => {
  const path = at();
  const state = open(path);
  state.transact((ledger) => ledger.append(draft()));
  expect(() =>
    state.transact((ledger) => {
      ledger.append(draft());
      throw new Error('undone');
    }),
  ).toThrow('undone');
  state.rehearse((ledger) => ledger.append(draft()));
  state.transact((ledger) => ledger.append(draft()));
  expect(state.tree().size).toBe(2);
  expectWholeTree(state);
  state.close();
});

test('is found by intent hash and nonce, and a guess by the table alone is not confirmed', () => {
  const path = at();
  const state = open(path);
  const hash = (i: number): string => `sha256:${String(i).padStart(64, '0')}`;
  state.transact((ledger) => {
    for (let i = 1; i <= 50; i++) ledger.append(draft({ intent_hash: hash(i), nonce: `n${i}` }));
  });
  expect(state.find(hash(7))).toEqual([7]);
  expect(state.find('n50')).toEqual([50]);
  expect(state.find(hash(99))).toEqual([]);
  const other = open(at());
  other.transact((ledger) => ledger.append(draft({ intent_hash: hash(7) })));
  const keys = (file: string): number[] => {
    const database = new Database(file, 0);
    const found = database.query(['number'], 'SELECT key FROM lookups').all([]);
    database.close();
    return found.map(([key]) => key);
  };
  expect(new Set([...keys(path)]).size).toBe(100);
  state.close();
  other.close();
});

test('the index of the third version is moved into smaller blocks', () => {
  const path = at();
  const state = open(path);
  const hash = (i: number): string => `sha256:${String(i).padStart(64, '0')}`;
  state.transact((ledger) => {
    for (let i = 1; i <= 1100; i++) ledger.append(draft({ intent_hash: hash(i), nonce: `n${i}` }));
  });
  state.close();
  const second = new Database(path, 0);
  second.exec('UPDATE lookups SET key = seq / 65536 * 4294967296 + (key & 4294967295); PRAGMA user_version = 3');
  second.close();
  const again = open(path);
  expect([again.find(hash(7)), again.find(hash(1050)), again.find('n1100')]).toEqual([[7], [1050], [1100]]);
  again.close();
});

test('what a transaction wrote is found inside of it, and gone with it', () => {
  const state = open(at());
  const { intent_hash, nonce, agent_id } = draft();
  state.rehearse((ledger) => {
    ledger.append(draft());
    ledger.spendNonce(agent_id, nonce!, T0, 'accepted', T0 + 1000);
    expect(ledger.acceptedAs(intent_hash!)?.entry.seq).toBe(1);
    expect(ledger.nonceRecord(agent_id, nonce!)).toEqual({ firstSeenAt: T0, firstResult: 'accepted' });
    expect(ledger.nonceRecord(agent_id, 'another')).toBeNull();
    expect(() => ledger.spendNonce(agent_id, nonce!, T0, 'accepted', T0 + 1000)).toThrow('twice');
  });
  state.transact((ledger) => {
    expect(ledger.acceptedAs(intent_hash!)).toBeNull();
    expect(ledger.nonceRecord(agent_id, nonce!)).toBeNull();
  });
  state.close();
});

test('the token of a yes is kept as a hash only, and found again by intent hash', () => {
  const path = at();
  const state = open(path);
  const token = state.transact((ledger) => {
    const drawn = ledger.token();
    ledger.append(draft(), { sent: null, passport: { hash: 'sha256:aa', text: '{}' }, token: drawn });
    return drawn;
  });
  expect(token).toMatch(/^[0-9a-f]{32}$/);
  const decided = state.look((ledger) => ledger.acceptedAs(draft().intent_hash!))!;
  expect([decided.entry.seq, decided.isToken(token), decided.isToken('0'.repeat(32))]).toEqual([1, true, false]);
  expect(state.look((ledger) => ledger.acceptedAs('sha256:00'))).toBeNull();
  expect(state.judgedPassport('sha256:aa')).toBe('{}');
  expect(state.judgedPassport('sha256:bb')).toBeNull();
  expect(JSON.stringify([...state.records({})])).not.toContain(token);
  state.close();
});
