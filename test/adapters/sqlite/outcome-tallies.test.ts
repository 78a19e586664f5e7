/** How accepted intents ended is counted, so that a report does not grow with the log: the counts are those that reading the log gives. */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { openState, type SqliteState } from '../../../src/adapters/sqlite/open.js';
import { formatTime } from '../../../src/protocol/time.js';
import { scratch } from '../../kit/scratch.js';
import { AGENT, draft, refused, T0 } from '../../kit/state/drafts.js';

const HOUR = 3_600_000;
const OTHER = `${AGENT}-2`;
type Ending = 'ok' | 'error' | 'unknown' | 'claimed' | 'none' | 'refused';

interface Decided {
  readonly agent: string;
  /** ms before T0. */
  readonly ago: number;
  readonly ending: Ending;
}

const random = (size: number): Uint8Array => new Uint8Array(size).fill(7);

function opened(path: string): SqliteState {
  const state = openState(path, { random, clock: () => T0 });
  onTestFinished(() => state.close());
  return state;
}

function written(decisions: readonly Decided[]): { path: string; state: SqliteState } {
  const path = join(scratch(), 'state.db');
  const state = opened(path);
  state.transact((ledger) => {
    for (const { agent, ago, ending } of decisions) {
      const changes = { at: T0 - ago, agent_id: agent };
      const { seq } = ledger.append(ending === 'refused' ? refused('AIP-E202', changes) : draft(changes));
      if (ending === 'none' || ending === 'refused') continue;
      ledger.appendOutcome(
        {
          ...{ timestamp: formatTime(T0), agent_id: agent, of: seq, exit_code: null, duration_ms: null },
          ...{ result_hash: null, detail: null, claimed: ending === 'claimed' },
          status: ending === 'claimed' ? 'ok' : ending,
        },
        T0 - ago,
      );
    }
  });
  return { path, state };
}

/** As reading each entry gives it. */
function read(decisions: readonly Decided[], agent: string, since: number, unknownBefore: number): object {
  const found = { ok: 0, error: 0, unknown: 0, running: 0 };
  for (const each of decisions) {
    const at = T0 - each.ago;
    if (each.agent !== agent || each.ending === 'refused' || at < since) continue;
    if (each.ending === 'ok' || each.ending === 'error') found[each.ending] += 1;
    else found[at < unknownBefore ? 'unknown' : 'running'] += 1;
  }
  return found;
}

const decisions = fc.array(
  fc.record({
    agent: fc.constantFrom(AGENT, OTHER),
    ago: fc.oneof(fc.nat(3 * 60_000), fc.nat(2 * HOUR), fc.nat(90 * HOUR)),
    ending: fc.constantFrom<Ending>('ok', 'error', 'unknown', 'claimed', 'none', 'none', 'refused'),
  }),
  { maxLength: 40 },
);
const ago = fc.oneof(fc.constantFrom(0, 60_000, HOUR, 47 * HOUR), fc.nat(3 * 60_000), fc.nat(100 * HOUR));

test('counts say what the log says, at any moment and since any', () => {
  fc.assert(
    fc.property(decisions, ago, ago, (made, unknownAgo, sinceAgo) => {
      const { state } = written(made);
      const before = T0 - unknownAgo;
      for (const agent of [AGENT, OTHER]) {
        const { conduct } = state;
        expect(conduct.outcomes(agent, null, before)).toEqual(read(made, agent, 0, before));
        // A report asks since the moment that its counts begin with.
        const since = conduct.counts(agent, T0 - sinceAgo).since!;
        expect(conduct.outcomes(agent, since, before)).toEqual(read(made, agent, since, before));
      }
    }),
    { numRuns: 150 },
  );
});

test('a state of the version before is counted when it is opened', () => {
  const made: Decided[] = [
    { agent: AGENT, ago: 1000, ending: 'ok' },
    { agent: AGENT, ago: 2000, ending: 'ok' },
    { agent: AGENT, ago: 70 * HOUR, ending: 'error' },
    { agent: AGENT, ago: 3000, ending: 'claimed' },
    { agent: OTHER, ago: 1000, ending: 'error' },
  ];
  const { path, state } = written(made);
  state.close();
  const database = new Database(path, 0);
  database.exec('DELETE FROM tallies WHERE kind > 3; PRAGMA user_version = 4');
  database.close();
  const again = opened(path);
  for (const agent of [AGENT, OTHER])
    expect(again.conduct.outcomes(agent, null, T0 - 2500)).toEqual(read(made, agent, 0, T0 - 2500));
});
