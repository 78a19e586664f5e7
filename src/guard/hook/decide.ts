/** What a pre-tool hook answers: bytes of the coding agent in, its dialect out. */
import type { Desk } from '../../app/guarding/desk.js';
import type { UnsignedRefusal } from '../../app/guarding/record.js';
import { Failure } from '../../app/failure.js';
import { JsonError, parseJson, parseJsonText } from '../../protocol/json/parse.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Decision, Warning } from '../../verify/decision.js';
import type { Passport } from '../../protocol/passport.js';
import { refusalToAsker, refusalLine } from '../refusal.js';
import { EVENT_BOUNDS, failureAnswer, type HookOutput, type HookCall, type HookVerdict } from './call.js';
import type { HookClient } from './clients.js';
import { ownFilesRefusal, type OwnFiles } from './own-refusal.js';

/** The tool in the events by which `aip doctor` tries a hook: what is refused to it is no deed of the agent, and not in the log. */
export const TRIAL_TOOL = 'aip_doctor';

/** How a hook was set up. */
export interface HookRules {
  /** A yes skips the agent's own prompt. */
  readonly grant: boolean;
  /** An action that needs a person becomes the agent's own question, where the passport names no approvers. */
  readonly ask: boolean;
  /** Actions by tool, instead of the shipped ones. */
  readonly map: ReadonlyMap<string, string>;
}

/** What a hook needs of the world. */
export interface HookDeps extends OwnFiles {
  readonly desk: Desk;
  /** Where the hook itself was started: there an event without a working folder has its relative paths. Null where nothing says it. */
  readonly folder: string | null;
  readonly rules: HookRules;
  /** Told of an accepted call, so that a guard before the server of an MCP tool takes the entry as its own. */
  readonly accepted: (call: HookCall, action: string, decision: Decision) => void;
  /** Writes down what was refused before it was signed. */
  readonly refused: (refusal: UnsignedRefusal) => void;
  /** Counts how events end; where there is none, nothing is counted. */
  readonly tally?: HookTally;
}

/** Counts how events end. */
export interface HookTally {
  /** A decision, or a refusal before one: its code, null for a yes. */
  readonly decided: (code: string | null, warnings: readonly Warning[]) => void;
  /** The hook's own failure: nothing was decided. */
  readonly failed: (error: unknown) => void;
}

/** Answers an event. Every failure of the hook itself is exit 2: in these agents anything else runs the tool. */
export async function answerHook(client: HookClient, bytes: Uint8Array, deps: HookDeps): Promise<HookOutput> {
  try {
    const { event, lost } = eventIn(bytes);
    const call = client.read(event);
    // The agent's own reader may keep them, and its tool would get another number than the one that was judged.
    if (lost.size > 0 && holdsNumber(call.params, lost))
      throw new ShapeError("a number in the tool's input has more digits than can be read exactly");
    return client.answer(await verdictOf(client, call, deps), event);
  } catch (error) {
    deps.tally?.failed(error);
    return failureAnswer(whyFailed(error));
  }
}

/** Why the hook failed, in one sentence. */
export function whyFailed(error: unknown): string {
  if (error instanceof JsonError) return `what came on stdin is not strict JSON: ${error.reason}.`;
  if (error instanceof ShapeError) return `the event cannot be read: ${error.reason}.`;
  if (error instanceof Failure) return `${error.message}${error.hint === null ? '' : ` hint: ${error.hint}`}`;
  return `it could not decide (${error instanceof Error ? error.message.slice(0, 200) : 'unknown failure'}).`;
}

interface ReadEvent {
  readonly event: JsonObject;
  /** Numbers of it that lost digits as they were read. */
  readonly lost: ReadonlySet<number>;
}

function eventIn(bytes: Uint8Array): ReadEvent {
  // Cursor on Windows writes a byte order mark, which is no part of the document.
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const lost = new Set<number>();
  const large = (written: string): number => {
    if (!isExact(written)) lost.add(Number(written));
    return Number(written);
  };
  const event = parseJson(marked ? bytes.subarray(3) : bytes, large, EVENT_BOUNDS);
  if (!isObject(event)) throw new ShapeError('it is not an object');
  return { event, lost };
}

function isExact(written: string): boolean {
  try {
    return parseJsonText(written) === Number(written);
  } catch {
    return false;
  }
}

function holdsNumber(value: Json, numbers: ReadonlySet<number>): boolean {
  if (typeof value === 'number') return numbers.has(value);
  return typeof value === 'object' && value !== null && Object.values(value).some((each) => holdsNumber(each, numbers));
}

async function verdictOf(client: HookClient, call: HookCall, deps: HookDeps): Promise<HookVerdict> {
  const { desk, rules } = deps;
  const action = rules.map.get(call.tool) ?? call.action;
  const own = ownFilesRefusal({ ...call, target: call.target ?? deps.folder }, action, deps);
  if (own !== null) {
    const { code, name, details } = own;
    const { target, params } = call;
    deps.tally?.decided(code, []);
    const passport = await desk.passport();
    if (call.tool !== TRIAL_TOOL) deps.refused({ passport, action, target, params, code, name, details });
    return { result: 'deny', reason: refusalLine(own) };
  }
  const asked = rules.ask && client.asks && !hasApprovers(await desk.passport());
  const { decision } = await desk.decide({
    action,
    params: call.params,
    target: call.target,
    asked,
    findRequest: true,
  });
  deps.tally?.decided(decision.error_code, decision.warnings);
  if (decision.success) {
    deps.accepted(call, action, decision);
    return { result: rules.grant ? 'grant' : 'pass' };
  }
  const reason = refusalLine(refusalToAsker(decision));
  // The entry says so where its user is asked.
  const asks = decision.details?.asked === true;
  return { result: asks ? 'ask' : 'deny', reason };
}

/** A tap by the user of this machine is no approval of those whom the passport names. */
function hasApprovers({ document }: Passport): boolean {
  const rule = document.constraints.require_approval;
  return isObject(rule) && (rule.approvers !== undefined || rule.count !== undefined);
}
