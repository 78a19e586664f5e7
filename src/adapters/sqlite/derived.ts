/**
 * What the state keeps beside the log and could be changed without touching the log's chain: spent nonces, counters, tallies and
 * standings, rebuilt from the log and the copy of the mesh and compared.
 */
import { ERASED_COUNTS, isAttributable, isCounted, takesPlace } from '../../protocol/log/attribution.js';
import type { Entry } from '../../protocol/log/entry.js';
import { utf8, type Database } from './engine/database.js';
import type { LogHeadRow } from './tables/log/head.js';
import type { Nonces } from './tables/nonces.js';

/** The longest window of a limit, and how long an accepted intent is looked for among the nonces, in ms. */
const DAY = 24 * 60 * 60 * 1000;
const HOUR = 60 * 60 * 1000;
const MINUTE = 60_000;
/** Nonces that are looked for together. */
const ASKED_AT_ONCE = 500;
/** So many are listed; one is enough to distrust the state. */
const MOST_TOLD = 20;

export interface DerivedSources {
  readonly database: Database;
  readonly head: LogHeadRow;
  readonly nonces: Nonces;
  /** All entries in order, from those that were not pruned. */
  readonly entries: Iterable<Entry>;
  /** ms since the epoch. */
  readonly now: number;
}

/** What does not agree, as clauses for people; empty when all does. */
export function derivedProblems({ database, head, nonces, entries, now }: DerivedSources): string[] {
  const problems: string[] = [];
  const accepted = new Map<string, number>();
  const tallies = new Map<string, [total: number, successful: number, failed: number, unattributed: number]>();
  /** Agents with refusals that earlier versions erased from, which do not say whether they count against them. */
  const erased = new Set<string>();
  const asked: Accepted[] = [];
  for (const entry of entries) {
    if (!isCounted(entry)) continue;
    const at = Date.parse(entry.timestamp);
    const tally = tallies.get(entry.agent_id) ?? [0, 0, 0, 0];
    tallies.set(entry.agent_id, tally);
    tally[0] += 1;
    if (entry.erased?.['details'] !== undefined && entry.erased[ERASED_COUNTS] === undefined)
      erased.add(entry.agent_id);
    tally[entry.status === 'success' ? 1 : isAttributable(entry) ? 2 : 3] += 1;
    if (entry.status !== 'success' || at <= now - DAY) continue;
    // What is dated before is refused as forgotten, whether or not its nonce is still there.
    if (entry.nonce !== null && at > head.forgotten) {
      asked.push({ seq: entry.seq, used: [entry.agent_id, entry.nonce] });
      if (asked.length === ASKED_AT_ONCE) problems.push(...unspent(nonces, asked.splice(0)));
    }
    const dated = (entry.intent_timestamp ?? 0) * 1000;
    if (entry.dialect !== 'native' || entry.action === null || dated <= now - DAY) continue;
    // An accepted entry has details where it goes on with a counted call; what was erased may have said so.
    if (!takesPlace(entry) || entry.erased?.['details'] !== undefined) continue;
    const key = JSON.stringify([entry.agent_id, entry.action]);
    accepted.set(key, (accepted.get(key) ?? 0) + 1);
  }
  problems.push(...unspent(nonces, asked));
  problems.push(...counterProblems(database, accepted, now));
  // Of a pruned log the tallies say more than its entries.
  if (head.base.seq === 0) problems.push(...tallyProblems(database, tallies, erased));
  problems.push(...standingProblems(database));
  return problems.slice(0, MOST_TOLD);
}

interface Accepted {
  readonly seq: number;
  readonly used: readonly [agentId: string, nonce: string];
}

function unspent(nonces: Nonces, asked: readonly Accepted[]): string[] {
  return nonces
    .missing(asked.map(({ used }) => used))
    .map(
      (place) =>
        `the nonce of entry ${asked[place]!.seq} is not among the spent ones: the intent could be accepted again`,
    );
}

function counterProblems(database: Database, accepted: ReadonlyMap<string, number>, now: number): string[] {
  const problems: string[] = [];
  const counted = database.query(
    ['number'],
    `SELECT count(*) FROM usages WHERE at > ? AND action =
       (SELECT actions.id FROM actions JOIN agents ON agents.id = actions.agent WHERE agents.name = ? AND actions.name = ?)`,
  );
  for (const [key, entries] of accepted) {
    const [agentId, action] = JSON.parse(key) as [string, string];
    const used = counted.first([now - DAY - HOUR, agentId, action])![0];
    if (used < entries)
      problems.push(
        `the counters hold ${used} accepted "${action}" of ${agentId} in a day, the log ${entries}: its limits would open`,
      );
  }
  const after = now - DAY - (now % MINUTE);
  const apart = database.query(
    ['number'],
    `SELECT action FROM (
       SELECT action, 1 AS count, coalesce(amount, 0) AS amount FROM usages WHERE at >= ?1
       UNION ALL
       SELECT action, -count, -(high * 4294967296 + low) FROM spans WHERE span = ${MINUTE} AND start >= ?1
     ) GROUP BY action HAVING sum(count) <> 0 OR sum(amount) <> 0`,
  );
  for (const [action] of apart.all([after]))
    problems.push(`the sums of accepted intents (action ${action}) are not those of the intents that were counted`);
  return problems;
}

function tallyProblems(
  database: Database,
  tallies: ReadonlyMap<string, readonly number[]>,
  erased: ReadonlySet<string>,
): string[] {
  const rows = database.query(
    ['text', 'number', 'number', 'number', 'number'],
    `SELECT ${utf8('name')}, total - folded, successful, failed, unattributed - folded FROM
       (SELECT *, coalesce((SELECT sum(count) FROM tallies WHERE agent = agents.id AND span = ${HOUR} AND kind = 3), 0) AS folded FROM agents)`,
  );
  return rows.all([]).flatMap(([agentId, ...counts]) => {
    const logged = tallies.get(agentId) ?? [0, 0, 0, 0];
    const told = ([total, successful, ...refused]: readonly number[]): readonly (number | undefined)[] =>
      erased.has(agentId)
        ? [total, successful, refused.reduce((sum, each) => sum + each, 0)]
        : [total, successful, ...refused];
    const [kept, found] = [told(counts), told(logged)];
    const agree = kept.every((count, i) => count === found[i]);
    return agree
      ? []
      : [`the tallies of ${agentId} (${counts.join(', ')}) are not those of the log (${logged.join(', ')})`];
  });
}

/** A deny that the mesh or this machine set, and that the table which every verification and `status` read does not have. */
function standingProblems(database: Database): string[] {
  const [rows] = database.query(['number'], 'SELECT count(*) FROM standing').first([])!;
  const [marks] = database.query(['number'], 'SELECT count(*) FROM standing_marks').first([])!;
  const problems = rows === marks ? [] : [`${rows} standings are kept, and ${marks} were written`];
  const tables = database.query(
    ['text'],
    `SELECT ${utf8('name')} FROM sqlite_master WHERE type = 'table' AND name = ?`,
  );
  for (const table of ['mesh_standings', 'mesh_kept', 'local_standings']) {
    if (tables.first([table]) === undefined) continue;
    const lost = database.query(
      ['text'],
      `SELECT ${utf8('said.subject')} FROM ${table} said LEFT JOIN standing ON standing.subject = said.subject
       WHERE said.status = 'revoked' AND coalesce(standing.status, 'active') = 'active'`,
    );
    for (const [subject] of lost.all([])) problems.push(`${subject} is revoked, and its standing does not say so`);
  }
  return problems;
}
