import { usage } from '../app/failure.js';
import type { GuardedCall } from '../app/guarding/desk.js';
import { plainParams } from '../app/verification/plain-json.js';
import type { Json, JsonObject } from '../protocol/json/values.js';
import type { AgentPassport } from './agent-passport.js';
import { deskFor, type DeskParts } from './calls/desk.js';
import { APPROVAL_OPTION_NAMES, checkApprovalOptions, type ApprovalOptions, type Persons } from './calls/persons.js';
import type { UnderWay } from './calls/under-way.js';
import { onlyKnown, textOption } from './options/given.js';
import { KEY_OPTION_NAMES, type KeyOptions } from './options/keys.js';
import { CALL_VERIFY_OPTIONS, type CallVerifyOptions } from './options/verification.js';
import {
  checkOutcomeOptions,
  OUTCOME_OPTION_NAMES,
  type OutcomeOptions,
  type OutcomeWriter,
} from './calls/outcomes.js';
import type { Passports } from './passports.js';
import { VerificationError } from './verification-error.js';

/** One call of a tool: whose it is, and what it does. */
export interface GuardCallOptions<P extends object = object> extends KeyOptions, ApprovalOptions, OutcomeOptions {
  /** The passport of the agent, the path of its file, or the id or name of an agent known here. */
  readonly agent: AgentPassport | string;
  /** A name that the passport declares. */
  readonly action: string;
  /** JSON of at most 1 MiB. Texts over 16 KiB are signed as hashes, and judged whole. */
  readonly params?: P;
  /** What the action is done to, where params do not say. */
  readonly target?: string;
  /**
   * The id of a request for approval that a person has approved; `known` for a caller who cannot name it: the request is found by the
   * action, which must be the very same.
   */
  readonly approval?: string;
  /** How to verify. */
  readonly verify?: CallVerifyOptions;
}

/** See `Workspace.guardCall`. */
export type GuardCall = <P extends object, R>(
  options: GuardCallOptions<P>,
  run: (params: P) => R | Promise<R>,
) => Promise<R>;

const OPTIONS: ReadonlySet<string> = new Set([
  'agent',
  'action',
  'params',
  'target',
  'approval',
  'verify',
  ...APPROVAL_OPTION_NAMES,
  ...OUTCOME_OPTION_NAMES,
  ...KEY_OPTION_NAMES,
]);

interface Parts extends DeskParts {
  readonly outcomes: OutcomeWriter;
  readonly passports: Passports;
  readonly persons: Persons;
  readonly underWay: UnderWay;
}

/** @returns the function for one workspace */
export function guardCallWith(parts: Parts): GuardCall {
  return async <P extends object, R>(options: GuardCallOptions<P>, run: (params: P) => R | Promise<R>): Promise<R> => {
    onlyKnown(options, OPTIONS, 'guardCall');
    const { agent, action, params, target, approval, verify, approve, waitForApproval, release, ...keys } = options;
    onlyKnown(verify ?? {}, CALL_VERIFY_OPTIONS, 'guardCall, under verify,');
    const ends: OutcomeOptions = release === undefined ? {} : { release };
    checkOutcomeOptions(ends);
    const asked: ApprovalOptions = {
      ...(approve === undefined ? {} : { approve }),
      ...(waitForApproval === undefined ? {} : { waitForApproval }),
    };
    checkApprovalOptions(asked);
    if (typeof run !== 'function') throw usage('guardCall runs a function.');
    // A copy: what the tool gets is what was verified, whatever happens to the caller's object meanwhile.
    const copy = frozen(plainParams(params ?? {}));
    const call = {
      action: textOption(action, 'action'),
      params: copy,
      target: target === undefined ? null : textOption(target, 'target'),
      ...(approval === undefined ? {} : approvalOf(textOption(approval, 'approval'))),
    };
    const { decision } = await parts.underWay.during(async (besides) => {
      const passport = typeof agent === 'string' ? await parts.passports.load(agent) : agent;
      const approved = parts.persons.approved.bind(parts.persons);
      const desk = deskFor(parts, { passport: async () => passport, forget: () => undefined, keys, verify, approved });
      return parts.persons.decide(desk, call, asked, besides);
    });
    if (!decision.success) throw new VerificationError(decision);
    return parts.outcomes.of(decision, () => run(copy as unknown as P), ends);
  };
}

function approvalOf(approval: string): Pick<GuardedCall, 'approvalRequest' | 'findRequest'> {
  return approval === 'known' ? { findRequest: true } : { approvalRequest: approval };
}

function frozen<T extends Json | JsonObject>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
