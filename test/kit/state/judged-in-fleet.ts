/** The way of a document through a fleet's memory, in one turn: forecast, settled, judged. */
import type { settleDocument as concludes } from '../../../src/app/verification/settle.js';
import { settleDocument } from '../../../src/app/verification/settle.js';
import { claimOf } from '../../../src/app/verification/fleet/forecast.js';
import { SettledMemory, unasked } from '../../../src/app/verification/fleet/settled.js';
import type { FleetClaim, SettledClaim } from '../../../src/app/ports/fleet-memory.js';
import { RecordingMemory } from '../verification/sitting.js';
import { settleOn, SharedTables } from './ledger-memory.js';

export interface SettledCase {
  readonly claim: FleetClaim;
  readonly settled: SettledClaim;
  readonly now: number;
}

/** One verifier whose sitting's memory is the fleet's; `settled` shows what was claimed, and what became of it. */
export function judgedInFleet(): { readonly judge: typeof concludes; readonly settled: readonly SettledCase[] } {
  const own = Object.assign(new RecordingMemory(), { answerRequest: () => false, pins: () => [] });
  const tables = new SharedTables();
  const all: SettledCase[] = [];
  return {
    settled: all,
    judge: (sitting, prepared) => {
      const { now, wallNow } = sitting;
      const claim = claimOf(sitting, prepared, own, now === wallNow ? null : now);
      if (claim === null) return settleDocument({ ...sitting, memory: unasked(own) }, prepared);
      const settled = settleOn(sitting.memory!, claim, wallNow, tables);
      all.push({ claim, settled, now: wallNow });
      return settleDocument(
        { ...sitting, memory: new SettledMemory({ claim, settled, now: wallNow, wallNow, own }) },
        prepared,
      );
    },
  };
}
