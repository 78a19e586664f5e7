/** One verifier to measure; compiled once as it is, and once without each piece of `without/`. */
import { agent, type Signed } from './agent.js';
import { crowd } from './in-process.js';

export interface Subject {
  /** Microseconds a verification, of this many at once. */
  verify(count: number, waits: number[]): Promise<number>;
  close(): Promise<void>;
}

export async function subject(name: string): Promise<Subject> {
  const verifier = await agent(name);
  return {
    verify: (count, waits) => {
      const intents: Signed[] = verifier.fresh(count);
      return crowd(verifier, intents, waits);
    },
    close: () => verifier.workspace.close(),
  };
}
