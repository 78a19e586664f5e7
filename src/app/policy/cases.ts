/**
 * Cases of a policy: an intent, what came before it, and what the verifier is to say. Each runs through the real verifier on a state of its own,
 * with throwaway keys that stand in for those of agent, principal and approvers; no hook, network, bell or key store is asked.
 */
import { readActionApproval, type ActionApproval } from '../../protocol/approvals/approval.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import { parseTime } from '../../protocol/time.js';
import type { PinnedKey } from '../../verify/context.js';
import type { Decision } from '../../verify/decision.js';
import type { VerifierDeps, VerifyOptions } from '../verification/intents.js';
import { verifyIntents } from '../verification/intents.js';
import { askedOfCase, caseMoment, caseSubmission, isSignedCase } from './case-intent.js';
import { approvalsBy, standInPins, standInWithApprovers } from './stand-in.js';

/** A case as it is written, with its documents read. */
export interface PolicyCase {
  readonly name: string;
  readonly passport: JsonObject;
  /** ms since the epoch; null for the time of the intent, or of the run. */
  readonly now: number | null;
  readonly history: readonly JsonObject[];
  readonly intent: JsonObject;
  /** `accept`, or a code. */
  readonly expect: string;
  /** Members that the details of the refusal must have. */
  readonly details: JsonObject | null;
  /** Ids of those who approve it, and what came before, where a person is asked. */
  readonly approvedBy: readonly string[];
}

/** How a case ended. */
export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: string;
  /** `accept`, or a code. */
  readonly actual: string;
  /** Why it failed, in one sentence; null when it passed. */
  readonly reason: string | null;
  readonly decision: Decision;
}

/** A verifier on a new, empty state. Ends with `close`. */
export interface Throwaway {
  readonly deps: VerifierDeps;
  readonly options: VerifyOptions;
  close(): void;
}

/** Makes one. `now` stands for its clock, in ms since the epoch, and may be moved by `at`. */
export type OpenThrowaway = (word: {
  readonly passport: Passport;
  readonly pins: readonly PinnedKey[];
  readonly clock: () => number;
}) => Throwaway;

const REQUIRED = ['name', 'intent', 'expect'];
const OPTIONAL = ['passport', 'now', 'history', 'details', 'approved_by'];
const MAX_CASES = 10_000;

/** What a file of cases says, before the documents that it names are read. A string stands for a path relative to the file. */
export type ReadPart = (path: string) => Promise<JsonObject>;

/** The cases in a file: one, or a list. `fallback` is the passport of cases that name none. @throws ShapeError */
export async function readCases(json: Json, read: ReadPart, fallback: JsonObject | null): Promise<PolicyCase[]> {
  const list = Array.isArray(json) ? (json as readonly Json[]) : [json];
  if (list.length === 0 || list.length > MAX_CASES) throw new ShapeError(`a file holds from 1 to ${MAX_CASES} cases`);
  const cases: PolicyCase[] = [];
  for (const each of list) cases.push(await readCase(each, read, fallback));
  return cases;
}

async function readCase(json: Json, read: ReadPart, fallback: JsonObject | null): Promise<PolicyCase> {
  const object = objectOf(json, 'the case', REQUIRED, OPTIONAL);
  const { name, expect, now, history = [], details = null, approved_by: approvers = [] } = object;
  if (typeof name !== 'string' || name === '') throw new ShapeError('"name" is not text');
  const wrong = (what: string): never => {
    throw new ShapeError(`case "${name.slice(0, 80)}": ${what}`);
  };
  const part = async (value: Json, what: string): Promise<JsonObject> =>
    typeof value === 'string'
      ? read(value)
      : isObject(value)
        ? value
        : wrong(`"${what}" is neither a document nor a path`);
  if (typeof expect !== 'string' || !/^(accept|[A-Z][A-Z0-9_-]{2,63})$/.test(expect))
    return wrong('"expect" is neither accept nor a code such as AIP-E202');
  if (!Array.isArray(history)) return wrong('"history" is not a list');
  if (details !== null && !isObject(details)) return wrong('"details" is not an object');
  if (!Array.isArray(approvers) || !(approvers as readonly Json[]).every((id) => typeof id === 'string' && id !== ''))
    return wrong('"approved_by" is not a list of ids');
  const passport = object.passport === undefined ? fallback : await part(object.passport, 'passport');
  if (passport === null) return wrong('it names no passport, and none was given with --passport');
  const before: JsonObject[] = [];
  for (const each of history as readonly Json[]) before.push(await part(each, 'history'));
  const intent = await part(object.intent!, 'intent');
  if (approvers.length > 0 && [intent, ...before].some(isSignedCase))
    return wrong('"approved_by" is for intents without a signature: one that is signed names its request itself');
  return {
    name,
    passport,
    now: now === undefined ? null : (momentOf(now) ?? wrong('"now" is neither Unix seconds nor a time')),
    history: before,
    intent,
    expect,
    details,
    approvedBy: approvers as readonly string[],
  };
}

function momentOf(value: Json): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value * 1000 : null;
  return typeof value === 'string' ? parseTime(value) : null;
}

/**
 * Runs one case. `now` is the time of the run, in ms since the epoch.
 * @throws ShapeError where the document is no passport, also with the keys that stand in.
 */
export async function runCase(each: PolicyCase, open: OpenThrowaway, now: number): Promise<CaseResult> {
  const own = !isSignedCase(each.intent);
  const passport = standInWithApprovers(each.passport, own);
  const { agent } = passport;
  const pins = standInPins(passport);
  const moment = each.now ?? caseMoment(each.intent) ?? now;
  let at = moment;
  const throwaway = open({ passport, pins, clock: () => at });
  try {
    const { deps, options } = throwaway;
    const verify = async (
      intent: JsonObject,
      index: number,
      request: string | null,
      answers: readonly ActionApproval[],
    ): Promise<Decision> => {
      const submission = caseSubmission(intent, passport, { index, at, request });
      const [judgement] = await verifyIntents(deps, options, [{ ...submission, source: null, answers }]);
      return judgement!.decision;
    };
    const judge = async (intent: JsonObject, index: number): Promise<Decision> => {
      const decision = await verify(intent, index, null, []);
      const id = decision.error_code === 'AIP-E209' ? decision.details?.['request_id'] : undefined;
      if (typeof id !== 'string' || each.approvedBy.length === 0) return decision;
      const raised = { id, verifier: deps.requester().publicKey, intent: askedOfCase(intent, agent.id), at };
      const answers = approvalsBy(each.approvedBy, passport, raised).map((one) =>
        readActionApproval(canonicalize(one)),
      );
      return verify(intent, index, id, answers);
    };
    let index = 0;
    for (const intent of each.history) {
      at = Math.min(caseMoment(intent) ?? moment, moment);
      await judge(intent, index++);
    }
    at = moment;
    return resultOf(each, await judge(each.intent, index));
  } finally {
    throwaway.close();
  }
}

function resultOf({ name, expect, details }: PolicyCase, decision: Decision): CaseResult {
  const actual = decision.error_code ?? 'accept';
  let reason: string | null = null;
  if (actual !== expect) reason = `Expected ${expect}, and it was ${actual}: ${decision.message}`;
  else if (details !== null) {
    const given = decision.details ?? {};
    const other = Object.keys(details).find(
      (member) => !Object.hasOwn(given, member) || canonicalize(given[member]!) !== canonicalize(details[member]!),
    );
    if (other !== undefined) reason = `The refusal is ${actual}, and its "${other}" is not as expected.`;
  }
  return { name, passed: reason === null, expected: expect, actual, reason, decision };
}
