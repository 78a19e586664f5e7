/** What a request asks for, read before anything is decided about it. */
import { isObject, type JsonObject } from '../../protocol/json/values.js';
import { isReadAction, resourceCovered, resourceDenied } from '../../protocol/naming/resources.js';
import { requestKey, type Continuations } from './continuations.js';
import { errorFor, RPC, RpcError, type RpcId, type RpcMessage } from './message.js';
import { CALL_MEMBERS, type DeclaredRule } from './methods.js';
import type { SessionPorts, ToolCall } from './ports.js';
import { notDeclared } from './refusal.js';
import { refusalLine, type CallRefusal } from '../refusal.js';

/** A request. */
export type RpcRequest = RpcMessage & { readonly kind: 'request' };

/** The version of the protocol that a request of the later era names in its params. */
export const VERSION_MEMBER = 'io.modelcontextprotocol/protocolVersion';

/** A call of a tool. */
export interface AskedCall {
  readonly name: string;
  readonly given: JsonObject;
  /** The answers to what the server asked for. */
  readonly beside: JsonObject;
  /** What a continuation must be of. */
  readonly key: string;
}

/** Reads a `tools/call`. @throws RpcError */
export function callIn({ id, method, params }: RpcRequest): AskedCall {
  const { name, inputResponses } = params;
  const given = params.arguments ?? {};
  const stranger = Object.keys(params).find((member) => !CALL_MEMBERS.has(member));
  if (stranger !== undefined)
    throw new RpcError(RPC.invalidParams, `unknown member ${JSON.stringify(stranger.slice(0, 64))}`, id);
  if (typeof name !== 'string' || name === '') throw new RpcError(RPC.invalidParams, '"name" is not a text', id);
  if (!isObject(given)) throw new RpcError(RPC.invalidParams, '"arguments" is not an object', id);
  const beside: JsonObject = inputResponses === undefined ? {} : { inputResponses };
  return { name, given, beside, key: requestKey(method, { name, arguments: given }) };
}

/** The action that a tool stands for: of the user's map, else under its server's name where the passport declares that, else its own name. */
export function actionOfCall(
  { mapped, declares, server }: Pick<SessionPorts, 'mapped' | 'declares' | 'server'>,
  tool: string,
): string {
  const whole = `${server}.${tool}`;
  // A tool that a server names as a declared resource is not declared by that.
  return mapped(tool) ?? (declares(whole) || isReadAction(tool) ? whole : tool);
}

/** The version that the params of a request of the later era name; null for one of the older era. */
export function versionIn({ _meta: meta }: JsonObject): string | null {
  const version = isObject(meta) ? meta[VERSION_MEMBER] : undefined;
  return typeof version === 'string' ? version : null;
}

/** A read of a resource or a prompt that is decided, and what a continuation of it must be of. */
export interface AskedRead {
  readonly call: ToolCall;
  readonly key: string;
}

/**
 * What is decided about a read of a resource or a prompt, under the pattern that is about it, a denied one first; null where nothing is
 * signed for the request, which then passes. Under `observe` what is not declared is decided under its own name.
 * @throws RpcError for what the passport does not declare, or denies and nothing is signed for, unless `observe`
 */
export function readIn(
  { id, method, params }: RpcRequest,
  { kind, names, reads }: DeclaredRule,
  { patterns, denied, server, observe }: Pick<SessionPorts, 'patterns' | 'denied' | 'server' | 'observe'>,
  continuations: Continuations,
): AskedRead | null {
  const declared = patterns(kind);
  const named = names === null ? null : names(params);
  if (named?.length === 0) return null;
  if (declared.length === 0 && !observe)
    throw new RpcError(RPC.unknownMethod, `the passport declares no ${kind}: ${method} does not pass`, id);
  if (names === null) return null;
  if (named === null) throw new RpcError(RPC.invalidParams, `the ${kind} is not named`, id);
  const under = named.map((name) => {
    const barred = denied(kind).find((each) => (kind === 'resource' ? resourceDenied(each, name) : each === name));
    const covering = declared.find((each) => (kind === 'resource' ? resourceCovered(each, name) : each === name));
    const pattern = covering === undefined ? undefined : (barred ?? covering);
    if (!observe && (pattern === undefined || (barred !== undefined && !reads)))
      throw new RpcError(RPC.invalidParams, refusalLine(notDeclared(`${kind}:${name}`, server)), id);
    return { name, action: `${kind}:${pattern ?? name}` };
  });
  const [first] = under;
  if (!reads || first === undefined) return null;
  const key = requestKey(method, params);
  const call = {
    tool: null,
    action: first.action,
    params: { [kind]: first.name },
    beside: Object.fromEntries(Object.entries(params).filter(([member]) => member !== '_meta')),
    target: `mcp:${server}`,
    continues: continuations.take(key, params),
  };
  return { call, key };
}

/** What of a task carries answers to its tool, which runs already. */
const ANSWERING = 'tasks/update';

/** A request that goes on as it is. @throws RpcError for answers to a task that are not to reach its tool, unless `observe` */
export function forwardedIn(message: RpcRequest, ports: AnswerRules): RpcRequest {
  const { id, method, params } = message;
  if (method !== ANSWERING) return message;
  const { _meta, ...answers } = params;
  const refused = refusedAnswers(method, answers, ports);
  if (refused !== null) throw new RpcError(RPC.invalidParams, refused, id);
  return message;
}

/**
 * A client's answer to a question of the server's; an error in its place where it is not to reach it, unless `observe`.
 * @param stopped why the agent may do nothing any more
 */
export function passingAnswer<M extends RpcMessage & { readonly id: RpcId | null }>(
  message: M,
  ports: AnswerRules,
  stopped: CallRefusal | null,
): RpcMessage {
  if (message.kind !== 'result') return message;
  const refused = stopped === null ? refusedAnswers('elicitation/create', message.result, ports) : refusalLine(stopped);
  return refused === null ? message : errorFor(new RpcError(RPC.invalidParams, refused, message.id));
}

type AnswerRules = Pick<SessionPorts, 'answersRefused' | 'observe' | 'note'>;

function refusedAnswers(
  method: string,
  answers: JsonObject,
  { answersRefused, observe, note }: AnswerRules,
): string | null {
  const refusal = answersRefused(method, answers);
  if (refusal === null) return null;
  if (!observe) return refusalLine(refusal);
  note(`would be refused: ${refusal.code} ${refusal.name} (${method})`);
  return null;
}
