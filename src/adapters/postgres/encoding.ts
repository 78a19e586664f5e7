/** Whether a database can hold what is to be kept in it. */
import { Failure, type FailureCode } from '../../app/failure.js';
import type { PostgresRow } from './connection.js';

/**
 * Reasons, names and documents are Unicode: a database of a smaller character set refuses the statement that holds another character, and
 * with it all that stands in the same statement. SQL_ASCII takes the bytes as they come. Asked before the tables are made.
 * @throws Failure of the kind `code`
 */
export async function requireUnicode(
  ask: (sql: string) => Promise<readonly PostgresRow[]>,
  code: FailureCode,
): Promise<void> {
  const [row] = await ask(`SELECT current_setting('server_encoding') AS encoding`);
  const encoding = String(row?.['encoding']);
  if (encoding === 'UTF8' || encoding === 'SQL_ASCII') return;
  throw new Failure(
    code,
    `The database has the encoding ${encoding}, which lacks most characters. Nothing was changed.`,
    {
      // A server's own locale, which made it so, takes no other encoding.
      hint: 'createdb --encoding UTF8 --locale C --template template0 <name>',
    },
  );
}
