/** Witnesses of the log, over HTTP. */
import type { AskWitness } from '../app/proof/witness.js';
import type { LocalWorkspace } from './workspace.js';

/** `ca` is a file of authorities to believe in the place of Node's; null for those. */
export function askWitness({ world }: LocalWorkspace, ca: string | null): AskWitness {
  return async (url, body) => {
    const { addCheckpoint } = await import('../adapters/http/witness.js');
    return addCheckpoint(url, body, { env: world.env, ca });
  };
}
