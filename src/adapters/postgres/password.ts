/** Where the password of a database is found: in its URL, PGPASSWORD, or a pgpass file. Never in an argument. */
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { secretVariable, type Environment } from '../../app/ports/secrets.js';
import { readSecretNow } from '../files/secret/secret-file.js';
import type { PostgresAddress } from './address.js';

/** Longest pgpass file, in bytes. */
const MOST = 256 * 1024;

/** The passwords of an address, one for each of its hosts; null where none is known. */
export type Passwords = (host: string, port: number) => string | null;

export interface PasswordSources {
  readonly env: Environment;
  /** The user's home folder; empty where there is none. */
  readonly userHome: string;
  /** The password of the URL; null where it holds none. */
  readonly inUrl: string | null;
}

/**
 * The URL's own password, else PGPASSWORD, else the first line that fits of the file that `passfile` or PGPASSFILE names, or of
 * ~/.pgpass.
 * @throws Failure KEYSTORE_DENIED for a file that others may read, NOT_FOUND for one that is named and not there
 */
export function passwordsOf(address: PostgresAddress, { env, userHome, inUrl }: PasswordSources): Passwords {
  const known = inUrl ?? secretVariable(env, 'PGPASSWORD');
  if (known !== null) return () => known;
  const named = address.passfile ?? secretVariable(env, 'PGPASSFILE');
  const usual = userHome === '' ? null : join(userHome, '.pgpass');
  const path = named ?? (usual !== null && existsSync(usual) ? usual : null);
  if (path === null) return () => null;
  const lines = readSecretNow(path, { what: 'password file', most: MOST, env }).split(/\r?\n/);
  return (host, port) => passwordFor(lines, [host, String(port), address.database, address.user]);
}

/** The rule of libpq: five fields between colons, `*` fits all, a backslash before a colon or backslash takes it as it is. */
function passwordFor(lines: readonly string[], wanted: readonly string[]): string | null {
  const [host = ''] = wanted;
  for (const line of lines) {
    if (line.startsWith('#')) continue;
    const fields = fieldsOf(line);
    if (fields === null) continue;
    const fits = wanted.every((value, i) => {
      const field = fields[i]!;
      return field === '*' || field === value || (i === 0 && host.startsWith('/') && field === 'localhost');
    });
    if (fits) return fields[4]!;
  }
  return null;
}

/** The four fields before the password, and what is left. */
function fieldsOf(line: string): readonly string[] | null {
  const fields: string[] = [''];
  for (let i = 0; i < line.length; i++) {
    let char = line[i]!;
    if (char === ':' && fields.length < 5) {
      fields.push('');
      continue;
    }
    if (char === '\\' && i + 1 < line.length) char = line[++i]!;
    fields[fields.length - 1] += char;
  }
  return fields.length === 5 ? fields : null;
}
