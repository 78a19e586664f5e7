/** Papers in the mesh's store. */
import type { Paper, PaperTable } from '../../../mesh/log/store.js';
import { utf8, type Database, type Row } from '../../sqlite/engine/database.js';

const PAPER = ['text', 'number', 'number', 'number', 'text'] as const;
const SELECT = `SELECT ${utf8('id')}, version, changed_at, keep_until, ${utf8('text')} FROM papers`;

/** The table `papers` of a store's file. */
export function sqlitePapers(database: Database): PaperTable {
  const one = database.query(PAPER, `${SELECT} WHERE kind = ? AND id = ?`);
  const changed = database.query(PAPER, `${SELECT} WHERE kind = ? AND changed_at > ? ORDER BY changed_at, id`);
  const add = database.statement('INSERT INTO papers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const replace = database.statement(
    'UPDATE papers SET version = ?, changed_at = ?, keep_until = ?, text = ? WHERE kind = ? AND id = ? AND version = ?',
  );
  const old = database.query(['number'], 'SELECT 1 FROM papers WHERE keep_until < ? LIMIT 1');
  const drop = database.statement('DELETE FROM papers WHERE keep_until < ?');
  return {
    get: async (kind, id) => {
      const row = one.first([kind, id]);
      return row === undefined ? null : paperOf(row);
    },
    list: async (kind, since) => changed.all([kind, since]).map(paperOf),
    put: async (kind, { id, version, changedAt, keepUntil, text: body }) =>
      version === 1
        ? add.change([kind, id, 1, changedAt, keepUntil, body]) === 1
        : replace.change([version, changedAt, keepUntil, body, kind, id, version - 1]) === 1,
    prune: async (now) => {
      if (old.first([now]) !== undefined) drop.run([now]);
    },
  };
}

function paperOf([id, version, changedAt, keepUntil, body]: Row<typeof PAPER>): Paper {
  return { id, version, changedAt, keepUntil, text: body };
}
