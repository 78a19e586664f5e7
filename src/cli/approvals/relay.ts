/** Requests for approval of this machine, through its mesh. */
import { approvalRelay, type ApprovalRelay } from '../../app/approvals/relay.js';
import { Failure } from '../../app/failure.js';
import type { MeshEndpoint } from '../../app/ports/mesh.js';
import { meshLines, type MeshAccess } from '../../workspace/mesh.js';
import { localState } from '../../workspace/state.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';
import type { Notices } from '../output.js';
import type { Setting } from '../setting.js';
import { apiKey, meshAccess } from '../mesh/access.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Lifetime & Surroundings;

/** The way to persons elsewhere; null where this machine belongs to no mesh. What is said last is waited for when the command ends. */
export async function requestRelay(cli: Scene): Promise<ApprovalRelay | null> {
  const access = await meshAccess(cli);
  if (access === null) return null;
  const state = await localState(cli.workspace);
  let opened: Promise<readonly MeshEndpoint[]> | null = null;
  const relay = approvalRelay({
    lines: () => (opened ??= openLines(cli, access)),
    state,
    clock: cli.io.now,
    verifier: () => state.verifierKey().publicKey,
    notice: (sentence) => cli.warn(sentence, 'approval_mesh'),
  });
  cli.afterwards(() => relay.settled());
  return relay;
}

/** No passphrase is asked for in the middle of a verification: without a key the requests stay here. */
async function openLines(cli: Scene, access: MeshAccess): Promise<readonly MeshEndpoint[]> {
  try {
    return await meshLines(cli.workspace, access, await apiKey(cli, { mayAsk: false }));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    cli.detail(error.message);
    return [];
  }
}
