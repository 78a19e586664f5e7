/** The state file and the tables beside it. */
import type { SqliteState } from '../adapters/sqlite/state.js';
import type { MonitorMemory } from '../app/ports/monitor.js';
import type { LocalWorkspace } from './workspace.js';

/** The state with all that its file keeps: passports, pins, the log, how agents behave. */
export type LocalState = SqliteState;

/** The local state, opened on first use. */
export function localState(workspace: LocalWorkspace): Promise<LocalState> {
  return workspace.once(localState, async () => {
    const { openState } = await import('../adapters/sqlite/state.js');
    const { random, clock, onlyReads } = workspace.world;
    const state = openState(workspace.paths().stateFile, { random, clock, onlyReads });
    workspace.afterwards(() => state.close());
    return state;
  });
}

/** Fails where a state could not even be made, because SQLite does not load. */
export async function loadState(): Promise<void> {
  await import('../adapters/sqlite/state.js');
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
