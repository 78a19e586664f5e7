/** What a program speaks with its mesh through; built only where there is one, or an agent is revoked. */
import type { OnStale } from '../../mesh/roster/member.js';
import { noteFollowing, MACHINE_LABEL, type MeshCopy, type MeshEndpoint } from '../../app/ports/mesh.js';
import { machineKey, meshFollower, meshLines, openCopy, refreshCopy, type MeshAccess } from '../../workspace/mesh.js';
import { Vouching } from '../../workspace/mesh/vouching.js';
import { approvalRelay, type ApprovalRelay } from '../../app/approvals/relay.js';
import { passportFetcher } from '../../app/mesh/passports.js';
import { localState } from '../../workspace/state.js';
import { OwnLifetime, type LocalWorkspace } from '../../workspace/workspace.js';

/** The longest that a verification waits for the mesh, in ms. */
const ASK_MS = 300;

/** A mesh that is listened to: the copy, and what keeps it current. */
export interface MeshConnection {
  readonly copy: MeshCopy;
  readonly lines: readonly MeshEndpoint[];
  /** Asks the mesh once; true when the copy was proven current in time. */
  readonly refresh: (timeoutMs?: number) => Promise<boolean>;
  /** Whether what is known here may be decided from; null where this process neither follows nor asks. */
  readonly vouching: Vouching | null;
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
    if (mesh === null) return { copy, lines: [], refresh: async () => false, vouching: null, relay: null, close };
    if (mesh.key === null) {
      const vouching = new Vouching(copy, null, workspace.world, async () => false);
      return { copy, lines: [], refresh: async () => false, vouching, relay: null, close };
    }
    const { key, maxAgeMs, onStale } = mesh;
    const machine = await machineKey(workspace);
    const lines = await meshLines(workspace, mesh, key, lifetime);
    const state = await localState(workspace);
    const lookForPassports = passportFetcher(lines, copy, state, workspace.world.clock);
    const relay = approvalRelay({
      lines: async () => lines,
      state,
      clock: workspace.world.clock,
      verifier: () => machine.key.publicKey,
      notice,
    });
    const verifier = { ...machine, label: copy.note(MACHINE_LABEL), program: 'library', onStale, maxAgeMs };
    let told = false;
    const onUncounted = (why: string): void => {
      if (!told) notice(`The mesh does not count this machine: ${why} Until it does, each decision asks the mesh.`);
      told = true;
    };
    const following = await meshFollower(workspace, mesh, key, {
      maxAgeMs,
      copy,
      verifier,
      onUncounted,
      onState: (_, to) => {
        if (to !== 'live') return;
        told = false;
        noteFollowing(copy);
      },
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
    const refresh = (timeoutMs = ASK_MS): Promise<boolean> =>
      // Until the follower is let in, a decision that asks is what tells the mesh of this machine.
      refreshCopy(workspace, mesh, { key, copy, maxAgeMs, timeoutMs, verifier, onUncounted });
    return {
      copy,
      lines,
      refresh,
      vouching: new Vouching(copy, following, workspace.world, () => refresh()),
      relay,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
