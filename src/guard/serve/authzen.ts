/** OpenID AuthZEN Authorization API 1.0: its request as a call of a tool, and a decision as its answer. */
import type { GuardedCall } from '../../app/guarding/desk.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Decision } from '../../verify/decision.js';
import { bad } from './replies.js';

/** Members that AuthZEN does not name are ignored, as it demands; what becomes params is held to the passport. */
export interface Evaluation {
  readonly subjectType: string;
  readonly agentId: string;
  readonly call: GuardedCall & { readonly target: string };
  readonly dryRun: boolean;
  /** The signed intent of `context.aip_intent`; null where there is none. */
  readonly intent: JsonObject | null;
}

/** Reads a request. @throws Refusal 400 */
export function evaluationIn(body: JsonObject): Evaluation {
  const subject = part(body, 'subject');
  const action = part(body, 'action');
  const resource = part(body, 'resource');
  const context = body.context === undefined ? {} : part(body, 'context');
  const [mine, theirs] = [properties(action, 'action'), properties(resource, 'resource')];
  const twice = Object.keys(mine).find((name) => Object.hasOwn(theirs, name));
  if (twice !== undefined)
    throw bad(`${JSON.stringify(twice.slice(0, 64))} is in the properties of both action and resource.`);
  const { dry_run: dry = false, aip_intent: intent = null } = context;
  if (typeof dry !== 'boolean') throw bad('"context.dry_run" is not true or false.');
  if (intent !== null && !isObject(intent)) throw bad('"context.aip_intent" is not an object.');
  text(resource, 'resource', 'type');
  return {
    subjectType: text(subject, 'subject', 'type'),
    agentId: text(subject, 'subject', 'id'),
    call: {
      action: text(action, 'action', 'name'),
      params: { ...mine, ...theirs },
      target: text(resource, 'resource', 'id'),
    },
    dryRun: dry,
    intent,
  };
}

/** True where the words of the request are those that were signed. A number is the same in every spelling. */
export function agrees({ agentId, call }: Evaluation, intent: JsonObject): boolean {
  return (
    intent.agent_id === agentId &&
    intent.action === call.action &&
    isObject(intent.params) &&
    canonicalize(intent.params) === canonicalize(call.params) &&
    (intent.target === undefined || intent.target === call.target)
  );
}

/** A decision as the answer; a dry run is never a yes, and says what it would be. */
export function authzenAnswer(decision: Decision, dryRun: boolean): object {
  return {
    decision: decision.success && !dryRun,
    context: {
      reason: decision.error_code,
      reason_user: decision.success ? null : decision.message,
      details: decision.details,
      violations: decision.violations,
      evaluation_id: decision.intent_hash,
      outcome_token: decision.outcome_token,
      ...(dryRun ? { would: decision.success } : {}),
    },
  };
}

/** The answer to what was never signed for this request. */
export function unsignedAnswer(code: string, sentence: string, agentId: string, dryRun: boolean): object {
  return {
    decision: false,
    context: {
      reason: code,
      reason_user: sentence,
      details: { agent_id: agentId },
      violations: [],
      evaluation_id: null,
      outcome_token: null,
      ...(dryRun ? { would: false } : {}),
    },
  };
}

/** What `/.well-known/authzen-configuration` says of a service at `url`. */
export function configuration(url: string): object {
  return { policy_decision_point: url, access_evaluation_endpoint: `${url}/access/v1/evaluation` };
}

function part(object: JsonObject, name: string): JsonObject {
  const value: Json | undefined = object[name];
  if (!isObject(value)) throw bad(`"${name}" is not an object.`);
  return value;
}

function properties(object: JsonObject, name: string): JsonObject {
  if (object.properties === undefined) return {};
  if (!isObject(object.properties)) throw bad(`"${name}.properties" is not an object.`);
  return object.properties;
}

function text(object: JsonObject, name: string, member: string): string {
  const value = object[member];
  if (typeof value !== 'string' || value === '' || value.length > 2048)
    throw bad(`"${name}.${member}" is not a text of 1 to 2048 characters.`);
  return value;
}
