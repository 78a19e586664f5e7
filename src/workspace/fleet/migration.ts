/** Preparing the database that a fleet shares. */
import type { FleetMigration } from '../../adapters/postgres/state/migrate.js';
import type { LocalWorkspace } from '../workspace.js';

/** What `migrateFleet` is to do. */
export interface MigrationRequest {
  /** Whose user owns the schema. */
  readonly url: string;
  /** Given as an argument, where no password may stand. */
  readonly isArgument: boolean;
  /** Roles that verifiers log in as. */
  readonly roles: readonly string[];
  /** What verifiers connect to: where no role is given, the user that it names is meant. */
  readonly verifiersUrl: string | null;
  /** Only says what would be done. */
  readonly dryRun: boolean;
}

/** What was done, or would be. */
export type MigrationReport =
  | ({ readonly kind: 'done'; readonly where: string } & FleetMigration)
  | {
      readonly kind: 'script';
      readonly where: string;
      readonly from: number;
      readonly to: number;
      readonly sql: string;
    };

/** Brings the schema of a fleet's memory to this program's version. Rejects with Failure STATE_UNAVAILABLE or USAGE. */
export async function migrateFleet(
  workspace: LocalWorkspace,
  { url, isArgument, roles, verifiersUrl, dryRun }: MigrationRequest,
): Promise<MigrationReport> {
  const [
    { connectOwner },
    { migrate, script, stateVersionOf },
    { newerDatabase, STATE_VERSION },
    { requireNoPassword, userIn },
    failures,
  ] = await Promise.all([
    import('../../adapters/postgres/state/open.js'),
    import('../../adapters/postgres/state/migrate.js'),
    import('../../adapters/postgres/state/version.js'),
    import('../../adapters/postgres/address.js'),
    import('../../adapters/postgres/state/fleet-memory.js'),
  ]);
  if (isArgument) requireNoPassword(url, '--url');
  const user = verifiersUrl === null ? null : userIn(verifiersUrl);
  const named = roles.length > 0 || user === null ? roles : [user];
  return failures.asFailures(async () => {
    const { connection, address } = await connectOwner(url, workspace.world);
    const where = address.shown;
    // Who migrates as the user of the verifiers grants nothing.
    const others = named.filter((role) => role !== address.user);
    try {
      if (!dryRun) return { kind: 'done', where, ...(await migrate(connection, { roles: others })) };
      const from = await stateVersionOf(connection);
      if (from > STATE_VERSION) throw newerDatabase(from);
      return { kind: 'script', where, from, to: STATE_VERSION, sql: script(from, others) };
    } finally {
      await connection.close();
    }
  });
}
