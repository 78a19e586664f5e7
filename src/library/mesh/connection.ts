/** What a program speaks with its mesh through; built only where there is one, or an agent is revoked. */
import type { OnStale } from '../../mesh/roster/member.js';
import type { MeshCopy, MeshEndpoint } from '../../app/ports/mesh.js';
import { machineKey, meshFollower, meshLines, openCopy, refreshCopy, type MeshAccess } from '../../workspace/mesh.js';
import { passportFetcher } from '../../app/mesh/passports.js';
import { localState } from '../../workspace/state.js';
import { OwnLifetime, type LocalWorkspace } from '../../workspace/workspace.js';

/** A mesh that is listened to: the copy, and what keeps it current. */
export interface MeshConnection {
  readonly copy: MeshCopy;
  readonly lines: readonly MeshEndpoint[];
  /** Asks the mesh once; true when the copy was proven current in time. */
  readonly refresh: (timeoutMs: number) => Promise<boolean>;
  readonly close: () => void;
}

/** Opens the copy, and follows the mesh for as long as the program has its own reason to run. */
export async function connectMesh(
  workspace: LocalWorkspace,
  mesh: (MeshAccess & { readonly key: string | null; readonly maxAgeMs: number; readonly onStale: OnStale }) | null,
): Promise<MeshConnection> {
  const { notice } = workspace.world;
  const lifetime = new OwnLifetime();
  const close = (): void => void lifetime.close();
  try {
    const copy = await openCopy(workspace, lifetime, mesh?.publicKey ?? null);
    if (mesh === null || mesh.key === null) return { copy, lines: [], refresh: async () => false, close };
    const { key, maxAgeMs, onStale } = mesh;
    const machine = await machineKey(workspace);
    const lines = await meshLines(workspace, mesh, key, lifetime);
    const fetch = passportFetcher(lines[0]!, copy, await localState(workspace), workspace.world.clock);
    const following = await meshFollower(workspace, mesh, key, {
      maxAgeMs,
      copy,
      verifier: { key: machine.key, label: machine.host, program: 'library', onStale, maxAgeMs },
      background: true,
      onPassports: fetch,
      onProof: fetch,
      onAlarm: (kind, message) => notice(`The mesh (${kind}): ${message}.`),
      onFailure: (error) => notice(`The mesh is not followed any more: ${String(error).slice(0, 200)}`),
    });
    lifetime.afterwards(() => following.stop());
    following.start();
    return {
      copy,
      lines,
      refresh: (timeoutMs) => refreshCopy(workspace, mesh, key, copy, maxAgeMs, timeoutMs),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
