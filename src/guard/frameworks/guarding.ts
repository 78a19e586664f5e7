/** What every adapter needs: whose tools they are, the workspace that decides, and a refusal as text for a model. */
import { Failure } from '../../app/failure.js';
import { plainParams } from '../../app/verification/plain-json.js';
import type { AgentPassport } from '../../library/agent-passport.js';
import { createIntent, guardCall, verifyIntent } from '../../library/default-workspace.js';
import type { OutcomeOptions } from '../../library/calls/outcomes.js';
import type { ApprovalOptions } from '../../library/calls/persons.js';
import type { KeyOptions } from '../../library/options/keys.js';
import { VerificationError } from '../../library/verification-error.js';
import type { Workspace } from '../../library/workspace.js';
import type { Decision } from '../../verify/decision.js';
import { refusalToAsker, refusalLine } from '../refusal.js';

/** What decides: a workspace, or the functions of the package itself. */
export type Deciding = Pick<Workspace, 'guardCall' | 'createIntent' | 'verifyIntent'>;

/** How tools are guarded. */
export interface GuardOptions extends KeyOptions, ApprovalOptions, OutcomeOptions {
  /** The workspace that decides. Default: this machine's own. */
  readonly workspace?: Deciding;
  /** The action that a tool stands for. Default: its name. */
  readonly action?: (tool: string) => string;
  /** What the action is done to. */
  readonly target?: string;
}

/** Whose tools they are: a passport, the path of its file, or the id or name of an agent known here. */
export type Agent = AgentPassport | string;

const OWN: Deciding = { guardCall, createIntent, verifyIntent };

/** How one call is guarded. */
interface Guarding {
  readonly options: GuardOptions;
  /** Of the framework: a call that it gave up does not run, though a person says yes later. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs a tool with the params that were verified, frozen.
 * @throws VerificationError, Failure, the signal's reason, TypeError for options that would stand for those of the call; it did not run then
 */
export async function guardedCall<P extends object, R>(
  agent: Agent,
  tool: string,
  params: P,
  { options: { workspace = OWN, action = (name) => name, ...options }, signal }: Guarding,
  run: (params: P) => R | Promise<R>,
): Promise<R> {
  signal?.throwIfAborted();
  const other = ['agent', 'params'].find((name) => (options as Record<string, unknown>)[name] !== undefined);
  if (other !== undefined) throw new TypeError(`A guarded tool has no option "${other}": its calls say it.`);
  // A model asks again for what was approved, and cannot name the request.
  const call = { approval: 'known', ...options, agent, action: action(tool), params };
  return workspace.guardCall(call, (verified: P) => {
    signal?.throwIfAborted();
    return run(verified);
  });
}

/** The signal among what a framework hands to a tool beside its input. */
export function signalIn(...given: readonly unknown[]): AbortSignal | undefined {
  const members = given.map((each) => (each ?? {}) as { readonly abortSignal?: unknown; readonly signal?: unknown });
  const found = members.map(({ abortSignal, signal }) => abortSignal ?? signal);
  return found.find((each) => each instanceof AbortSignal);
}

/** Why no intent can say these params, such as half an emoji in a text that a model has cut; null where one can. */
export function unsayableIn(params: object = {}): string | null {
  try {
    plainParams(params);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

/**
 * True when a person has to approve this call, and has not yet. Nothing is spent or logged. Of what no intent can say nobody is asked: the call
 * does not run, and says why. A failure here would end the framework's whole run. @throws Failure
 */
export async function needsPerson(
  agent: Agent,
  tool: string,
  params: object,
  {
    workspace = OWN,
    action = (name) => name,
    target,
    approve: _,
    waitForApproval: __,
    release: ___,
    ...keys
  }: GuardOptions,
): Promise<boolean> {
  if (unsayableIn(params) !== null) return false;
  const from = typeof agent === 'string' && !/[/\\]|\.json$/.test(agent) ? { agentId: agent } : { passport: agent };
  const asked = { ...from, action: action(tool), params, ...keys, ...(target === undefined ? {} : { target }) };
  const passport = typeof agent === 'string' ? {} : { passport: agent };
  const wouldBe = async (request: object): Promise<Decision> =>
    workspace.verifyIntent(await workspace.createIntent({ ...asked, ...request }), { ...passport, dryRun: true });
  const { error_code, details } = await wouldBe({});
  if (error_code !== 'AIP-E209') return false;
  const request = details?.request_id;
  return typeof request !== 'string' || !(await wouldBe({ approvalRequest: request })).success;
}

/** The refusal as a model reads it; null for another error, which goes on to the host. */
export function refusalText(error: unknown): string | null {
  return error instanceof VerificationError ? refusalLine(refusalToAsker(error.decision)) : null;
}
