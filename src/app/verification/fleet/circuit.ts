/** A shared memory that failed again and again is not waited for: until it answers a probe, every decision is refused at once. */
import { Failure } from '../../failure.js';
import type { FleetMemory } from '../../ports/fleet-memory.js';
import type { Breaker } from '../hooks/breaker.js';

/** The memory was not asked. Nothing was decided. */
export class CircuitOpen extends Failure {
  constructor() {
    super(
      'STATE_UNAVAILABLE',
      'circuit_open: the memory of the fleet failed again and again, and is not waited for. Nothing was decided.',
      { hint: 'aip doctor', retryable: true },
    );
  }
}

const CIRCUIT = 'fleet';

/** @param now ms of a clock that never goes back */
export function withCircuit(memory: FleetMemory, breaker: Breaker, now: () => number): FleetMemory {
  const guarded = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (!breaker.admits(CIRCUIT, now())) throw new CircuitOpen();
    let answered = true;
    try {
      return await ask();
    } catch (error) {
      answered = !(error instanceof Failure && error.code === 'STATE_UNAVAILABLE');
      throw error;
    } finally {
      breaker.ended(CIRCUIT, answered, now());
    }
  };
  return {
    settle: (claims, resumes) => guarded(() => memory.settle(claims, resumes)),
    requests: (ids) => guarded(() => memory.requests(ids)),
    answer: (answers) => guarded(() => memory.answer(answers)),
    release: (token) => guarded(() => memory.release(token)),
    health: (verifier) => memory.health(verifier),
    close: () => memory.close(),
  };
}
