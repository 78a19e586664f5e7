/** Refusals of the guard itself, and how a refusal reaches the model. */
import { shellWord } from '../../app/failure.js';
import { isActionName } from '../../protocol/passport.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { refusalLine, type CallRefusal } from '../refusal.js';
import { RPC, type RpcId, type RpcMessage } from './message.js';
import type { SessionPorts } from './ports.js';
import type { PinState } from './tools.js';

/** The refusal of a tool that is not what was pinned. `listed`: the server lists it; a name that it does not list is most likely mistyped. */
export function toolChanged(server: string, tool: string, state: PinState, listed: boolean): CallRefusal {
  return {
    code: 'AIP-E215',
    name: 'TOOL_CHANGED',
    message: !listed
      ? `${server} lists no tool ${tool}.`
      : state === 'changed'
        ? `The tool ${tool} is not the one that was pinned.`
        : `The tool ${tool} is not pinned.`,
    remedy: listed
      ? 'A person compares it with what was pinned before it is taken: `aip mcp diff -- <command of the server>`.'
      : 'Call a tool by a name that tools/list shows.',
    details: { tool, server, state },
    intentHash: null,
  };
}

/** The refusal of what the passport does not declare. */
export function notDeclared(action: string, server: string): CallRefusal {
  return {
    code: 'AIP-E201',
    name: 'ACTION_NOT_DECLARED',
    message: `The passport does not declare ${action}.`,
    // A client asks for what it likes, and what is pasted is run.
    remedy: `Declare it with \`aip passport update <agent> --add-action ${isActionName(action) ? shellWord(action) : '<name>'}\`.`,
    details: { requested: action, server },
    intentHash: null,
  };
}

/**
 * Why a result, or what says of a task, that asks for more input is not passed on: it asks for the model or the folders, or for answers
 * without leave. A task asks in its own status, and a list is read as well as an object: a client may read either.
 */
export function inputRefusal(
  { server, allowElicitation }: Pick<SessionPorts, 'server' | 'allowElicitation'>,
  result: JsonObject,
): CallRefusal | null {
  const { task } = result;
  const asks = [result, ...(isObject(task) ? [task] : [])].flatMap(({ inputRequests }) => requestsIn(inputRequests));
  const methods = asks.map((request) => (isObject(request) ? request.method : null));
  const barred = methods.filter((method) => method !== 'elicitation/create' || !allowElicitation);
  if (barred.length === 0) return null;
  const [first] = barred;
  const asked = typeof first === 'string' ? first : 'an unknown input';
  return {
    ...notDeclared(asked, server),
    message: `${server} asks for ${asked}, which does not pass this guard.`,
    remedy: 'Start the guard with --allow-elicitation where its questions may reach the user.',
  };
}

function requestsIn(asked: Json | undefined): readonly Json[] {
  if (asked === undefined || asked === null) return [];
  return typeof asked === 'object' ? Object.values(asked) : [asked];
}

/** The answer to a request of a client that is refused, as its method has it. */
export function refusalAnswer(id: RpcId, method: string, modern: boolean, refusal: CallRefusal): RpcMessage {
  if (method === 'tools/list') return { kind: 'result', id, result: emptyList(modern) };
  if (method === 'tools/call') return { kind: 'result', id, result: refusalResult(refusal, modern) };
  return { kind: 'error', id, error: { code: RPC.invalidRequest, message: refusalLine(refusal) } };
}

/** Says that the list of tools is another one; inside of a subscription of the later era, by its id. */
export function listChanged(subscription: RpcId | null = null): RpcMessage {
  const params: JsonObject =
    subscription === null ? {} : { _meta: { 'io.modelcontextprotocol/subscriptionId': subscription } };
  return { kind: 'notification', method: 'notifications/tools/list_changed', params };
}

/** A refusal as the model reads it: the code first, and what to do. `modern`: in the later era, where a result names its type. */
function refusalResult(refusal: CallRefusal, modern: boolean): JsonObject {
  const { code, name, details, intentHash } = refusal;
  return {
    ...(modern ? { resultType: 'complete' } : {}),
    content: [{ type: 'text', text: refusalLine(refusal) }],
    isError: true,
    _meta: { 'aip/decision': { code, name, details, intent_hash: intentHash } },
  };
}

/** The list of tools of an agent that was stopped. */
function emptyList(modern: boolean): JsonObject {
  return modern ? { resultType: 'complete', tools: [], ttlMs: 0, cacheScope: 'private' } : { tools: [] };
}
