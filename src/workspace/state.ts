/** The state file and the tables beside it. */
import type { Generation } from '../adapters/sqlite/file/generation.js';
import type { SqliteState } from '../adapters/sqlite/state.js';
import type { MonitorMemory } from '../app/ports/monitor.js';
import type { VerifierKey } from '../mesh/roster/member.js';
import { lazy } from '../protocol/lazy.js';
import type { LocalWorkspace } from './workspace.js';

/** The state with all that its file keeps: passports, pins, the log, how agents behave. */
export type LocalState = SqliteState & {
  /** This machine's key as a verifier, read or made when it is first asked for. */
  readonly verifierKey: () => VerifierKey;
};

/** The local state, opened on first use. */
export function localState(workspace: LocalWorkspace): Promise<LocalState> {
  return workspace.once(localState, async () => {
    const [{ openState }, { makeVerifierKey, verifierKey }] = await Promise.all([
      import('../adapters/sqlite/open.js'),
      import('../adapters/mesh/client/verifier-key.js'),
    ]);
    const { random, clock, onlyReads, waitsMs, owner, notice } = workspace.world;
    const { stateFile, generationFile } = workspace.paths();
    const options = { random, clock, onlyReads, waitsMs, owner, generationFile, onWentBack: notice };
    const state = Object.assign(openState(stateFile, options), { verifierKey: lazy(() => verifierKey(stateFile)) });
    if (!onlyReads) makeVerifierKey(stateFile);
    workspace.afterwards(() => state.close());
    return state;
  });
}

/** How far the state had come when it was last closed; null when that was never kept. */
export async function generationOf(workspace: LocalWorkspace): Promise<Generation | 'unreadable' | null> {
  return (await import('../adapters/sqlite/file/generation.js')).readGeneration(workspace.paths().generationFile);
}

/** Fails where a state could not even be made, because SQLite does not load. */
export async function loadState(): Promise<void> {
  await import('../adapters/sqlite/open.js');
}

/** What the monitor has told and done. */
export function monitorMemory(workspace: LocalWorkspace): Promise<MonitorMemory> {
  return workspace.once(monitorMemory, async () => {
    const { openMonitorMemory } = await import('../adapters/sqlite/monitor-memory.js');
    const memory = openMonitorMemory(workspace.paths().stateFile, workspace.world.random);
    workspace.afterwards(() => memory.close());
    return memory;
  });
}
