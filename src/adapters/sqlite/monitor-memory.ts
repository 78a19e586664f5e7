/** What the monitor must not forget, in tables of its own in the state file; made when a monitor first runs. */
import type { Random } from '../../app/ports/state.js';
import type { AlertEvent, MonitorMemory, OpenAlert } from '../../app/ports/monitor.js';
import { ensureStateFile } from './file/create.js';
import { Database, utf8 } from './engine/database.js';
import { damaged } from './engine/failures.js';

const SCHEMA = `
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS monitor_alerts (key TEXT PRIMARY KEY, alert TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS monitor_outgoing (id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, event TEXT NOT NULL) STRICT;
-- One row a revocation without a person: done once in force; over once the score was back.
CREATE TABLE IF NOT EXISTS monitor_revocations (
  agent TEXT NOT NULL,
  at INTEGER NOT NULL,           -- ms
  done INTEGER NOT NULL,
  over INTEGER NOT NULL
) STRICT;
COMMIT;
`;

const BUSY_MS = 5_000;
const HOUR = 3_600_000;
/** Kept for a target that is down; the oldest make room. */
const MOST_OUTGOING = 1_000;

export interface OpenMemory extends MonitorMemory {
  close(): void;
}

export function openMonitorMemory(path: string, random: Random): OpenMemory {
  ensureStateFile(path, random);
  const database = new Database(path, BUSY_MS);
  try {
    return memoryOn(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
}

function memoryOn(database: Database, path: string): OpenMemory {
  const tables = database.query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'monitor_revocations'");
  if (tables.first([])![0] === 0) database.exec(SCHEMA);
  database.exec('PRAGMA synchronous = FULL');
  const alerts = database.query(['text'], `SELECT ${utf8('alert')} FROM monitor_alerts ORDER BY key`);
  const forget = database.statement('DELETE FROM monitor_alerts WHERE key = ?');
  const put = database.statement('INSERT OR REPLACE INTO monitor_alerts VALUES (?, ?)');
  const queue = database.statement('INSERT INTO monitor_outgoing (target, event) VALUES (?, ?)');
  const crop = database.statement(
    `DELETE FROM monitor_outgoing WHERE target = ? AND id NOT IN
     (SELECT id FROM monitor_outgoing WHERE target = ? ORDER BY id DESC LIMIT ${MOST_OUTGOING})`,
  );
  const waiting = database.query(
    ['number', 'text'],
    `SELECT id, ${utf8('event')} FROM monitor_outgoing WHERE target = ? ORDER BY id`,
  );
  const drop = database.statement('DELETE FROM monitor_outgoing WHERE id = ?');
  const count = database.query(['number'], 'SELECT count(*) FROM monitor_revocations WHERE at > ?');
  const last = database.query(
    ['number', 'number'],
    'SELECT at, done FROM monitor_revocations WHERE agent = ? AND over = 0 ORDER BY at DESC, rowid DESC LIMIT 1',
  );
  const grant = database.statement('INSERT INTO monitor_revocations VALUES (?, ?, 0, 0)');
  const known = database.statement('INSERT INTO monitor_revocations VALUES (?, 0, 1, 0)');
  const done = database.statement('UPDATE monitor_revocations SET done = 1 WHERE agent = ? AND over = 0');
  const over = database.statement('UPDATE monitor_revocations SET over = 1 WHERE agent = ? AND over = 0');
  const tidy = database.statement('DELETE FROM monitor_revocations WHERE at <= ? AND (over = 1 OR done = 0)');
  const parsed = <T>(json: string): T => {
    try {
      return JSON.parse(json) as T;
    } catch {
      throw damaged(path);
    }
  };

  return {
    turn: (targets, work) =>
      database.transact(() => {
        const before = new Map(alerts.all([]).map(([json]) => [parsed<OpenAlert>(json).key, json]));
        const result = work([...before.values()].map((json) => parsed<OpenAlert>(json)));
        const kept = new Set(result.open.map(({ key }) => key));
        for (const key of before.keys()) if (!kept.has(key)) forget.run([key]);
        for (const alert of result.open) {
          const json = JSON.stringify(alert);
          if (before.get(alert.key) !== json) put.run([alert.key, json]);
        }
        for (const target of targets) {
          for (const event of result.events) queue.run([target, JSON.stringify(event)]);
          if (result.events.length > 0) crop.run([target, target]);
        }
        return result;
      }),
    outgoing: (target) => waiting.all([target]).map(([id, json]) => ({ id, event: parsed<AlertEvent>(json) })),
    sent: (id) => drop.run([id]),
    reserve: (agent, now, most) =>
      database.transact(() => {
        tidy.run([now - HOUR]);
        const mine = last.first([agent]);
        if (mine?.[1] === 1) return 'acted';
        // Granted and not known to be in force: the process ended there, or the mesh could not be reached. It has counted already.
        if (mine !== undefined) return 'granted';
        if (count.first([now - HOUR])![0] >= most) return 'exhausted';
        grant.run([agent, now]);
        return 'granted';
      }),
    acted: (agent) => {
      const mine = last.first([agent]);
      // At 0: a person's revocation counts against no hour.
      if (mine === undefined) known.run([agent]);
      else if (mine[1] === 0) done.run([agent]);
    },
    recovered: (agent) => {
      if (last.first([agent]) !== undefined) over.run([agent]);
    },
    close: () => database.close(),
  };
}
