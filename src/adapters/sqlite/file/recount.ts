/** What refusals that were logged before say of their agents, by the table of today. */
import { isAttributable, isCounted } from '../../../protocol/log/attribution.js';
import type { Entry } from '../../../protocol/log/entry.js';
import { utf8, type Database } from '../engine/database.js';
import { damaged } from '../engine/failures.js';

const PAGE_ROWS = 1_000;
const MINUTE = 60_000;
const SPANS = [MINUTE, 60 * MINUTE] as const;
/** Kinds of tallies: refusals that the agent can be held to, and others. */
const FAILED = 1;
const UNATTRIBUTED = 2;

/** Refusals of one minute or hour, and one code. */
interface Counted {
  readonly span: number;
  readonly start: number;
  readonly code: string;
  failed: number;
  unattributed: number;
}

/**
 * Counts the refusals of each agent anew: the first version held agents to what a revocation, the clock or a place decided. Where the
 * tallies do not hold just as many as the log, as of one that was pruned, they stay as they are. In a write transaction.
 * @throws Failure STATE for an entry that is damaged
 */
export function recountRefusals(database: Database, path: string): void {
  const page = database.query(
    ['number', 'number', 'text', 'text'],
    `SELECT seq, at, ${utf8('code')}, ${utf8('body')} FROM entries
      WHERE agent = ? AND seq > ? AND success = 0 AND code IS NOT NULL AND kind = 0 ORDER BY seq LIMIT ${PAGE_ROWS}`,
  );
  const forget = database.statement('DELETE FROM recent_failures WHERE agent = ? AND seq = ?');
  const written = database.query(
    ['number', 'number'],
    `SELECT kind, count FROM tallies WHERE agent = ? AND span = ? AND start = ? AND code = ? AND kind IN (${FAILED}, ${UNATTRIBUTED})`,
  );
  const put = database.statement(
    'INSERT OR REPLACE INTO tallies (agent, span, start, code, kind, count) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const drop = database.statement(
    'DELETE FROM tallies WHERE agent = ? AND span = ? AND start = ? AND code = ? AND kind = ?',
  );
  const move = database.statement(
    'UPDATE agents SET failed = failed + ?1, unattributed = unattributed - ?1 WHERE id = ?2',
  );
  // Folded anew from the log when it is asked for.
  const unfold = ['trust_states', 'trust_hours'].map((table) =>
    database.statement(`DELETE FROM ${table} WHERE agent = ?`),
  );

  const logged = (agent: number): Iterable<Counted> => {
    const counts = new Map<string, Counted>();
    for (let [last, more] = [0, true]; more;) {
      const rows = page.all([agent, last]);
      more = rows.length === PAGE_ROWS;
      for (const [seq, at, code, body] of rows) {
        last = seq;
        const refusal = refusalIn(body, code, path);
        if (!isCounted(refusal)) continue;
        const isFailure = isAttributable(refusal);
        if (!isFailure) forget.run([agent, seq]);
        for (const span of SPANS) {
          const start = at - (at % span);
          const key = `${span}|${start}|${code}`;
          const counted = counts.get(key) ?? { span, start, code, failed: 0, unattributed: 0 };
          counts.set(key, counted);
          counted[isFailure ? 'failed' : 'unattributed'] += 1;
        }
      }
    }
    return counts.values();
  };

  for (const [agent] of database.query(['number'], 'SELECT id FROM agents').all([])) {
    let moved = 0;
    for (const { span, start, code, failed, unattributed } of logged(agent)) {
      const place = [agent, span, start, code];
      const kept = written.all(place);
      const before = kept.find(([kind]) => kind === FAILED)?.[1] ?? 0;
      const all = kept.reduce((sum, [, count]) => sum + count, 0);
      if (before === failed || all !== failed + unattributed) continue;
      for (const [kind, count] of [
        [FAILED, failed],
        [UNATTRIBUTED, unattributed],
      ] as const) {
        if (count > 0) put.run([...place, kind, count]);
        else drop.run([...place, kind]);
      }
      if (span !== MINUTE) moved += failed - before;
    }
    if (moved === 0) continue;
    move.run([moved, agent]);
    for (const each of unfold) each.run([agent]);
  }
}

/** What is judged of a refusal; by their places in its body. */
function refusalIn(body: string, code: string, path: string): Parameters<typeof isAttributable>[0] {
  let parts: unknown;
  try {
    parts = JSON.parse(body);
  } catch {
    throw damaged(path);
  }
  if (!Array.isArray(parts)) throw damaged(path);
  const [, , dialect, , , , , , , details = null, , , , , , , , , erased = null, observed] = parts as unknown[];
  return { dialect, error_code: code, details, erased, ...(observed === undefined ? {} : { observed }) } as Pick<
    Entry,
    'dialect' | 'error_code' | 'details' | 'erased' | 'observed'
  >;
}
