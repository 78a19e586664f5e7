/** What either side says it can do, without what the guard refuses, so that neither offers it to the other. */
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { RpcRequest } from './calls.js';
import type { RpcId, RpcMessage } from './message.js';
import { paramsToServer, withoutGuardKeys } from './meta.js';
import type { SessionPorts } from './ports.js';
import { inputRefusal, refusalAnswer } from './refusal.js';

type OpenedRules = Pick<SessionPorts, 'patterns' | 'observe'>;

const SPOKEN = 'io.modelcontextprotocol/clientCapabilities';

/** `tasks` is for questions that a client answers later: the server would ask for the answer, with requests that do not pass. */
const dropped = (allowElicitation: boolean): readonly string[] =>
  allowElicitation ? ['sampling', 'roots', 'tasks'] : ['sampling', 'roots', 'tasks', 'elicitation'];

/** The params of `initialize`, with the client's capabilities cleared. */
export function openingParams(params: JsonObject, allowElicitation: boolean): JsonObject {
  if (!isObject(params.capabilities)) return params;
  return { ...params, capabilities: without(params.capabilities, dropped(allowElicitation)) };
}

/**
 * What passes of a client's params, with the capabilities cleared that each request of the later era names: a server asks what the client
 * says that it can answer, and the guard would refuse the question with the call.
 */
export function passingParams(
  given: JsonObject,
  { allowElicitation }: Pick<SessionPorts, 'allowElicitation'>,
): JsonObject {
  const params = paramsToServer(given);
  const meta = params._meta;
  if (!isObject(meta) || !isObject(meta[SPOKEN])) return params;
  return { ...params, _meta: { ...meta, [SPOKEN]: without(meta[SPOKEN], dropped(allowElicitation)) } };
}

/** What no client may ask a server for: how much a server says of its work is its owner's to set. */
const NEVER = ['logging'];

/** The result of `initialize` or `server/discover`, with what does not pass and what the passport does not declare left out. */
export function openedResult(result: JsonObject, { patterns, observe }: OpenedRules): JsonObject {
  if (!isObject(result.capabilities)) return result;
  if (observe) return { ...result, capabilities: without(result.capabilities, NEVER) };
  const resources = patterns('resource').length > 0;
  const prompts = patterns('prompt').length > 0;
  const left = [
    ...NEVER,
    ...(resources ? [] : ['resources']),
    ...(prompts ? [] : ['prompts']),
    ...(resources || prompts ? [] : ['completions']),
  ];
  return { ...result, capabilities: without(result.capabilities, left) };
}

/** A server's question with its name in front: a form cannot pass for the user's own program then. */
export function namedQuestion(question: RpcRequest, server: string): RpcRequest {
  return { ...question, params: namedMessage(question.params, server) };
}

/** The same for the questions in a result of the later era, or in what says of a task; without questions, the object itself. */
export function namedQuestions(result: JsonObject, server: string): JsonObject {
  const { inputRequests, task } = result;
  const named = isObject(task) ? namedQuestions(task, server) : task;
  const asks = isObject(inputRequests)
    ? Object.fromEntries(
        Object.entries(inputRequests).map(([id, request]) => [
          id,
          isObject(request) && isObject(request.params)
            ? { ...request, params: namedMessage(request.params, server) }
            : request,
        ]),
      )
    : undefined;
  if (asks === undefined && named === task) return result;
  return { ...result, ...(asks && { inputRequests: asks }), ...(named !== undefined && { task: named }) };
}

/** The member of an error's data that sends the user to addresses (`URLElicitationRequiredError`, -32042, of 2025-11-25). */
const SENT_TO = 'elicitations';

/** A server's error as it may pass: one that sends the user to an address asks a question, as a result does that wants more input. */
export function passingError(
  message: RpcMessage & { readonly kind: 'error' },
  { method, modern }: { readonly method: string; readonly modern: boolean },
  rules: Pick<SessionPorts, 'server' | 'allowElicitation'>,
): RpcMessage {
  const passing = withoutGuardKeys(message);
  const { data } = passing.error;
  const asked = isObject(data) ? data[SENT_TO] : undefined;
  if (!isObject(data) || asked === undefined) return passing;
  const questions = Array.isArray(asked) ? (asked as readonly Json[]) : [asked];
  const inputRequests = questions.map(() => ({ method: 'elicitation/create' }));
  const refusal = inputRefusal(rules, { inputRequests });
  if (refusal !== null) return refusalAnswer(message.id as RpcId, method, modern, refusal);
  const named = questions.map((each) => (isObject(each) ? namedMessage(each, rules.server) : each));
  return { ...passing, error: { ...passing.error, data: { ...data, [SENT_TO]: named } } };
}

function namedMessage(params: JsonObject, server: string): JsonObject {
  return { ...params, message: `[${server}] ${typeof params.message === 'string' ? params.message : ''}` };
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
