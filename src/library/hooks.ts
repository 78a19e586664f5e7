import { usage } from '../app/failure.js';
import { Breaker } from '../app/verification/hooks/breaker.js';
import {
  askHooks,
  hookName,
  HOOK_TIMEOUT_MS,
  type Hook,
  type HookAnswer,
  type HookIntent,
  type NamedHook,
} from '../app/verification/hooks/hooks.js';
import type { Intent } from '../protocol/intent.js';
import type { HookOutcome } from '../verify/context.js';
import { durationOption, onlyKnown, type Duration } from './options/given.js';
import type { World } from '../workspace/world.js';

/** Nothing to object to. Other steps may still refuse. */
export function allow(): HookAnswer {
  return { result: 'allow' };
}

/** No. @param refusal a code of your own (`COMPLIANCE-001`; `AIP-` is taken) and one sentence */
export function reject(refusal: {
  readonly code: string;
  readonly message: string;
  readonly details?: object;
}): HookAnswer {
  return { result: 'reject', ...refusal };
}

/** Not without a person: refused with AIP-E209 until one approves exactly this intent. */
export function requireHumanApproval({ reason }: { readonly reason: string }): HookAnswer {
  return { result: 'require-approval', reason };
}

/** The base of hooks that are written as a class. */
export abstract class VerificationHook implements Hook {
  abstract verify(intent: HookIntent): HookAnswer | Promise<HookAnswer>;

  readonly allow = allow;
  readonly reject = reject;
  readonly requireHumanApproval = requireHumanApproval;
}

/** How a verification hook is asked. */
export interface HookOptions {
  /** How long `verify` may take. Default: 5 s. */
  readonly timeout?: Duration;
}

const OPTIONS: ReadonlySet<string> = new Set(['timeout']);
const MAX_TIMEOUT_MS = 60_000;

/** The hooks of a workspace. Every one is asked about each intent that no earlier step refuses; any one can refuse. */
export class Hooks {
  readonly #world: Pick<World, 'after' | 'notice' | 'clock'>;
  readonly #registered = new Set<NamedHook>();
  readonly #breaker = new Breaker();

  constructor(world: Pick<World, 'after' | 'notice' | 'clock'>) {
    this.#world = world;
  }

  get size(): number {
    return this.#registered.size;
  }

  register(hook: Hook, options: HookOptions = {}): () => void {
    onlyKnown(options, OPTIONS, 'registerVerificationHook');
    if (typeof hook?.verify !== 'function') throw usage('A verification hook has a method verify(intent).');
    const timeoutMs = options.timeout === undefined ? HOOK_TIMEOUT_MS : durationOption(options.timeout, 'timeout');
    if (timeoutMs > MAX_TIMEOUT_MS) throw usage('A verification hook may take 60 s at most.');
    const registered: NamedHook = { hook, name: hookName(hook), timeoutMs };
    this.#registered.add(registered);
    return () => void this.#registered.delete(registered);
  }

  /** Never rejects. */
  ask(intent: Intent): Promise<readonly HookOutcome[]> {
    return askHooks(this.#registered, intent, this.#world, { breaker: this.#breaker, now: this.#world.clock });
  }
}
