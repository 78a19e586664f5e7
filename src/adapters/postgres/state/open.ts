/** The memory of a fleet behind a URL. */
import { userInfo } from 'node:os';
import { isLocal, parsePostgresUrl, passwordIn, type PostgresAddress } from '../address.js';
import { connectTo, type Connection } from '../connection.js';
import { passwordsOf } from '../password.js';
import { PATIENCE, PostgresMemory, type PostgresMemoryOptions } from './fleet-memory.js';

/** Whose environment is read. */
export interface UrlSetting {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly userHome: string;
}

/** Opens nothing yet. @throws Failure USAGE for what is no URL of a database */
export function openFleetMemory(
  url: string,
  setting: UrlSetting,
  options: Pick<PostgresMemoryOptions, 'verifier' | 'random' | 'clock' | 'ticks'>,
): PostgresMemory {
  const address = addressOf(url, setting);
  const passwords = passwordsOf(address, { ...setting, inUrl: passwordIn(url) });
  return new PostgresMemory({
    ...options,
    patience: PATIENCE,
    connect: (connectMs) => connectTo({ address, passwords, name: 'aip', connectMs }),
    where: address.shown,
    encrypted: isEncrypted(address),
  });
}

function addressOf(url: string, { env }: UrlSetting): PostgresAddress {
  return parsePostgresUrl(url, { env, osUser: userInfo().username });
}

/** True where nothing goes over a network in plain text. */
function isEncrypted({ tls, hosts }: PostgresAddress): boolean {
  return tls.mode !== 'disable' || hosts.every(({ host }) => isLocal(host));
}

/** How long the owner of a database waits for a connection, in ms. */
const OWNER_CONNECT_MS = 10_000;

/** A connection for the one who prepares the database, with its address. */
export async function connectOwner(
  url: string,
  setting: UrlSetting,
): Promise<{ readonly connection: Connection; readonly address: PostgresAddress }> {
  const address = addressOf(url, setting);
  const passwords = passwordsOf(address, { ...setting, inUrl: passwordIn(url) });
  return {
    connection: await connectTo({ address, passwords, name: 'aip state migrate', connectMs: OWNER_CONNECT_MS }),
    address,
  };
}
