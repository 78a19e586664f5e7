/** What a store's file holds beside the log, for copies of it. */
import type { MeshStore } from '../../../mesh/log/store.js';
import { utf8, type Database } from '../../sqlite/engine/database.js';

const NOTE = 'note:';

export function sqliteRest(database: Database): Pick<MeshStore, 'rest' | 'putRest'> {
  const notes = database.query(
    ['text', 'text'],
    `SELECT ${utf8('name')}, ${utf8('value')} FROM meta WHERE name LIKE '${NOTE}%' ORDER BY name`,
  );
  const nonces = database.query(['text', 'number'], `SELECT ${utf8('value')}, keep_until FROM nonces`);
  const papers = database.query(
    ['text', 'text', 'number', 'number', 'number', 'text'],
    `SELECT ${utf8('kind')}, ${utf8('id')}, version, changed_at, keep_until, ${utf8('text')} FROM papers`,
  );
  const putNote = database.statement('INSERT OR REPLACE INTO meta VALUES (?, ?)');
  const putNonce = database.statement('INSERT INTO nonces VALUES (?, ?) ON CONFLICT DO NOTHING');
  const putPaper = database.statement('INSERT INTO papers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  return {
    rest: async () => ({
      notes: notes.all([]).map(([name, text]) => [name.slice(NOTE.length), text]),
      nonces: nonces.all([]),
      papers: papers
        .all([])
        .map(([kind, id, version, changedAt, keepUntil, text]) => [kind, { id, version, changedAt, keepUntil, text }]),
    }),
    putRest: async (rest) =>
      database.transact(() => {
        for (const [name, text] of rest.notes) putNote.run([`${NOTE}${name}`, text]);
        for (const nonce of rest.nonces) putNonce.run([...nonce]);
        for (const [kind, { id, version, changedAt, keepUntil, text }] of rest.papers)
          putPaper.run([kind, id, version, changedAt, keepUntil, text]);
      }),
  };
}
