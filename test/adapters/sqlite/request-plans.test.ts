/** Requests for approval are kept for sixty days: what each verification asks of them must not look through all of them. */
import Libsql from 'libsql';
import { expect, test, vi } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { AGENT, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

test('opening a request, and telling the mesh of those that wait, find what they need by an index', () => {
  const path = statePath();
  const state = openAt(path);
  const open = (id: string): void =>
    state.transact((ledger) => {
      const request = { id, verifier: 'v', actionHash: `hash of ${id}`, agentId: AGENT, text: '{}' };
      ledger.openRequest({ ...request, expiresAt: T0 + 1_000, ttlMs: 1_000 });
      ledger.toldMesh(id, 'sent');
    });
  open('r-1');
  const asked: string[] = [];
  const { query, statement } = Database.prototype;
  vi.spyOn(Database.prototype, 'query').mockImplementation(function (this: Database, columns, sql) {
    asked.push(sql);
    return query.call(this, columns, sql) as never;
  });
  vi.spyOn(Database.prototype, 'statement').mockImplementation(function (this: Database, sql) {
    asked.push(sql);
    return statement.call(this, sql);
  });
  open('r-2');
  expect(state.look((ledger) => ledger.requestsForMesh(T0))).toHaveLength(2);
  vi.restoreAllMocks();
  const ofRequests = asked.filter((sql) => sql.includes('FROM approval_requests'));
  expect(ofRequests.length).toBeGreaterThanOrEqual(3);
  const database = new Libsql(path);
  for (const sql of ofRequests) {
    const values = Array.from({ length: new Set(sql.match(/\?\d*/g)).size }, () => 0);
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(values) as { readonly detail: string }[];
    expect(steps.map(({ detail }) => detail)).not.toContainEqual(expect.stringMatching(/^SCAN approval_requests/));
  }
  database.close();
});
