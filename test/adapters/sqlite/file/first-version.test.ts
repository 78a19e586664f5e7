/** A state that the first version wrote: its tables, brought up to those of today, and what its log says of agents. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkLog } from '../../../../src/app/logs/check.js';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { openState, type SqliteState } from '../../../../src/adapters/sqlite/open.js';
import { openLocalCopy } from '../../../../src/adapters/mesh/client/local-copy.js';
import { entryHash, verifyChain } from '../../../../src/protocol/log/chain.js';
import { scratch } from '../../../kit/scratch.js';
import { AGENT, draft, refused, T0 } from '../../../kit/state/drafts.js';

const TABLES = readFileSync(new URL('../../../kit/state/first-version.sql', import.meta.url), 'utf8');
const at = (): string => join(scratch(), 'state.db');
const open = (path: string): SqliteState => openState(path, { random: randomBytes });
const HOUR = 3_600_000;

/** Entries as the first version wrote and counted them: of these codes, or accepted where it is null. Each refusal counted as the agent's. */
function written(path: string, codes: readonly (string | null)[]): void {
  const database = new Database(path, 0);
  database.exec(`PRAGMA journal_mode = WAL; ${TABLES}`);
  let prev = '0'.repeat(64);
  const insert = database.statement('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const tally = database.statement(
    'INSERT INTO tallies VALUES (1, ?1, ?2, ?3, ?4, 1) ON CONFLICT DO UPDATE SET count = count + 1',
  );
  const failure = database.statement('INSERT INTO recent_failures VALUES (1, ?, ?, ?, ?)');
  codes.forEach((code, i) => {
    const seq = i + 1;
    const first = {
      ...{ seq, timestamp: '2026-02-18T14:23:45.000Z', agent_id: AGENT, action: 'issue_refund' },
      ...{ params: { amount: seq }, status: code === null ? 'success' : 'failed', error_code: code },
      ...{ error_message: null, details: null, nonce: `n${seq}`, signature: 's', intent_hash: 'h' },
      ...{ dialect: 'native', verifier: 'v', latency_us: 1, prev_hash: prev },
    };
    const hash = entryHash(first as never);
    const body = ['v', prev, 'native', null, 'h', `n${seq}`, 's', 1, { amount: seq }, null];
    insert.run([seq, T0, 1, 'issue_refund', code === null ? 1 : 0, code, hash, JSON.stringify(body)]);
    for (const span of [60_000, HOUR]) tally.run([span, T0 - (T0 % span), code === null ? 0 : 1, code ?? '']);
    if (code !== null) failure.run([seq, T0, code, 'issue_refund']);
    prev = hash;
  });
  const failed = codes.filter((code) => code !== null).length;
  database.exec(`
    INSERT INTO identity VALUES ('0123456789abcdef', '0123456789abcdef0123456789abcdef');
    INSERT INTO head VALUES (1, ${codes.length}, '${prev}', 0, '${'0'.repeat(64)}', 0, 0, 0, 0, 0, 0, 0);
    INSERT INTO agents VALUES (1, '${AGENT}', ${codes.length}, ${codes.length - failed}, ${failed}, 0);`);
  database.close();
}

function tablesOf(path: string): unknown[] {
  const database = new Database(path, 0);
  const found = database
    .query(
      ['text', 'text', 'text', 'number'],
      `SELECT CAST(m.name AS BLOB), CAST(m.type AS BLOB), CAST(coalesce(c.name || ' ' || c.type, '') AS BLOB), coalesce(c.pk, 0)
         FROM sqlite_schema m LEFT JOIN pragma_table_info(m.name) c WHERE m.name NOT LIKE 'sqlite_%' ORDER BY 1, 3`,
    )
    .all([]);
  database.close();
  return found;
}

test('is brought up to the tables of a new one, and its chain still verifies', async () => {
  const [path, fresh] = [at(), at()];
  written(path, [null, null]);
  const state = open(path);
  open(fresh).close();
  expect([...state.entries({})]).toMatchObject([
    { seq: 1, type: 'verification', target: null, salts: null, passport_hash: null },
    { seq: 2, type: 'verification' },
  ]);
  state.transact((ledger) => ledger.append(draft()));
  const records = [...state.records({})];
  expect(verifyChain(records)).toMatchObject({ ok: true, count: 3 });
  expect(await checkLog(state, { newest: null, pause: async () => undefined })).toMatchObject({ ok: true, count: 3 });
  expect(state.tree()).toMatchObject({ after: 2, size: 1 });
  state.close();
  expect(tablesOf(path)).toEqual(tablesOf(fresh));
  const again = open(path);
  expect(again.bounds().head.seq).toBe(3);
  expect(again.tree()).toMatchObject({ after: 2, size: 1 });
  again.close();
});

test('takes no commit of a first version that still has it open', async () => {
  const path = at();
  written(path, [null]);
  const before = new Database(path, 0);
  const state = open(path);
  const body = JSON.stringify(['v', '', 'native', null, 'h', 'n2', 's', 1, {}, null]);
  before.exec('BEGIN IMMEDIATE');
  before
    .statement(
      'INSERT INTO entries (seq, at, agent, action, success, code, hash, body) VALUES (2, ?, 1, ?, 1, NULL, ?, ?)',
    )
    .run([T0, 'issue_refund', 'h', body]);
  expect(() => before.statement('UPDATE head SET seq = 2, hash = ?, usages = 1 WHERE id = 1').run(['h'])).toThrow(
    'brought up by a newer aip',
  );
  before.rollback();
  before.close();
  state.transact((ledger) => ledger.append(draft()));
  expect(await checkLog(state, { newest: null, pause: async () => undefined })).toMatchObject({ ok: true, count: 2 });
  state.close();
});

test('takes the copy of a mesh before anything else has opened it', () => {
  const path = at();
  written(path, [null]);
  const copy = openLocalCopy(path, `ed25519:${'a'.repeat(64)}`, randomBytes);
  const position = { logId: 'b'.repeat(32), term: 1, seq: 1, hash: 'c'.repeat(64) };
  const denied = { subject: AGENT, status: 'revoked', reason: 'r', changedAt: T0, changedBy: null } as const;
  copy.save({
    ...{ from: null, position, whole: true, standings: [{ ...denied, suspendedUntil: null, version: 1, seq: 1 }] },
    ...{ events: [], keptBefore: [], kept: [], passports: [], tellsPassports: true },
  });
  expect(copy.standing(AGENT)).toMatchObject({ status: 'revoked' });
  copy.close();
  const state = open(path);
  expect(state.look((ledger) => ledger.standing(AGENT))).toMatchObject({ status: 'revoked' });
  state.close();
});

test('takes refusals that may be a stranger’s doing, and folds what is more', () => {
  const path = at();
  written(path, [null]);
  const state = open(path);
  for (let i = 0; i < 130; i++) state.transact((ledger) => ledger.append(refused('AIP-E301')));
  expect(state.derivedProblems(T0 + 48 * HOUR)).toEqual([]);
  state.close();
});

test('holds an agent to what it did, and no more to what a revocation or a clock decided', () => {
  const path = at();
  written(path, [null, 'AIP-E202', 'AIP-E401', 'AIP-E213', 'AIP-E202', 'AIP-E401']);
  const first = new Database(path, 0);
  // A score of the old rules.
  first.exec(`INSERT INTO trust_states VALUES (1, 'r', 6, '{}'); INSERT INTO trust_hours VALUES (1, 'r', 0, 0.2)`);
  first.close();
  const state = open(path);
  expect(state.derivedProblems(T0 + 48 * HOUR)).toEqual([]);
  expect(state.tally(AGENT)).toMatchObject({ total: 6, successful: 1, failed: 2, unattributed: 3 });
  state.close();
  const database = new Database(path, 0);
  const rows = database.query(['number'], 'SELECT seq FROM recent_failures ORDER BY seq').all([]);
  const folded = 'SELECT (SELECT count(*) FROM trust_states), (SELECT count(*) FROM trust_hours)';
  expect(database.query(['number', 'number'], folded).all([])).toEqual([[0, 0]]);
  expect(rows).toEqual([[2], [5]]);
  const counts = database.query(
    ['number', 'text', 'number'],
    `SELECT kind, CAST(code AS BLOB), count FROM tallies WHERE span = ${HOUR} AND kind > 0 ORDER BY 1, 2`,
  );
  expect(counts.all([])).toEqual([
    [1, 'AIP-E202', 2],
    [2, 'AIP-E213', 1],
    [2, 'AIP-E401', 2],
  ]);
  database.close();
});

test('that was pruned keeps the counts of what is gone', () => {
  const path = at();
  written(path, ['AIP-E401', 'AIP-E401', 'AIP-E202']);
  const database = new Database(path, 0);
  database.exec('DELETE FROM entries WHERE seq = 1; UPDATE head SET base_seq = 1');
  database.close();
  const state = open(path);
  expect(state.tally(AGENT)).toMatchObject({ total: 3, failed: 3, unattributed: 0 });
  state.close();
});
