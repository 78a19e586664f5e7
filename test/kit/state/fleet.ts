/** A memory that a fleet shares, in a database of a test's own, with a clock that is set by hand. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { onTestFinished } from 'vitest';
import { parsePostgresUrl, passwordIn } from '../../../src/adapters/postgres/address.js';
import { connectTo, type Connection } from '../../../src/adapters/postgres/connection.js';
import { passwordsOf } from '../../../src/adapters/postgres/password.js';
import { migrate } from '../../../src/adapters/postgres/state/migrate.js';
import { STATE_SCHEMA_NAME as SCHEMA } from '../../../src/adapters/postgres/state/version.js';
import { PostgresMemory, type PostgresMemoryOptions } from '../../../src/adapters/postgres/state/fleet-memory.js';
import { connectWithUrl, type TestCluster } from '../postgres.js';

/** A prepared database. */
export interface FleetDatabase {
  readonly name: string;
  /** For the owner of the schema. */
  readonly url: string;
  /** Runs SQL as the superuser. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Sets the database's clock; null lets it go by itself. */
  setClock(ms: number | null): Promise<void>;
  /** Lets the requests of a verifier with this public key count, or no longer. */
  enroll(key: string, is: boolean): Promise<void>;
  /** Forgets all that was settled. */
  empty(): Promise<void>;
  /** A memory of a verifier of this name, closed after the test. */
  memory(verifier: string, changes?: Partial<PostgresMemoryOptions>): PostgresMemory;
}

/** A new database with the schema, and a role `aip_verifier` that may settle. */
export async function fleetDatabase(cluster: TestCluster): Promise<FleetDatabase> {
  const { name, url } = await cluster.database();
  await cluster.admin(
    `DO $$ BEGIN CREATE ROLE aip_verifier LOGIN PASSWORD 'verifier-pw'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  const owner = await connectWithUrl(url);
  await migrate(owner, { roles: ['aip_verifier'] });
  await owner.query(
    `CREATE TABLE ${SCHEMA}.test_clock (ms bigint);
     -- Forgetting comes now and then by chance; a test says when.
     ALTER FUNCTION ${SCHEMA}.prune(bigint) RENAME TO prune_now;
     CREATE FUNCTION ${SCHEMA}.prune(bigint) RETURNS void LANGUAGE sql AS $$ SELECT $$;
     ALTER FUNCTION ${SCHEMA}.prune_shared(bigint) RENAME TO prune_shared_now;
     CREATE FUNCTION ${SCHEMA}.prune_shared(bigint) RETURNS void LANGUAGE sql AS $$ SELECT $$;
     CREATE OR REPLACE FUNCTION ${SCHEMA}.clock_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
       SELECT coalesce((SELECT max(ms) FROM ${SCHEMA}.test_clock), (extract(epoch FROM clock_timestamp()) * 1000)::bigint) $$`,
    [],
    5000,
  );
  await owner.close();
  // One connection for all: a login costs more than a statement. It is lost where a test kills the server.
  let root: Connection | null = null;
  let before: Promise<unknown> = Promise.resolve();
  const sql = (text: string) => {
    const asked = before.then(async () => {
      if (root?.usable !== true) {
        root = await connectWithUrl(url, 30_000);
        root.unref();
      }
      return root.query(text, [], 30_000);
    });
    before = asked.catch(() => undefined);
    return asked;
  };
  return {
    name,
    url,
    sql,
    setClock: async (ms) => {
      await sql(
        `DELETE FROM ${SCHEMA}.test_clock${ms === null ? '' : `; INSERT INTO ${SCHEMA}.test_clock VALUES (${ms})`}`,
      );
    },
    enroll: async (key, is) => {
      await sql(
        is
          ? `INSERT INTO ${SCHEMA}.verifiers VALUES ('${key}', 'test', 0) ON CONFLICT DO NOTHING`
          : `DELETE FROM ${SCHEMA}.verifiers WHERE key = '${key}'`,
      );
    },
    empty: async () => {
      const tables = ['nonces', 'actions', 'usages', 'seconds', 'spans', 'spent_requests', 'calls'];
      tables.push('requests', 'answers', 'verifiers', 'releasable');
      await sql(
        [...tables.map((table) => `DELETE FROM ${SCHEMA}.${table}`), `UPDATE ${SCHEMA}.forgotten SET until = 0`].join(
          '; ',
        ),
      );
    },
    memory: (verifier, changes = {}) => memoryAt(cluster.url(name, 'aip_verifier', 'verifier-pw'), verifier, changes),
  };
}

/** A memory behind any URL. */
export function memoryAt(url: string, verifier: string, changes: Partial<PostgresMemoryOptions> = {}): PostgresMemory {
  const address = parsePostgresUrl(url, { env: {}, osUser: userInfo().username });
  const passwords = passwordsOf(address, { env: {}, userHome: '', inUrl: passwordIn(url) });
  const memory = new PostgresMemory({
    connect: (connectMs) => connectTo({ address, passwords, name: 'aip test', connectMs }),
    where: address.shown,
    encrypted: false,
    verifier,
    random: randomBytes,
    clock: Date.now,
    ticks: () => Number(process.hrtime.bigint()) / 1000,
    // A busy machine is no trouble of the database.
    patience: { totalMs: 40_000, tryMs: 20_000 },
    ...changes,
  });
  onTestFinished(() => memory.close());
  return memory;
}
