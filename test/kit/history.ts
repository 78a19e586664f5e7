/** Logs with known content, written as verifications write them. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openState, type SqliteState } from '../../src/adapters/sqlite/open.js';
import type { Ledger } from '../../src/app/ports/state.js';
import type { EntryDraft } from '../../src/protocol/log/entry.js';
import { draft, refused } from './state/drafts.js';

/** Opens the state in a home folder for `work`, and closes it. */
export function inHome<T>(home: string, work: (state: SqliteState) => T): T {
  const state = openState(join(home, 'state.db'), { random: randomBytes });
  try {
    return work(state);
  } finally {
    state.close();
  }
}

/** Leaves beside an accepted entry what its verification would have left. */
export function accept(ledger: Ledger, { agent_id, action, nonce, timestamp }: EntryDraft): void {
  const at = Date.parse(timestamp);
  if (nonce !== null && ledger.nonceRecord(agent_id, nonce) === null)
    ledger.spendNonce(agent_id, nonce, at, 'accepted', at + 600_000);
  if (action !== null) ledger.recordUsage({ agentId: agent_id, action, at, currency: null, amountMinor: null });
}

export type Past = readonly (Partial<EntryDraft> & { readonly at?: number })[];

/** Writes entries: those with an `error_code` refused, the others accepted. */
export function writePast(home: string, past: Past): void {
  inHome(home, (state) =>
    state.transact((ledger) => {
      for (const each of past) {
        const entry = each.error_code == null ? draft(each) : refused(each.error_code, each);
        if (entry.status === 'success') accept(ledger, entry);
        ledger.append(entry);
      }
    }),
  );
}
