import { deskOf, type Desk, type DeskDeps } from '../../app/guarding/desk.js';
import type { World } from '../../workspace/world.js';
import { parsedOf, type AgentPassport } from '../agent-passport.js';
import type { KeyOptions, OpenKeys } from '../options/keys.js';
import type { VerifyIntentOptions } from '../options/verification.js';
import type { Verifier } from '../verifier.js';

/** What of a workspace decides about tool calls. */
export interface DeskParts {
  readonly keys: OpenKeys;
  readonly verifier: Verifier;
  readonly world: Pick<World, 'clock' | 'random'>;
}

/** Whose calls a desk decides about, and how. */
export interface DeskAgent {
  readonly passport: () => Promise<AgentPassport>;
  readonly forget: () => void;
  readonly keys: KeyOptions;
  readonly verify: VerifyIntentOptions | undefined;
  /** Finds the approved request of a call that names none. */
  readonly approved: DeskDeps['approved'];
}

/** A desk over a workspace's keys and verifier. */
export function deskFor(
  { keys, verifier, world }: DeskParts,
  { passport, forget, keys: where, verify, approved }: DeskAgent,
): Desk {
  return deskOf({
    speaking: async () => {
      const parsed = parsedOf(await passport());
      return { passport: parsed, key: await keys.open(parsed, where) };
    },
    forget,
    judge: async ({ bytes, source: _, ...more }, dryRun) =>
      verifier.verify(bytes, { ...verify, passport: await passport(), ...(dryRun ? { dryRun } : {}) }, more),
    approved,
    clock: world.clock,
    random: world.random,
  });
}
