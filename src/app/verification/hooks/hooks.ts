/** Custom verification (step 7): asks one hook about an intent, and makes an outcome of whatever comes back. */
import type { Intent } from '../../../protocol/intent.js';
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';
import type { HookOutcome } from '../../../verify/context.js';
import type { Breaker } from './breaker.js';
import { plainParams } from '../plain-json.js';

/** What a hook sees: an intent whose signature holds. A copy, so that nothing it does changes what is judged. */
export interface HookIntent {
  /** `did:web:<domain>:agents:<name>`. */
  readonly agent_id: string;
  readonly action: string;
  /** As they were signed. */
  readonly params: JsonObject;
  /** What the action is done to, where the intent names it. */
  readonly target?: string;
  /** The key that signed, where the intent names it. */
  readonly key_id?: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Not spent yet: a step after the hooks may still refuse. */
  readonly nonce: string;
  /** `sha256:` and the hash of the signed bytes. */
  readonly intent_hash: string;
}

/** What a hook answers: `allow()`, `reject(...)` or `requireHumanApproval(...)`. */
export type HookAnswer =
  | { readonly result: 'allow' }
  | { readonly result: 'reject'; readonly code: string; readonly message: string; readonly details?: object }
  | { readonly result: 'require-approval'; readonly reason: string };

/** Custom verification, step 7. Whatever is no answer (an error, silence, anything else) is a refusal, HOOK_FAILED. */
export interface Hook {
  /** For reports. Default: the name of the class. */
  readonly name?: string;
  /** Asked once about each intent that no step before refuses; it has as long as `HookOptions.timeout`. */
  verify(intent: HookIntent): HookAnswer | Promise<HookAnswer>;
}

/** A hook, the name that decisions give it, and how long it may take, in ms. */
export interface NamedHook {
  readonly hook: Hook;
  readonly name: string;
  readonly timeoutMs: number;
}

/** What asking hooks needs of the world. */
export interface HookWorld {
  /** Told why a hook failed. */
  readonly notice: (notice: string) => void;
  /** Runs `work` after `ms` unless the returned function is called first. */
  readonly after: (ms: number, work: () => void) => () => void;
}

/** How long a hook may take, in ms, unless it is registered with another time. */
export const HOOK_TIMEOUT_MS = 5000;
const CODE = /^(?!AIP-|HOOK_FAILED$)[A-Z0-9][A-Z0-9_.-]{0,63}$/;
const MAX_SENTENCE = 500;
const ANSWERS =
  'allow(), reject({code, message}) with a code such as COMPLIANCE-001 (not AIP-...), requireHumanApproval({reason})';

/** What reports call it. */
export function hookName(hook: Hook): string {
  const own = hook.name ?? hook.constructor?.name;
  return typeof own === 'string' && own !== '' ? own.slice(0, 128) : 'hook';
}

/** Asks all of them, each through its circuit of `breaker` for this agent. `now` is in ms since the epoch. Never rejects. */
export function askHooks(
  hooks: Iterable<NamedHook>,
  intent: Intent,
  world: HookWorld,
  { breaker, now }: { readonly breaker: Breaker; readonly now: () => number },
): Promise<readonly HookOutcome[]> {
  const asked = [...hooks].map(async (hook, i): Promise<HookOutcome> => {
    const circuit = `${i} ${hook.name} ${intent.document.agent_id}`;
    if (!breaker.admits(circuit, now())) {
      const reason = 'it failed 5 times within 10 s, and is not asked for the next 5 s';
      return { ...failedOutcome(hook.name, reason, intent), circuitOpen: true };
    }
    const outcome = await askHook(hook, intent, world);
    const failed = outcome.result === 'reject' && outcome.violation.entry.code === 'HOOK_FAILED';
    breaker.ended(circuit, !failed, now());
    return outcome;
  });
  return Promise.all(asked);
}

/** Never rejects. */
async function askHook(
  { hook, name, timeoutMs }: NamedHook,
  intent: Intent,
  { after, notice }: HookWorld,
): Promise<HookOutcome> {
  const failure = (reason: string): HookOutcome => failedOutcome(name, reason, intent);
  let cancel = (): void => undefined;
  const late = new Promise<HookOutcome>((resolve) => {
    cancel = after(timeoutMs, () => resolve(failure(`it took more than ${timeoutMs} ms`)));
  });
  // The hook runs in a promise of its own, so that a throw before its first await is an answer like any other.
  const answered = new Promise<unknown>((resolve) => resolve(hook.verify(copyOf(intent))))
    // Reading an answer can throw as well: it may be a proxy, or have a getter.
    .then((answer) => ({ outcome: outcomeOf(answer, name, intent) }))
    .then(
      ({ outcome }) => {
        if (outcome !== null) return outcome;
        notice(`The verification hook ${name} failed: it answered with none of ${ANSWERS}`);
        return failure('it gave no answer that exists');
      },
      (error: unknown) => {
        // Its text may hold anything, so it goes to the operator and not into the decision and the log.
        notice(`The verification hook ${name} failed: ${error instanceof Error ? error.message : 'it threw'}`);
        return failure('it threw an error');
      },
    );
  try {
    return await Promise.race([answered, late]);
  } finally {
    cancel();
  }
}

/** Of the members that every dialect has: a hook that asks for the action must find it whatever the agent signed. */
function copyOf({ document, hash }: Intent): HookIntent {
  const { signature: _, ...said } = document;
  return { ...(JSON.parse(JSON.stringify(said)) as typeof said), intent_hash: hash };
}

/** One of the three answers; null for anything else. */
function outcomeOf(answer: unknown, hook: string, intent: Intent): HookOutcome | null {
  if (typeof answer !== 'object' || answer === null) return null;
  const said = answer as Partial<Record<'result' | 'code' | 'message' | 'details' | 'reason', unknown>>;
  const { agent_id } = intent.document;
  if (said.result === 'allow') return { hook, result: 'allow' };
  if (said.result === 'require-approval') {
    return isSentence(said.reason) ? { hook, result: 'require-approval', reason: said.reason } : null;
  }
  if (said.result !== 'reject' || typeof said.code !== 'string' || !CODE.test(said.code)) return null;
  if (!isSentence(said.message)) return null;
  const details = detailsOf(said.details);
  if (details === null) return null;
  const entry = { code: said.code, name: said.message, concern: 'approval' } as const;
  return {
    hook,
    result: 'reject',
    violation: { entry, message: said.message, details: { ...details, hook, agent_id } },
  };
}

function isSentence(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= MAX_SENTENCE;
}

function detailsOf(details: unknown): JsonObject | null {
  if (details === undefined) return {};
  try {
    const json: Json = plainParams(details, 'details');
    return isObject(json) ? json : null;
  } catch {
    return null;
  }
}

/**
 * Stands for the hooks where an earlier step refuses. Should that step have changed its mind at the commit (a window has moved on), nobody
 * said yes.
 */
export function notAsked(intent: Intent): HookOutcome {
  return failedOutcome('hooks', 'an earlier step had refused the intent, so it was not asked', intent);
}

function failedOutcome(hook: string, reason: string, intent: Intent): HookOutcome & { readonly result: 'reject' } {
  const { agent_id } = intent.document;
  const entry = { code: 'HOOK_FAILED', name: 'HOOK_FAILED', concern: 'approval' } as const;
  const message = `The verification hook ${hook} did not decide: ${reason}.`;
  return { hook, result: 'reject', violation: { entry, message, details: { hook, reason, agent_id } } };
}
