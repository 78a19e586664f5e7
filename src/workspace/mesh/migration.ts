/** Moving a mesh between a folder and a database. */
import { folderStoreOf, migrateStore, type MeshMigration, type StoreDigest } from '../../adapters/mesh/migration.js';
import { isPostgresUrl, requireNoPassword } from '../../adapters/postgres/address.js';
import { Failure } from '../../app/failure.js';
import type { MeshStore } from '../../mesh/log/store.js';
import { toHex } from '../../protocol/hex.js';
import type { World } from '../world.js';

export type { MeshMigration, StoreDigest };
export { requireNoPassword };

/** True for what leads to a database, and is no folder. */
export const isDatabaseUrl = isPostgresUrl;

/** What is needed of the world. */
type MigrationWorld = Pick<World, 'env' | 'userHome' | 'random'>;

/** Copies the mesh of `from` into `to`, each a folder or a URL. @throws Failure NOT_FOUND, STATE, NETWORK */
export async function migrateMesh(world: MigrationWorld, from: string, to: string): Promise<MeshMigration> {
  const source = await openedStore(world, from, null);
  try {
    const target = await openedStore(world, to, source.logId);
    try {
      return await migrateStore(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** The store of a folder or a URL; made under `logId`, or not made where that is null. @throws Failure NOT_FOUND, STATE, NETWORK */
export async function openedStore(world: MigrationWorld, place: string, logId: string | null): Promise<MeshStore> {
  const { env, userHome, random } = world;
  if (isPostgresUrl(place)) {
    const { openPostgresStore } = await import('../../adapters/postgres/mesh/connecting.js');
    const newLogId = (): string => {
      if (logId === null)
        throw new Failure('NOT_FOUND', 'There is no mesh in the database.', { hint: 'aip mesh migrate --to <url>' });
      return logId;
    };
    return openPostgresStore(place, { env, userHome, newLogId, node: toHex(random(8)) });
  }
  return folderStoreOf(place, logId);
}
