/** The memory that this machine shares with other verifiers. */
import type { FleetHealth } from '../../app/ports/fleet-memory.js';
import { withCircuit } from '../../app/verification/fleet/circuit.js';
import { Breaker } from '../../app/verification/hooks/breaker.js';
import type { Fleet } from '../../app/verification/verifier.js';
import { variable } from '../world.js';
import { localState } from '../state.js';
import type { LocalWorkspace } from '../workspace.js';

/** What verifiers share behind this URL; null where there is none. Nothing is connected before the first document. */
export async function fleetAt(workspace: LocalWorkspace, url: string | null): Promise<Fleet | null> {
  if (url === null) return null;
  return workspace.once(`fleet ${url}`, async () => {
    const [state, { openFleetMemory }] = await Promise.all([
      localState(workspace),
      import('../../adapters/postgres/state/open.js'),
    ]);
    const { random, clock, ticks } = workspace.world;
    const memory = openFleetMemory(url, workspace.world, { verifier: state.verifier, random, clock, ticks });
    workspace.afterwards(() => memory.close());
    return { memory: withCircuit(memory, new Breaker(), () => ticks() / 1000), resumes: true };
  });
}

/** The URL that the environment names (AIP_STATE_URL); null where it names none. */
export function fleetUrl({ world }: Pick<LocalWorkspace, 'world'>): string | null {
  return variable(world, 'AIP_STATE_URL');
}

/** How well the memory behind a URL answers, and this machine's public key as a verifier; null where it has none yet. No state of this machine is made. Rejects with Failure STATE_UNAVAILABLE or USAGE. */
export async function sharedHealth(
  workspace: LocalWorkspace,
  url: string,
): Promise<FleetHealth & { readonly verifier: string | null }> {
  const [{ openFleetMemory }, { knownVerifierKey }] = await Promise.all([
    import('../../adapters/postgres/state/open.js'),
    import('../../adapters/mesh/client/verifier-key.js'),
  ]);
  const verifier = knownVerifierKey(workspace.paths().stateFile);
  const { random, clock, ticks } = workspace.world;
  const memory = openFleetMemory(url, workspace.world, { verifier: '', random, clock, ticks });
  try {
    return { ...(await memory.health(verifier)), verifier };
  } finally {
    await memory.close();
  }
}
