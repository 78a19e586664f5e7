/** What a million stored nonces add to a verification. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openState } from '../../src/adapters/sqlite/open.js';
import { agent } from './agent.js';
import { crowd } from './in-process.js';
import { timesAsMuch, type Pair, type Result } from './measure.js';

const ROUNDS = 24;
const MANY = 1_000_000;

export async function millionNonces(): Promise<Result> {
  const [none, many] = [await agent('no-nonces'), await agent('many-nonces')];
  await many.workspace.close();
  fill(join(many.home, 'state.db'), many.passport.agentId);
  const pairs: Pair[] = [];
  const ours: number[] = [];
  const base: number[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    const counts = round >= 0;
    const baseUs = await crowd(none, none.fresh(1024), counts ? base : []);
    const oursUs = await crowd(many, many.fresh(1024), counts ? ours : []);
    if (counts) pairs.push({ ours: oursUs, base: baseUs });
  }
  await Promise.all([none.workspace.close(), many.workspace.close()]);
  const target = { kind: 'most', value: 1.3, unit: 'x' } as const;
  return {
    what: 'time with 1,000,000 stored nonces',
    against: 'with none',
    target,
    measured: timesAsMuch(pairs),
    ours,
    base,
  };
}

function fill(path: string, agentId: string): void {
  const state = openState(path, { random: randomBytes });
  const now = Date.now();
  for (let i = 0; i < MANY;) {
    state.transact((ledger) => {
      for (const end = Math.min(MANY, i + 20_000); i < end; i++) {
        ledger.spendNonce(agentId, randomBytes(16).toString('hex'), now, 'accepted', now + 600_000);
      }
    });
  }
  state.close();
}
