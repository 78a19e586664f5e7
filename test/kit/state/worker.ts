/**
 * One of many processes on a state file: `node worker.mjs <mode> <path> [argument]`. It says `ready`, waits for a line on
 * stdin, does its work and reports on stdout, a line at a time and only after the commit.
 */
import { randomBytes } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { Failure } from '../../../src/app/failure.js';
import { openState, type SqliteState } from '../../../src/adapters/sqlite/open.js';
import { verifyChain } from '../../../src/protocol/log/chain.js';
import { AGENT, draft, refused, T0 } from './drafts.js';

const [mode, path, argument] = process.argv.slice(2) as [string, string, string];

const MODES: Record<string, (state: SqliteState) => void> = {
  /** Spends the nonce `argument` unless it was spent. */
  nonce(state) {
    const won = state.transact((ledger) => {
      const spent = ledger.nonceRecord(AGENT, argument);
      if (spent === null) ledger.spendNonce(AGENT, argument, T0, 'accepted', T0 + 600_000);
      ledger.append(spent === null ? draft({ nonce: argument }) : refused('AIP-E301', { nonce: argument }));
      return spent === null;
    });
    say(won ? 'won' : 'lost');
  },
  /** Takes up to 3 places of a window with `argument` places. */
  places(state) {
    const limit = Number(argument);
    let taken = 0;
    for (let i = 0; i < 3; i++) {
      const got = state.transact((ledger) => {
        const meter = { kind: 'count', actions: null, word: 'order', windowMs: 3_600_000, limit } as const;
        const reading = ledger.read(AGENT, meter, T0 + i);
        if (reading.kind !== 'count' || reading.used >= limit) return false;
        ledger.recordUsage({ agentId: AGENT, action: 'place_order', at: T0 + i, currency: null, amountMinor: null });
        ledger.append(draft({ action: 'place_order' }));
        return true;
      });
      if (got) taken += 1;
    }
    say(String(taken));
  },
  /** Spends 30 where `argument` may be spent in a day. */
  money(state) {
    const won = state.transact((ledger) => {
      const reading = ledger.read(
        AGENT,
        { kind: 'sum', currency: 'USD', windowMs: 86_400_000, asked: 0n, limit: 0n },
        T0,
      );
      if (reading.kind !== 'sum' || reading.spent + 30n > BigInt(argument)) return false;
      ledger.recordUsage({ agentId: AGENT, action: 'pay', at: T0, currency: 'USD', amountMinor: 30n });
      return true;
    });
    say(won ? 'won' : 'lost');
  },
  /** Adds `argument` entries in one transaction. */
  entries(state) {
    state.transact((ledger) => {
      for (let i = 0; i < Number(argument); i++) ledger.append(draft());
    });
    say('done');
  },
  /** Writes batches until it is killed, reporting each nonce after its commit. */
  write(state) {
    for (;;) {
      const nonces = Array.from({ length: 1 + (randomBytes(1)[0]! % 20) }, () => randomBytes(16).toString('hex'));
      const entries = state.transact((ledger) => {
        ledger.prune(T0);
        return nonces.map((nonce) => {
          if (ledger.nonceRecord(AGENT, nonce) !== null) throw new Error('a fresh nonce was spent');
          ledger.spendNonce(AGENT, nonce, T0, 'accepted', T0 + 600_000);
          ledger.recordUsage({ agentId: AGENT, action: 'pay', at: T0, currency: 'USD', amountMinor: 1n });
          return ledger.append(draft({ nonce }));
        });
      });
      say(entries.map(({ seq, nonce, hash }) => `${seq} ${nonce} ${hash}`).join('\n'));
    }
  },
};

// Another user may have no way to node or to this checkout, so the process becomes one after it has read its program.
const uid = process.env['AIP_TEST_UID'];
if (uid !== undefined) {
  process.setgroups!([]);
  process.setgid!(Number(uid));
  process.setuid!(Number(uid));
}
say('ready');
readSync(0, Buffer.alloc(16));
if (mode === 'read') for (const each of path.split(':')) attempt(() => read(each));
else attempt(() => work());
// As the command line ends: at the natural end of a process libsql closes more than its `close` does.
process.exit(0);

function work(): void {
  const state = openState(path, { random: randomBytes, clock: () => T0 });
  MODES[mode]!(state);
  state.close();
}

/** Does on a file what a verifier and a reader do. */
function read(file: string): void {
  const state = openState(file, { random: randomBytes, clock: () => T0 });
  state.transact((ledger) => {
    for (let i = 0; i < 500; i++) ledger.nonceRecord(AGENT, String(i));
    ledger.read(AGENT, { kind: 'sum', currency: 'USD', windowMs: 1000, asked: 0n, limit: 0n }, T0);
    ledger.recordUsage({ agentId: AGENT, action: 'pay', at: T0, currency: 'USD', amountMinor: 1n });
    ledger.spendNonce(AGENT, 'ab'.repeat(16), T0, 'accepted', T0 + 1000);
    ledger.append(draft());
    ledger.prune(T0);
  });
  state.tally(AGENT);
  state.passports();
  state.pins();
  for (const _ of state.entries({ agentId: AGENT, since: 0, last: 1000 }));
  say(verifyChain(state.entries({}), state.bounds()).ok ? 'whole' : 'broken');
  state.close();
}

function attempt(job: () => void): void {
  try {
    job();
  } catch (error) {
    if (error instanceof Failure) say(`failure ${error.code} ${error.message} | ${error.hint}`);
    else if (error instanceof Error && error.message.includes('spent twice')) say('spent twice');
    else throw error;
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
