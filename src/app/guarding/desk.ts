/**
 * Sign, verify, log: what stands before a tool that runs for one agent. The agent's key is here, and so is the verifier, so that the params
 * that are judged are the very value that the tool gets.
 */
import { canonicalize } from '../../protocol/json/canonical.js';
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import type { AskedAction } from '../../protocol/approvals/action-hash.js';
import type { Constraints } from '../../protocol/constraints/rules.js';
import type { IntentDocument } from '../../protocol/intent.js';
import type { Passport } from '../../protocol/passport.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Judgement } from '../../verify/judge.js';
import { Failure } from '../failure.js';
import type { HeldKey } from '../keys/keyring.js';
import type { Clock, Random } from '../ports/state.js';
import { signIntent } from '../signing/intent.js';
import type { Submission } from '../verification/examine.js';
import { MAX_CALL_BYTES, withHashes } from './long-texts.js';

/** One call of a tool. */
export interface GuardedCall {
  readonly action: string;
  /** At most 1 MiB. Longer texts in it are signed as hashes, and judged whole. */
  readonly params: JsonObject;
  readonly target: string | null;
  /** Judges and commits nothing. */
  readonly dryRun?: boolean;
  /** False for what goes on with a call that was counted. */
  readonly counted?: boolean;
  /** True where the caller asks its own user when only a person's word is missing. */
  readonly asked?: boolean;
  /** True where a refused call runs all the same. */
  readonly observed?: boolean;
  /** The request that a person has approved for exactly this call. */
  readonly approvalRequest?: string;
  /** True where the caller cannot name that request: it is found by the action. */
  readonly findRequest?: boolean;
  /** Answers to that request that the caller brings. */
  readonly answers?: readonly ActionApproval[];
  /** Limits beside the passport's. */
  readonly within?: Constraints;
}

/** What of a call is signed. */
export type SignedCall = Pick<GuardedCall, 'action' | 'params' | 'target' | 'approvalRequest'>;

/** An agent that can speak here. */
export interface Speaking {
  readonly passport: Passport;
  readonly key: HeldKey;
}

/** What one agent's desk stands on. */
export interface DeskDeps {
  /** The passport in force and its key; asked before every call. @throws Failure */
  readonly speaking: () => Speaking | Promise<Speaking>;
  /** Forgets what `speaking` keeps: the passport may have been renewed since it was read. */
  readonly forget: () => void;
  /** Verifies and, unless `dryRun`, commits. Rejects only when the world fails; then nothing was decided. */
  readonly judge: (submission: Submission, dryRun: boolean) => Promise<Judgement>;
  /** The request for exactly this action that has an answer; null where there is none. */
  readonly approved: (asked: AskedAction) => Promise<string | null>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Decides about the calls of one agent. */
export interface Desk {
  readonly passport: () => Promise<Passport>;
  /** A signed intent for another verifier, or for later. @throws Failure */
  readonly sign: (call: SignedCall) => Promise<IntentDocument>;
  /**
   * Resolves after the commit. A refusal is a judgement.
   * @throws Failure when the world fails or the params are too many: nothing was decided, and nothing may run
   */
  readonly decide: (call: GuardedCall) => Promise<Judgement>;
}

const RENEWED: ReadonlySet<string | null> = new Set(['AIP-E103', 'AIP-E104', 'AIP-E105']);

/** A desk over `deps`: it signs the calls of one agent, and judges them. */
export function deskOf({ speaking, forget, judge, approved, clock, random }: DeskDeps): Desk {
  const sign = ({ passport, key }: Speaking, call: SignedCall): Promise<IntentDocument> => {
    const { action, params, target, approvalRequest } = call;
    const timestamp = Math.floor(clock() / 1000);
    const approved = approvalRequest === undefined ? {} : { approvalRequest };
    return signIntent(passport, key, { action, params, target, timestamp, nonce: random(16), ...approved });
  };
  const decideAs = async (
    speaker: Speaking,
    {
      dryRun = false,
      counted = true,
      asked = false,
      observed = false,
      findRequest = false,
      within,
      answers = [],
      ...call
    }: GuardedCall,
  ): Promise<Judgement> => {
    const { params, action, target } = call;
    if (canonicalize(params).length > MAX_CALL_BYTES)
      throw new Failure('USAGE', `The params of a call hold at most ${MAX_CALL_BYTES} bytes.`);
    const signed = withHashes(params);
    const found = findRequest && call.approvalRequest === undefined && needsPersons(speaker);
    const request = found ? await approved(askedAction(speaker, { action, params: signed, target })) : null;
    const named = request === null ? {} : { approvalRequest: request };
    const intent = await sign(speaker, { ...call, params: signed, ...named });
    const submission: Submission = {
      bytes: JSON.stringify(intent),
      source: null,
      ...(signed === params ? {} : { meant: params }),
      ...(counted ? {} : { counted }),
      ...(asked ? { asked } : {}),
      ...(observed ? { observed } : {}),
      ...(within === undefined ? {} : { within }),
      ...(answers.length === 0 ? {} : { answers }),
    };
    return judge(submission, dryRun);
  };
  return {
    sign: async (call) => sign(await speaking(), call),
    passport: async () => (await speaking()).passport,
    async decide(call) {
      const speaker = await speaking();
      const judgement = await decideAs(speaker, call);
      if (!RENEWED.has(judgement.decision.error_code)) return judgement;
      forget();
      // A passport may have been updated or rotated meanwhile: the call is signed anew under the one in force.
      const now = await Promise.resolve(speaking()).catch(() => null);
      return now === null || now.passport.hash() === speaker.passport.hash() ? judgement : decideAs(now, call);
    },
  };
}

/** Of other passports no request was ever raised by a constraint; a hook's are found by the caller who names them. */
function needsPersons({ passport }: Speaking): boolean {
  return passport.document.constraints.require_approval !== undefined;
}

function askedAction(
  { passport }: Speaking,
  { action, params, target }: Pick<GuardedCall, 'action' | 'params' | 'target'>,
): AskedAction {
  return { agent_id: passport.agent.id, action, params, target, passport_hash: passport.hash() };
}
