/** From a URL to a mesh store in PostgreSQL. */
import { userInfo } from 'node:os';
import { Failure } from '../../../app/failure.js';
import type { Environment } from '../../../app/ports/secrets.js';
import { StoreTrouble } from '../../../mesh/log/store.js';
import { parsePostgresUrl, passwordIn } from '../address.js';
import { connectTo } from '../connection.js';
import { passwordsOf } from '../password.js';
import { PostgresMeshStore, type PostgresStoreOptions } from './store.js';

/** Opens the store that a URL leads to. @throws Failure USAGE, STATE; NETWORK where the database does not answer */
export async function openPostgresStore(
  url: string,
  {
    env,
    userHome,
    ...options
  }: Omit<PostgresStoreOptions, 'connect'> & {
    readonly env: Environment;
    readonly userHome: string;
  },
): Promise<PostgresMeshStore> {
  const address = parsePostgresUrl(url, { env, osUser: userInfo().username });
  const passwords = passwordsOf(address, { env, userHome, inUrl: passwordIn(url) });
  const connect = (connectMs: number) => connectTo({ address, passwords, name: 'aip mesh', connectMs });
  try {
    return await PostgresMeshStore.open({ ...options, connect });
  } catch (error) {
    if (!(error instanceof StoreTrouble)) throw error;
    const { hint } = (error.cause ?? {}) as { readonly hint?: string | null };
    throw new Failure('NETWORK', `The database of the mesh does not answer: ${error.message}.`, {
      hint: hint ?? `psql ${address.shown}`,
      retryable: true,
      cause: error,
    });
  }
}
