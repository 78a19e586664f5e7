/** Backups of a mesh that is served here. */
import { restoreBackup, writeBackup, type BackupHead, type Restored } from '../../adapters/mesh/sqlite/backup.js';
import { byUrgency } from '../../mesh/log/beyond.js';
import type { SystemWorld } from '../world.js';

export type { BackupHead, Restored };

/** Writes the mesh of `folder` into the private file `target`. @throws Failure NOT_FOUND, USAGE, STATE */
export function backUpMesh(folder: string, target: string, force: boolean): BackupHead {
  return writeBackup(folder, target, force);
}

/** Puts the mesh of a backup into `folder`, and tells what must be given again. @throws Failure NOT_FOUND, STATE */
export async function restoreMesh({ random, clock }: SystemWorld, file: string, folder: string): Promise<Restored> {
  const restored = await restoreBackup(file, folder, random);
  const { beyond } = restored;
  return { ...restored, beyond: { ...beyond, standings: byUrgency(beyond.standings, clock()) } };
}
