import { timingSafeEqual } from 'node:crypto';
import { Failure } from '../../../../app/failure.js';
import type { DecidedEntry } from '../../../../app/ports/state.js';
import { sha256 } from '../../../../protocol/hash.js';
import type { Entry, OutcomeEntry } from '../../../../protocol/log/entry.js';
import type { Database } from '../../engine/database.js';
import type { LogHeadRow } from './head.js';
import type { Log } from './log.js';
import type { Lookups } from './lookups.js';

const TOKEN_BYTES = 16;

/** What is kept of an outcome token. */
export function tokenMark(token: string): Uint8Array {
  return sha256(token).subarray(0, TOKEN_BYTES);
}

/** Which decisions have outcomes. */
export class Outcomes {
  readonly #log: Log;
  readonly #lookups: Lookups;
  readonly #add;
  readonly #of;

  constructor(database: Database, log: Log, lookups: Lookups) {
    this.#log = log;
    this.#lookups = lookups;
    this.#add = database.statement('INSERT INTO outcomes (decision, seq, final) VALUES (?, ?, ?)');
    this.#of = database.query(['number', 'number'], 'SELECT seq, final FROM outcomes WHERE decision = ? ORDER BY seq');
  }

  /** Inside a write transaction. */
  add(decision: number, seq: number, final: boolean): void {
    this.#add.run([decision, seq, final ? 1 : 0]);
  }

  /** The numbers of the outcomes of a decision, ascending; at most one is final. */
  of(decision: number): { readonly seq: number; readonly final: boolean }[] {
    return this.#of.all([decision]).map(([seq, final]) => ({ seq, final: final === 1 }));
  }

  decision(seq: number): DecidedEntry | null {
    for (const entry of this.#log.entries({ afterSeq: seq - 1 })) {
      return entry.seq === seq ? this.#decided(entry) : null;
    }
    return null;
  }

  acceptedAs(intentHash: string, { seq }: LogHeadRow): DecidedEntry | null {
    for (const found of this.#lookups.find(intentHash, seq).reverse()) {
      const decided = this.decision(found);
      if (decided?.entry.status === 'success' && decided.entry.intent_hash === intentHash) return decided;
    }
    return null;
  }

  /** True when an entry says that the intent was judged so. */
  isLogged(intentHash: string, settledAs: string, { seq }: LogHeadRow): boolean {
    return this.#lookups.find(intentHash, seq).some((found) => {
      const [record] = this.#log.records({ afterSeq: found - 1 });
      if (record?.seq !== found || !('intent_hash' in record) || record.intent_hash !== intentHash) return false;
      if (record.type === 'interrupted') return record.settled_as === settledAs;
      return settledAs === (record.status === 'success' ? 'accepted' : record.error_code);
    });
  }

  #decided(entry: Entry): DecidedEntry {
    const outcomes = this.of(entry.seq);
    const final = outcomes.find((each) => each.final)?.seq ?? null;
    return {
      entry,
      isToken: (token) => {
        const kept = this.#log.token(entry.seq);
        const mark = tokenMark(token);
        return kept !== null && kept.length === mark.length && timingSafeEqual(kept, mark);
      },
      outcomes: {
        final: final === null ? null : this.#outcome(final),
        open: outcomes.filter((each) => !each.final).length,
      },
    };
  }

  #outcome(seq: number): OutcomeEntry {
    for (const record of this.#log.records({ afterSeq: seq - 1 }))
      if (record.seq === seq && record.type === 'outcome') return record;
      else break;
    throw new Failure('STATE', `Entry ${seq} of the log is missing.`, { hint: 'aip logs verify' });
  }
}
