import { Failure, shellWord } from '../../../app/failure.js';
import { utf8, type Database } from '../engine/database.js';
import { damaged, foreign, newerStateFile } from '../engine/failures.js';
import { recountRefusals } from './recount.js';
import { STATE_APPLICATION_ID, MIGRATIONS, RECOUNTED_AFTER, STATE_SCHEMA_VERSION } from './schema.js';

/** Brings a state file of an earlier version up to this one, all at once; a second process finds it done. */
function migrate(database: Database, path: string, found: number): void {
  if (MIGRATIONS[found] === undefined) throw damaged(path);
  if (database.readOnly) {
    throw new Failure('STATE', `The state file ${path} was written by an earlier version and may only be read here.`, {
      hint: `let a user who may write ${shellWord(path)} run any command once: aip logs verify`,
    });
  }
  database.transact(() => {
    for (;;) {
      const [version] = database.query(['number'], 'PRAGMA user_version').first([])!;
      if (version >= STATE_SCHEMA_VERSION) return;
      const step = MIGRATIONS[version];
      if (step === undefined) throw damaged(path);
      database.exec(step);
      if (version === RECOUNTED_AFTER) recountRefusals(database, path);
    }
  });
}

/** Makes sure that the file is a state of this version, or brings it up. */
export function checkFormat(database: Database, path: string): void {
  const [application] = database.query(['number'], 'PRAGMA application_id').first([])!;
  const [version] = database.query(['number'], 'PRAGMA user_version').first([])!;
  const [mode] = database.query(['text'], `SELECT ${utf8('journal_mode')} FROM pragma_journal_mode`).first([])!;
  if (application !== STATE_APPLICATION_ID) throw foreign(path);
  if (version > STATE_SCHEMA_VERSION) throw newerStateFile(path, version, STATE_SCHEMA_VERSION);
  if (version < STATE_SCHEMA_VERSION) migrate(database, path, version);
  // Some tool left it in the mode in which readers stop writers.
  if (mode !== 'wal' && !database.readOnly) database.exec('PRAGMA journal_mode = WAL');
}
