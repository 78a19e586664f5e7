/** The database of a fleet, as its owner names it. */
import { Failure } from '../../app/failure.js';
import type { Setting } from '../setting.js';
import type { OptionGroup } from '../spec.js';

/** Whose flags name a database. */
export interface DatabaseFlags {
  readonly url?: string;
}

export const URL_OPTION: OptionGroup['options'][number] = {
  flags: '--url <url>',
  description:
    'the database and its owner, without a password; default: state.url. PGPASSWORD or ~/.pgpass has the password',
};

/** Fails with USAGE where none is named. */
export async function databaseOf(
  { url: given }: DatabaseFlags,
  cli: Setting,
  command: string,
): Promise<{ readonly url: string; readonly isArgument: boolean }> {
  const url = given ?? (await cli.config()).get('state.url');
  if (url === null)
    throw new Failure('USAGE', 'No database is named.', { hint: `${command} --url postgres://owner@host/database` });
  return { url, isArgument: given !== undefined };
}
