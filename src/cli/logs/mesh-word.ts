/** What the mesh says of this machine's log, asked while the log is checked: who can write the state file cannot write the mesh's copy. */
import { askHeld } from '../../app/logs/ship.js';
import { Failure } from '../../app/failure.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import type { LocalState } from '../../workspace/state.js';
import { meshAccess } from '../mesh/access.js';
import { meshSession } from '../mesh/session.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';

/** In passing, and where it is what was asked for; ms. */
const TIMEOUT_MS = 2000;
const DEMANDED_MS = 15_000;

/** A checkpoint as `checkAgainstStatements` takes it; null where there is no mesh, or nothing of this log is there. */
export async function meshCheckpoint(
  cli: Setting & Notices & Surroundings,
  state: Pick<LocalState, 'logId' | 'verifier'>,
  demanded: boolean,
): Promise<{ readonly name: string; readonly bytes: Uint8Array } | null> {
  if (!demanded && (await meshAccess(cli)) === null) return null;
  const silent = (why: string): null => {
    if (demanded)
      throw new Failure('NETWORK', `The mesh was not asked about this log: ${why}.`, {
        hint: 'aip mesh status',
        retryable: true,
      });
    cli.warn(
      `The mesh was not asked about this log: ${why}. What it countersigned last and is kept here was used.`,
      'mesh_not_asked',
    );
    return null;
  };
  let session: Awaited<ReturnType<typeof meshSession>>;
  try {
    session = await meshSession(cli, {});
  } catch (error) {
    if (demanded || !(error instanceof Failure)) throw error;
    return silent('this machine has no API key for it');
  }
  const { access, line } = session;
  const word = await askHeld(state, line, parsePublicKey(access.publicKey)!, demanded ? DEMANDED_MS : TIMEOUT_MS);
  if (word.kind !== 'said') return silent(word.reason);
  if (word.checkpoint === null) {
    if (demanded) cli.warn('The mesh holds nothing of this log: aip mesh follow ships it.', 'log_unshipped');
    return null;
  }
  return { name: `the mesh ${line.url}`, bytes: Buffer.from(word.checkpoint) };
}
