/** The disk of a simulated mesh. */
import { MemoryMeshStore } from '../memory/store.js';
import type { Head } from '../../../../src/mesh/log/head.js';
import type { OrderResult } from '../../../../src/mesh/log/store.js';
import type { Judge, Proposal } from '../../../../src/mesh/ruling.js';
import type { Simulation } from './simulation.js';
import type { History } from './world.js';

/** A disk on which a commit takes time, and a crash in the meantime keeps it or not. */
export class SimStore extends MemoryMeshStore {
  sim!: Simulation;
  process = 0;
  /** Which history of the simulation it holds. */
  history!: History;

  override async append(batch: readonly Proposal[], judge: Judge): Promise<readonly OrderResult[]> {
    const { sim, process } = this;
    await sim.sleep(sim.between(0, 8));
    const gone = () => !sim.alive.has(process);
    await sim.answering(process);
    // A restore needs the file for itself: by then what was on its way is done, or never will be.
    if (gone() && (this.history !== sim.history || sim.chance(0.5))) return new Promise(() => {});
    const outcomes = await super.append(batch, judge);
    sim.committed(this);
    await sim.sleep(sim.between(0, 4));
    return gone() ? new Promise(() => {}) : outcomes;
  }

  override async confirm(): Promise<Head> {
    await this.sim.answering(this.process);
    return super.confirm();
  }
}

/** The same, beside another one. */
export class SharedSimStore extends SimStore {
  override readonly shared = true;
}
