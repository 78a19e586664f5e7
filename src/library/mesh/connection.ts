/** What a program speaks with its mesh through; built only where there is one, or an agent is revoked. */
import type { OnStale } from '../../mesh/roster/member.js';
import { MACHINE_LABEL, type MeshCopy, type MeshEndpoint } from '../../app/ports/mesh.js';
import { machineKey, meshFollower, meshLines, openCopy, refreshCopy, type MeshAccess } from '../../workspace/mesh.js';
import { approvalRelay, type ApprovalRelay } from '../../app/approvals/relay.js';
import { passportFetcher } from '../../app/mesh/passports.js';
import { localState } from '../../workspace/state.js';
import { OwnLifetime, type LocalWorkspace } from '../../workspace/workspace.js';

/** A mesh that is listened to: the copy, and what keeps it current. */
export interface MeshConnection {
  readonly copy: MeshCopy;
  readonly lines: readonly MeshEndpoint[];
  /** Asks the mesh once; true when the copy was proven current in time. */
  readonly refresh: (timeoutMs: number) => Promise<boolean>;
  /** The way to persons elsewhere; null where the mesh cannot be spoken with. */
  readonly relay: ApprovalRelay | null;
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
    if (mesh === null || mesh.key === null) return { copy, lines: [], refresh: async () => false, relay: null, close };
    const { key, maxAgeMs, onStale } = mesh;
    const machine = await machineKey(workspace);
    const lines = await meshLines(workspace, mesh, key, lifetime);
    const state = await localState(workspace);
    const lookForPassports = passportFetcher(lines[0]!, copy, state, workspace.world.clock);
    const relay = approvalRelay({
      lines: async () => lines,
      state,
      clock: workspace.world.clock,
      verifier: () => machine.key.publicKey,
      notice,
    });
    const following = await meshFollower(workspace, mesh, key, {
      maxAgeMs,
      copy,
      verifier: { ...machine, label: copy.note(MACHINE_LABEL), program: 'library', onStale, maxAgeMs },
      background: true,
      onPassports: lookForPassports,
      onApproval: relay.heard,
      onProof: () => {
        lookForPassports();
        relay.proven();
      },
      onAlarm: (kind, message) => notice(`The mesh (${kind}): ${message}.`),
      onFailure: (error) => notice(`The mesh is not followed any more: ${String(error).slice(0, 200)}`),
    });
    lifetime.afterwards(() => following.stop());
    following.start();
    return {
      copy,
      lines,
      refresh: (timeoutMs) => refreshCopy(workspace, mesh, key, copy, maxAgeMs, timeoutMs),
      relay,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
